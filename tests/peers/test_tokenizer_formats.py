# label: fast
"""tiktoken's ranks, tekken.json and folders before tokenizer.json beside their own libraries; what convert writes is read by the real ones."""
import base64
import importlib.util
import json
import os
import pathlib
import random
import subprocess

import pytest
import tiktoken
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ROOT / "tests/fixtures/tokenizer_formats"
SHARED = pathlib.Path("/work/shared/data/tokenizers")
PARTS = ["a", "the", " the", "hello", " world", "é", "한국어", "을 ", "漢字", "カタカナ", "1", "2023", " 12", " ", "  ", "   ", "\n", "\r\n", "\n\n", "\t", "\u3000", ".", "!", "?!", "!!!!!!", "aaaaaaa", "'s",
         "'LL", "'d", "😀", "👩\u200d👩\u200d👧", "_", "x=1;", "CamelCase", "/", "//\n", "<|endoftext|>", "<s>", "[INST]"]
LINES = [json.loads(line)["text"] for line in (ROOT / "tests/fixtures/bpe/lines.jsonl").read_text().split("\n") if line]


def texts(seed, count=300):
    draw = random.Random(seed)
    return ["", " ", "\n", "a \n ", " \n\t "] + ["".join(draw.choice(PARTS) for _ in range(draw.randint(1, 20))) for _ in range(count)] + LINES[:60]


def helio(*words, fails=False):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def encode(tokenizer, folder, samples, *flags):
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in samples))
    helio("tokenizer", "encode", "--tokenizer", tokenizer, "--in", folder / "in.jsonl", "--out", folder / "out.jsonl", *flags)
    return [json.loads(line)["ids"] for line in (folder / "out.jsonl").read_text().split("\n") if line]


def load_ranks(file):
    return {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in file.read_bytes().splitlines()}


def public_encodings():
    spec = importlib.util.find_spec("tiktoken_ext.openai_public")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.load_tiktoken_bpe = lambda *a, **k: {}  # no network: the ranks are not asked for
    module.data_gym_to_mergeable_bpe_ranks = lambda *a, **k: {}
    return {name: make() for name, make in module.ENCODING_CONSTRUCTORS.items()}


@pytest.mark.parametrize("name", ["gpt2", "r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony"])
def test_named_encodings_cut_as_tiktoken(tmp_path, name):
    public = public_encodings()[name]
    file = FORMATS / "tiktoken/small.tiktoken"
    special = {t: i for t, i in public["special_tokens"].items() if t != "<|reserved_200018|>"}  # has the id of <|endofprompt|>
    peer = tiktoken.Encoding(name, pat_str=public["pat_str"], mergeable_ranks=load_ranks(file), special_tokens=special)
    helio("tokenizer", "convert", file, "--encoding", name, "--out", tmp_path / "hf")
    samples = texts(len(name), 1200)
    theirs = [peer.encode(t, allowed_special="all") for t in samples]
    assert encode(tmp_path / "hf", tmp_path, samples) == theirs
    hf = Tokenizer.from_file(str(tmp_path / "hf/tokenizer.json"))
    assert [hf.encode(t).ids for t in samples] == theirs
    for token, i in special.items():
        assert hf.token_to_id(token) == i


def test_ranks_that_are_known_need_no_name_and_others_do(tmp_path):
    said = helio("tokenizer", "info", FORMATS / "tiktoken/small.tiktoken", fails=True)
    assert "--encoding" in said and "llama3.1" in said


def test_tekken_is_tiktoken_behind_its_special_tokens(tmp_path):
    raw = json.loads((FORMATS / "tekken/tekken.json").read_text())
    size = raw["config"]["default_vocab_size"] - raw["config"]["default_num_special_tokens"]
    ranks = {base64.b64decode(t["token_bytes"]): t["rank"] for t in raw["vocab"][:size]}
    peer = tiktoken.Encoding("tekken", pat_str=raw["config"]["pattern"], mergeable_ranks=ranks, special_tokens={})
    samples = [t for t in texts(3) if "[INST]" not in t and "<s>" not in t]
    assert encode(FORMATS / "tekken/tekken.json", tmp_path, samples) == [[i + 8 for i in peer.encode_ordinary(t)] for t in samples]


def test_the_tekken_people_have(tmp_path):
    file = SHARED / "mistral/tekken_240911.json"
    if not file.exists():
        pytest.skip(f"{file} is not here")
    raw = json.loads(file.read_text())
    ranks = {base64.b64decode(t["token_bytes"]): t["rank"] for t in raw["vocab"][:130072]}
    peer = tiktoken.Encoding("tekken", pat_str=raw["config"]["pattern"], mergeable_ranks=ranks, special_tokens={})
    samples = [t for t in texts(4, 1500) if "[INST]" not in t and "<s>" not in t]
    assert encode(file, tmp_path, samples) == [[i + 1000 for i in peer.encode_ordinary(t)] for t in samples]


def byte_level_bpe(merges_from=LINES):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(merges_from, trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"], show_progress=False))
    return tokenizer


def test_byte_level_bpe_goes_to_ranks_and_back(tmp_path):
    theirs = byte_level_bpe()
    theirs.save(str(tmp_path / "tokenizer.json"))
    helio("tokenizer", "convert", tmp_path / "tokenizer.json", "--to", "tiktoken", "--out", tmp_path / "ranks")
    said = json.loads((tmp_path / "ranks/encoding.json").read_text())
    peer = tiktoken.Encoding("x", pat_str=said["pat_str"], mergeable_ranks=load_ranks(tmp_path / "ranks/ranks.tiktoken"), special_tokens=said["special_tokens"])
    samples = texts(8)
    ids = [theirs.encode(t).ids for t in samples]
    assert [peer.encode(t, allowed_special="all") for t in samples] == ids
    assert encode(tmp_path / "ranks", tmp_path, samples) == ids
    helio("tokenizer", "convert", tmp_path / "ranks", "--out", tmp_path / "back")
    assert [Tokenizer.from_file(str(tmp_path / "back/tokenizer.json")).encode(t).ids for t in samples] == ids


def test_what_a_format_cannot_say_is_an_error(tmp_path):
    model = FORMATS / "sentencepiece/unigram.model"
    assert "SentencePiece model" in helio("tokenizer", "convert", model, "--to", "tiktoken", "--out", tmp_path / "a", fails=True) and not (tmp_path / "a").exists()
    byte_level_bpe().save(str(tmp_path / "tokenizer.json"))
    said = helio("tokenizer", "convert", tmp_path / "tokenizer.json", "--to", "sentencepiece", "--out", tmp_path / "b", fails=True)
    assert "cannot say" in said and not (tmp_path / "b").exists()
    assert "word" in helio("tokenizer", "convert", FORMATS / "sentencepiece/word.model", "--out", tmp_path / "c", fails=True)


def test_a_tokenizer_json_is_saved_as_it_was(tmp_path):
    theirs = byte_level_bpe()
    theirs.save(str(tmp_path / "tokenizer.json"))
    helio("tokenizer", "convert", tmp_path / "tokenizer.json", "--out", tmp_path / "out")
    assert (tmp_path / "out/tokenizer.json").read_text() == (tmp_path / "tokenizer.json").read_text()
    first = (tmp_path / "out/helio_manifest.json").read_text()
    helio("tokenizer", "convert", tmp_path / "tokenizer.json", "--out", tmp_path / "out")
    assert (tmp_path / "out/helio_manifest.json").read_text() == first


def test_gpt2_and_roberta_folders(tmp_path):
    theirs = byte_level_bpe()
    theirs.model.save(str(tmp_path))
    samples = [t for t in texts(9) if "<s>" not in t]
    theirs.post_processor = processors.ByteLevel(trim_offsets=False)
    assert encode(tmp_path, tmp_path, samples) == [theirs.encode(t).ids for t in samples]
    vocab = json.loads((tmp_path / "vocab.json").read_text())
    n = len(vocab)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}))
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<s>": n, "</s>": n + 1, "<unk>": n + 2, "<pad>": n + 3, "<mask>": n + 4}))
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    theirs.add_special_tokens(["<s>", "</s>", "<unk>", "<pad>", AddedToken("<mask>", lstrip=True, normalized=False)])
    theirs.post_processor = processors.RobertaProcessing(("</s>", n + 1), ("<s>", n), True, True)
    samples = [t for t in texts(10) if "<|endoftext|>" not in t] + ["a <mask> b"]
    assert encode(tmp_path, tmp_path, samples) == [theirs.encode(t).ids for t in samples]


def test_bert_folder(tmp_path):
    theirs = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    theirs.normalizer, theirs.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    theirs.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    theirs.model.save(str(tmp_path))
    theirs.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    samples = texts(11) + ["Ünï [MASK] CODE"]
    assert encode(tmp_path, tmp_path, samples) == [theirs.encode(t).ids for t in samples]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer"}))
    assert "CLIPTokenizer" in helio("tokenizer", "info", tmp_path, fails=True)
