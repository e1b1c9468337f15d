# label: fast
"""Trained and extended tokenizers beside PyPI's tokenizers: equal files for equal settings, and extended ones that it reads with every old id."""
import collections
import json
import os
import pathlib
import random
import subprocess
import unicodedata

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
OWN = r"\p{Hangul}+|[a-z]+| ?[^\s\p{L}]+|\s+"
SPECIAL = ["<|endoftext|>", "<|pad|>", "a b"]


def read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


CORPUS = [r["text"] for r in read_rows(FIXTURES / "bpe/corpus.jsonl")]
KOREAN = [t for t in CORPUS if any("가" <= c <= "힣" for c in t)]
OTHER = [t for t in CORPUS if not any("가" <= c <= "힣" for c in t)]
KOREAN += ["도서관은 아침 아홉 시에 문을 연다. 문 앞에는 벌써 몇 사람이 줄을 서 있었고, 뷁 쀍 한 아이는 책의 쪽수를 꼽고 있었다.", "오늘은 비가 온다니 오래 있어도 괜찮아요. 2023년 12월 ㅋㅋ"] * 3


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


def write_rows(path, texts):
    path.write_text("".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts), encoding="utf-8")
    return path


def theirs(corpus, pattern=LLAMA3, nfc=False, **settings):
    tokenizer = Tokenizer(models.BPE())
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    settings = {"vocab_size": 900, "min_frequency": 2, "initial_alphabet": pre_tokenizers.ByteLevel.alphabet(), **settings}
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(special_tokens=SPECIAL, show_progress=False, **settings))
    return tokenizer


def check_same(tokenizer, corpus, folder, *flags, vocab_size=900):
    rows = write_rows(folder / "corpus.jsonl", corpus)
    helio("tokenizer", "train", rows, "--vocab-size", vocab_size, "--special-tokens", *SPECIAL, "--out", folder / "ours", *flags)
    ours = (folder / "ours/tokenizer.json").read_text(encoding="utf-8")
    assert json.loads(ours)["model"]["merges"] == json.loads(tokenizer.to_str())["model"]["merges"]
    assert ours == tokenizer.to_str(pretty=True)


@pytest.mark.parametrize("flags,settings", [
    (["--pre-tokenizer", "qwen2"], {"pattern": QWEN2}),
    (["--split-regex", OWN], {"pattern": OWN}),
    (["--normalizer", "nfc"], {"nfc": True}),
    (["--initial-alphabet", "seen"], {"initial_alphabet": []}),
    *[(["--max-token-length", n], {"max_token_length": n}) for n in (1, 2, 3, 4, 7)],
    (["--max-token-length", 5, "--min-frequency", 4, "--normalizer", "nfc", "--pre-tokenizer", "qwen2"], {"max_token_length": 5, "min_frequency": 4, "nfc": True, "pattern": QWEN2}),
], ids=str)
def test_settings_give_the_same_file(flags, settings, tmp_path):
    corpus = CORPUS + [unicodedata.normalize("NFD", t) for t in KOREAN] + ["12345 1 22 333"] * 4
    check_same(theirs(corpus, **settings), corpus, tmp_path, *flags)


def test_a_limited_alphabet_gives_the_same_file(tmp_path):
    counts = collections.Counter(c for t in CORPUS for p, _ in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(t) for c in p)
    sizes = [n for _, n in counts.most_common()]
    limits = [n for n in range(20, len(sizes)) if sizes[n - 1] > sizes[n]]  # where HF's choice does not hang on its hash table's order
    for limit in (limits[0], limits[len(limits) // 2], limits[-1]):
        check_same(theirs(CORPUS, initial_alphabet=[], limit_alphabet=limit), CORPUS, tmp_path, "--initial-alphabet", "seen", "--limit-alphabet", limit)


@pytest.mark.parametrize("seed", range(12))
def test_ties_and_pairs_met_twice_give_the_same_file(seed, tmp_path):
    draw = random.Random(seed)
    letters = "ab" if seed % 3 == 0 else "abc"
    corpus = [" ".join("".join(draw.choice(letters) for _ in range(draw.randint(1, 9))) for _ in range(20)) for _ in range(10)]
    settings = {"vocab_size": 420, "min_frequency": draw.choice([1, 1, 2]), "initial_alphabet": []}
    check_same(theirs(corpus, **settings), corpus, tmp_path, "--initial-alphabet", "seen", "--min-frequency", settings["min_frequency"], vocab_size=420)


def test_neither_memory_nor_threads_change_the_files(tmp_path):
    draw = random.Random(5)
    words = [w for t in CORPUS for w in t.split()]
    rows = write_rows(tmp_path / "in.jsonl", [" ".join(draw.choice(words) + str(draw.randrange(1000)) for _ in range(300)) for _ in range(1500)])
    made = [tmp_path / n / "same" for n in ("all", "little", "one")]
    for out, flags in zip(made, ([], ["--memory", "1M", "--threads", 3], ["--threads", 1])):
        helio("tokenizer", "train", rows, "--vocab-size", 700, "--out", out, *flags)
    for name in sorted(p.name for p in made[0].iterdir()):
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes() == (made[2] / name).read_bytes(), name


# Tokenizers of the shapes that models have. Their corpora have little or no Hangul.
def byte_level(ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(OTHER, trainers.BpeTrainer(vocab_size=500, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def llama3():
    """Added tokens behind the vocabulary, one of them an ordinary word; BOS by the post-processor."""
    tokenizer = byte_level(ignore_merges=True)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("도서관표", normalized=True)])
    bos = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", bos)])
    return tokenizer


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(OTHER, trainers.BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>"], show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def llama2(shape="legacy"):
    """Byte fallback, words marked with U+2581: by the normaliser (legacy, Mistral v1) or by Metaspace; Gemma cuts at nothing and marks no beginning."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    tokenizer.train_from_iterator(OTHER, trainers.BpeTrainer(vocab_size=700, special_tokens=special, limit_alphabet=90, show_progress=False))
    parsed = json.loads(tokenizer.to_str())
    parsed["added_tokens"] = parsed["added_tokens"][:3]  # the bytes are tokens of the model alone
    if shape == "legacy":
        parsed["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
        parsed["pre_tokenizer"] = None
    if shape == "gemma":
        parsed["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
        parsed["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    parsed["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}
    return Tokenizer.from_str(json.dumps(parsed))


def unigram(byte_fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if byte_fallback else [])
    tokenizer.train_from_iterator(OTHER, trainers.UnigramTrainer(vocab_size=700, special_tokens=special, unk_token="<unk>", show_progress=False))
    if byte_fallback:
        parsed = json.loads(tokenizer.to_str())
        parsed["added_tokens"] = parsed["added_tokens"][:3]
        parsed["model"]["byte_fallback"] = True
        parsed["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}
        tokenizer = Tokenizer.from_str(json.dumps(parsed))
    tokenizer.add_special_tokens(["<mask>"])  # behind the vocabulary, as XLM-R's
    return tokenizer


BASES = {"byte_level": byte_level, "llama3": llama3, "gpt2": gpt2, "llama2": llama2, "llama2_metaspace": lambda: llama2("metaspace"), "gemma": lambda: llama2("gemma"),
         "unigram": unigram, "unigram_bytes": lambda: unigram(True)}


@pytest.mark.parametrize("style,script", [("pretty", "any"), ("compact", "hangul")])
@pytest.mark.parametrize("name", BASES)
def test_an_extended_tokenizer_keeps_every_old_id(name, style, script, tmp_path):
    base = BASES[name]()
    (tmp_path / "base").mkdir()
    (tmp_path / "base/tokenizer.json").write_text(base.to_str(pretty=style == "pretty"), encoding="utf-8")
    (tmp_path / "base/tokenizer_config.json").write_text("{}")
    korean = write_rows(tmp_path / "korean.jsonl", KOREAN)
    done = json.loads(helio("tokenizer", "extend", tmp_path / "base", "--corpus", korean, "--add", 60, "--script", script, "--out", tmp_path / "new", "--json").stdout)
    new = Tokenizer.from_file(str(tmp_path / "new/tokenizer.json"))
    extension = json.loads((tmp_path / "new/extension.json").read_text(encoding="utf-8"))
    first = extension["base_vocab_size"]
    assert first == max(base.get_vocab().values()) + 1 == done["base_vocab_size"]
    assert done["added"] == len(extension["new_tokens"]) == 60
    assert [t["id"] for t in extension["new_tokens"]] == list(range(first, first + 60))
    old = base.get_vocab()
    assert new.get_vocab() == {**old, **{t["token"]: t["id"] for t in extension["new_tokens"]}}
    if script == "hangul" and "level" not in name and name not in ("llama3", "gpt2"):
        assert all(all("가" <= c <= "힣" or "ㄱ" <= c <= "ㆎ" for c in t["token"].removeprefix("▁")) for t in extension["new_tokens"])

    samples = KOREAN + OTHER[:20] + ["도서관은 <tool> 있었다 도서관표 <mask> <|eot_id|>", "", " ", "  책의  쪽수를", "뷁 한\n아이는 text 文"]
    rows = write_rows(tmp_path / "in.jsonl", samples)
    helio("tokenizer", "encode", "--tokenizer", tmp_path / "new", "--in", rows, "--field", "text", "--out", tmp_path / "ids.jsonl")
    pieces = {t["id"]: t["pieces"] for t in extension["new_tokens"]}
    shorter = 0
    for text, ours in zip(samples, read_rows(tmp_path / "ids.jsonl")):
        before, after = base.encode(text).ids, new.encode(text).ids
        assert ours["ids"] == after
        assert new.decode(after) == base.decode(before) or (name == "unigram" and 0 in before)  # <unk> loses what it stands for
        used = [i for i in after if i >= first]
        if not used:
            assert after == before
        if "unigram" not in name:
            assert [j for i in after for j in pieces.get(i, [i])] == before, text
        # Without byte fallback a run of unknown text is one token: what is gained there is text, not length.
        shorter += len(new.decode(after)) > len(base.decode(before)) if name == "unigram" else len(after) < len(before)
    assert shorter >= len(KOREAN) - 2
    tokens = {row["text"]: row for row in done["fertility"]}
    assert name == "unigram" or tokens["corpus"]["tokens_after"] < tokens["corpus"]["tokens_before"]
    assert tokens["english"]["tokens_after"] == tokens["english"]["tokens_before"] or script == "any"
