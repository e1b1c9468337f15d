# label: fast
"""helio eval score on small benchmark folders of our own."""
import json
import os
import pathlib
import subprocess

import pytest

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")


def jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def score(task, folder, rows, *words, expect=0):
    responses = jsonl(folder / "rows.jsonl", rows)
    done = subprocess.run([HELIO, "eval", "score", task, "--benchmarks", folder, "--responses", responses, *words], capture_output=True, text=True)
    assert done.returncode == expect, done.stderr
    return done


def read(done):
    return [json.loads(line) for line in done.stdout.splitlines()], json.loads(done.stderr)


@pytest.fixture
def ifeval(tmp_path):
    items = [
        {"key": 1, "prompt": "Say yes", "instruction_id_list": ["punctuation:no_comma", "startend:quotation"], "kwargs": [{}, {}]},
        {"key": 2, "prompt": "한국어로", "instruction_id_list": ["language:response_language"], "kwargs": [{"language": "ko"}]},
    ]
    jsonl(tmp_path / "ifeval/input_data.jsonl", items)
    jsonl(tmp_path / "ifeval/evalverse_input_data.jsonl", items[:1])
    return tmp_path


def test_ifeval_prints_a_line_an_item_and_sums_up(ifeval):
    rows = [{"prompt": "Say yes", "response": 'Sure:\n"yes"'}, {"prompt": "한국어로", "response": "네, 그렇게 하겠습니다."}]
    lines, summary = read(score("ifeval", ifeval, rows))
    assert lines[0] == {"key": 1, "prompt": "Say yes", "strict": [True, False], "loose": [True, True]}
    assert lines[1]["strict"] == [True]
    assert (summary["n"], summary["total"], summary["instructions"]) == (2, 2, 3)
    assert summary["prompt_level_strict_acc"] == 0.5 and summary["prompt_level_loose_acc"] == 1
    assert summary["inst_level_strict_acc"] == pytest.approx(2 / 3)
    assert summary["by_instruction"]["startend:quotation"] == {"n": 1, "strict": 0.0, "loose": 1.0}
    only = score("ifeval", ifeval, rows, "--json")
    assert json.loads(only.stdout) == summary and only.stderr == ""


def test_what_is_missing_is_counted_and_never_zero(ifeval):
    lines, summary = read(score("ifeval", ifeval, [{"prompt": "한국어로", "response": "hello there my friend"}]))
    assert (summary["n"], summary["total"]) == (1, 2)
    assert summary["inst_level_strict_acc"] == 0 and summary["prompt_level_strict_acc_stderr"] is None


def test_rows_that_fit_nothing_are_errors(ifeval):
    assert "'--variant'" not in score("ifeval", ifeval, [{"prompt": "Say yes"}], expect=3).stderr
    assert "rows.jsonl:1" in score("ifeval", ifeval, [{"prompt": "Say yes"}], expect=3).stderr
    assert "no item" in score("ifeval", ifeval, [{"prompt": "한국어로", "response": "x"}], "--variant", "evalverse", expect=3).stderr
    assert "second response" in score("ifeval", ifeval, [{"prompt": "Say yes", "response": "x"}] * 2, expect=3).stderr
    assert "official, evalverse" in score("ifeval", ifeval, [{"prompt": "Say yes", "response": "x"}], "--variant", "new", expect=2).stderr
    assert "eq_bench, gsm8k, ifeval, mt_bench" in score("mmlu", ifeval, [{}], expect=2).stderr
    assert "eq_bench_v2_questions_171.json" in score("eq_bench", ifeval, [{}], expect=4).stderr
    assert "no rows" in score("ifeval", ifeval, [], expect=3).stderr


def emotions(*values):
    return "\n".join(f"{name}: {value}" for name, value in zip(["Calm", "Angry", "Sad", "Proud"], values))


@pytest.fixture
def eq_bench(tmp_path):
    reference = {f"emotion{i + 1}": name for i, name in enumerate(["Calm", "Angry", "Sad", "Proud"])}
    reference |= {"emotion1_score": 0, "emotion2_score": "6", "emotion3_score": 3, "emotion4_score": "7"}
    (tmp_path / "eq_bench").mkdir()
    (tmp_path / "eq_bench/eq_bench_v2_questions_171.json").write_text(json.dumps({str(i): {"prompt": "p", "reference_answer_fullscale": reference} for i in range(1, 13)}))
    return tmp_path


def test_eq_bench_takes_the_first_attempt_that_can_be_read(eq_bench):
    rows = [{"id": 1, "responses": ["no idea", emotions(0, 0, 0, 0), emotions(0, 6, 3, 7)]}, {"id": "2", "response": "nothing"}]
    lines, summary = read(score("eq_bench", eq_bench, rows))
    assert lines == [{"id": "1", "score": 10.0, "attempts": 3}, {"id": "2", "score": None, "attempts": 1}]
    assert summary["score"] == 100 and summary["parseable"] == 1 and summary["retries"] == 2
    assert summary["failed"] is True  # 1 of 12 is less than 83.33 %
    assert read(score("eq_bench", eq_bench, [{"id": i, "response": emotions(0, 6, 3, 7)} for i in range(1, 11)]))[1]["failed"] is False  # 10 of 12


def test_eq_bench_as_lm_eval_counts_what_cannot_be_read_as_zero(eq_bench):
    rows = [{"id": 1, "response": emotions(0, 6, 3, 7)}, {"id": 2, "response": "nothing"}, {"id": 3, "response": emotions(0, 6, 3, 1)}]
    lines, summary = read(score("eq_bench", eq_bench, rows, "--variant", "lm-eval"))
    assert [line["eqbench"] for line in lines] == [100, 0, pytest.approx(100 - 7.477 * 6)]
    assert summary["eqbench"] == pytest.approx((200 - 7.477 * 6) / 3) and summary["percent_parseable"] == pytest.approx(200 / 3)


def test_eq_bench_revised_takes_the_better_pass(eq_bench):
    first, revised = emotions(0, 6, 3, 1), emotions(0, 6, 3, 7)
    text = f"First pass scores:\n{first}\n\nCritique: hm\n\nRevised scores:\n{revised}\n"
    rows = [{"id": 1, "response": text}, {"id": 2, "responses": [f"First pass scores:\n{first}\nRevised scores:\n?", "?"]}]
    lines, summary = read(score("eq_bench", eq_bench, rows, "--variant", "revised"))
    assert lines[0]["revised_score"] == 10 and lines[1]["revised_score"] is None and lines[1]["attempts"] == 2
    # Half the revised answers can be read: the first pass stands, though it is worse.
    assert summary["score"] == summary["first_pass_score"] == pytest.approx(100 - 7.477 * 6) and summary["revised_score"] == 100


def test_gsm8k_in_its_profiles(tmp_path):
    jsonl(tmp_path / "gsm8k/test.jsonl", [{"question": "q", "answer": "6*200=<<6*200=1200>>1200\n#### 1,200"}, {"question": "q", "answer": "#### 3"}, {"question": "q", "answer": "#### 4"}])
    rows = [{"doc": 0, "response": "So: it is $1200.\n#### 1200\n\nQuestion: next\n#### 9"}, {"doc": 1, "response": "It costs $3."}]
    lines, summary = read(score("gsm8k", tmp_path, rows))
    assert lines[0]["strict-match"] == {"answer": "1200", "exact_match": True}
    assert lines[1]["strict-match"] == {"answer": "[invalid]", "exact_match": False} and lines[1]["flexible-extract"]["exact_match"]
    assert (summary["n"], summary["total"]) == (2, 3)
    assert summary["exact_match,strict-match"]["value"] == 0.5 and summary["exact_match,flexible-extract"]["value"] == 1
    old = read(score("gsm8k", tmp_path, rows, "--variant", "openllm-v1"))
    assert [line["acc"] for line in old[0]] == [False, False]  # generation ended at the colon
    assert "excluded" in score("gsm8k", tmp_path, [{"doc": 3, "response": ""}], expect=3).stderr


def test_mt_bench_single_and_pairwise(tmp_path):
    jsonl(tmp_path / "mt_bench/question.jsonl", [{"question_id": 81, "category": "writing", "turns": ["a", "b"]}, {"question_id": 111, "category": "math", "turns": ["a", "b"]}])
    single = [{"question_id": q, "turn": t, "model": "m", "judgment": text} for q, t, text in [(81, 1, "Rating: [[8]]"), (81, 2, "[[7.5]]"), (111, 1, "I give [3]"), (111, 2, "none")]]
    lines, summary = read(score("mt_bench", tmp_path, single))
    assert [line["rating"] for line in lines] == [8, 7.5, 3, None]
    model = summary["models"]["m"]
    assert model["score"]["value"] == pytest.approx(18.5 / 3) and model["without_rating"] == 1
    assert model["turns"]["1"]["value"] == 5.5 and model["categories"]["writing"]["value"] == 7.75
    pairs = [{"question_id": q, "turn": t, "model_1": "m", "model_2": "n", "g1_judgment": one, "g2_judgment": two} for q, t, one, two in
             [(81, 1, "[[A]]", "[[B]]"), (81, 2, "[[A]]", "[[A]]"), (111, 1, "[[C]]", "[[C]]"), (111, 2, "?", "[[A]]")]]
    lines, summary = read(score("mt_bench", tmp_path, pairs, "--variant", "pairwise"))
    assert [line["winner"] for line in lines] == ["m", "tie", "tie", "error"]
    assert summary["models"]["m"] == {"win": 1, "loss": 0, "tie": 2, "error": 1, "win_rate": 1 / 3, "loss_rate": 0.0, "win_rate_adjusted": 2 / 3}
