"""helio generate and helio chat on a small random model: rows, n-best, forms, and a terminal with Korean in it."""
import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import time

import jsonschema
import pytest
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import tiny_model

pytestmark = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")
HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 20}, "b": {"type": "string", "maxLength": 4}}, "required": ["a", "b"], "additionalProperties": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generate") / "tiny"
    tiny_model.write(folder)
    return folder


def generate(folder, *words, code=0):
    done = subprocess.run([HELIO, "generate", str(folder), *map(str, words), "--threads", "1"], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def test_one_prompt(folder):
    plain = generate(folder, "--prompt", "The quick", "--max-new-tokens", 10).stdout
    row = json.loads(generate(folder, "--prompt", "The quick", "--max-new-tokens", 10, "--json").stdout)
    assert plain == row["text"] + "\n" and row["prompt"] == "The quick" and row["new_tokens"] == 10 and row["ended_by"] == "length"
    scored = json.loads(generate(folder, "--prompt", "The quick", "--max-new-tokens", 10, "--json", "--log-probs", 2).stdout)
    assert len(scored["tokens"]) == 10 and all(t["logprob"] == t["top_logprobs"][0]["logprob"] for t in scored["tokens"])
    assert abs(sum(t["logprob"] for t in scored["tokens"]) - scored["log_prob"]) < 1e-4
    stop = next(c for c in plain[2:] if c.isascii())
    stopped = json.loads(generate(folder, "--prompt", "The quick", "--max-new-tokens", 10, "--json", "--stop", stop).stdout)
    assert stopped["text"] == plain[:plain.index(stop)] and stopped["ended_by"] == "stop"


def test_rows_and_n_best(folder, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [{"id": 1, "prompt": "fox"}, {"id": 2, "prompt": "오늘은"}, {"id": 3, "prompt": "def"}]))
    words = ["--max-new-tokens", 8, "--temperature", 1.2, "--seed", 5]
    answers = [json.loads(line) for line in generate(folder, "--in", rows, "--n", 3, *words).stdout.splitlines()]
    assert [a["id"] for a in answers] == [1, 2, 3]
    for answer in answers:
        means = [c["log_prob"] / c["new_tokens"] for c in answer["choices"] if c["ended_by"] == "length"]
        assert len(answer["choices"]) == 3 and means == sorted(means, reverse=True)
    # Alone as among others.
    alone = [json.loads(generate(folder, "--prompt", a["prompt"], "--n", 3, "--json", *words).stdout) for a in answers]
    assert [[c["text"] for c in a["choices"]] for a in alone] == [[c["text"] for c in a["choices"]] for a in answers]
    chats = tmp_path / "chats.jsonl"
    chats.write_text(json.dumps({"messages": [{"role": "user", "content": "hi"}]}) + "\n" + json.dumps({"prompt": "hi"}) + "\n")
    first, second = (json.loads(line)["text"] for line in generate(folder, "--in", chats, "--chat", "--max-new-tokens", 6).stdout.splitlines())
    assert first == second
    assert "need --chat" in generate(folder, "--in", chats, code=2).stderr
    rows.write_text('{"id": 1}\n')
    assert "rows.jsonl:1" in generate(folder, "--in", rows, code=3).stderr


def test_forms(folder, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    for seed in range(3):
        row = json.loads(generate(folder, "--prompt", "x", "--json-schema", schema, "--temperature", 1.5, "--seed", seed, "--json").stdout)
        jsonschema.validate(json.loads(row["text"]), SCHEMA)
        assert row["ended_by"] in ("grammar", "eos")
    grammar = tmp_path / "g.gbnf"
    grammar.write_text('root ::= "네" | "아니요"\n')
    assert generate(folder, "--prompt", "x", "--grammar", grammar).stdout.strip() in ("네", "아니요")
    assert generate(folder, "--prompt", "x", "--json-object", "--max-new-tokens", 5).stdout.startswith("{")
    grammar.write_text("root ::= (\n")
    assert "g.gbnf:" in generate(folder, "--prompt", "x", "--grammar", grammar, code=3).stderr
    schema.write_text('{"type": "object", "patternProperties": {}}')
    assert "patternProperties" in generate(folder, "--prompt", "x", "--json-schema", schema, code=3).stderr
    assert "one of them" in generate(folder, "--prompt", "x", "--json-schema", schema, "--json-object", code=2).stderr


class Typist:
    """A program at a pseudo-terminal."""

    def __init__(self, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(words[0], list(words))
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, text, seconds=60):
        end = time.time() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.time()))
            assert ready, f"no {text!r} in {self.seen!r}"
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                assert text in self.seen, self.seen
        at = self.seen.index(text) + len(text)
        before, self.seen = self.seen[:at], self.seen[at:]
        return before

    def ended(self):
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_chat_at_a_terminal(folder, tmp_path):
    saved = tmp_path / "said.jsonl"
    chat = Typist(HELIO, "chat", str(folder), "--max-new-tokens", "8", "--temperature", "0", "--threads", "1")
    chat.wait_for("> ")
    # Typed wrong, put right: back over a Korean character, one in front of another, a word erased.
    chat.type("안녕흐\x7f\x1b[D\x01가\x05 틀린\x17좋아\r")
    chat.wait_for("(cut: --max-new-tokens)")
    chat.type("/system 짧게\r")
    chat.wait_for("(system: 짧게)")
    chat.type("둘째\r")
    chat.wait_for("(cut")
    chat.type(f"/save {saved}\r")
    chat.wait_for("(saved to")
    said = json.loads(saved.read_text())["messages"]
    assert [m["role"] for m in said] == ["system", "user", "assistant", "user", "assistant"]
    assert said[1]["content"] == "가안녕 좋아" and said[3]["content"] == "둘째"
    chat.type("/undo\r")
    chat.wait_for("1 left")
    chat.type("\x1b[A\x1b[A\x1b[A\r")  # the third line before: 둘째
    chat.wait_for("(cut")
    chat.type(f"/save {saved}\r")
    chat.wait_for("(saved to")
    again = json.loads(saved.read_text())["messages"]
    assert again == said  # greedy: the same question, the same answer
    chat.type("/reset\r/nonsense\r")
    chat.wait_for("no command /nonsense")
    chat.type("not sent\x03")
    chat.wait_for("\n")
    chat.type("\x04")
    assert chat.ended() == 0


def test_ctrl_c_stops_the_answer_only(tmp_path):
    folder = tmp_path / "long"
    tiny_model.write(folder, hidden=128, layers=8, positions=8192)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.embed_tokens.weight"][0] = 0  # the end of text: as good as never likely, so that the answer does not end by itself
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    saved = tmp_path / "said.jsonl"
    chat = Typist(HELIO, "chat", str(folder), "--max-new-tokens", "8000", "--temperature", "1.5", "--threads", "1")
    chat.wait_for("> ")
    chat.type("길게\r")
    chat.wait_for("\n")
    time.sleep(1)
    chat.type("\x03")
    chat.wait_for("(stopped)")
    chat.type(f"/save {saved}\r")
    chat.wait_for("(saved to")
    assert len(json.loads(saved.read_text())["messages"]) == 2
    chat.type("/quit\r")
    assert chat.ended() == 0


def test_chat_through_a_pipe(folder):
    done = subprocess.run([HELIO, "chat", str(folder), "--max-new-tokens", "4", "--threads", "1"], input="안녕\n/reset\n", capture_output=True, text=True)
    assert done.returncode == 0 and "(a new conversation)" in done.stdout and "> " not in done.stdout
