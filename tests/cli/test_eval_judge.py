# label: fast
"""helio eval judge against a stub of an OpenAI-compatible server: refusals, waits, broken answers, and what stays on the disk."""
import collections
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

import json_server

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
KEY = "sk-secret-0123456789"
NAMES = [kind + base + turn for kind, base in [("single", "-v1"), ("single", "-math-v1"), ("pair", "-v2"), ("pair", "-math-v1")] for turn in ("", "-multi-turn")]


def jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def answers(path, model, tag):
    return jsonl(path, [{"question_id": q, "model_id": model, "choices": [{"index": 0, "turns": [f"{tag}{q}.1", f"{tag}{q}.2"]}]} for q in (81, 111)])


@pytest.fixture
def bench(tmp_path):
    root = tmp_path / "bench/mt_bench"
    jsonl(root / "question.jsonl", [{"question_id": 81, "category": "writing", "turns": ["Q81.1", "Q81.2"]}, {"question_id": 111, "category": "math", "turns": ["Q111.1", "Q111.2"]}])
    forms = []
    for name in NAMES:
        pair, second, math = name.startswith("pair"), name.endswith("turn"), "math" in name
        form = "{question_1} {question_2}" if second else "{question}"
        sides = ["answer_a", "answer_b"] if pair else ["answer"]
        form += "".join(f" {{{side}_1}} {{{side}_2}}" if second else f" {{{side}}}" for side in sides)
        form += (" ref {ref_answer_1} {ref_answer_2}" if second else " ref {ref_answer_1}") if math else ""
        forms.append({"name": name, "type": "pairwise" if pair else "single", "system_prompt": "system " + name, "prompt_template": form})
    jsonl(root / "judge_prompts.jsonl", forms)
    jsonl(root / "reference_answer/gpt-4.jsonl", [{"question_id": 111, "model_id": "gpt-4", "choices": [{"turns": ["R1", "R2"]}]}])
    answers(tmp_path / "mine.jsonl", "mine", "a")
    answers(tmp_path / "base.jsonl", "base", "b")
    return tmp_path


class Stub(http.server.ThreadingHTTPServer):
    """plan(prompt, how often it was asked before) -> text to judge with, or a function of the request handler."""
    daemon_threads = True

    def __init__(self, plan):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan, self.asked, self.seen, self.lock = plan, collections.Counter(), [], threading.Lock()
        self.url = f"openai:http://127.0.0.1:{self.server_port}/v1#judge-1"


class Handler(json_server.JsonHandler):
    def do_POST(self):
        body = json.loads(self.text())
        prompt = body["messages"][-1]["content"]
        with self.server.lock:
            before = self.server.asked[prompt]
            self.server.asked[prompt] += 1
            self.server.seen.append((time.monotonic(), self.path, self.headers.get("Authorization"), body))
        answer = self.server.plan(prompt, before)
        if callable(answer):
            answer(self)
        else:
            self.reply(200, json_server.chat_reply(answer))


def stub(plan):
    return json_server.running(Stub(plan))


def command(bench, url, *words):
    return [HELIO, "eval", "judge", str(bench / "mine.jsonl"), "--benchmarks", str(bench / "bench"), "--judge", url, "--out", str(bench / "out/judged.jsonl"), "--json", *words]


def judge(bench, url, *words, expect=0, key=KEY):
    env = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"} | ({"OPENAI_API_KEY": key} if key else {})
    done = subprocess.run(command(bench, url, *words), capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == expect, done.stderr
    assert KEY not in done.stdout + done.stderr
    return done


def rows(bench):
    return [json.loads(line) for line in (bench / "out/judged.jsonl").read_text().splitlines()]


def test_single_judgments_are_fastchats(bench):
    with stub(lambda prompt, before: "Rating: [[7]]" if "ref" in prompt else "none") as server:
        summary = json.loads(judge(bench, server.url).stdout)
    assert summary["judged_now"] == 4 and summary["models"]["mine"]["without_rating"] == 2 and summary["models"]["mine"]["score"]["value"] == 7
    found = {(row["question_id"], row["turn"]): row for row in rows(bench)}
    last = found[111, 2]
    assert last["user_prompt"] == "Q111.1 Q111.2 a111.1 a111.2 ref R1 R2" and last["judge"] == ["judge-1", "single-math-v1-multi-turn"]
    assert last["judgment"] == "Rating: [[7]]" and last["score"] == 7 and found[81, 1]["score"] == -1
    for _, path, authorization, body in server.seen:
        assert path == "/v1/chat/completions" and authorization == "Bearer " + KEY
        assert body["model"] == "judge-1" and body["temperature"] == 0 and body["max_tokens"] == 2048
        assert body["messages"][0]["role"] == "system" and body["messages"][0]["content"].startswith("system single")
    assert KEY not in (bench / "out/judged.jsonl").read_text()


def test_pairs_are_judged_in_both_orders(bench):
    with stub(lambda prompt, before: "[[A]]" if prompt.split()[-1].startswith("b") else "[[B]]") as server:
        summary = json.loads(judge(bench, server.url, "--against", str(bench / "base.jsonl"), key=None).stdout)
    assert server.seen[0][2] is None and len(server.seen) == 8
    first = next(row for row in rows(bench) if (row["question_id"], row["turn"]) == (81, 1))
    assert (first["g1_user_prompt"], first["g2_user_prompt"]) == ("Q81.1 a81.1 b81.1", "Q81.1 b81.1 a81.1")
    assert (first["g1_winner"], first["g2_winner"]) == ("model_1", "model_1")
    assert summary["models"]["mine"]["win"] == 2 and summary["models"]["mine"]["tie"] == 2  # the maths prompts end with the reference: [[B]] both times


def test_waits_as_retry_after_says(bench):
    refuse = lambda handler: handler.reply(429, {"error": {"message": "slow down"}}, Retry_After=1)
    with stub(lambda prompt, before: refuse if before == 0 and prompt.startswith("Q81.1 a") else "[[5]]") as server:
        summary = json.loads(judge(bench, server.url, "--parallel", "1").stdout)
    assert summary["retries"] == 1 and summary["judged_now"] == 4
    times = [at for at, _, _, body in server.seen if body["messages"][-1]["content"].startswith("Q81.1 a")]
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("trouble", [
    lambda handler: handler.reply(503, b"busy"),
    lambda handler: handler.reply(200, b"{\"choices\": []}"),
    lambda handler: handler.reply(200, b"not json"),
    lambda handler: handler.cut(),
], ids=["503", "no choices", "no json", "cut"])
def test_trouble_is_tried_again(bench, trouble):
    with stub(lambda prompt, before: trouble if before == 0 and "Q111.2" in prompt else "[[5]]") as server:
        summary = json.loads(judge(bench, server.url).stdout)
    assert summary["retries"] == 1 and summary["judged_now"] == 4 and summary["failed"] == 0


def test_what_fails_for_good_is_left_out_and_asked_again_later(bench):
    broken = lambda handler: handler.reply(400, {"error": {"message": f"no, {KEY} is odd"}})
    with stub(lambda prompt, before: broken if "Q111.2" in prompt else "[[5]]") as server:
        done = judge(bench, server.url, expect=1)
        assert "1 of 4 judgments failed" in done.stderr and "400" in done.stderr and "judgments failed" in json.loads(done.stdout)["error"]["message"]
        assert server.asked["Q111.1 Q111.2 a111.1 a111.2 ref R1 R2"] == 1  # a 400 is not tried again
        assert len(rows(bench)) == 3
        with open(bench / "out/judged.jsonl", "a") as out:  # as a crash leaves it
            out.write('{"question_id": 111, "turn": 2, "judg')
        server.plan = lambda prompt, before: "[[9]]"
        summary = json.loads(judge(bench, server.url).stdout)
    assert summary["kept"] == 3 and summary["judged_now"] == 1 and len(rows(bench)) == 4
    assert sum(server.asked.values()) == 5


def test_a_silent_server_is_given_up(bench):
    with stub(lambda prompt, before: (lambda handler: time.sleep(3)) if "Q111.2" in prompt else "[[5]]") as server:
        done = judge(bench, server.url, "--timeout", "1", "--retries", "0", expect=1)
    assert "no reply" in done.stderr and len(rows(bench)) == 3


def test_each_judgment_is_on_disk_before_the_run_ends(bench):
    hold = threading.Event()
    with stub(lambda prompt, before: (lambda handler: hold.wait(20)) if "Q111.2" in prompt else "[[5]]") as server:
        process = subprocess.Popen(command(bench, server.url, "--parallel", "1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 20
        while time.monotonic() < end and not ((bench / "out/judged.jsonl").exists() and len(rows(bench)) == 3):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        hold.set()
        assert len(rows(bench)) == 3
        server.plan = lambda prompt, before: "[[5]]"
        assert json.loads(judge(bench, server.url).stdout)["kept"] == 3


def test_ctrl_c_ends_a_wait(bench):
    with stub(lambda prompt, before: lambda handler: handler.reply(429, b"", Retry_After=60)) as server:
        process = subprocess.Popen(command(bench, server.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 20
        while time.monotonic() < end and len(server.seen) < 4:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 75


def test_wrong_words(bench):
    assert "openai:URL#name" in judge(bench, "gpt-4", expect=2).stderr
    with stub(lambda prompt, before: "[[5]]") as server:
        assert "both files" in judge(bench, server.url, "--against", str(bench / "mine.jsonl"), expect=2).stderr
        judge(bench, server.url)
        answers(bench / "mine.jsonl", "other", "c")
        assert "something else" in judge(bench, server.url, expect=3).stderr
        jsonl(bench / "mine.jsonl", [{"question_id": 81, "model_id": "m", "choices": [{"turns": ["one"]}]}])
        assert "question 81" in judge(bench, server.url, expect=4).stderr
