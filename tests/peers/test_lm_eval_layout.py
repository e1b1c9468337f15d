"""lm-evaluation-harness's own layout: what helio writes in it, what it reads of it, and that both are the same figures. `lm_eval` itself reads ours where it is installed."""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import served
import tiny_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests/fixtures/lm_eval_results"
DATE = "2026-11-27T00-00-00.000000"
TASKS = ["arc_challenge", "winogrande", "gsm8k"]
needs_engine = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")


def helio(*words, expect=0):
    done = subprocess.run([served.HELIO, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, done.stderr + done.stdout
    return done


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The recorded model and documents, scored by helio, with lm-eval's layout beside its own."""
    root = tmp_path_factory.mktemp("layout")
    tiny_model.write(root / "models/tiny", positions=json.loads((RECORDED / "SOURCE.json").read_text())["positions"])
    helio("eval", "run", root / "models/tiny", "--tasks", *(f"{task}@0" for task in TASKS), "--benchmarks", RECORDED / "data", "--lm-eval-layout", "--threads", 1,
          "--out", root / "out")
    return root / "out"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "theirs"
    helio("eval", "import", RECORDED / "tiny", "--out", out)
    return out


def layout(out):
    [folder] = (out / "lm-eval").iterdir()
    [results] = folder.glob("results_*.json")
    return folder, json.loads(results.read_text()), results.stem.removeprefix("results_")


@needs_engine
def test_keys_and_figures_are_lm_evals(ours):
    folder, mine, date = layout(ours)
    recorded = json.loads((RECORDED / f"tiny/results_{DATE}.json").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}", date) and folder.name == mine["model_name_sanitized"] == "tiny"
    assert set(recorded) <= set(mine), set(recorded) - set(mine)
    for task in TASKS:
        want, got = recorded["results"][task], mine["results"][task]
        assert set(got) == set(want)
        assert all(got[key] == (pytest.approx(want[key], abs=1e-9) if isinstance(want[key], float) else want[key]) for key in want), (got, want)
        assert mine["n-shot"][task] == 0 and mine["n-samples"][task] == recorded["n-samples"][task] and mine["higher_is_better"][task] == recorded["higher_is_better"][task]
        assert mine["configs"][task]["output_type"] == recorded["configs"][task]["output_type"]
        for one, other in zip(rows(folder / f"samples_{task}_{date}.jsonl"), rows(RECORDED / f"tiny/samples_{task}_{DATE}.jsonl"), strict=True):
            assert list(one) == list(other)
            for key in ("doc_id", "arguments", "filter", "metrics", "prompt_hash", *one["metrics"]):
                if key == "arguments" and task == "gsm8k":
                    assert one[key]["gen_args_0"]["arg_0"] == other[key]["gen_args_0"]["arg_0"] and one[key]["gen_args_0"]["arg_1"]["until"] == other[key]["gen_args_0"]["arg_1"]["until"]
                else:
                    assert one[key] == other[key], (task, key)
            if task == "gsm8k":
                assert one["resps"] == other["resps"]
            else:
                assert one["target"] == other["target"]
                for (mine_p, mine_g), (their_p, their_g) in zip(one["filtered_resps"], other["filtered_resps"], strict=True):
                    assert float(mine_p) == pytest.approx(float(their_p), abs=1e-3) and mine_g == their_g


@needs_engine
@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is None, reason="lm_eval is not in this Python")
def test_lm_eval_reads_ours(ours):
    from lm_eval.utils import get_latest_filename, get_results_filenames, get_sample_results_filenames, make_table, sanitize_model_name
    folder, mine, date = layout(ours)
    names = [str(path) for path in folder.iterdir()]
    assert get_latest_filename(get_results_filenames(names)) == str(folder / f"results_{date}.json") and len(get_sample_results_filenames(names)) == 3
    table = make_table(mine)
    for task in TASKS:
        assert task in table
    assert f"{mine['results']['arc_challenge']['acc_norm,none']:.4f}" in table
    assert sanitize_model_name("tiny") == folder.name


@needs_engine
def test_theirs_and_ours_compare_item_by_item(ours, theirs):
    found = json.loads(helio("eval", "compare", ours, theirs, "--json").stdout)
    assert [task["task"] for task in found["tasks"]] == TASKS
    for task in found["tasks"]:
        assert "not_compared" not in task, task
        assert task["difference"] == 0 and task["n"] == (4 if task["task"] == "gsm8k" else 8) and task["only_a"] == task["only_b"] == []
    page = theirs.parent / "page.html"
    helio("eval", "report", ours, theirs, "--out", page)
    assert page.with_suffix(".csv").read_text().count("arc_challenge") >= 2


def test_what_is_imported(theirs):
    whole = json.loads((theirs / "results.json").read_text())
    recorded = json.loads((RECORDED / f"tiny/results_{DATE}.json").read_text())["results"]
    assert [m["name"] for m in whole["models"]] == ["tiny"] and sorted(t["name"] for t in whole["tasks"]) == sorted(TASKS)
    figures = {r["task"]: r["metrics"] for r in whole["results"]}
    assert figures["gsm8k"]["exact_match"]["value"] == recorded["gsm8k"]["exact_match,strict-match"]
    assert figures["gsm8k"]["exact_match_flexible"]["value"] == recorded["gsm8k"]["exact_match,flexible-extract"]
    assert figures["arc_challenge"]["acc_norm"] == {"value": recorded["arc_challenge"]["acc_norm,none"], "stderr": recorded["arc_challenge"]["acc_norm_stderr,none"],
                                                    "interval95": figures["arc_challenge"]["acc_norm"]["interval95"]}
    sample = rows(theirs / "samples/winogrande.tiny.jsonl")[3]
    recorded = rows(RECORDED / f"tiny/samples_winogrande_{DATE}.jsonl")[3]
    assert sample["doc"] == "3" and sample["log_probs"] == [float(p) for p, _ in recorded["filtered_resps"]]
    assert sample["correct"] == (recorded["acc"] == 1)
    assert [row["gold"] for row in rows(theirs / "samples/arc_challenge.tiny.jsonl")] == [int(row["target"]) for row in rows(RECORDED / f"tiny/samples_arc_challenge_{DATE}.jsonl")]
    assert helio("verify", theirs).returncode == 0


@needs_engine
def test_what_did_not_run_is_left_out(tmp_path):
    """A model that no item fits, and data that is not there: the files hold what ran."""
    tiny_model.write(tmp_path / "models/small", positions=8)
    helio("eval", "run", tmp_path / "models/small", "--tasks", "winogrande@0", "hellaswag@0", "arc_challenge@0", "--benchmarks", RECORDED / "data", "--lm-eval-layout", "--threads", 1,
          "--out", tmp_path / "out")
    status = {r["task"]: r["status"] for r in json.loads((tmp_path / "out/results.json").read_text())["results"]}
    folder, mine, _ = layout(tmp_path / "out")
    assert "not_run" in status.values() and set(mine["results"]) == {task for task, how in status.items() if how == "ok"}
    assert len(list(folder.glob("samples_*"))) == len(mine["results"])


@needs_engine
def test_subjects_come_back_as_parts(tmp_path):
    """MMLU as lm-eval has it, a group of tasks, and back again: the figures are those of the run."""
    tiny_model.write(tmp_path / "models/tiny", positions=1024)
    for split in ("test", "dev"):
        path = tmp_path / f"bench/mmlu/{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps({"subject": subject, "question": f"{subject} {i}?", "choices": ["one", "two", "three", "four"], "answer": i % 4}) + "\n"
                                for subject in SUBJECTS for i in range(3)))
    helio("eval", "run", tmp_path / "models/tiny", "--tasks", "mmlu@0", "--benchmarks", tmp_path / "bench", "--lm-eval-layout", "--threads", 1, "--out", tmp_path / "out")
    folder, mine, date = layout(tmp_path / "out")
    assert mine["group_subtasks"]["mmlu"] == ["mmlu_stem", "mmlu_other", "mmlu_social_sciences", "mmlu_humanities"] and len(mine["group_subtasks"]["mmlu_stem"]) == 19
    assert len(list(folder.glob("samples_mmlu_*.jsonl"))) == 57 and set(mine["groups"]) == {"mmlu", *mine["group_subtasks"]["mmlu"]}
    helio("eval", "import", tmp_path / "out/lm-eval", "--out", tmp_path / "back")
    before, after = (json.loads((tmp_path / name / "results.json").read_text())["results"] for name in ("out", "back"))
    assert [r["task"] for r in after] == ["mmlu"] and after[0]["n"] == before[0]["n"] == 171
    assert after[0]["metrics"]["acc"]["value"] == before[0]["metrics"]["acc"]["value"] and after[0]["metrics"]["acc"]["stderr"] == before[0]["metrics"]["acc"]["stderr"]
    parts = [{p["name"]: p["metrics"]["acc"]["value"] for p in r["parts"]} for r in (before[0], after[0])]
    assert parts[0] == parts[1] and len(parts[0]) == 57
    found = json.loads(helio("eval", "compare", tmp_path / "out", tmp_path / "back", "--json").stdout)["tasks"]
    assert found[0]["n"] == 171 and found[0]["difference"] == 0


SUBJECTS = re.findall(r"\w+", re.search(r"subjects: \[(.*?)\]", (ROOT / "tasks/mmlu.task.yaml").read_text(), re.S).group(1))


def copy(tmp_path):
    shutil.copytree(RECORDED / "tiny", tmp_path / "tiny")
    return tmp_path / "tiny" / f"results_{DATE}.json"


def edit(path, change):
    whole = json.loads(path.read_text())
    change(whole)
    path.write_text(json.dumps(whole))


def line(path, number, change):
    lines = path.read_text().splitlines()
    row = json.loads(lines[number])
    change(row)
    lines[number] = json.dumps(row)
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("name, damage, where", [
    ("no results", lambda f: edit(f, lambda w: w.pop("results")), "no 'results'"),
    ("a list", lambda f: f.write_text("[]"), "no 'results'"),
    ("torn", lambda f: f.write_text(f.read_text()[:900]), DATE),
    ("deep", lambda f: f.write_text("[" * 100000), DATE),
    ("task is text", lambda f: edit(f, lambda w: w["results"].update(gsm8k="x")), "results.gsm8k is no object"),
    ("task of a path", lambda f: edit(f, lambda w: w["results"].update({"a\n" + "b" * 10: {"acc,none": 1}})), "control characters"),
    ("long name", lambda f: edit(f, lambda w: w.update(model_name="m" * 5000)), "a model has a name of 5000 bytes"),
    ("sample is a list", lambda f: f.with_name(f"samples_gsm8k_{DATE}.jsonl").write_text("[]\n"), f"samples_gsm8k_{DATE}.jsonl:1"),
    ("no doc_id", lambda f: line(f.with_name(f"samples_gsm8k_{DATE}.jsonl"), 2, lambda r: r.pop("doc_id")), f"samples_gsm8k_{DATE}.jsonl:3"),
    ("no answers", lambda f: line(f.with_name(f"samples_gsm8k_{DATE}.jsonl"), 2, lambda r: r.pop("filtered_resps")), f"samples_gsm8k_{DATE}.jsonl:3"),
    ("positive", lambda f: line(f.with_name(f"samples_winogrande_{DATE}.jsonl"), 1, lambda r: r["filtered_resps"][0].__setitem__(0, "3.5")), "a log-probability is"),
    ("NaN", lambda f: line(f.with_name(f"samples_winogrande_{DATE}.jsonl"), 1, lambda r: r["filtered_resps"][0].__setitem__(0, "nan")), "a log-probability is"),
    ("twice", lambda f: line(f.with_name(f"samples_winogrande_{DATE}.jsonl"), 1, lambda r: r.update(doc_id=0)), "item 0 stands twice"),
])
def test_damage_is_an_error_with_its_place(tmp_path, name, damage, where):
    damage(copy(tmp_path))
    done = helio("eval", "import", tmp_path / "tiny", "--out", tmp_path / "out", expect=3)
    assert where in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_names_cannot_lead_out(tmp_path):
    file = copy(tmp_path)
    edit(file, lambda w: w.update(model_name="org/../../../x") or w["results"].update({"../../../evil": {"acc,none": 0.5, "sample_len": 2}}))
    helio("eval", "import", tmp_path / "tiny", "--out", tmp_path / "a/b/out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "tiny"] and [p.name for p in (tmp_path / "a").iterdir()] == ["b"]
    assert {p.name for p in (tmp_path / "a/b/out/samples").iterdir()} >= {"gsm8k.org........x.jsonl"} or any("evil" in p.name for p in (tmp_path / "a/b/out/samples").iterdir())


def test_other_models_and_later_runs(tmp_path):
    """Two models, and a task run again: the later result counts; other numbers of examples cannot stand in one folder."""
    file = copy(tmp_path)
    shutil.copytree(tmp_path / "tiny", tmp_path / "other")
    other = tmp_path / "other" / file.name
    edit(other, lambda w: w.update(model_name="org/other"))
    later = tmp_path / "tiny/results_2026-12-01T00-00-00.000000.json"
    shutil.copy(file, later)
    edit(later, lambda w: w.update(results={"gsm8k": {**w["results"]["gsm8k"], "exact_match,strict-match": 0.75}}))
    done = helio("eval", "import", tmp_path / "tiny", tmp_path / "other", "--out", tmp_path / "out")
    assert "no samples of tiny on gsm8k" in done.stderr
    whole = json.loads((tmp_path / "out/results.json").read_text())
    assert [m["name"] for m in whole["models"]] == ["org/other", "tiny"]
    values = {(r["model"], r["task"]): r["metrics"] for r in whole["results"]}
    assert values["tiny", "gsm8k"]["exact_match"]["value"] == 0.75 and ("tiny", "winogrande") in values
    edit(other, lambda w: w["n-shot"].update(winogrande=5))
    done = helio("eval", "import", tmp_path / "tiny", tmp_path / "other", "--out", tmp_path / "out2", expect=3)
    assert "differently" in done.stderr
    done = helio("eval", "import", tmp_path / "out", "--out", tmp_path / "out3", expect=4)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("x")
    helio("eval", "import", file, "--out", tmp_path / "full", expect=2)
    assert (tmp_path / "full/thesis.txt").exists()
