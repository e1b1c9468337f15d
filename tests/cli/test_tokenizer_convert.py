# label: fast
"""helio tokenizer convert, info and packed ids as a user runs them."""
import json
import os
import pathlib
import subprocess

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FORMATS = pathlib.Path(__file__).resolve().parents[1] / "fixtures/tokenizer_formats"
TEXTS = ["한국어 문장입니다.", "Hello, world!", "", "  a  b "]


def helio(*words, code=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_a_folder_is_written_with_its_manifest(tmp_path):
    model = FORMATS / "sentencepiece/bpe.model"
    (tmp_path / "check.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS))
    said = json.loads(helio("tokenizer", "convert", model, "--out", tmp_path / "hf", "--check", tmp_path / "check.jsonl", "--json"))
    assert said["from"] == "SentencePiece" and said["to"] == "tokenizer.json" and said["checked_texts"] > 500
    assert {p.name for p in (tmp_path / "hf").iterdir()} == {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "helio_manifest.json"}
    assert json.loads((tmp_path / "hf/special_tokens_map.json").read_text()) == {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    helio("verify", tmp_path / "hf")
    info = json.loads(helio("tokenizer", "info", model, "--json"))
    assert info["format"] == "SentencePiece" and info["roles"] == {"bos": 1, "eos": 2, "pad": None, "unk": 0}
    assert "bpe model, 720 pieces" in info["made_of"]
    assert json.loads(helio("tokenizer", "info", tmp_path / "hf", "--json"))["roles"] == info["roles"]


def test_a_difference_is_refused_and_nothing_is_written(tmp_path):
    helio("tokenizer", "convert", FORMATS / "tiktoken/small.tiktoken", "--encoding", "llama3", "--out", tmp_path / "hf")
    written = json.loads((tmp_path / "hf/tokenizer.json").read_text())
    written["model"].update(merges=[], ignore_merges=False)  # tiktoken merges what is a token, whatever the merges
    (tmp_path / "tokenizer.json").write_text(json.dumps(written))
    said = helio("tokenizer", "convert", tmp_path / "tokenizer.json", "--to", "tiktoken", "--out", tmp_path / "ranks", code=5)
    assert "the tokenizers differ on" in said and not (tmp_path / "ranks").exists()
    said = helio("tokenizer", "convert", FORMATS / "sentencepiece/word.model", "--out", tmp_path / "word", code=3)
    assert "word" in said and not (tmp_path / "word").exists()


def test_a_model_is_written_as_it_was_read(tmp_path):
    for name in ("unigram", "bpe", "char", "word"):
        model = FORMATS / f"sentencepiece/{name}.model"
        helio("tokenizer", "convert", model, "--to", "sentencepiece", "--out", tmp_path / name)
        again = helio("tokenizer", "info", tmp_path / name / "tokenizer.model", "--text", TEXTS[0], "--json")
        assert json.loads(again)["ids"] == json.loads(helio("tokenizer", "info", model, "--text", TEXTS[0], "--json"))["ids"]


def test_packed_ids(tmp_path):
    model = FORMATS / "sentencepiece/bpe.model"
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS))
    helio("tokenizer", "encode", "--tokenizer", model, "--in", tmp_path / "in.jsonl", "--out", tmp_path / "ids.jsonl")
    helio("tokenizer", "encode", "--tokenizer", model, "--in", tmp_path / "in.jsonl", "--out", tmp_path / "x.bin")
    ids = [json.loads(line)["ids"] for line in (tmp_path / "ids.jsonl").read_text().splitlines()]
    index = json.loads((tmp_path / "x.bin.json").read_text())
    assert index == {"format": 1, "dtype": "uint16", "vocab_size": 720, "documents": 4, "tokens": sum(map(len, ids)), "lengths": list(map(len, ids))}
    packed = (tmp_path / "x.bin").read_bytes()
    assert [int.from_bytes(packed[i:i + 2], "little") for i in range(0, len(packed), 2)] == sum(ids, [])
    decoded = helio("tokenizer", "decode", "--tokenizer", model, "--in", tmp_path / "x.bin")
    assert decoded == helio("tokenizer", "decode", "--tokenizer", model, "--in", tmp_path / "ids.jsonl")
    (tmp_path / "x.bin").write_bytes(packed[:-2])
    assert "shorter" in helio("tokenizer", "decode", "--tokenizer", model, "--in", tmp_path / "x.bin", code=3)
    (tmp_path / "x.bin").write_bytes(b"\xff\xff" + packed[2:])
    assert "65535" in helio("tokenizer", "decode", "--tokenizer", model, "--in", tmp_path / "x.bin", code=3)


def test_large_vocabularies_are_packed_in_four_bytes(tmp_path):
    helio("tokenizer", "convert", FORMATS / "tiktoken/small.tiktoken", "--encoding", "llama3", "--out", tmp_path / "hf")
    (tmp_path / "in.txt").write_text("a<|eot_id|>\n")
    helio("tokenizer", "encode", "--tokenizer", tmp_path / "hf", "--in", tmp_path / "in.txt", "--out", tmp_path / "x.bin")
    assert json.loads((tmp_path / "x.bin.json").read_text())["dtype"] == "uint32"
    assert (tmp_path / "x.bin").read_bytes()[4:] == (128009).to_bytes(4, "little")
    assert json.loads(helio("tokenizer", "decode", "--tokenizer", tmp_path / "hf", "--in", tmp_path / "x.bin"))["text"] == "a"
