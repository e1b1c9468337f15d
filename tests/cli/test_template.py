# label: fast
"""helio template render as a person runs it."""
import json
import os
import pathlib
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
SOLAR = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "chat_solar"
CHAT = [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "네."}]


def helio(*args, code=0):
    done = subprocess.run([HELIO, "template", "render", *map(str, args)], capture_output=True)
    assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
    return done.stdout.decode() if code == 0 else done.stderr.decode()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    for name in ("tokenizer.json", "chat_template.jinja"):
        (tmp_path / "model" / name).write_bytes((SOLAR / name).read_bytes())
    (tmp_path / "model/tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": {"content": "</s>", "special": True}, "pad_token": None}))
    (tmp_path / "chat.json").write_text(json.dumps(CHAT))
    (tmp_path / "chats.jsonl").write_text(json.dumps({"messages": CHAT}) + "\n\n" + json.dumps(CHAT[:1]) + "\n")
    return tmp_path


def test_text_spans_ids_and_mask(folder):
    model, chat = ["--tokenizer", folder / "model"], ["--messages", folder / "chat.json"]
    text = "### User:\n안녕?\n\n### Assistant:\n네.</s>\n\n"
    assert helio(*model, *chat) == text
    assert helio(*model, *chat, "--generation-prompt") == text + "### Assistant:\n"
    assert helio(*model, *chat, "--continue-final") == text[:text.index("</s>")]
    row = json.loads(helio(*model, *chat, "--mask", "--ids"))
    begin = text.index("네")
    assert row["text"] == text and row["assistant_spans"] == [[begin, text.index("</s>") + 4]]
    assert len(row["ids"]) == len(row["assistant_mask"]) and sum(row["assistant_mask"]) == len("네.".encode()) + 1
    assert [i for i, m in zip(row["ids"], row["assistant_mask"]) if m][-1] == 257
    lines = [json.loads(line) for line in helio(*model, "--messages", folder / "chats.jsonl").splitlines()]
    assert [line["text"] for line in lines] == [text, "### User:\n안녕?\n\n"]


def test_the_recorded_cases(folder):
    for line in (SOLAR / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        (folder / "case.json").write_text(json.dumps(case["messages"]))
        args = ["--tokenizer", folder / "model", "--messages", folder / "case.json", "--mask", *(["--generation-prompt"] if case["add_generation_prompt"] else [])]
        if "error" in case:
            assert case["error"] in helio(*args, code=3)
        else:
            row = json.loads(helio(*args))
            assert (row["text"], row["assistant_spans"]) == (case["render"], case["assistant_spans"]), case["name"]


def test_named_templates_tools_and_variables(folder):
    model = folder / "model"
    (model / "chat_template.jinja").unlink()
    config = json.loads((model / "tokenizer_config.json").read_text())
    config["chat_template"] = [{"name": "default", "template": "D{{ bos_token }}{{ x }}"}, {"name": "tool_use", "template": "T{{ tools|tojson }}{{ documents|length }}"}]
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "tools.json").write_text('[{"b": 1, "a": "한"}]')
    args = ["--tokenizer", model, "--messages", folder / "chat.json"]
    assert helio(*args, "--var", "x=[1, true]") == "D<s>[1, True]"
    assert helio(*args, "--var", "x=word", "bos_token=B") == "DBword"
    assert helio(*args, "--tools", folder / "tools.json", "--documents", folder / "tools.json") == 'T[{"b": 1, "a": "한"}]1'
    assert helio(*args, "--tools", folder / "tools.json", "--template", "default") == "D<s>"
    assert "its templates: default, tool_use" in helio(*args, "--template", "rag", code=4)
    (folder / "own.jinja").write_text("{{ messages[0].content }}{{ eos_token }}")
    assert helio(*args, "--template", folder / "own.jinja") == "안녕?</s>"
    (model / "additional_chat_templates").mkdir()
    (model / "additional_chat_templates/rag.jinja").write_text("R")
    assert helio(*args, "--template", "rag") == "R"


def test_errors_say_where_and_what_next(folder):
    model, chat = ["--tokenizer", folder / "model"], ["--messages", folder / "chat.json"]
    (folder / "bad.jinja").write_text("line one\n{% macro m(x) %}{{ x.y.z }}{% endmacro %}\n한 {{ m(1) }}")
    said = helio(*model, *chat, "--template", folder / "bad.jinja", code=3)
    assert "bad.jinja:2:23: 'int object' has no attribute 'y'" in said and "macro 'm', called at" in said and "bad.jinja:3:" in said and "{{ x.y.z }}" in said
    (folder / "bad.jinja").write_text("{% for x in y %}")
    assert "bad.jinja:1:17: unexpected end of template" in helio(*model, *chat, "--template", folder / "bad.jinja", code=3)
    (folder / "model/chat_template.jinja").unlink()
    assert "has no chat template" in helio(*model, *chat, code=4)
    helio("--tokenizer", folder / "nowhere", *chat, code=4)
    helio(*model, "--messages", folder / "none.json", code=4)
    helio(*model, *chat, "--var", "x", code=2)
    helio(*model, *chat, "--generation-prompt", "--continue-final", code=2)
    (folder / "chat.json").write_text("{}")
    helio(*model, *chat, "--template", folder / "bad.jinja", code=3)
