"""helio eval run on tasks that are answered in words, with a small random model: files, kill -9, a judge, templates."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import test_eval_judge as judging

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import tiny_model

pytestmark = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")
HELIO = judging.HELIO
EMOTIONS = ["Joy", "Fear", "Anger", "Calm"]


def eq_question(who):
    prompt = (f"{who} speaks. Then critique your answer by thinking it through step by step. Finally, give your revised scores.\n"
              "First pass scores:\nCritique: <your critique here>\n[End of answer]\n")
    return {"prompt": prompt, "reference_answer_fullscale": {k: v for i, e in enumerate(EMOTIONS, 1) for k, v in ((f"emotion{i}", e), (f"emotion{i}_score", i))}}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("words")
    tiny_model.write(root / "models/tiny", positions=2048)
    bench = root / "bench"
    instructions = [["punctuation:no_comma"], ["punctuation:no_comma", "startend:quotation"]]
    rows = [{"key": i, "prompt": f"Write about {i} 여우.", "instruction_id_list": instructions[i % 2], "kwargs": [{} for _ in instructions[i % 2]]} for i in range(7)]
    judging.jsonl(bench / "ifeval/input_data.jsonl", rows)
    judging.jsonl(bench / "gsm8k/test.jsonl", [{"question": f"{i}+{i}?", "answer": f"#### {2 * i}"} for i in range(20)])
    judging.jsonl(bench / "gsm8k/train.jsonl", [{"question": f"{i}+1?", "answer": f"#### {i + 1}"} for i in range(9)])
    (bench / "eq_bench").mkdir()
    (bench / "eq_bench/eq_bench_v2_questions_171.json").write_text(json.dumps({str(i): eq_question(f"P{i}") for i in (1, 2, 10)}))
    mt = bench / "mt_bench"
    judging.jsonl(mt / "question.jsonl", [{"question_id": 81, "category": "writing", "turns": ["Q81.1", "Q81.2"]}, {"question_id": 111, "category": "math", "turns": ["Q111.1", "Q111.2"]}])
    forms = [{"name": name, "type": "single", "system_prompt": "s", "prompt_template": "{question_2}" if name.endswith("turn") else "{question}"} for name in judging.NAMES]
    judging.jsonl(mt / "judge_prompts.jsonl", forms)
    judging.jsonl(mt / "reference_answer/gpt-4.jsonl", [{"question_id": 111, "model_id": "gpt-4", "choices": [{"turns": ["R1", "R2"]}]}])
    return root


def words(place, out, tasks, *more, model="tiny"):
    return [HELIO, "eval", "run", str(place / "models" / model), "--tasks", *tasks, "--benchmarks", str(place / "bench"), "--threads", "1", "--out", str(place / out), *map(str, more)]


def run(place, out, tasks, *more, code=0, **options):
    done = subprocess.run(words(place, out, tasks, *more, **options), capture_output=True, text=True, env={**os.environ, "OPENAI_API_KEY": judging.KEY})
    assert done.returncode == code, done.stdout + done.stderr
    return done


def results(place, out):
    all_of_it = json.loads((place / out / "results.json").read_text())
    return all_of_it, {row["task"]: row for row in all_of_it["results"]}


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "helio_manifest.json"}


TASKS = ["gsm8k,ifeval", "eq_bench", "mt_bench"]


@pytest.fixture(scope="module")
def whole(place):
    run(place, "evals/whole", TASKS)
    return place / "evals/whole"


def test_figures_are_those_of_eval_score_on_the_answers(place, whole):
    everything, by_task = results(place, "evals/whole")
    template = everything["models"][0]["chat_template"]
    assert template["name"] == "own" and len(template["sha256"]) == 64
    assert {t["name"]: t["settings"].get("chat_template") for t in everything["tasks"]} == {"gsm8k": None, "ifeval": "auto", "eq_bench": "auto", "mt_bench": "auto"}
    assert all(t["settings"]["data"] for t in everything["tasks"])
    for task in ("gsm8k", "ifeval", "eq_bench"):
        done = subprocess.run([HELIO, "eval", "score", task, "--responses", str(whole / f"answers/{task}.tiny.jsonl"), "--benchmarks", str(place / "bench"), "--json"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        if task == "ifeval":
            assert {m: v["value"] for m, v in by_task[task]["metrics"].items()} == {m: summary[m] for m in by_task[task]["metrics"]}
        elif task == "gsm8k":
            assert by_task[task]["metrics"]["exact_match"]["value"] == summary["exact_match,strict-match"]["value"]
        else:  # a random model says nothing that can be read
            assert by_task[task]["status"] == "failed" and summary["failed"] and by_task[task]["retries"] == summary["retries"] == 3 * 4
    answers = [json.loads(line) for line in (whole / "answers/mt_bench.tiny.jsonl").read_text().splitlines()]
    assert [a["question_id"] for a in answers] == [81, 111] and all(len(a["choices"][0]["turns"]) == 2 for a in answers)
    assert by_task["mt_bench"]["status"] == "answered"


def test_an_unjudged_mt_bench_is_a_dash_that_names_the_command(place, whole):
    reason = results(place, "evals/whole")[1]["mt_bench"]["reason"]
    assert reason.startswith("answered, not judged: helio eval judge answers/mt_bench.tiny.jsonl")
    page = place / "page.html"
    subprocess.run([HELIO, "eval", "report", str(whole), "--out", str(page)], check=True, capture_output=True)
    line = next(line for line in page.with_suffix(".md").read_text().splitlines() if "tiny" in line)
    assert "—" in line and "answered, not judged" in page.read_text()
    with judging.stub(lambda prompt, before: "[[4]]") as server:
        command = reason.split(": ", 1)[1].replace("DIR", str(place / "bench")).replace("openai:URL#name", server.url).replace("FILE", str(place / "judged.jsonl")).split()
        subprocess.run([HELIO, *command[1:]], check=True, capture_output=True, cwd=whole)
    assert len((place / "judged.jsonl").read_text().splitlines()) == 4


def test_the_same_texts_whatever_runs_beside_them(place, whole):
    """Fewer items at once, another number of tasks: every answer is the same."""
    run(place, "evals/few", ["gsm8k"], "--limit", 3)
    run(place, "evals/one", ["gsm8k"], "--limit", 1)
    answers = (whole / "answers/gsm8k.tiny.jsonl").read_text().splitlines()
    assert (place / "evals/few/answers/gsm8k.tiny.jsonl").read_text().splitlines() == answers[:3]
    assert (place / "evals/one/answers/gsm8k.tiny.jsonl").read_text().splitlines() == answers[:1]


def test_kill_9_repeats_nothing(place, whole):
    journal = place / "evals/.helio-eval-killed/scores.jsonl"
    expected = None
    for lines in (1, 12, 24, 33):
        process = subprocess.Popen(words(place, "evals/killed", TASKS, *(["--resume"] if journal.exists() else [])), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end and not (journal.exists() and journal.read_bytes().count(b"\n") >= lines):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.returncode == 0:
            break
        kept = journal.read_bytes()
        kept = kept[:kept.rfind(b"\n") + 1]
        assert expected is None or kept.startswith(expected), "what was answered is not answered again"
        expected = kept
    if process.returncode:
        process = subprocess.run(words(place, "evals/killed", TASKS, "--resume"), capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
    assert files(place / "evals/killed") == files(whole)


def test_a_judge_in_the_same_run(place):
    refused = lambda handler: handler.reply(400, {"error": {"message": "no"}})
    with judging.stub(lambda prompt, before: refused if prompt == "Q111.2" else "Fine. [[8]]") as server:
        done = run(place, "evals/judged", ["mt_bench"], "--judge", server.url, code=1)
        assert "1 of 4 judgments failed" in done.stderr and "--resume" in done.stderr
        server.plan = lambda prompt, before: "[[5]]"
        run(place, "evals/judged", ["mt_bench"], "--judge", server.url, "--resume")
        assert sum(server.asked.values()) == 5, "what is judged is not judged again"
    everything, by_task = results(place, "evals/judged")
    row = by_task["mt_bench"]
    assert row["status"] == "ok" and row["judge"] == "judge-1" and row["judgments"] == 4
    assert row["metrics"]["score"]["value"] == pytest.approx((8 * 3 + 5) / 4)
    assert row["metrics"]["score_turn_2"]["value"] == pytest.approx(6.5)
    assert {p["name"]: p["metrics"]["score"]["value"] for p in row["parts"] if p["metrics"]} == {"writing": 8, "math": 6.5}
    done = subprocess.run([HELIO, "eval", "score", "mt_bench", "--responses", str(place / "evals/judged/judgments/mt_bench.tiny.jsonl"), "--benchmarks", str(place / "bench"), "--json"], capture_output=True, text=True)
    assert json.loads(done.stdout)["models"]["tiny"]["score"]["value"] == row["metrics"]["score"]["value"]
    assert judging.KEY not in "".join(p.read_text() for p in (place / "evals/judged").rglob("*") if p.is_file())


def test_chat_templates(place):
    bare = place / "models/bare"
    tiny_model.write(bare, positions=2048)
    (bare / "chat_template.jinja").unlink()
    error = run(place, "evals/bare", ["ifeval"], model="bare", code=4).stderr
    assert "no chat template" in error and all(choice in error for choice in ("none", "chatml", "solar", "FILE"))
    run(place, "evals/bare", ["ifeval,mt_bench"], "--chat-template", "none", "--limit", 2, model="bare")
    everything, by_task = results(place, "evals/bare")
    assert everything["models"][0]["chat_template"] is None and by_task["ifeval"]["status"] == "ok"
    assert by_task["mt_bench"]["status"] == "not_run" and "chat template" in by_task["mt_bench"]["reason"]
    form = place / "form.jinja"
    form.write_text("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:")
    run(place, "evals/form", ["ifeval"], "--chat-template", form, "--limit", 2, model="bare")
    assert results(place, "evals/form")[0]["models"][0]["chat_template"]["name"] == "form.jinja"
    assert (place / "evals/form/answers/ifeval.bare.jsonl").read_text() != (place / "evals/bare/answers/ifeval.bare.jsonl").read_text()
    compared = json.loads(subprocess.run([HELIO, "eval", "compare", str(place / "evals/form"), str(place / "evals/bare"), "--json"], capture_output=True, text=True).stdout)
    assert "asked differently" in compared["tasks"][0]["not_compared"]


def test_requests_show_conversations(place):
    done = subprocess.run([HELIO, "eval", "requests", "eq_bench", "--benchmarks", str(place / "bench"), "--limit", "1"], capture_output=True, text=True)
    row = json.loads(done.stdout)
    assert [m["role"] for m in row["messages"]] == ["system", "user"] and row["max_tokens"] == 60 and row["doc"] == "1"
    done = subprocess.run([HELIO, "eval", "fetch", "eq_bench", "--benchmarks", str(place / "bench")], capture_output=True, text=True)
    assert done.returncode == 0 and "3 documents" in done.stdout


@pytest.mark.skipif(not pathlib.Path("/work/shared/data/benchmarks/ifeval").exists(), reason="needs the published benchmarks (shared/data/benchmarks)")
def test_the_published_files_are_read(place):
    bench = "/work/shared/data/benchmarks"
    for task, count in (("ifeval", 541), ("ifeval_evalverse", 541), ("eq_bench", 171), ("mt_bench", 80)):
        done = subprocess.run([HELIO, "eval", "requests", task, "--benchmarks", bench], capture_output=True, text=True)
        assert len(done.stdout.splitlines()) == count, done.stderr
