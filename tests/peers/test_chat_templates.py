# label: fast
"""Chat templates of known model families render as transformers 5.23 rendered them (tests/fixtures/chat_templates, recorded by tools/record/chat_templates.py).

The templates are their authors' and are read from the installed packages; those that are not there are skipped by name."""
import collections
import hashlib
import importlib.util
import json
import os
import pathlib

import pytest

from jinja_peer import ours

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "chat_templates"
FOLDERS = {"trl": "chat_templates", "mergekit": "_data/chat_templates"}
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
OTHER_SITES = os.environ.get("HELIO_TEMPLATE_SITES", "/work/venv/lib/python3.11/site-packages").split(":")

RECORDED = collections.defaultdict(list)
for line in (FIXTURE / "renders.jsonl").read_text(encoding="utf-8").splitlines():
    row = json.loads(line)
    RECORDED[row["package"], row["template"]].append(row)
EVERYTHING = json.loads((FIXTURE / "conversations.json").read_text(encoding="utf-8"))
TOOLS, DOCUMENTS = EVERYTHING.pop("tools"), EVERYTHING.pop("document_lists")


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def find(package, name, wanted):
    spec = importlib.util.find_spec(package)
    roots = ([pathlib.Path(spec.origin).parent] if spec and spec.origin else []) + [pathlib.Path(site) / package for site in OTHER_SITES]
    for root in roots:
        path = root / FOLDERS[package] / name
        if path.is_file() and sha256(path.read_text(encoding="utf-8")) == wanted:
            return path.read_text(encoding="utf-8")
    pytest.skip(f"{name} of {package} (sha256 {wanted[:12]}...) is not installed")


def test_the_record_covers_the_families():
    assert len(RECORDED) >= 77 and sum(len(rows) for rows in RECORDED.values()) >= 1078
    assert sum("error" in row for rows in RECORDED.values() for row in rows) < 200


@pytest.mark.parametrize("package,name", sorted(RECORDED))
def test_renders_as_transformers(package, name):
    recorded = RECORDED[package, name]
    template = find(package, name, recorded[0]["sha256"])
    asked = []
    for row in recorded:
        given = dict(EVERYTHING[row["conversation"]])
        asked.append({"chat": template, "messages": given.pop("messages"), "tools": TOOLS[given.pop("tools")] if "tools" in given else None,
                      "documents": DOCUMENTS[given.pop("documents")] if "documents" in given else None, "special": SPECIAL,
                      "prompt": given.pop("add_generation_prompt", False), "variables": given})
    for row, mine in zip(recorded, ours(asked)):
        where = row["conversation"]
        if "error" in row:
            assert "error" in mine, (where, mine)
            continue
        assert "error" not in mine, (where, mine)
        assert (len(mine["text"]), mine["spans"]) == (row["characters"], row["spans"]), (where, mine)
        assert sha256(mine["text"]) == row["render"], (where, mine["text"])
