# label: fast
"""helio model resize as a person runs it, beside the real tokenizers and safetensors packages."""
import json
import os
import pathlib
import shutil
import subprocess

import numpy
import pytest
import tokenizers
from safetensors.numpy import load_file, save_file

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
TEXT = ["가는 말이 고와야 오는 말이 곱다", "the cat and the other cat", "옛날 옛날에"] * 9
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def helio(*args, code=0):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def extend(old, folder, merges, added=()):
    """A tokenizer that continues `old`: merges of it with new results, then added tokens."""
    whole = json.loads((old / "tokenizer.json").read_text())
    for left, right in merges:
        whole["model"]["vocab"][left + right] = len(whole["model"]["vocab"])
        whole["model"]["merges"].append([left, right])
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False))
    made = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.add_special_tokens(list(added))
    made.save(str(folder / "tokenizer.json"))
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model of float16 with padding rows: more rows than its tokenizer has tokens."""
    folder = tmp_path_factory.mktemp("base") / "model"
    folder.mkdir()
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(TEXT, vocab_size=280, special_tokens=["<s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == 280
    rng = numpy.random.default_rng(7)
    save_file({EMBEDDING: rng.standard_normal((284, 8)).astype("float16"),
               HEAD: rng.standard_normal((284, 8)).astype("float32"),
               "model.norm.weight": rng.standard_normal(8).astype("float32")}, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "vocab_size": 284, "tie_word_embeddings": False, "rms_norm_eps": 1e-05}))
    return folder


def expected(table, pieces, rows):
    made = numpy.zeros((rows, table.shape[1]))
    for row, ids in enumerate(pieces):
        made[row] = table[ids].astype("float64").sum(0) / len(ids)
    return made.astype(table.dtype)


def test_new_rows_are_the_mean_of_the_old_pieces(base, tmp_path):
    old = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
    now = extend(base, tmp_path / "tokenizer", [("Ġ", "Q"), ("ĠQ", "Z"), ("å", "¸")], ["<|새 것|>"])
    texts = [now.decode([id], skip_special_tokens=False) for id in (280, 281, 283)]
    assert texts == [" Q", " QZ", "<|새 것|>"]
    pieces = [old.encode(text, add_special_tokens=False).ids for text in texts]
    pieces.insert(2, [old.token_to_id("å"), old.token_to_id("¸")])  # part of a character: byte by byte
    args = ["model", "resize", base, "--tokenizer", tmp_path / "tokenizer", "--out", tmp_path / "out", "--json"]
    report = json.loads(helio(*args, "--dry-run").stdout)
    assert report["written"] is False and not (tmp_path / "out").exists()
    assert {**report, "written": True} == json.loads(helio(*args, "--pad-to-multiple", 1).stdout)
    assert report["rows"] == {"before": 284, "after": 284} and report["reused_rows"] == 4
    assert report["with_pieces"] == 4 and report["pieces_from"] == "the model's tokenizer"
    before, after = load_file(base / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    assert list(before) == list(after)
    assert before["model.norm.weight"].tobytes() == after["model.norm.weight"].tobytes()
    for name in (EMBEDDING, HEAD):
        assert after[name].dtype == before[name].dtype
        assert after[name][:280].tobytes() == before[name][:280].tobytes()
        assert after[name][280:].tobytes() == expected(before[name], pieces, 4).tobytes()
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (tmp_path / "tokenizer" / "tokenizer.json").read_bytes()
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config == json.loads((base / "config.json").read_text())  # 284 rows before and after
    helio("verify", tmp_path / "out")


def test_pieces_of_extension_json(base, tmp_path):
    extend(base, tmp_path / "tokenizer", [("Q", letter) for letter in "ABCDE"])
    pieces = [[5, 6], [7], [8, 9, 10], [1], [2, 2, 3]]
    extension = {"base_vocab_size": 280, "new_tokens": [
        {"id": 280 + i, "token": "?", "pieces": ids} for i, ids in enumerate(pieces)]}
    path = tmp_path / "tokenizer" / "extension.json"
    path.write_text(json.dumps(extension))
    args = ["model", "resize", base, "--tokenizer", tmp_path / "tokenizer", "--out", tmp_path / "out"]
    shown = helio(*args, "--pad-to-multiple", 16).stdout
    assert "5 begin as the mean of their old pieces (from extension.json)" in shown
    before, after = load_file(base / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    assert after[EMBEDDING].shape == (288, 8) and after[HEAD].shape == (288, 8)
    assert after[EMBEDDING][280:285].tobytes() == expected(before[EMBEDDING], pieces, 5).tobytes()
    # Rows of no token begin as the mean of all tokens' rows.
    assert after[HEAD][285:].tobytes() == expected(before[HEAD], [list(range(280))] * 3, 3).tobytes()
    assert json.loads((tmp_path / "out" / "config.json").read_text())["vocab_size"] == 288
    for key, value, message in [("base_vocab_size", 279, "vocabulary of 279"), ("new_tokens", {}, "new_tokens"),
                                ("new_tokens", [{"id": 280, "pieces": [280]}], "a piece 280"),
                                ("new_tokens", [{"id": 280, "pieces": [-1]}], "not an id"),
                                ("new_tokens", [{"id": 280, "pieces": []}] * 2, "twice")]:
        path.write_text(json.dumps({**extension, key: value}))
        assert message in helio(*args, code=3).stderr


def test_a_tokenizer_that_is_no_continuation_is_refused(base, tmp_path):
    other = tokenizers.ByteLevelBPETokenizer()
    other.train_from_iterator(["other text " * 20], vocab_size=270, special_tokens=["<s>"])
    (tmp_path / "tokenizer").mkdir()
    other.save(str(tmp_path / "tokenizer" / "tokenizer.json"))
    args = ["model", "resize", base, "--tokenizer", tmp_path / "tokenizer" / "tokenizer.json", "--out", tmp_path / "out"]
    assert "id 257 was" in helio(*args, code=3).stderr
    assert "nowhere" in helio("model", "resize", base, "--tokenizer", tmp_path / "nowhere", "--out", tmp_path / "out", code=4).stderr
    # Without the old tokenizer nothing says which rows are in use: all of them.
    shutil.copytree(base, tmp_path / "bare")
    (tmp_path / "bare" / "tokenizer.json").unlink()
    args[2] = tmp_path / "bare"
    done = helio(*args)
    assert "all its rows count as used" in done.stderr
    assert load_file(tmp_path / "out" / "model.safetensors")[EMBEDDING].shape == (284, 8)
    assert "in use would be lost" in helio(*args, "--shrink", code=3).stderr
    # With it, padding can go.
    args[2:5] = [base, "--tokenizer", base]
    helio(*args, "--shrink")
    assert load_file(tmp_path / "out" / "model.safetensors")[EMBEDDING].shape == (280, 8)


def test_metaspace_pieces_stand_for_the_text_inside_a_sentence(base, tmp_path):
    """A prefix space that the tokenizer adds by itself is no part of a token's text."""
    model = tmp_path / "model"
    shutil.copytree(base, model)
    vocabulary = [("<unk>", 0.0), ("▁", -3.0), ("▁th", -2.0), ("e", -2.5), ("t", -4.0), ("h", -4.0), ("\n", -5.0), ("a", -5.0)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(vocabulary, 0, False))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.decoder = tokenizers.decoders.Metaspace()
    tokenizer.save(str(model / "tokenizer.json"))
    (tmp_path / "tokenizer").mkdir()
    whole = json.loads(tokenizer.to_str())
    whole["model"]["vocab"] += [["▁the", -1.0], ["the", -1.5]]
    (tmp_path / "tokenizer" / "tokenizer.json").write_text(json.dumps(whole))
    helio("model", "resize", model, "--tokenizer", tmp_path / "tokenizer", "--out", tmp_path / "out")
    before, after = load_file(model / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    assert after[EMBEDDING][8:10].tobytes() == expected(before[EMBEDDING], [[2, 3], [4, 5, 3]], 2).tobytes()
    assert after[EMBEDDING][10:].tobytes() == before[EMBEDDING][10:].tobytes()
