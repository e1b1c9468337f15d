"""The whole road on the tiny corpus, as a user runs it."""
import csv
import json
import shutil

import pytest

import pipeline
from pipeline import HERE, helio, run_words

pytestmark = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")


@pytest.fixture(scope="module")
def workspace():
    return pipeline.finished()


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_stage_leaves_a_whole_artefact(workspace):
    places = {"lots": "lots", "corpus": "datasets", "tokenizer": "tokenizers", "tokens": "tokens", "base": "models", "upscaled": "models",
              "recovered": "models", "sft": "models", "scores": "evals", "shares": "statements", "report": "reports"}
    paths = [workspace / place / stage for stage, place in places.items()]
    paths += [workspace / "models/aligned/step-1", workspace / "models/aligned/step-2"]
    helio("verify", *paths)


def test_run_again_does_nothing(workspace):
    rows = json.loads(helio(*run_words(workspace, "--json")).stdout)["stages"]
    assert [row["name"] for row in rows] == pipeline.STAGES
    assert not any(row["ran"] for row in rows)


def test_only_what_changed_runs(workspace, tmp_path):
    copy = tmp_path / "workspace"
    shutil.copytree(workspace, copy)
    plan = json.loads(helio(*run_words(copy, "--set", "stages.shares.pool=5", "--dry-run", "--json")).stdout)
    to_run = {row["name"]: row["why"] for row in plan["stages"] if row["status"] != "up to date"}
    assert set(to_run) == {"shares", "report"}
    assert to_run["shares"] == "option pool changed"
    rows = json.loads(helio(*run_words(copy, "--set", "stages.shares.pool=5", "--json")).stdout)["stages"]
    assert {row["name"] for row in rows if row["ran"]} == {"shares", "report"}


def test_the_data_accounts_add_up(workspace):
    data = load(workspace / "datasets/corpus/dataset.json")
    for step in data["steps"]:
        assert step["in"] == step["out"] + step["dropped"]
    dropped = sum(step["dropped"] for step in data["steps"])
    came = sum(lot["documents_in"] for lot in data["lots"])
    stayed = sum(lot["documents_out"] for lot in data["lots"])
    assert came == stayed + dropped
    assert dropped > 10, "the tiny corpus has duplicates and stubs"
    assert data["pii"]["email"] > 0


def test_loss_falls_and_up_scaling_hurts_at_first(workspace):
    rows = [json.loads(line) for line in (workspace / "runs/base/metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses[-1] < losses[0]
    results = load(workspace / "evals/scores/results.json")
    assert results


def test_statement_sums_to_the_pool(workspace):
    statement = load(workspace / "statements/shares/statement.json")
    assert sum(partner["amount"] for partner in statement["partners"]) == 1000001
    with open(workspace / "statements/shares/statement.csv", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) >= 2


def test_lineage_walks_both_ways(workspace):
    up = helio("lineage", "models/recovered", "--workspace", workspace).stdout
    assert "Partner One" in up and "upscaled" in up
    down = helio("lineage", "lots/lots", "--workspace", workspace, "--json").stdout
    assert "recovered" in down


def test_another_run_elsewhere_gives_the_same_bytes(workspace, tmp_path):
    elsewhere = tmp_path / "some where"
    helio(*run_words(elsewhere))
    assert pipeline.artefacts(elsewhere) == pipeline.artefacts(workspace)
    assert pipeline.metrics(elsewhere) == pipeline.metrics(workspace)


def test_generate_and_logits(workspace, tmp_path):
    model = workspace / "models/recovered"
    assert helio("generate", model, "--prompt", "The editor", "--max-new-tokens", "4").stdout.strip()
    (tmp_path / "ids.jsonl").write_text('{"ids":[5,6,7]}\n{"ids":[8]}\n')
    helio("model", "logits", model, "--in", tmp_path / "ids.jsonl", "--out", tmp_path / "logits.safetensors")
    from safetensors.numpy import load_file
    logits = load_file(tmp_path / "logits.safetensors")
    assert logits["0"].shape == (3, 400) and logits["1"].shape == (1, 400)


def test_dry_run_runs_nothing(tmp_path):
    plan = json.loads(helio(*run_words(tmp_path / "w", "--dry-run", "--json")).stdout)
    assert [row["status"] for row in plan["stages"]] == ["to run"] * len(pipeline.STAGES)
    base = next(row for row in plan["stages"] if row["name"] == "base")
    assert base["estimate"]["parameters"] == 400 * 32 + 32 + 4 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 64 + 64)
    assert not (tmp_path / "w").exists()
    assert HERE.joinpath("tiny.yaml").exists()


def test_dry_run_estimates_from_a_model_from_outside(tmp_path):
    model = HERE.parent / "fixtures/llama_tiny/tied_theta"
    recipe = tmp_path / "deeper.yaml"
    recipe.write_text(f"""name: deeper
inputs: {{small: {model}, shards: {tmp_path}/shards}}
stages:
  deep: {{kind: upscale, model: small, drop: 0}}
  again: {{kind: pretrain, tokens: shards, tokenizer: small, init: deep, sequence: 8, train: {{steps: 2, batch_size: 3}}}}
  later: {{kind: pretrain, tokens: shards, tokenizer: small, init: {tmp_path}/missing, train: {{steps: 2}}}}
""")
    words = ["run", recipe, "--workspace", tmp_path / "w", "--dry-run"]
    plan = {row["name"]: row for row in json.loads(helio(*words, "--json").stdout)["stages"]}
    deeper = json.loads(helio("upscale", "plan", model, "--drop", 0, "--json").stdout)  # heads of this model are not hidden / heads wide
    assert plan["again"]["estimate"]["parameters"] == deeper["after"]["parameters"] == 68032
    assert plan["again"]["estimate"]["tokens"] == 2 * 3 * 8
    assert "estimate" not in plan["later"]
    assert "without later" in helio(*words).stdout


def test_the_recipe_of_a_real_up_scaling_reads_what_it_is_given(tmp_path):
    model = HERE.parent / "fixtures/llama_tiny/tied_theta"
    (tmp_path / "text.jsonl").write_text('{"id": "a", "text": "b"}\n')
    words = ["run", HERE.parent.parent / "recipes/dus-smollm2.yaml", "--workspace", tmp_path / "w", "--dry-run", "--json"]
    words += ["--set", f"inputs.smollm2={model}", "--set", f'stages.corpus.inputs=[{{path: "{tmp_path}/*.jsonl"}}]', "--set", "stages.upscaled.drop=1"]
    plan = {row["name"]: row for row in json.loads(helio(*words).stdout)["stages"]}
    assert list(plan) == ["corpus", "tokens", "upscaled", "recovered", "scores"]
    assert plan["recovered"]["estimate"]["tokens"] == 100 * 4 * 512
