"""Small tokenizers of other formats than tokenizer.json, with ids of their own libraries: tests/fixtures/tokenizer_formats.

    python tools/record/tokenizer_formats.py       (sentencepiece 0.2.3, tiktoken 0.14.0)
"""
import base64
import json
import pathlib
import shutil
import tempfile

import sentencepiece
import tiktoken
from tiktoken._educational import bpe_train

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/fixtures/tokenizer_formats"
LINES = [json.loads(line)["text"] for line in (ROOT / "tests/fixtures/bpe/lines.jsonl").read_text().split("\n") if line]
TEXTS = ["", " ", "a", "Hello, world!  12 345", "  a  b ", "한국어 문장입니다.", "ﬁne Ⅷ １２ ½", "[X] a[X]b [X]", "▁a▁", "😀é\u0301zq", "aaaaaaaa!!!!", "\n\t x\r\n", "def f(x):\n    return x  \n  "] + LINES[:20]
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def sentencepieces():
    folder = OUT / "sentencepiece"
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        (temp / "corpus.txt").write_text("\n".join(LINES))
        (temp / "rules.tsv").write_text("FB01\t66 69\n2167\t56 49 49 49\n9\t20\nA\t20\n65 301\tE9\n")
        for name, kind, options in (("unigram", "unigram", dict(normalization_rule_tsv=str(temp / "rules.tsv"))),
                                    ("bpe", "bpe", dict(normalization_rule_name="identity", byte_fallback=True, remove_extra_whitespaces=False)),
                                    ("char", "char", dict(normalization_rule_name="identity")), ("word", "word", dict(normalization_rule_name="identity"))):
            size = {"unigram": 400, "bpe": 720, "char": 200, "word": 200}[kind]
            sentencepiece.SentencePieceTrainer.train(input=str(temp / "corpus.txt"), model_prefix=str(temp / name), model_type=kind, vocab_size=size, hard_vocab_limit=False, minloglevel=2,
                                                     num_threads=1, character_coverage=0.98, user_defined_symbols=[] if name == "bpe" else ["[X]"], control_symbols=["[C]"], **options)
            shutil.copy(temp / f"{name}.model", folder / f"{name}.model")
            peer = sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{name}.model"))
            (OUT / f"{name}.jsonl").write_text("".join(json.dumps({"text": t, "ids": peer.encode(t)}, ensure_ascii=False) + "\n" for t in TEXTS))


def ranks():
    trained = bpe_train("\n".join(LINES), 420, PATTERN, visualise=None)
    (OUT / "tiktoken").mkdir()
    (OUT / "tekken").mkdir()
    (OUT / "tiktoken/small.tiktoken").write_bytes(b"".join(base64.b64encode(t) + b" %d\n" % r for t, r in trained.items()))
    tokens = [{"rank": r, "token_bytes": base64.b64encode(t).decode(), "token_str": None} for t, r in trained.items()]
    special = ["<unk>", "<s>", "</s>", "[INST]"]
    (OUT / "tekken/tekken.json").write_text(json.dumps({
        "config": {"pattern": PATTERN, "num_vocab_tokens": len(tokens), "default_vocab_size": len(tokens) - 10 + 8, "default_num_special_tokens": 8, "version": "v7"}, "vocab": tokens,
        "special_tokens": [{"rank": i, "token_str": t, "is_control": True} for i, t in enumerate(special)]}))
    kept = dict(list(trained.items())[:-10])
    peer = tiktoken.Encoding("small", pat_str=PATTERN, mergeable_ranks=kept, special_tokens={})
    (OUT / "tekken.jsonl").write_text("".join(json.dumps({"text": t, "ids": [i + 8 for i in peer.encode_ordinary(t)]}, ensure_ascii=False) + "\n" for t in TEXTS))


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    sentencepieces()
    ranks()
