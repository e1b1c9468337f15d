# label: fast
"""helio data as a person runs it."""
import json
import os
import pathlib
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
STEPS = "steps:\n  - extract.html\n  - dedup.exact\n  - {op: filter.length, min_words: 3}\n  - pii.mask\n"


def helio(*args, code=0):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture
def lots(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for name, text in {"a": "첫째 글은 a@b.org 로", "b": "첫째 글은 a@b.org 로", "c": "짧다"}.items():
        (pages / f"{name}.html").write_text(f"<nav><a href=x>홈</a></nav><p>{text}</p>")
    (tmp_path / "recipe.yaml").write_text(
        "sources:\n  - {lot: pages, partner: 신문사, language: ko, licence: CC-BY-4.0, path: pages}\n")
    helio("club", "import", "--config", tmp_path / "recipe.yaml", "--root", tmp_path, "--out", tmp_path / "lots/all")
    (tmp_path / "steps.yaml").write_text(STEPS)
    return tmp_path / "lots/all"


def test_run_accounts_for_every_document(lots, tmp_path):
    out = tmp_path / "datasets/clean"
    account = json.loads(helio("data", "run", lots, "--config", tmp_path / "steps.yaml", "--out", out, "--json").stdout)
    assert account["in"]["documents"] == 3 and account["out"]["documents"] == 1
    assert account["pii"] == {"email": 1}
    assert account["lots"][0]["dropped"] == {"exact_duplicate": 1, "too_few_words": 1}
    assert account == json.loads((out / "dataset.json").read_text())
    dropped = json.loads(helio("data", "explain", out, "--id", "pages/b.html", "--json").stdout)
    assert (dropped["fate"], dropped["reason"], dropped["cluster"]) == ("dropped", "exact_duplicate", "pages/a.html")
    assert "pages/a.html" in helio("data", "explain", out, "--id", "pages/a.htm", code=4).stderr


def test_dry_run_reads_and_writes_nothing(lots, tmp_path):
    plan = helio("data", "run", lots, "--config", tmp_path / "steps.yaml", "--out", tmp_path / "no", "--dry-run", "--json")
    assert [step["op"] for step in json.loads(plan.stdout)["steps"]][0] == "extract.html"
    assert not (tmp_path / "no").exists()


def test_a_wrong_option_names_its_place_and_the_right_one(lots, tmp_path):
    (tmp_path / "steps.yaml").write_text(STEPS.replace("min_words", "min_wrods"))
    done = helio("data", "run", lots, "--config", tmp_path / "steps.yaml", "--out", tmp_path / "no", code=3)
    assert "steps.yaml:4:25" in done.stderr and "min_words" in done.stderr
    assert done.stdout == "" and not (tmp_path / "no").exists()


def test_ops_lists_and_describes():
    names = [op["name"] for op in json.loads(helio("data", "ops", "--json").stdout)["ops"]]
    assert {"extract.html", "dedup.minhash", "pii.mask"} <= set(names) and names == sorted(names)
    assert "n_grams" in helio("data", "ops", "dedup.minhash").stdout
    assert "dedup.minhash" in helio("data", "ops", "dedup.minhsah", code=4).stderr


def test_bench_measures_what_can_run_and_says_why_the_rest_did_not(tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": f"글 {i} " * 50}) + "\n" for i in range(50)))
    rows = json.loads(helio("data", "bench", "--in", tmp_path / "in.jsonl", "--seconds", "0.01", "--json").stdout)
    by_name = {row["op"]: row for row in rows}
    assert by_name["dedup.minhash"]["rounds"] >= 2 and by_name["dedup.minhash"]["mb_per_second"] > 0
    assert by_name["dedup.minhash"]["documents"] == 50
    assert "no command" in by_name["external.process"]["skipped"]
    assert "has no command" in helio("data", "bench", "external.process", "--in", tmp_path / "in.jsonl", code=3).stderr
    assert len(helio("data", "bench", "clean.unicode", "--in", tmp_path / "in.jsonl", "--seconds", "0.01").stdout.splitlines()) == 3
