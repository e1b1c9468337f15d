# label: fast
"""Models as data operators: a classifier trained and used as a new user would, perplexity from an ARPA file."""
import json
import os
import pathlib
import random
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
KENLM = pathlib.Path(__file__).parents[1] / "fixtures/kenlm"
GOOD = "연구 결과는 표와 그림으로 정리되었다 우리는 문서를 읽고 근거를 살핀다 the results are shown in the table".split()
BAD = "지금 바로 클릭 무료 쿠폰 받기 최저가 보장 특가 할인 click here to win a free prize".split()


def helio(*args, code=0):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def kept(dataset):
    rows = []
    for part in sorted(dataset.glob("part-*.jsonl.zst")):
        lines = subprocess.run(["zstd", "-dc", part], capture_output=True, text=True, check=True).stdout.splitlines()
        rows += [json.loads(line) for line in lines]
    return rows


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    random.seed(5)
    rows = [{"text": " ".join(random.choices(words, k=12)), "label": label} for _ in range(150) for label, words in (("good", GOOD), ("bad", BAD))]
    write(root / "labelled.jsonl", rows)
    for label in ("good", "bad"):
        write(root / f"{label}.jsonl", [{"text": row["text"]} for row in rows if row["label"] == label])
    return root


def test_a_classifier_is_trained_measured_and_used(labelled, tmp_path):
    model = tmp_path / "models/quality.bin"
    told = json.loads(helio("data", "train-classifier", labelled / "labelled.jsonl", "--out", model, "--epochs", 25, "--json").stdout)
    assert told["train"] + told["held_out"] == 300 and told["accuracy"] > 0.95 and set(told["labels"]) == {"good", "bad"}
    assert told["bytes"] == model.stat().st_size
    done = helio("data", "op", "classify.fasttext", "--in", labelled / "labelled.jsonl", "--out", tmp_path / "scored", "--model", model,
                 "--label", "good", "--drop", "below", "--threshold", 0.5)
    assert "300 in" in done.stdout and "good_below" in done.stdout
    rows = kept(tmp_path / "scored")
    assert 140 <= len(rows) <= 160 and all(row["scores"]["good"] >= 0.5 for row in rows)


def test_two_kinds_of_files_make_the_same_model_on_any_threads(labelled, tmp_path):
    for threads in (1, 2):
        helio("data", "train-classifier", "--positive", labelled / "good.jsonl", "--negative", labelled / "bad.jsonl", "--threads", threads,
              "--out", tmp_path / f"m{threads}.bin")
    assert (tmp_path / "m1.bin").read_bytes() == (tmp_path / "m2.bin").read_bytes()
    assert "2 labels" in helio("data", "op", "classify.fasttext", "--in", labelled / "good.jsonl", "--out", tmp_path / "x", "--model",
                               tmp_path / "m1.bin", "--label", "quality", code=3).stderr


def test_what_cannot_be_trained_is_told(labelled, tmp_path):
    out = tmp_path / "m.bin"
    assert "'label'" in helio("data", "train-classifier", labelled / "good.jsonl", "--out", out, code=3).stderr
    assert "--negative" in helio("data", "train-classifier", "--positive", labelled / "good.jsonl", "--out", out, code=2).stderr
    one = write(tmp_path / "one.jsonl", [{"text": "a b", "label": "x"}] * 3)
    helio("data", "train-classifier", one, "--holdout", 0, "--out", out, code=3)
    assert not out.exists()


def test_perplexity_from_arpa_and_binary_is_the_same(labelled, tmp_path):
    scores = []
    for name in ("good.arpa", "good.arpa.gz", "good.bin"):
        out = tmp_path / name
        helio("data", "op", "score.perplexity", "--in", labelled / "labelled.jsonl", "--out", out, "--model", KENLM / name, "--normalization", "ccnet")
        scores.append({row["id"]: row["scores"]["perplexity"] for row in kept(out)})
    assert scores[0] == scores[1] == scores[2] and len(scores[0]) == 300
    refused = helio("data", "op", "score.perplexity", "--in", labelled / "good.jsonl", "--out", tmp_path / "x", "--model", KENLM / "trie.bin", code=3).stderr
    assert "build_binary probing" in refused


def test_a_pair_of_models_keeps_the_better_half_on_any_threads(labelled, tmp_path):
    parts = []
    for threads in (1, 2):
        out = tmp_path / f"t{threads}"
        helio("data", "op", "score.perplexity_pair", "--in", labelled / "labelled.jsonl", "--out", out, "--good", KENLM / "good.bin",
              "--bad", KENLM / "bad.arpa", "--keep", 0.5, "--of", "log", "--threads", threads)
        parts.append(kept(out))
    assert parts[0] == parts[1] and 140 <= len(parts[0]) <= 160
    good = {json.loads(line)["text"] for line in (labelled / "good.jsonl").read_text().splitlines()}
    assert sum(row["text"] in good for row in parts[0]) > 0.9 * len(parts[0])
