# label: fast
"""SentencePiece's .model files beside the sentencepiece library: the same ids and text, for every kind of model it trains."""
import json
import os
import pathlib
import random
import subprocess
import unicodedata

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
from tokenizers import Tokenizer

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
SHARED = pathlib.Path("/work/shared/data/tokenizers")
PARTS = ["a", "Z", "the", " the", "hello", " world", "é", "e\u0301", "한", "한국어", "을", "ㅋㅋ", "\u1112\u1161\u11ab", "漢字", "日本語", "カタカナー", "العربية", "1", "2023", "Ⅷ", "½", "１", "①",
         " ", "  ", "    ", "\n", "\r\n", "\t", "\x0b", "\x1c", "\u00a0", "\u3000", "\u0085", "\u200b", "\u2028", ".", "!", "?!", "!!!!!!", "aaaaaaaaaaa", "_", "-", "'s", "\u0301", "😀",
         "👩\u200d👩\u200d👧", "\ufe0f", "«", "＿", "Ⓐ", "ﬁ", "㋿", "ﾡ", "\uFFFD", "[X]", " [X] ", "[X", "[XY]", "<0x41>", "<", "▁", "▁▁", "\u212b", "İ", "ẞ", "\ufeff", "ß", "日", "zq", "##", "|", "x,y",
         "naïve", "가나다라마바사", "ab", "abc", "th", "\x7f", "\x01", "e", "t", "o"]
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "[C]")


def texts(seed, count=160):
    draw = random.Random(seed)
    out = ["", " ", "\n", "a", "  a  ", "▁", "a▁", "▁a ▁ ", "\r\n", " [X]", "[X] a"]
    out += ["".join(draw.choice(PARTS) for _ in range(draw.randint(1, 24))) for _ in range(count)]
    out += [bytes(draw.randrange(256) for _ in range(draw.randint(1, 40))).decode("utf-8", "replace").replace("\0", "") for _ in range(count // 5)]
    out += ["".join(draw.choice("abcet ") for _ in range(draw.randint(1, 60))) for _ in range(count // 4)]
    return [t for t in out if not any(s in t for s in SPECIAL)]


DOCUMENTS = [json.loads(line)["text"] for line in (FIXTURES / "bpe/lines.jsonl").read_bytes().decode().split("\n") if line]


def helio(*words, fails=False):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def rows(path):
    return [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n") if line]


def encode(file, folder, samples, *flags):
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in samples))
    helio("tokenizer", "encode", "--tokenizer", file, "--in", folder / "in.jsonl", "--out", folder / "out.jsonl", *flags)
    return rows(folder / "out.jsonl")


def compare(file, folder, samples):
    peer = sentencepiece.SentencePieceProcessor(model_file=str(file))
    ours = [row["ids"] for row in encode(file, folder, samples)]
    for text, ids in zip(samples, ours, strict=True):
        assert ids == peer.encode(text), (text, [peer.id_to_piece(i) for i in ids], peer.encode(text, out_type=str))
    for (text, ids), row in zip(zip(samples, ours), encode(file, folder, samples, "--offsets"), strict=True):
        assert row["ids"] == ids
        offsets = row["offsets"]
        assert all(0 <= b <= e <= len(text) for b, e in offsets) and offsets == sorted(offsets), (text, offsets)
        begins = [p.begin for p in peer.encode(text, return_type="proto").pieces]
        if len(text) < 10_000 and len(begins) == len(ids) and not any(peer.is_byte(i) for i in ids):  # ends differ where one character became several
            assert [len(text[:b].encode()) for b, _ in offsets] == begins, text
    unknown = peer.unk_id()
    known = [ids for ids in ours if unknown not in ids]
    (folder / "ids.jsonl").write_text("".join(json.dumps({"ids": i}) + "\n" for i in known))
    helio("tokenizer", "decode", "--tokenizer", file, "--in", folder / "ids.jsonl", "--out", folder / "text.jsonl")
    for ids, row in zip(known, rows(folder / "text.jsonl"), strict=True):
        assert row["text"] == peer.decode(ids), ids
    return len(known)


def train(folder, kind, **options):
    (folder / "corpus.txt").write_text("\n".join(d.replace("\n", " ") for d in DOCUMENTS))
    size = {"unigram": 900, "bpe": 900, "char": 400, "word": 500}[kind]
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "corpus.txt"), model_prefix=str(folder / "m"), model_type=kind, vocab_size=size, hard_vocab_limit=False, minloglevel=2, num_threads=1,
        max_sentence_length=100000, character_coverage=0.99, **options)
    return folder / "m.model"


OPTIONS = {
    "plain": {}, "bytes": dict(byte_fallback=True), "identity": dict(normalization_rule_name="identity"), "nfkc_cf": dict(normalization_rule_name="nfkc_cf"),
    "symbols": dict(user_defined_symbols=["[X]", "[XY]", "ab", "▁th", "!!"], control_symbols=["[C]"], pad_id=3), "bare": dict(add_dummy_prefix=False, remove_extra_whitespaces=False),
    "llama": dict(byte_fallback=True, remove_extra_whitespaces=False, normalization_rule_name="identity", split_digits=True, allow_whitespace_only_pieces=True),
    "symbols_bytes": dict(user_defined_symbols=["[X]", "  ", "1"], byte_fallback=True, remove_extra_whitespaces=False, normalization_rule_name="nmt_nfkc_cf"),
    "spaces": dict(split_by_whitespace=False, user_defined_symbols=[" [X] "])}


@pytest.mark.parametrize("kind,options", [(kind, o) for kind in ("unigram", "bpe") for o in OPTIONS] + [(kind, o) for kind in ("char", "word") for o in ("plain", "bytes", "symbols", "bare")])
def test_ids_are_those_of_sentencepiece(tmp_path, kind, options):
    file = train(tmp_path, kind, **OPTIONS[options])
    assert compare(file, tmp_path, texts(len(options) * 100 + len(kind)) + DOCUMENTS[:40]) > 20 or kind == "word"


def edited(folder, kind, change, **options):
    file = train(folder, kind, **options)
    model = proto.ModelProto()
    model.ParseFromString(file.read_bytes())
    change(model)
    file.write_bytes(model.SerializeToString())
    return file


def test_equal_scores_are_merged_from_left_to_right(tmp_path):
    def tie(model):
        for piece in model.pieces:
            if piece.type == 1:
                piece.score = -float(round(-piece.score) // 40)
    compare(edited(tmp_path, "bpe", tie), tmp_path, texts(7) + DOCUMENTS[:40])


def test_pieces_of_characters_that_are_none(tmp_path):
    def drop(model):
        kept = [p for i, p in enumerate(model.pieces) if p.type != 1 or len(p.piece) > 1 or p.piece not in "etao▁한"]
        assert len(kept) < len(model.pieces)
        del model.pieces[:]
        model.pieces.extend(kept)
    compare(edited(tmp_path, "bpe", drop), tmp_path, texts(6) + DOCUMENTS[:30])


def test_long_texts_bring_scores_back(tmp_path):
    file = train(tmp_path, "unigram")
    compare(file, tmp_path, ["\n".join(DOCUMENTS) * (1 + 120_000 // sum(map(len, DOCUMENTS)))])


def test_what_is_not_supported_is_named(tmp_path):
    def change(model):
        model.trainer_spec.treat_whitespace_as_suffix = True
    file = edited(tmp_path, "bpe", change)
    assert "treat_whitespace_as_suffix" in helio("tokenizer", "info", file, fails=True)


CONVERTED = {
    "unigram": ("unigram", {}), "unigram_bytes": ("unigram", dict(byte_fallback=True, normalization_rule_name="identity")), "bpe": ("bpe", dict(normalization_rule_name="identity")),
    "llama": ("bpe", OPTIONS["llama"]), "char": ("char", dict(normalization_rule_name="identity")),
    "gemma": ("bpe", dict(OPTIONS["llama"], add_dummy_prefix=False, user_defined_symbols=["▁▁", "[X]", "\n\n"]))}


@pytest.mark.parametrize("name", CONVERTED)
def test_as_tokenizer_json_and_back(tmp_path, name):
    kind, options = CONVERTED[name]
    file = train(tmp_path, kind, **options)
    near = ["--near"] if kind == "unigram" else []  # HF reads the charsmap by graphemes, and finds byte pieces in texts
    if name == "unigram":
        assert "differ on" in helio("tokenizer", "convert", file, "--out", tmp_path / "hf", fails=True)
    helio("tokenizer", "convert", file, "--out", tmp_path / "hf", *near)
    hf = Tokenizer.from_file(str(tmp_path / "hf/tokenizer.json"))
    peer = sentencepiece.SentencePieceProcessor(model_file=str(file))
    samples = [t for t in texts(12) + DOCUMENTS if "<0x" not in t and (not near or (t.isascii() or t in DOCUMENTS) and unicodedata.normalize("NFC", t) == t)]
    theirs = [peer.encode(t) for t in samples]
    differ = [text for text, ids in zip(samples, theirs) if hf.encode(text).ids != ids]
    assert len(differ) <= (len(samples) // 50 if kind == "unigram" else 0), differ  # HF adds scores in double precision: ties fall otherwise
    for source, out in ((file, "again"), (tmp_path / "hf", "from_hf")):
        if kind == "char" and out == "from_hf":  # a BPE model without merges by now
            continue
        helio("tokenizer", "convert", source, "--to", "sentencepiece", "--out", tmp_path / out, *near)
        again = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / out / "tokenizer.model"))
        assert [again.encode(t) for t in samples] == theirs
        assert (again.bos_id(), again.eos_id(), again.unk_id()) == (1, 2, 0)


def test_symbols_behind_a_dummy_prefix_are_no_tokenizer_json(tmp_path):
    file = train(tmp_path, "bpe", **OPTIONS["symbols"])
    assert "user-defined symbol" in helio("tokenizer", "convert", file, "--out", tmp_path / "hf", fails=True)


@pytest.mark.parametrize("name", ["sp/llama2_tokenizer.model", "sp/test_model.model", "sp/test_ja_model.model", "mistral/tokenizer.model.v1", "mistral/mistral_instruct_tokenizer_240323.model.v3"])
def test_models_people_have(tmp_path, name):
    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is not here")
    compare(SHARED / name, tmp_path, texts(9, 600) + DOCUMENTS)
