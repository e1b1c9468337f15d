"""The report as a reader meets it: opened in a browser, with JavaScript and without, in both languages."""
import json
import os
import pathlib
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
import report_workspace

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium here")


def helio(*arguments, ok=True):
    done = subprocess.run([HELIO, *map(str, arguments)], capture_output=True, text=True)
    assert not ok or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return report_workspace.make(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def page(workspace):
    helio("report", "--out", workspace.root / "reports/report")
    return workspace.root / "reports/report/report.html"


class Outline(HTMLParser):
    """Elements in order, and a complaint when one is closed that is not open."""
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


def outline(page):
    parser = Outline()
    parser.feed(page.read_text())
    parser.close()
    return parser


def browse(page, profile, *flags, query=""):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr",
               "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={profile}", *flags,
               f"{page.as_uri()}{query}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_page_is_one_file_that_asks_for_nothing(page):
    assert page.stat().st_size < 1_000_000
    parser = outline(page)
    assert parser.wrong == [] and parser.open == []
    for tag, attributes in parser.elements:
        assert tag not in {"iframe", "img", "object", "embed", "base", "form"}, tag
        assert "src" not in attributes
        href = attributes.get("href", "#")
        assert href.startswith("#") or href == "data:,", href
        assert not any(name.startswith("on") for name in attributes), attributes
    policy = [a["content"] for tag, a in parser.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"]
    assert not re.search(r"url\(|@import|https?://", page.read_text())


def test_every_chart_has_a_name_and_every_link_a_target(page):
    elements = outline(page).elements
    ids = [a["id"] for _, a in elements if "id" in a]
    assert len(ids) == len(set(ids))
    charts = [a for tag, a in elements if tag == "svg" and "chart" in a.get("class", "").split()]
    assert len(charts) >= 12
    for chart in charts:
        assert chart["role"] == "img" and chart["aria-labelledby"] in ids
    for _, attributes in elements:
        for name in ("aria-labelledby", "for"):
            assert attributes.get(name, ids[0]) in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
    headings = [a["id"] for tag, a in elements if tag == "h2"]
    assert headings == ["pipeline", "data", "training", "upscaling", "alignment", "evaluation", "partners", "lineage"]


def test_both_languages_stand_in_the_page(page):
    text = page.read_text()
    spans = re.findall(r'<span class="(en|ko)" lang="\1">', text)
    assert spans.count("en") == spans.count("ko") > 100
    assert "Debian 핸드북" in text and "파이프라인" in text


def test_numbers_are_those_of_the_workspace(workspace, page):
    figures = json.loads(helio("report", "--out", workspace.root / "reports/report", "--json").stdout)
    assert figures["datasets"][0]["documents_in"] == 9074 and figures["datasets"][0]["documents_out"] == 5733
    assert figures["upscalings"][0] == {"stage": "upscaled", "base": "base", "base_layers": 8, "drop": 2, "layers": 12, "parameters": 6515136,
                                        "loss_base": pytest.approx(4.3923, abs=1e-3), "loss_upscaled": 5.65,
                                        "loss_recovered": pytest.approx(4.0678, abs=1e-3)}
    steps = figures["alignments"][0]["steps"]
    assert [step["reference"] for step in steps] == ["sft", "aligned/step-1"]
    low, high = steps[1]["interval"]
    assert low < 0.5 < high
    not_run = [score for score in figures["scores"] if score["task"] == "winogrande"]
    assert len(not_run) == 6 and all(score["value"] is None and score["reason"] for score in not_run)
    assert figures["statements"][0]["adds_up"] and sum(p["amount"] for p in figures["statements"][0]["partners"]) == 1_000_000
    assert "5,733" in page.read_text() and "63.2%" in page.read_text()


def test_the_artefact_repeats_and_names_its_inputs(workspace):
    out = workspace.root / "reports/some"
    arguments = ["report", "--stages", workspace.root / "models/base", "--stages", workspace.root / "datasets/corpus", "--out", out]
    helio(*arguments)
    first = (out / "report.json").read_bytes(), (out / "helio_manifest.json").read_bytes(), (out / "report.html").read_bytes()
    helio(*arguments)
    assert first == ((out / "report.json").read_bytes(), (out / "helio_manifest.json").read_bytes(), (out / "report.html").read_bytes())
    manifest = json.loads(first[1])
    assert manifest["kind"] == "report" and [i["kind"] for i in manifest["inputs"]] == ["model", "dataset"]
    assert [s["name"] for s in json.loads(first[0])["stages"]] == ["corpus", "base"]


def test_a_folder_that_is_no_report_is_left_alone(workspace, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/dear.txt").write_text("dear")
    done = helio("report", "--workspace", workspace.root, "--out", tmp_path / "letters", ok=False)
    assert done.returncode == 3 and "is no report" in done.stderr
    assert (tmp_path / "letters/dear.txt").read_text() == "dear"


def test_a_damaged_file_is_named_and_nothing_is_written(tmp_path):
    ws = report_workspace.make(tmp_path)
    (tmp_path / "evals/scores/results.json").write_text('{"models": [{"name": 3}]}')
    done = helio("report", "--out", tmp_path / "reports/report", ok=False)
    assert done.returncode == 3 and "results.json: models[0]: 'name' must be a text" in done.stderr
    assert not (tmp_path / "reports/report").exists()
    assert ws.root == tmp_path


@needs_browser
def test_a_browser_finds_no_fault_and_asks_no_server(page, tmp_path):
    log = tmp_path / "net.json"
    done = browse(page, tmp_path / "profile", f"--log-net-log={log}", "--dump-dom", query="?lang=ko")
    assert done.returncode == 0
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []
    assert '<html lang="ko"' in done.stdout  # the script ran under the policy
    assert asked_by_the_page(log) == set()


def asked_by_the_page(log):
    """Requests that a page began; the browser's own (update checks, accounts) have no origin as their initiator."""
    urls = set()
    for event in json.loads(log.read_text())["events"]:
        given = event.get("params")
        if isinstance(given, dict) and "url" in given and given.get("initiator", "not an origin") != "not an origin":
            urls.add(given["url"])
    return {url for url in urls if not url.startswith(("file:", "data:"))}


@needs_browser
def test_the_watch_on_requests_would_see_one(tmp_path):
    bad, log = tmp_path / "bad.html", tmp_path / "net.json"
    bad.write_text('<!doctype html><title>x</title><img src="http://127.0.0.1:9/x.png"><script>console.error("seen")</script>')
    done = browse(bad, tmp_path / "profile", f"--log-net-log={log}", "--dump-dom")
    assert asked_by_the_page(log) == {"http://127.0.0.1:9/x.png"}
    assert any("CONSOLE" in line and "seen" in line for line in done.stderr.splitlines())


def shoot(page, tmp_path, name, query="", flags=()):
    picture = tmp_path / f"{name}.png"
    browse(page, tmp_path / f"profile-{name}", "--window-size=1280,1600", f"--screenshot={picture}", *flags, query=query)
    return picture.read_bytes()


@needs_browser
def test_the_switch_works_without_javascript(page, tmp_path):
    """A page whose Korean button is the checked one shows Korean although no script may run."""
    english = tmp_path / "english.html"
    korean = tmp_path / "korean.html"
    without_script = re.sub(r"<script>.*?</script>", "", page.read_text(), flags=re.S)
    english.write_text(without_script)
    korean.write_text(without_script.replace('id="lang-en" class="lang" checked="checked"', 'id="lang-en" class="lang"')
                      .replace('id="lang-ko" class="lang"', 'id="lang-ko" class="lang" checked="checked"'))
    assert korean.read_text() != english.read_text()
    in_english, in_korean = shoot(english, tmp_path, "english"), shoot(korean, tmp_path, "korean")
    assert in_english == shoot(page, tmp_path, "with-script-en", "?lang=en")
    assert in_korean == shoot(page, tmp_path, "with-script-ko", "?lang=ko")
    assert in_english != in_korean
