"""helio align study and helio upscale study on the models of the tiny pipeline."""
import json
import os
import signal
import subprocess
import time

import pytest

import pipeline
from pipeline import helio

pytestmark = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")


@pytest.fixture(scope="module")
def workspace():
    return pipeline.finished()


@pytest.fixture(scope="module")
def align_recipe(workspace, tmp_path_factory):
    """Half of the pairs for each source; one prompt stands in both, one among the held-out pairs."""
    folder = tmp_path_factory.mktemp("align-study")
    rows = [json.loads(line) for line in (pipeline.sources() / "pairs.jsonl").read_text().splitlines()]
    held, first, second = rows[:6], rows[5:20], rows[19:34]
    for name, part in (("held", held), ("one", first), ("two", second)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    (folder / "recipe.yaml").write_text(f"""
title: tiny
model: {workspace}/models/sft
sources: {{D1: {folder}/one.jsonl, D2: [{folder}/two.jsonl]}}
heldout: {folder}/held.jsonl
seeds: [1, 2]
threads: 1
variants:
  sft: {{command: sft}}
  dpo: {{steps: 1}}
  sdpo: {{steps: 2, chunks: sources}}
align: {{max_length: 96, train: {{batch_size: 8, lr: 1e-3, save_every: 1}}}}
sft: {{max_length: 96, train: {{batch_size: 8, epochs: 1}}}}
tasks: [bits_per_byte]
dataset: {workspace}/datasets/corpus
limit: 2
""")
    return folder


def test_an_alignment_study_is_a_table_over_seeds_and_repeats_nothing(align_recipe):
    out = align_recipe / "study"
    plan = json.loads(helio("align", "study", align_recipe / "recipe.yaml", "--out", out, "--dry-run", "--json").stdout)
    assert [(run["variant"], run["seed"]) for run in plan["runs"]] == [
        ("start", None), ("sft", 1), ("dpo", 1), ("sdpo", 1), ("sft", 2), ("dpo", 2), ("sdpo", 2)]
    assert plan["seconds"] > 0 and plan["runs"][2]["steps"] == 4 and not out.exists()

    study = json.loads(helio("align", "study", align_recipe / "recipe.yaml", "--out", out, "--json").stdout)
    assert study["complete"] and json.loads((out / "study.json").read_text()) == study
    rows = {row["variant"]: row for row in study["variants"]}
    assert rows["start"]["runs"] == 1 and rows["sdpo"]["runs"] == 2
    assert rows["start"]["figures"]["reward_margin"]["mean"] == 0
    margin = rows["dpo"]["figures"]["reward_margin"]
    assert 0 < margin["mean"] and margin["low"] < margin["mean"] < margin["high"]
    values = {(run["variant"], run["seed"]): run["figures"] for run in study["runs"]}
    by_seed = [values["sdpo", seed]["reward_margin"] - values["dpo", seed]["reward_margin"] for seed in (1, 2)]
    difference = next(row for row in study["differences"] if row["variant"] == "sdpo")["figures"]["reward_margin"]
    assert difference["mean"] == pytest.approx(sum(by_seed) / 2)
    assert all(run["bits_per_byte"] > 0 for run in values.values())
    # The prompts that stand in two places are trained on in one.
    assert [source["shared_prompts"] for source in study["setup"]["data"]["sources"]] == [1, 1]
    assert not list(out.glob("runs/*/*/model")), "models go unless they are kept"

    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/**/result.json")}
    again = helio("align", "study", align_recipe / "recipe.yaml", "--out", out)
    assert again.stderr.count("done before") == 7 and "| sdpo | 2 |" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/**/result.json")} == before
    # Another beta is another study of the alignments; nothing but the start and its figures is measured anew.
    plan = json.loads(helio("align", "study", align_recipe / "recipe.yaml", "--out", out, "--sft.train.lr", "1e-4", "--dry-run", "--json").stdout)
    assert [run["variant"] for run in plan["runs"] if not run["finished"]] == ["sft", "sft"]


def test_a_study_that_was_killed_goes_on_and_ends_with_the_same_figures(align_recipe):
    whole = json.loads((align_recipe / "study/study.json").read_text())  # of the test before
    out = align_recipe / "killed"
    words = [pipeline.HELIO, "align", "study", str(align_recipe / "recipe.yaml"), "--out", str(out)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    for _ in range(2400):  # until an alignment is under way
        if list(out.glob("runs/*dpo/seed-*/run/step-*/checkpoints/step-*")) or process.poll() is not None:
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = json.loads((out / "study.json").read_text())["runs_done"]
    assert 1 <= done < 7
    again = helio(*words[1:])
    assert again.stderr.count("done before") == done
    study = json.loads((out / "study.json").read_text())
    assert study["variants"] == whole["variants"] and study["differences"] == whole["differences"]


def test_what_is_wrong_with_an_alignment_study_is_said(align_recipe, tmp_path):
    words = ("align", "study", align_recipe / "recipe.yaml", "--out", tmp_path / "x")
    bad = helio(*words, "--variants", "{dpo: {beta: high}}", check=False)
    assert bad.returncode == 3 and "'beta'" in bad.stderr and "variant 'dpo'" in bad.stderr
    bad = helio(*words, "--variants", "{dpo: {stpes: 2}}", check=False)
    assert bad.returncode == 3 and "did you mean 'steps'" in bad.stderr
    bad = helio(*words, "--baseline", "ppo", check=False)
    assert bad.returncode == 3 and "no variant 'ppo'" in bad.stderr
    bad = helio(*words, "--seeds", "1", "1", check=False)
    assert bad.returncode == 3 and "given twice" in bad.stderr
    bad = helio(*words, "--sft.chat-template", "chatml", check=False)
    assert bad.returncode == 3 and "align.chat_template" in bad.stderr
    bad = helio(*words, "--align.model", "other", check=False)
    assert bad.returncode == 3 and "'other' in a section" in bad.stderr


@pytest.fixture(scope="module")
def upscale_recipe(workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("upscale-study")
    (folder / "recipe.yaml").write_text(f"""
title: tiny
tokens: {workspace}/tokens/tokens
tokenizer: {workspace}/tokenizers/tokenizer
seeds: [1, 2]
threads: 1
baseline: m1
variants:
  m1: {{drop: 1}}
  identity: {{drop: 1, init: identity}}
  scratch: {{command: scratch, layers: 6}}
pretrain:
  sequence: 64
  heldout_tokens: 512
  model: {{layers: 4, hidden: 32, heads: 4, kv_heads: 2, ffn: 64, context: 128}}
  train: {{steps: 12, batch_size: 4, lr: 5e-3}}
recover: {{steps: 6, batch_size: 4, lr: 2e-3, validate_every: 2}}
""")
    return folder


def test_an_upscaling_study_tells_start_recovery_and_end(upscale_recipe):
    out = upscale_recipe / "study"
    study = json.loads(helio("upscale", "study", upscale_recipe / "recipe.yaml", "--out", out, "--json").stdout)
    assert study["complete"]
    values = {(run["variant"], run["seed"]): run["figures"] for run in study["runs"]}
    for seed in (1, 2):
        base, m1, identity, scratch = (values[name, seed] for name in ("base", "m1", "identity", "scratch"))
        # Layers that change nothing leave the base's loss as it was: recovered before a token is trained.
        assert identity["start_loss"] == pytest.approx(base["final_loss"], abs=1e-5)
        assert m1["start_loss"] != pytest.approx(base["final_loss"], abs=1e-5)
        assert identity["parameters"] == m1["parameters"] == scratch["parameters"] > base["parameters"]
        assert m1["tokens"] == scratch["tokens"] and base["tokens"] == 2 * m1["tokens"]
        assert scratch["recovery_tokens"] is None, "a dozen steps from nothing do not reach the base"
        # Read off the run's own curve.
        run = next(run for run in study["runs"] if (run["variant"], run["seed"]) == ("m1", seed))
        curve = run["facts"]["curve"]
        assert curve[0] == [0, m1["start_loss"]] and curve[-1] == [m1["tokens"], m1["final_loss"]]
        if m1["recovery_tokens"] is not None:
            assert 0 <= m1["recovery_tokens"] <= m1["tokens"]
            assert min(loss for _, loss in curve) <= base["final_loss"]
    assert "| scratch | 2 |" in (out / "study.md").read_text()
    again = helio("upscale", "study", upscale_recipe / "recipe.yaml", "--out", out)
    assert again.stderr.count("done before") == 8


def test_a_base_from_outside_is_measured(workspace, upscale_recipe, tmp_path):
    study = json.loads(helio("upscale", "study", upscale_recipe / "recipe.yaml", "--base", f"{workspace}/models/base", "--seeds", 3,
                             "--variants", "{m1: {drop: 1}, more: {command: continue}}", "--out", tmp_path / "study", "--json").stdout)
    values = {run["variant"]: run["figures"] for run in study["runs"]}
    assert values["more"]["start_loss"] == values["base"]["final_loss"] and values["base"]["tokens"] == 0


def test_what_is_wrong_with_an_upscaling_study_is_said(upscale_recipe, tmp_path):
    words = ("upscale", "study", upscale_recipe / "recipe.yaml", "--out", tmp_path / "x")
    bad = helio(*words, "--variants", "{m1: {drop: 2}}", check=False)
    assert bad.returncode in (2, 3) and "drop" in bad.stderr
    bad = helio(*words, "--variants", "{m1: {command: scratch}}", check=False)
    assert bad.returncode == 3 and "how many layers" in bad.stderr
    bad = helio(*words, "--recover.steps", 0, check=False)
    assert bad.returncode == 3 and "recover.steps" in bad.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("mine")
    bad = helio("upscale", "study", upscale_recipe / "recipe.yaml", "--out", tmp_path / "mine", check=False)
    assert bad.returncode == 3 and "something else" in bad.stderr and (tmp_path / "mine/thesis.txt").exists()


@pytest.mark.parametrize("kind", ["align", "upscale"])
def test_the_recipes_that_come_along_work_in_small(kind, workspace, align_recipe, tmp_path):
    recipes = pipeline.HERE.parent.parent / "recipes"
    if kind == "align":
        words = ("align", "study", recipes / "sdpo-study.yaml", "--model", workspace / "models/sft", "--heldout", align_recipe / "held.jsonl",
                 "--sources", json.dumps({"D1": str(align_recipe / "one.jsonl"), "D2": str(align_recipe / "two.jsonl")}),
                 "--align.max-length", 96, "--sft.max-length", 96, "--align.train.freeze", "model.embed_tokens.*", "--sft.train.freeze", "model.embed_tokens.*")
    else:
        words = ("upscale", "study", recipes / "dus-study.yaml", "--tokens", workspace / "tokens/tokens", "--tokenizer", workspace / "tokenizers/tokenizer")
    plan = json.loads(helio(*words, "--out", tmp_path / "x", "--dry-run", "--json").stdout)
    assert len(plan["runs"]) == (16 if kind == "align" else 27) and not any(run["finished"] for run in plan["runs"])


def test_the_study_corpus_recipe_makes_token_shards(tmp_path):
    for name in ("ko_law", "ko_edu_fcc", "ko_community_docs", "en_books_standardebooks", "en_kernel_docs"):
        rows = [{"id": f"{name}{i}", "text": " ".join(f"{name} word{i * k % 97}" for k in range(1, 40))} for i in range(40)]
        (tmp_path / f"{name}.jsonl.zst").write_text("".join(json.dumps(row) + "\n" for row in rows))  # known by its bytes, not its name
    recipe = pipeline.HERE.parent.parent / "recipes/dus-study-corpus.yaml"
    helio("run", recipe, "--workspace", tmp_path / "ws", "--set", f"inputs.text={tmp_path}", "--set", "stages.tokenizer.vocab_size=300")
    tokens = json.loads((tmp_path / "ws/tokens/tokens/tokens.json").read_text())
    assert tokens["tokens"] > 1000 and len(tokens["lots"]) == 5
