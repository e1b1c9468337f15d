# label: fast
"""helio eval overlap: which items stand in a training dataset, beside a plain count of the same runs of words, and what the report makes of it."""
import json
import os
import pathlib
import random
import re
import subprocess

import pytest

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
WORDS = [a + b for a in ("ka", "mo", "ri", "su", "te", "no", "ha") for b in ("len", "dra", "vik", "pol", "sem", "tur", "bax")]


def helio(*words, expect=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, done.stderr + done.stdout
    return done


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def sentence(rng, count):
    return " ".join(rng.choice(WORDS) for _ in range(count))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A GSM8K of made-up words, and a corpus that holds some of it: whole, in part, across a line's end, in capitals, and one held out."""
    root = tmp_path_factory.mktemp("overlap")
    rng = random.Random(4)
    questions = [sentence(rng, 30) + "?" for _ in range(20)] + ["Too short."]
    write(root / "bench/gsm8k/test.jsonl", [{"question": q, "answer": "So.\n#### 1"} for q in questions])
    write(root / "bench/gsm8k/train.jsonl", [{"question": "x", "answer": "#### 1"}])
    words = [q.rstrip("?").split() for q in questions]
    texts = [sentence(rng, 80) for _ in range(30)]
    texts[3] += " " + questions[0]                                  # whole
    texts[5] = texts[5] + " " + " ".join(words[1][4:20]) + " end"   # sixteen words: four runs
    texts[7] = "First " + " ".join(words[2][:8]) + "\n" + " ".join(words[2][8:]) + "."
    texts[9] = ("<<" + questions[3] + ">>").upper().replace(" ", ", ")
    texts[11] += " " + " ".join(words[4][:12])                      # twelve words: no run of thirteen
    rows = [{"id": f"lot/{i}", "text": text, "split": "train", "language": "en"} for i, text in enumerate(texts)]
    rows += [{"id": "lot/held", "text": questions[5], "split": "heldout", "language": "en"}, {"id": "lot/again", "text": questions[0], "split": "train", "language": "en"}]
    write(root / "corpus/part-00000.jsonl", rows)
    (root / "corpus/helio_manifest.json").write_text(json.dumps({"format": 1, "kind": "dataset", "name": "corpus"}))
    write(root / "plain/rows.jsonl", [{"body": row["text"]} for row in rows])
    return root, questions, rows


def overlap(place, dataset, *words):
    return json.loads(helio("eval", "overlap", "gsm8k", dataset, "--benchmarks", place[0] / "bench", "--json", *words).stdout)


def counted(place, n, held):
    """Items whose runs of n words stand in the corpus: by sets of word tuples."""
    def runs(text):
        words = re.findall(r"[a-z0-9]+", text.lower())
        return {tuple(words[i:i + n]) for i in range(len(words) - n + 1)}
    seen = set().union(*(runs(row["text"]) for row in place[2] if held or row["split"] == "train"))
    out = {}
    for i, question in enumerate(place[1]):
        mine = runs(f"Question: {question}\nAnswer:")
        if mine & seen:
            out[str(i)] = len(mine & seen)
    return out


@pytest.mark.parametrize("n", [13, 12, 5, 1])
def test_finds_what_a_plain_count_finds(place, n):
    found = overlap(place, place[0] / "corpus", "--ngram", n)
    assert {one["doc"]: one["runs"] for one in found["overlaps"]} == counted(place, n, held=False)
    assert found["contaminated"] == len(found["overlaps"]) and found["items"] == 21 and found["documents"] == 31 and found["ngram"] == n


def test_figures(place):
    found = overlap(place, place[0] / "corpus")
    by_doc = {one["doc"]: one for one in found["overlaps"]}
    assert sorted(by_doc, key=int) == ["0", "1", "2", "3"] and found["too_short"] == 1 and found["share"] == pytest.approx(4 / 20)
    assert by_doc["0"]["document"] == "lot/3" and by_doc["1"]["runs"] == 4 and by_doc["1"]["share"] == pytest.approx(16 / 32)
    assert by_doc["1"]["text"] == " ".join(place[1][1].split()[4:17])
    shares = [one["share"] for one in found["overlaps"]]
    assert shares == sorted(shares, reverse=True)
    text = helio("eval", "overlap", "gsm8k", place[0] / "corpus", "--benchmarks", place[0] / "bench", "--examples", 1).stdout
    assert "4 of 20 items share a run of 13 words with 31 documents; 1 items are shorter" in text and text.count("in lot/") == 1


def test_files_of_other_kinds(place):
    """Rows with another column, every split: as helio data run reads them."""
    found = overlap(place, place[0] / "plain/rows.jsonl", "--text-column", "body")
    assert {one["doc"] for one in found["overlaps"]} == set(counted(place, 13, held=True)) == {"0", "1", "2", "3", "5"}
    assert next(one for one in found["overlaps"] if one["doc"] == "5")["document"] == "rows.jsonl/rows.jsonl#31"
    pytest.importorskip("pyarrow")
    import pyarrow
    import pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.table({"text": [row["text"] for row in place[2]]}), place[0] / "rows.parquet")
    if "no module" not in subprocess.run([HELIO, "eval", "overlap", "gsm8k", str(place[0] / "rows.parquet"), "--benchmarks", str(place[0] / "bench")], capture_output=True, text=True).stderr:
        assert {one["doc"] for one in overlap(place, place[0] / "rows.parquet")["overlaps"]} == {"0", "1", "2", "3", "5"}


def test_descriptions_are_no_overlap(place, tmp_path):
    """What MMLU puts before every item of a subject is not an item's own text."""
    subjects = re.findall(r"\w+", re.search(r"subjects: \[(.*?)\]", (pathlib.Path(__file__).resolve().parents[2] / "tasks/mmlu.task.yaml").read_text(), re.S).group(1))
    rng = random.Random(8)
    write(tmp_path / "bench/mmlu/test.jsonl", [{"subject": s, "question": sentence(rng, 20), "choices": ["one", "two", "three", "four"], "answer": 1} for s in subjects for _ in range(3)])
    write(tmp_path / "rows.jsonl", [{"text": "The following are multiple choice questions (with answers) about high school european history. " + sentence(rng, 40)}])
    found = json.loads(helio("eval", "overlap", "mmlu", tmp_path / "rows.jsonl", "--benchmarks", tmp_path / "bench", "--ngram", 8, "--json").stdout)
    assert found["items"] == 171 and found["contaminated"] == 0


def test_the_report_shows_it(place, tmp_path):
    helio("eval", "overlap", "gsm8k", place[0] / "corpus", "--benchmarks", place[0] / "bench", "--out", tmp_path / "overlap.json")
    (tmp_path / "out/samples").mkdir(parents=True)
    (tmp_path / "out/results.json").write_text(json.dumps({
        "format": 1, "models": [{"name": "models/a"}], "tasks": [{"name": "gsm8k", "metrics": ["exact_match"], "main_metric": "exact_match", "higher_is_better": True, "settings": {}}],
        "results": [{"model": "models/a", "task": "gsm8k", "status": "ok", "n": 21, "total": 21, "metrics": {"exact_match": {"value": 7 / 21, "stderr": 0.1, "interval95": [0.1, 0.6]}}}]}))
    write(tmp_path / "out/samples/gsm8k.models.a.jsonl", [{"doc": str(i), "response": "", "correct": i in (0, 1, 2, 10, 11, 12, 13)} for i in range(21)])
    helio("eval", "report", tmp_path / "out", "--overlap", tmp_path / "overlap.json", "--items", 1, "--out", tmp_path / "page.html")
    markdown = (tmp_path / "page.md").read_text()
    assert "gsm8k: 4 of 20 items share a run of 13 words with corpus; models/a 75.0% right on those, 23.5% on the rest." in markdown
    page = (tmp_path / "page.html").read_text()
    assert "Overlap with training data" in page and "75.0%" in page and "23.5%" in page
    (tmp_path / "other.json").write_text("{}")
    assert "is not of helio eval overlap" in helio("eval", "report", tmp_path / "out", "--overlap", tmp_path / "other.json", "--out", tmp_path / "page.html", expect=3).stderr


def test_what_cannot_be_compared(place, tmp_path):
    assert "is a group" in helio("eval", "overlap", "h6", place[0] / "corpus", "--benchmarks", place[0] / "bench", expect=2).stderr
    helio("eval", "overlap", "hellaswag", place[0] / "corpus", "--benchmarks", place[0] / "bench", expect=4)
    helio("eval", "overlap", "gsm8k", tmp_path / "none.jsonl", "--benchmarks", place[0] / "bench", expect=4)
    write(tmp_path / "bad/part-00000.jsonl", [{"id": "x"}])
    (tmp_path / "bad/helio_manifest.json").write_text(json.dumps({"format": 1, "kind": "dataset", "name": "bad"}))
    assert "part-00000.jsonl:1: no 'text'" in helio("eval", "overlap", "gsm8k", tmp_path / "bad", "--benchmarks", place[0] / "bench", expect=3).stderr
