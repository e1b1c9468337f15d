"""helio align build-pairs: by a rule, by a stub of an OpenAI-compatible judge, by a model; and what keeps benchmarks out of pairs."""
import http.server
import json
import threading

import pytest

import json_server
import pipeline
from pipeline import helio

pytestmark = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")
ITEM = "A farmer has seventeen sheep and all but nine of them run away over the hill before noon today"


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def build(*words, code=0):
    done = helio("align", "build-pairs", *words, "--json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


@pytest.fixture
def benchmarks(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    jsonl(tmp_path / "benchmarks/sums.jsonl", [{"question": ITEM + ". How many are left?", "answer": "nine"}])
    return tmp_path / "benchmarks"


class Judge(http.server.ThreadingHTTPServer):
    """Rates answers by `rate(answer)`: a reply's text."""
    daemon_threads = True

    def __init__(self, rate):
        super().__init__(("127.0.0.1", 0), JudgeHandler)
        self.rate, self.asked = rate, []
        self.name = f"openai:http://127.0.0.1:{self.server_port}/v1#judge"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class JudgeHandler(json_server.JsonHandler):
    def do_POST(self):
        user = json.loads(self.text())["messages"][-1]["content"]
        answer = user.split("The answer to rate:\n\n")[1]
        self.server.asked.append(answer)
        reply = self.server.rate(answer)
        self.reply(200 if reply else 401, json_server.chat_reply(reply))


def test_a_rule_pairs_two_files_and_keeps_benchmarks_out(tmp_path, benchmarks):
    better = jsonl(tmp_path / "rephrased.jsonl", [{"id": 1, "prompt": "Add 1 and 2.", "answer": "1 + 2 makes 3."}, {"id": 2, "prompt": "Say it.", "answer": "same"},
                                                  {"id": 3, "prompt": ITEM, "answer": "Nine."}, {"id": 4, "prompt": "Alone.", "answer": "yes"},
                                                  {"id": 5, "prompt": "Guess.", "answer": ITEM.lower() + "!"}, {"id": 6, "prompt": "Empty.", "answer": " "}])
    worse = jsonl(tmp_path / "original.jsonl", [{"id": i, "prompt": "?", "answer": "3" if i == 1 else "same"} for i in (1, 2, 3, 5, 6, 7)])
    out = tmp_path / "pairs.jsonl"
    counts = build("--chosen", better, "--rejected", worse, "--benchmarks", benchmarks, "--out", out)
    assert counts["pairs"] == 1 and counts["unmatched"] == 2
    assert counts["left_out"] == {"contaminated": 2, "empty_side": 1, "equal_sides": 1}
    assert counts["contaminated_by"] == {"benchmarks/sums.jsonl:1": 2}
    (row,) = rows_of(out)
    assert row["chosen"] == "1 + 2 makes 3." and row["rejected"] == "3" and row["prompt"] == [{"role": "user", "content": "Add 1 and 2."}]
    assert row["provenance"] == {"prompt_id": "1", "chosen_from": "rephrased.jsonl", "rejected_from": "original.jsonl", "judge": {"judge": "rule"}}
    assert not list(tmp_path.glob("*.journal"))


def test_a_judge_behind_an_endpoint_rates_and_what_it_said_is_kept(tmp_path, benchmarks):
    answers = jsonl(tmp_path / "answers.jsonl", [{"id": "a", "prompt": "Greet me.", "answers": ["hello 8", "go away 2", "hm 5"]}, {"id": "b", "prompt": "Tie.", "choices": [{"text": "x 4"}, {"text": "y 4"}]},
                                                 {"id": "c", "prompt": "Odd.", "answers": ["p 11", "q 3"]}, {"id": "d", "prompt": "One.", "answers": ["r 3"]},
                                                 {"id": "e", "prompt": "Last.", "answers": ["s 9", "t 1"]}])
    out = tmp_path / "pairs.jsonl"
    words = ("--answers", answers, "--benchmarks", benchmarks, "--retries", 0, "--out", out)
    refusing = Judge(lambda answer: "" if answer.startswith("s") else f"So so. [[{answer.split()[-1]}]]")
    error = build(*words, "--judge", refusing.name, code=1)
    assert "answers to e" in error and not out.exists() and (tmp_path / "pairs.jsonl.journal").exists()
    refusing.rate = lambda answer: f"[[1]] at first, then [[{answer.split()[-1]}]]"
    before = len(refusing.asked)
    counts = build(*words, "--judge", refusing.name)
    assert refusing.asked[before:] == ["s 9", "t 1"], "what was judged is not asked again"
    assert counts["from_journal"] == 4 and counts["left_out"] == {"few_answers": 1, "tied": 1, "unjudged": 1}
    first, last = rows_of(out)
    assert (first["chosen"], first["rejected"]) == ("hello 8", "go away 2") and last["id"] == "e"
    assert first["provenance"]["scores"] == [8, 2, 5] and first["provenance"]["judge"]["model"] == refusing.name
    assert build(*words, "--judge", refusing.name, "--min-gap", 7)["pairs"] == 1


def test_a_model_answers_a_model_judges_and_align_reads_it(tmp_path):
    models = pipeline.finished() / "models"
    prompts = jsonl(tmp_path / "prompts.jsonl", [{"prompt": f"Describe item {i} of the list."} for i in range(6)])
    out = tmp_path / "pairs.jsonl"
    words = ("--prompts", prompts, "--model", models / "sft", "--judge", models / "aligned/step-2", "--judge-reference", models / "sft", "--n", 3, "--max-new-tokens", 8,
             "--max-length", 96, "--no-decontaminate", "--threads", 1)
    counts = build(*words, "--out", out)
    assert counts["prompts"] == 6 and 1 <= counts["pairs"] <= 6
    for row in rows_of(out):
        origin = row["provenance"]
        assert origin["chosen_score"] > origin["rejected_score"] and origin["judge"]["judge"] == "implicit reward"
        assert origin["model"] == json.loads((models / "sft/helio_manifest.json").read_text())["content"] and origin["chosen_from"].startswith("seed ")
    # The scores are those of align score on the same pairs: rewards without their beta.
    scored = [json.loads(line) for line in helio("align", "score", models / "aligned/step-2", out, "--reference", models / "sft", "--beta", 1, "--max-length", 96).stdout.splitlines()]
    assert [row["margin"] for row in scored] == pytest.approx([row["provenance"]["chosen_score"] - row["provenance"]["rejected_score"] for row in rows_of(out)], abs=1e-3)
    build(*words, "--out", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == out.read_bytes()


def test_what_is_wrong_is_said(tmp_path, benchmarks):
    answers = jsonl(tmp_path / "a.jsonl", [{"prompt": "p", "answers": ["x", "y"]}])
    out = ("--out", tmp_path / "x.jsonl")
    assert "which ones?" in build("--answers", answers, "--judge", "openai:http://127.0.0.1:9/v1#j", *out, code=2)
    assert "who says" in build("--answers", answers, "--benchmarks", benchmarks, *out, code=2)
    assert "both sides" in build("--chosen", answers, "--benchmarks", benchmarks, *out, code=2)
    bad = jsonl(tmp_path / "b.jsonl", [{"prompt": "p", "answers": [3]}])
    assert "b.jsonl:1" in build("--answers", bad, "--judge", "openai:http://127.0.0.1:9/v1#j", "--no-decontaminate", *out, code=3)
    assert "twice" in build("--chosen", jsonl(tmp_path / "c.jsonl", [{"id": 1, "prompt": "p", "answer": "a"}] * 2), "--rejected", answers, "--no-decontaminate", *out, code=3)
