#!/usr/bin/env python3
"""Records tests/fixtures/chat_templates/renders.jsonl: what transformers' apply_chat_template makes of known families' templates.

Made with transformers 5.23.0, jinja2 3.1.6, trl 1.16.0, mergekit 0.1.5. The templates themselves belong to their authors and are not copied here: the test
reads them from the installed packages, knows them by their SHA-256, and skips by name those it does not find. Of the renders only hashes are kept.

  conversations.json   ours: the conversations, with tools and documents
  renders.jsonl        {"package", "template", "sha256", "conversation", "render": sha256 of the text, "characters", "spans": the assistant's}
                       or, where transformers raises, {..., "error": true}

Usage: python tools/record/chat_templates.py
"""
import hashlib
import importlib.metadata
import importlib.util
import json
import pathlib

from common import FIXTURES, finish

from transformers.utils import chat_template_utils

FIXTURE = FIXTURES / "chat_templates"
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
PACKAGES = {"trl": "chat_templates", "mergekit": "_data/chat_templates"}
assert importlib.metadata.version("transformers") == "5.23.0" and importlib.metadata.version("jinja2") == "3.1.6"


class Clock(chat_template_utils.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2025, 3, 4, 5, 6, 7)


chat_template_utils.datetime = Clock


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


everything = json.loads((FIXTURE / "conversations.json").read_text(encoding="utf-8"))
tools, documents = everything.pop("tools"), everything.pop("document_lists")
rows, refused = [], 0
for package, folder in PACKAGES.items():
    root = pathlib.Path(importlib.util.find_spec(package).origin).parent / folder
    for path in sorted(root.glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        for name, conversation in everything.items():
            given = dict(conversation)
            messages = [{k: v for k, v in m.items() if v is not None} for m in given.pop("messages")]
            given["tools"] = tools[given["tools"]] if "tools" in given else None
            given["documents"] = documents[given["documents"]] if "documents" in given else None
            row = {"package": package, "template": path.name, "sha256": sha256(template), "conversation": name}
            try:
                text, spans = chat_template_utils.render_jinja_template([messages], chat_template=template, return_assistant_tokens_mask=True, **SPECIAL, **given)
                rows.append({**row, "render": sha256(text[0]), "characters": len(text[0]), "spans": [list(s) for s in spans[0]]})
            except Exception:  # a template's own refusal, or Python's error in it
                refused += 1
                rows.append({**row, "error": True})
with open(FIXTURE / "renders.jsonl", "w", encoding="utf-8") as out:
    for row in rows:
        out.write(json.dumps(row) + "\n")
finish(FIXTURE, ["transformers", "jinja2", "trl", "mergekit"], "hashes of transformers' renders of the chat templates in trl and mergekit, with assistant spans",
       renders=len(rows), refused=refused, templates=len({r["sha256"] for r in rows}))
