#!/usr/bin/env python3
"""Parse and render time of chat templates: ours beside jinja2 3.1.6, in turns, CPU seconds, the least of several repeats.

    HELIO_BIN=build/release/bin python bench/peers/chat_templates.py [FOLDER WITH *.jinja ...]

Without folders: the templates that trl ships, where it is installed. The conversation: a system message, eight turns of about 300 characters, two tools.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "peers"))
from jinja_peer import TOOL, environment, theirs  # noqa: E402

SENTENCE = "The quick brown fox jumps over the lazy dog, and 빠른 갈색 여우가 게으른 개를 뛰어넘는다. "
EVERYTHING = json.loads((pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/chat_templates/conversations.json").read_text(encoding="utf-8"))
MESSAGES = [{"role": "system", "content": "You are a helpful assistant."}]
for turn in range(8):
    MESSAGES += [{"role": "user", "content": f"{turn}: " + SENTENCE * 4}, {"role": "assistant", "content": SENTENCE * 4}]
VARIABLES = {"messages": MESSAGES, "tools": EVERYTHING["tools"]["two"], "documents": None, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>"}


def best(body, repeats=5, least=0.02):
    found = 1e9
    for _ in range(repeats):
        n, begin = 0, time.process_time()
        while True:
            body()
            n += 1
            spent = time.process_time() - begin
            if spent > least:
                break
        found = min(found, spent / n)
    return found


def main():
    folders = [pathlib.Path(f) for f in sys.argv[1:]]
    if not folders:
        import importlib.util

        spec = importlib.util.find_spec("trl")
        site = pathlib.Path(spec.origin).parent if spec else pathlib.Path("/work/venv/lib/python3.11/site-packages/trl")
        folders = [site / "chat_templates"]
    rows = []
    for folder in folders:
        for path in sorted(folder.glob("*.jinja")):
            row = {"name": path.name, "template": path.read_text(encoding="utf-8"), "variables": VARIABLES}
            if "error" not in theirs(row["template"], VARIABLES):
                rows.append(row)
    print(f"{'template':42} {'parse us':>9} {'jinja2':>9} {'x':>6}   {'render us':>9} {'jinja2':>9} {'x':>6}")
    parses, renders = [], []
    for row in rows:
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            mine = json.loads(subprocess.run([TOOL, "time", file.name], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout)
        env = environment()
        parse = best(lambda: environment().from_string(row["template"]), repeats=2)
        compiled = env.from_string(row["template"])
        render = best(lambda: compiled.render(**VARIABLES))
        parses.append(parse / mine["parse"])
        renders.append(render / mine["render"])
        print(f"{row['name']:42} {mine['parse'] * 1e6:9.0f} {parse * 1e6:9.0f} {parses[-1]:6.1f}   {mine['render'] * 1e6:9.1f} {render * 1e6:9.1f} {renders[-1]:6.1f}", flush=True)
    print(f"{len(rows)} templates; times faster: parse median {statistics.median(parses):.1f}, render median {statistics.median(renders):.1f}, "
          f"least {min(renders):.1f}, most {max(renders):.1f}")


main()
