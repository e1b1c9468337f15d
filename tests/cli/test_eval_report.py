# label: fast
"""helio eval report on results written by hand: the page as a browser shows it, the CSV and the Markdown."""
import csv
import io
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium here")


def figure(value, stderr=0.01):
    return {"value": value, "stderr": stderr, "interval95": [value - 0.02, value + 0.02]}


def task(name, metric="acc", shots=0, **more):
    return {"name": name, "about": f"about {name} <b>", "mode": "multiple_choice", "reproduces": None, "metrics": [metric], "main_metric": metric, "higher_is_better": True,
            "chance": 0.25, "items": 4, "total": 4, "settings": {"shots": shots}, **more}


def ok(model, name, value, parts=(), n=4):
    return {"model": model, "task": name, "status": "ok", "n": n, "total": 4, "unscorable": 0, "metrics": {"acc": figure(value)}, "at_chance": False,
            "parts": [{"name": part, "status": "ok", "n": 2, "total": 2, "metrics": {"acc": figure(v)}} for part, v in parts]}


def write(folder, models, tasks, results, samples=()):
    (folder / "samples").mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({"models": [{"name": m} for m in models], "tasks": tasks, "results": results}))
    for (name, model), rows in dict(samples).items():
        (folder / f"samples/{name}.{model}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return folder


def rows(verdicts):
    return [{"doc": f"q{i}", "log_probs": [-1.23456, -2], "gold": 0, "predicted": 0 if right else 1, "correct": right, "output": "답 </script><i>"} for i, right in enumerate(verdicts)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    base = write(root / "base", ["base"], [task("mmlu"), task("wino")], [ok("base", "mmlu", 0.5, [("law", 0.25), ("art", 0.75)]), ok("base", "wino", 0.5)],
                 {("mmlu", "base"): rows([True, True, False, False])})
    tuned = write(root / "tuned", ["tuned", "=third|x"], [task("mmlu"), task("wino", shots=5), task("arc")],
                  [ok("tuned", "mmlu", 0.75, [("law", 0.5), ("art", 1)]), ok("=third|x", "mmlu", 0.25, n=3), ok("tuned", "wino", 0.9), {"model": "=third|x", "task": "wino", "status": "not_run", "reason": "no data", "n": 0, "total": 4},
                   {"model": "tuned", "task": "arc", "status": "not_run", "reason": "no data", "n": 0, "total": 4}],
                  {("mmlu", "tuned"): rows([True, False, True, True])})
    done = subprocess.run([HELIO, "eval", "report", base, tuned, "--out", root / "page.html", "--title", "A & B", "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


def browse(page, profile, query=""):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", "--dump-dom", page.as_uri() + query]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    return done.stdout


def test_folders_are_put_together(made):
    root, shown = made
    assert shown["models"] == ["base", "tuned", "=third|x"] and shown["items"] == 4 and shown["items_left_out"] == 0
    lines = list(csv.DictReader(io.StringIO((root / "page.csv").read_text())))
    by = {(line["model"], line["task"], line["part"]): line for line in lines}
    assert float(by["base", "mmlu", ""]["value"]) == 0.5 and float(by["tuned", "mmlu", "art"]["value"]) == 1
    assert by["tuned", "arc", ""]["value"] == "" and by["tuned", "arc", ""]["reason"] == "no data"  # never 0
    assert ("'=third|x", "mmlu", "") in by  # no formula for a spreadsheet
    # Five shots and none are two tasks.
    assert ("base", "wino", "") in by and ("tuned", "wino · tuned", "") in by


def test_markdown_has_dashes_and_an_average_of_what_all_have(made):
    text = (made[0] / "page.md").read_text().splitlines()
    assert text[0].endswith("average of 1 |") and "wino · tuned (acc)" in text[0]
    base, third = text[2], text[4]
    assert base.startswith("| base | 50.0% ± 1.0 |") and "| — |" in base and base.endswith("| 50.00% |")
    assert third.startswith("| =third\\|x | 25.0% ± 1.0 (3/4) |")


def test_the_page_is_one_file_with_everything_escaped(made):
    text = (made[0] / "page.html").read_text()
    assert not re.search(r"url\(|@import|https?://", text)
    assert "<i>" not in text and "about mmlu &lt;b&gt;" in text and "A &amp; B" in text
    spans = re.findall(r'<span class="(en|ko)" lang="\1">', text)
    assert spans.count("en") == spans.count("ko") > 20


@needs_browser
def test_items_filter_by_who_is_right(made, tmp_path):
    page = made[0] / "page.html"
    ids = lambda dom: re.findall(r'<span class="strong">(q\d)</span>', dom)
    assert ids(browse(page, tmp_path / "a")) == ["q1", "q2", "q3", "q0"]  # disagreements first
    assert ids(browse(page, tmp_path / "b", "?task=mmlu&right=tuned&wrong=base")) == ["q2", "q3"]
    dom = browse(page, tmp_path / "c", "?right=base&wrong=tuned&open&lang=ko")
    assert ids(dom) == ["q1"] and '<html lang="ko"' in dom and ">1 / 1<" in dom
    assert "답 &lt;/script&gt;&lt;i&gt;" in dom and "-1.2346" in dom  # the answer, opened, as text


@needs_browser
def test_columns_sort_and_what_is_missing_stays_last(made, tmp_path):
    order = lambda dom: re.findall(r'</i>(base|tuned|=third\|x)</th>', dom)
    page = made[0] / "page.html"
    assert order(browse(page, tmp_path / "a", "?sort=mmlu")) == ["tuned", "base", "=third|x"]
    assert order(browse(page, tmp_path / "b", "?sort=wino%20%C2%B7")) == ["tuned", "base", "=third|x"]
    assert order(browse(page, tmp_path / "c", "?sort=model")) == ["=third|x", "base", "tuned"]


def test_wrong_words(made, tmp_path):
    run = lambda *words: subprocess.run([HELIO, "eval", "report", *map(str, words)], capture_output=True, text=True)
    assert run(made[0] / "base", "--out", tmp_path / "x.txt").returncode == 2
    assert run(tmp_path, "--out", tmp_path / "x.html").returncode == 4
    damaged = write(tmp_path / "damaged", ["m"], [task("mmlu")], [ok("m", "mmlu", 0.5)], {("mmlu", "m"): [{"gold": 1}]})
    done = run(damaged, "--out", tmp_path / "x.html")
    assert done.returncode == 3 and "mmlu.m.jsonl:1" in done.stderr
