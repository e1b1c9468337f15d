# label: fast
"""How a dataset explains itself on the command line: explain, report, what-if, diff, validate."""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium here")
STEPS = """steps:
  - extract.html
  - clean.unicode
  - dedup.exact
  - {op: filter.length, min_words: 6}
  - {op: filter.gopher_quality, for: en, min_doc_words: 12, min_stop_words: 0, min_avg_word_length: 2}
  - pii.mask
"""


def helio(*args, code=0, env=None):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True, env={**os.environ, **(env or {})})
    assert done.returncode == code, done.stderr + done.stdout
    return done


def run(root, name, steps, *more):
    (root / f"{name}.yaml").write_text(steps)
    helio("data", "run", root / "lots/all", "--config", root / f"{name}.yaml", "--out", root / "datasets" / name, *more)
    return root / "datasets" / name


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("insight")
    random.seed(3)
    for lot, word in (("news-ko", "낱말"), ("web-en", "the word")):
        (root / lot).mkdir()
        for i in range(80):
            text = " ".join(f"{word}{i}x{k}" for k in range(random.randint(1, 40)))
            if i % 9 == 0:
                text += f" mail me at a{i}@b.org now"
            if i % 8 == 7:
                text = "copy of the same page that every site has in common and that is long enough for all"
            (root / lot / f"p{i}.html").write_text(f"<nav><a href=x>menu</a></nav><h1>쪽 {i}</h1><p>{text}</p><script>alert({i})</script>")
    (root / "recipe.yaml").write_text(
        "sources:\n  - {lot: news-ko, partner: '신문사 <b>&', language: ko, licence: CC-BY-4.0, path: news-ko}\n"
        "  - {lot: web-en, partner: Web, language: en, licence: CC0-1.0, path: web-en}\n")
    helio("club", "import", "--config", root / "recipe.yaml", "--root", root, "--out", root / "lots/all")
    run(root, "corpus", STEPS)
    return root


def test_explain_shows_figures_diffs_and_the_copy_that_stays(root):
    corpus = root / "datasets/corpus"
    story = json.loads(helio("data", "explain", corpus, "--id", "web-en/p9.html", "--json").stdout)
    assert story["original"].endswith("web-en") and story["notes"] == []
    assert [step["step"] for step in story["steps"]][:3] == ["extract.html", "clean.unicode", "dedup.exact"]
    mask = story["steps"][-1]
    if story["fate"] == "kept":
        assert mask["counters"] == {"pii.email": 1}
        parts = [part for hunk in mask["diff"]["hunks"] for line in hunk["lines"] for part in line["parts"]]
        assert ["-", "a9@b.org"] in parts and ["+", "[EMAIL]"] in parts
    copy = json.loads(helio("data", "explain", corpus, "--id", "web-en/p15.html", "--json").stdout)
    assert copy["fate"] == "dropped" or copy["steps"][2]["outcome"] == "unchanged"
    rows = [json.loads(line) for line in subprocess.run(["zstd", "-dc", corpus / "dropped/part-00000.jsonl.zst"], capture_output=True,
                                                        text=True, check=True).stdout.splitlines()]
    short = next(row for row in rows if row["reason"] == "too_few_words")
    plain = helio("data", "explain", corpus, "--id", short["id"]).stdout
    assert re.search(r"too_few_words +\d+ +drops below 6  <-", plain) and "not reached" in plain and "\x1b" not in plain
    assert "+쪽" in plain and "-<nav>" in plain
    assert "\x1b[31m" in helio("data", "explain", corpus, "--id", short["id"], "--colour", "always").stdout
    gone = next(row for row in rows if row["reason"] == "exact_duplicate")
    assert f"stays: {gone['cluster']}" in helio("data", "explain", corpus, "--id", gone["id"]).stdout


def test_what_if_is_what_a_run_does(root):
    corpus = root / "datasets/corpus"
    same = json.loads(helio("data", "what-if", corpus, "--json").stdout)
    assert same["exact"] and same["kept_now"] == same["kept_was"] and same["changes"] == {}
    for value, option in ((20, "min_words: 20"), (2, "min_words: 2")):
        told = json.loads(helio("data", "what-if", corpus, "--set", f"filter.length.min_words={value}", "--json").stdout)
        real = json.loads((run(root, f"real{value}", STEPS.replace("min_words: 6", option)) / "dataset.json").read_text())
        assert told["exact"] and told["kept_now"] == real["out"]["documents"] != told["kept_was"]
        assert [(s["now"]["in"], s["now"]["dropped"], s["now"]["reasons"]) for s in told["steps"]] == [
            (s["in"], s["dropped"], s["reasons"]) for s in real["steps"]]
    text = helio("data", "what-if", corpus, "--set", "filter.length.min_words=20").stdout
    assert "too_few_words: limit 6 -> 20" in text and "would be." in text


def test_what_if_says_what_it_cannot_answer(root):
    corpus = root / "datasets/corpus"
    assert "no option" in helio("data", "what-if", corpus, "--set", "dedup.exact.form=x", code=2).stderr
    assert "is a map" in helio("data", "what-if", corpus, "--set", "clean.unicode.form=nfkc", code=2).stderr
    assert "filter.length" in helio("data", "what-if", corpus, "--set", "filter.lenght.min_words=1", code=2).stderr
    assert "measures" in helio("data", "what-if", corpus, "--set", "filter.gopher_quality.stop_words=[x]", code=2).stderr


def test_diff_counts_and_names(root):
    other = run(root, "other", STEPS.replace("min_words: 6", "min_words: 25"))
    corpus = root / "datasets/corpus"
    told = json.loads(helio("data", "diff", corpus, other, "--json").stdout)
    assert sum(told["documents"].values()) == 160 and not told["equal"]
    assert list(told["reasons"]["kept_to_dropped"]) == ["filter.length: too_few_words"]
    assert told["a"]["kept"] - told["b"]["kept"] == told["documents"]["kept_to_dropped"]
    assert "kept in A, dropped in B" in helio("data", "diff", corpus, other, "--check", code=5).stdout
    helio("data", "diff", corpus, corpus, "--check")
    assert "not a dataset" in helio("data", "diff", corpus, root / "lots/all", code=3).stderr


def test_validate_names_every_problem_at_once(root, tmp_path):
    assert "0 errors, 0 warnings" in helio("data", "validate", root / "corpus.yaml").stdout
    bad = tmp_path / "bad.yaml"
    bad.write_text("- {op: filter.length, min_wrods: 3}\n- extract.htlm\n- dedup.exact\n- clean.unicode\n")
    done = helio("data", "validate", bad, code=3).stdout
    assert "bad.yaml:1:23: error" in done and "min_words" in done and "bad.yaml:2:3: error" in done and "extract.html" in done
    assert "bad.yaml:3:3: warning: dedup.exact before clean.unicode" in done
    told = json.loads(helio("data", "validate", bad, "--json", code=3).stdout)
    assert (told["valid"], told["errors"], told["warnings"]) == (False, 2, 1)
    bad.write_text("- dedup.exact\n- clean.unicode\n")
    helio("data", "validate", bad)
    helio("data", "validate", bad, "--strict", code=3)


class Outline(HTMLParser):
    VOID = {"meta", "link", "input", "br", "img"}

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.wrong = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


@pytest.fixture(scope="module")
def page(root):
    told = json.loads(helio("data", "report", root / "datasets/corpus", "--out", root / "pages/corpus.html", "--json").stdout)
    assert told == json.loads((root / "pages/corpus.json").read_text())
    return root / "pages/corpus.html"


def test_the_page_is_one_well_formed_file(page):
    parser = Outline()
    parser.feed(page.read_text())
    assert parser.wrong == [] and parser.open == []
    ids = [a["id"] for _, a in parser.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attributes in parser.elements:
        assert tag not in {"iframe", "img", "object", "embed", "base", "form"} and "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        href = attributes.get("href", "#top")
        assert href == "data:," or href[1:] in ids
        assert attributes.get("aria-labelledby", ids[0]) in ids
    text = page.read_text()
    assert "신문사 &lt;b&gt;&amp;" in text and "alert(" not in text.split("<script>")[0]
    assert text.count('class="chart hist"') >= 3 and "측정값과 기준" in text
    spans = re.findall(r'<span class="(en|ko)" lang="\1">', text)
    assert spans.count("en") == spans.count("ko") > 60


def test_the_page_repeats_and_quotes_no_more_than_asked(root, page):
    again = root / "pages/again.html"
    helio("data", "report", root / "datasets/corpus", "--out", again)
    assert again.read_bytes() == page.read_bytes()
    assert "낱말" in page.read_text()
    helio("data", "report", root / "datasets/corpus", "--out", again, "--samples", 0)
    assert "낱말" not in again.read_text() and "낱말" not in again.with_suffix(".json").read_text()
    assert "corpus.html" in helio("data", "report", root / "datasets/corpus", "--out", root / "x", code=2).stderr


@needs_browser
@pytest.mark.parametrize("query,word", [("?lang=en", "Figures and limits"), ("?lang=ko", "측정값과 기준")])
def test_a_browser_shows_it_without_complaint(page, tmp_path, query, word):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND",
               f"--user-data-dir={tmp_path}", "--dump-dom", f"{page.as_uri()}{query}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert word in done.stdout and f'lang="{query[-2:]}"' in done.stdout
    assert "CONSOLE" not in done.stderr
