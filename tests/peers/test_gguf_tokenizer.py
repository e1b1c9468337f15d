# label: fast
"""Tokenizers in GGUF files: written with PyPI's gguf, compared with HF's and sentencepiece's; llama.cpp's own recorded ids where they are."""
import json
import os
import pathlib
import subprocess

import gguf
import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ROOT / "tests/fixtures/tokenizer_formats"
SHARED = pathlib.Path("/work/shared/data/tokenizers")
LINES = [json.loads(line)["text"] for line in (ROOT / "tests/fixtures/bpe/lines.jsonl").read_text().split("\n") if line]
SAMPLES = LINES[:80] + ["", " ", "  a  b\n\n  c ", "x  12 3456 7", "don't WE'LL", "한국어 ㅋㅋ 漢字カナ", "a\t\r\n b!!??", "😀 é e\u0301", "<|end|> a<|im|>b", "def f(x):\n    return x + 1  "]


def helio(*words, fails=False):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def encode(tokenizer, folder, samples, *flags):
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in samples))
    helio("tokenizer", "encode", "--tokenizer", tokenizer, "--in", folder / "in.jsonl", "--out", folder / "out.jsonl", *flags)
    return [json.loads(line)["ids"] for line in (folder / "out.jsonl").read_text().split("\n") if line]


def write(path, model, tokens, types, **more):
    out = gguf.GGUFWriter(str(path), "llama")
    out.add_tokenizer_model(model)
    out.add_token_list(tokens)
    out.add_token_types(types)
    for name, value in more.items():
        out.add_uint32(f"tokenizer.ggml.{name}", value) if name.startswith("cls") else getattr(out, f"add_{name}")(value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.close()


DIGITS_GPT2 = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLIT_LLAMA3 = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


@pytest.mark.parametrize("pre,cut", [("gpt-2", pre_tokenizers.ByteLevel(add_prefix_space=False)), ("smollm", DIGITS_GPT2), ("llama-bpe", SPLIT_LLAMA3), ("smaug-bpe", SPLIT_LLAMA3)])
def test_byte_level_bpe(tmp_path, pre, cut):
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer, theirs.decoder = cut, decoders.ByteLevel()
    theirs.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|end|>"], show_progress=False))
    theirs.add_tokens([AddedToken("<|im|>", normalized=False)])
    saved = json.loads(theirs.to_str())["model"]
    tokens = [theirs.id_to_token(i) for i in range(theirs.get_vocab_size())]
    types = [3 if t == "<|end|>" else 4 if t == "<|im|>" else 1 for t in tokens]
    write(tmp_path / "m.gguf", "gpt2", tokens, types, tokenizer_pre=pre, token_merges=[" ".join(m) for m in saved["merges"]], bos_token_id=0, eos_token_id=0, chat_template="{{ messages }}")
    if pre == "llama-bpe":  # ignore_merges and a BOS by the name alone
        saved_all = json.loads(theirs.to_str())
        saved_all["model"]["ignore_merges"] = True
        theirs = Tokenizer.from_str(json.dumps(saved_all))
        theirs.post_processor = processors.TemplateProcessing(single="<|end|> $A", special_tokens=[("<|end|>", 0)])
    assert encode(tmp_path / "m.gguf", tmp_path, SAMPLES) == [theirs.encode(t).ids for t in SAMPLES]
    helio("tokenizer", "convert", tmp_path / "m.gguf", "--out", tmp_path / "hf")
    hf = Tokenizer.from_file(str(tmp_path / "hf/tokenizer.json"))
    assert [hf.encode(t).ids for t in SAMPLES] == [theirs.encode(t).ids for t in SAMPLES]
    assert (tmp_path / "hf/chat_template.jinja").read_text() == "{{ messages }}"


@pytest.mark.parametrize("name", ["bpe", "unigram"])
def test_sentencepiece_models(tmp_path, name):
    model = proto.ModelProto()
    model.ParseFromString((FORMATS / f"sentencepiece/{name}.model").read_bytes())
    if name == "bpe":
        model.normalizer_spec.remove_extra_whitespaces = False
    more = {} if name == "bpe" else dict(precompiled_charsmap=model.normalizer_spec.precompiled_charsmap, remove_extra_whitespaces=True)
    write(tmp_path / "m.gguf", "llama" if name == "bpe" else "t5", [p.piece.encode() for p in model.pieces], [int(p.type) for p in model.pieces], token_scores=[p.score for p in model.pieces],
          bos_token_id=1, eos_token_id=2, unk_token_id=0, **more)
    peer = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    around = (lambda ids: [1] + ids) if name == "bpe" else (lambda ids: ids + [2])
    samples = [t for t in SAMPLES if "<" not in t]
    assert encode(tmp_path / "m.gguf", tmp_path, samples) == [around(peer.encode(t)) for t in samples]
    assert encode(tmp_path / "m.gguf", tmp_path, samples, "--no_special") == [peer.encode(t) for t in samples]


def test_bert(tmp_path):
    theirs = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    theirs.normalizer, theirs.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    theirs.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    theirs.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokens = [theirs.id_to_token(i) for i in range(theirs.get_vocab_size())]
    marked = [t if i < 5 else t[2:] if t.startswith("##") else "▁" + t for i, t in enumerate(tokens)]
    write(tmp_path / "m.gguf", "bert", marked, [3 if i < 5 else 1 for i in range(len(tokens))], unk_token_id=1, cls_token_id=2, sep_token_id=3, pad_token_id=0)
    assert encode(tmp_path / "m.gguf", tmp_path, SAMPLES) == [theirs.encode(t).ids for t in SAMPLES]


def test_what_is_not_known_is_named(tmp_path):
    write(tmp_path / "a.gguf", "gpt2", ["a", "b"], [1, 1], tokenizer_pre="brand-new", token_merges=["a b"])
    said = helio("tokenizer", "info", tmp_path / "a.gguf", fails=True)
    assert "brand-new" in said and "llama-bpe, llama-v3" in said
    write(tmp_path / "b.gguf", "rwkv", ["a", "b"], [1, 1])
    assert "rwkv" in helio("tokenizer", "info", tmp_path / "b.gguf", fails=True)


@pytest.mark.parametrize("name", ["gpt-2", "falcon", "llama-spm", "bert-bge"])
def test_ids_recorded_by_llama_cpp(tmp_path, name):
    file = SHARED / f"llamacpp/ggml-vocab-{name}.gguf"
    if not file.exists():
        pytest.skip(f"{file} is not here")
    samples = (SHARED / f"llamacpp/ggml-vocab-{name}.gguf.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    lines = (SHARED / f"llamacpp/ggml-vocab-{name}.gguf.out").read_text().split("\n")
    expected = [[int(i) for i in line.split()] for line in lines]
    assert len(samples) > 40
    for text, ours, theirs in zip(samples, encode(file, tmp_path, samples, "--no_special"), expected):
        assert ours == theirs, text
