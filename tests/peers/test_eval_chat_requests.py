# label: fast
"""Benchmarks asked in a chat template: the same requests as lm-eval 0.4.13 with --apply_chat_template (tests/fixtures/chat_requests, recorded by
tools/record/chat_requests.py), for templates of our own and, where TRL is installed, those it ships."""
import collections
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import subprocess

import pytest

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "chat_requests"
HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
OTHER_SITES = os.environ.get("HELIO_TEMPLATE_SITES", "/work/venv/lib/python3.11/site-packages").split(":")

RECORDED = collections.defaultdict(list)
for line in (FIXTURE / "requests.jsonl").read_text(encoding="utf-8").splitlines():
    row = json.loads(line)
    RECORDED[row["template"], row.get("template_sha256")].append(row)


def template_file(name, sha256):
    if sha256 is None:
        return FIXTURE / "templates" / f"{name}.jinja"
    spec = importlib.util.find_spec("trl")
    roots = ([pathlib.Path(spec.origin).parent] if spec and spec.origin else []) + [pathlib.Path(site) / "trl" for site in OTHER_SITES]
    for root in roots:
        path = root / "chat_templates" / pathlib.Path(name).name
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
    pytest.skip(f"{name} (sha256 {sha256[:12]}...) is not installed")


@pytest.fixture(scope="module")
def benchmarks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmarks")
    for place, documents in json.loads((FIXTURE / "docs.json").read_text(encoding="utf-8")).items():
        place = place.replace("truthfulqa/validation", "truthfulqa/mc_hf_817").replace("winogrande/train", "winogrande/raw/train_xl")
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def one_subject(tmp_path_factory):
    """MMLU of the one subject that the documents have."""
    text = (FIXTURE.parents[2] / "tasks" / "mmlu.task.yaml").read_text(encoding="utf-8")
    text = re.sub(r"subjects: \[.*?\]", "subjects: [high_school_geography]", text, flags=re.S)
    text = re.sub(r"^part_groups:\n(?:  .*\n)+", "", text, flags=re.M)
    path = tmp_path_factory.mktemp("task") / "mmlu.task.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def digest(request):
    both = request["context"] + ("\x1f" + request["continuation"] if "continuation" in request else "")
    return hashlib.sha256(both.encode()).hexdigest()[:16]


@pytest.mark.parametrize("template", sorted(RECORDED, key=str), ids=lambda t: t[0])
def test_requests_are_lm_evals(template, benchmarks, one_subject):
    rows = RECORDED[template]
    file = template_file(*template)
    wanted, found = collections.defaultdict(dict), collections.defaultdict(dict)
    for row in rows:
        wanted[row["how"], row["task"], row["shots"]][row["doc"]] = row["hashes"]
    assert len(wanted) == 14
    for how, task, shots in wanted:
        command = [HELIO, "eval", "requests", one_subject if task == "mmlu" else task, "--shots", str(shots), "--benchmarks", benchmarks, "--tokenizer", FIXTURE / "tokenizer",
                   "--chat-template", file, "--apply-chat-template", how]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        for line in run.stdout.splitlines():
            request = json.loads(line)
            doc = int(str(request["doc"]).split("/")[-1])
            found[how, task, shots].setdefault(doc, []).append(digest(request))
    for case in wanted:
        assert found[case] == wanted[case], case
