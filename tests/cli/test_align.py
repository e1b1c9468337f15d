"""helio align plan and score on the models of the tiny pipeline."""
import json

import pytest

import pipeline
from pipeline import helio

pytestmark = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")


@pytest.fixture(scope="module")
def models():
    return pipeline.finished() / "models"


def scores(*words):
    return [json.loads(line) for line in helio("align", "score", *words).stdout.splitlines()]


def test_scores_are_those_the_run_reported(models):
    data = models / "aligned/heldout.jsonl"
    facts = json.loads((models / "aligned/step-1/helio_manifest.json").read_text())["facts"]["heldout"]
    length = ("--max-length", 96)
    rows = scores(models / "aligned/step-1", data, "--reference", models / "sft", *length)
    assert len(rows) == facts["rewards_after"]["accuracy"]["of"]
    assert sum(row["margin"] > 0 for row in rows) == facts["rewards_after"]["accuracy"]["correct"]
    assert sum(row["margin"] for row in rows) / len(rows) == pytest.approx(facts["rewards_after"]["margin"], abs=1e-4)
    free = scores(models / "sft", data, *length)
    assert all("reference_log_probs" not in row for row in free)
    assert [row["log_probs"] for row in free] == [row["reference_log_probs"] for row in rows]


def test_a_plan_shows_the_chunks_and_trains_nothing(models, tmp_path):
    words = ("align", "plan", models / "sft", models / "aligned/heldout.jsonl", "--heldout", 0, "--steps", 2, "--max-length", 96, "--out", tmp_path / "models/x")
    plan = json.loads(helio(*words, "--json").stdout)
    assert [chunk["pairs"] for chunk in plan["chunks"]] == [(plan["pairs"] + 1) // 2, plan["pairs"] // 2]
    assert plan["chunks"][0]["start_margin_low"] >= plan["chunks"][1]["start_margin_high"]
    assert not (tmp_path / "models/x").exists()
    text = helio(*words).stdout
    assert "step 2:" in text and "duplicates: 0 pairs" in text


def test_what_is_wrong_is_said(models, tmp_path):
    bad = helio("align", "score", models / "sft", models / "aligned/heldout.jsonl", "--loss", "dpo", "--max-length", 96, check=False)
    assert bad.returncode == 2 and "no loss 'dpo'" in bad.stderr and "sigmoid_norm" in bad.stderr
    unpaired = tmp_path / "kto.jsonl"
    unpaired.write_text('{"prompt": "a", "completion": "b", "label": true}\n')
    bad = helio("align", "score", models / "sft", unpaired, "--max-length", 96, check=False)
    assert bad.returncode == 3 and "one answer only" in bad.stderr and "kto" in bad.stderr


def test_align_tells_of_pairs_that_share_words_with_a_benchmark(models, tmp_path):
    item = "A farmer has seventeen sheep and all but nine of them run away over the hill before noon today"
    benchmarks = tmp_path / "benchmarks"
    benchmarks.mkdir()
    (benchmarks / "sums.jsonl").write_text(json.dumps({"question": item + ". How many are left?", "answer": "nine"}) + "\n")
    pairs = [{"prompt": f"Question {i}?", "chosen": f"good {i}", "rejected": f"bad bad {i}"} for i in range(8)] + [{"prompt": item, "chosen": "nine", "rejected": "eight"}]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    words = ("align", "plan", models / "sft", data, "--heldout", 0, "--max-length", 96, "--order", "random", "--out", tmp_path / "models/x")
    plain = json.loads(helio(*words, "--json").stdout)
    assert plain["pairs"] == 9 and plain["pairs_contaminated"] == 0
    dropped = helio(*words, "--benchmarks", benchmarks, "--json")
    plan = json.loads(dropped.stdout)
    assert plan["pairs"] == 8 and plan["pairs_contaminated"] == 1 and "sums.jsonl:1" in dropped.stderr
    kept = json.loads(helio(*words, "--benchmarks", benchmarks, "--contaminated", "keep", "--json").stdout)
    assert kept["pairs"] == 9 and kept["pairs_contaminated"] == 1


def test_averaged_and_best_weights_stand_beside_a_steps_model(models, tmp_path):
    out = tmp_path / "models/x"
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps({"prompt": f"What is {i}?", "chosen": f"It is {i}.", "rejected": "No."}) + "\n" for i in range(24)))
    words = ("align", models / "sft", data, "--heldout", 0.3, "--max-length", 96, "--samples", 0, "--out", out)
    helio(*words, "--train.steps", 2, "--train.ema", 0.5, "--train.keep-best")
    weights = {name: (out / "step-1" / name / "model.safetensors").read_bytes() for name in ("", "ema", "best")}
    assert weights["ema"] != weights[""] and weights["best"]
    assert (out / "step-1/ema/tokenizer.json").exists()
    bad = helio(*words, "--restart", "--train.z-loss", 1e-4, check=False)
    assert bad.returncode == 2 and "z_loss" in bad.stderr
