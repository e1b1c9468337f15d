"""IFEval's parts beside langdetect and nltk, IFEval beside lm-evaluation-harness, and every score that Evalverse recorded.

The last two need lm_eval 0.4.13 in this Python, or the recorded outputs in /work/shared; without them they are skipped by name.
"""
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHMARKS = pathlib.Path("/work/shared/data/benchmarks")
RECORDED = BENCHMARKS / "golden/evalverse/SOLAR-10.7B-Instruct-v1.0"
needs_recorded = pytest.mark.skipif(not RECORDED.exists(), reason="no Evalverse outputs in /work/shared")
sys.path.insert(0, str(ROOT / "tools/record"))
import ifeval as recorder  # noqa: E402


def score(task, benchmarks, responses, *words):
    done = subprocess.run([HELIO, "eval", "score", task, "--benchmarks", str(benchmarks), "--responses", str(responses), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], json.loads(done.stderr)


def texts(count, seed):
    """Mixed languages, Korean above all, with slips."""
    rng = random.Random(seed)
    korean = [s for s in recorder.SENTENCES if any("가" <= c <= "힣" for c in s)]
    for _ in range(count):
        if rng.random() < 0.25:
            parts = [rng.choice(korean) for _ in range(rng.randrange(1, 5))] + [rng.choice(recorder.SENTENCES)]
            rng.shuffle(parts)
            yield " ".join(parts)[: rng.randrange(1, 120)]
        else:
            yield recorder.response(rng, "none")


def long_texts(count, seed):
    """Hundreds to thousands of characters, in Korean, English, Japanese, Chinese and a mixture: beyond 10,000 langdetect reads the beginning alone."""
    rng = random.Random(seed)
    scripts = {"ko": ("가", "힣"), "ja": ("ぁ", "ヿ"), "zh": ("一", "鿿")}
    having = {name: [s for s in recorder.SENTENCES if any(low <= c <= high for c in s)] for name, (low, high) in scripts.items()}
    having["en"] = [s for s in recorder.SENTENCES if s.isascii()]
    having["any"] = recorder.SENTENCES
    assert all(having.values())
    for i in range(count):
        pools = rng.sample(sorted(having), 1 if i % 3 else 2)
        length, text = rng.choice((300, 900, 2500, 6000, 12000)), ""
        while len(text) < length:
            text += rng.choice(having[rng.choice(pools)]) + rng.choice((" ", "\n", ""))
        yield text


@pytest.mark.parametrize("kind, least", [(texts, 15), (long_texts, 3)])
def test_languages_are_langdetects(tmp_path, kind, least):
    import langdetect
    langdetect.DetectorFactory.seed = 0
    rows = []
    for text in kind(400 if kind is texts else 200, 5):
        try:
            language = langdetect.detect(text)
        except langdetect.LangDetectException:
            continue
        if text.strip():
            rows.append({"id": "language:response_language", "kwargs": {"language": language}, "response": text})
    assert len({row["kwargs"]["language"] for row in rows}) > least
    wrong = [row for row, mine in zip(rows, recorder.score([HELIO], rows, tmp_path)) if mine["strict"] != [True]]
    assert not wrong, wrong[:3]


def test_sentences_and_capital_words_are_nltks(tmp_path):
    import nltk
    nltk.data.path.insert(0, recorder.punkt_folder(tmp_path / "nltk"))
    rows = []
    for text in texts(600, 6):
        sentences = len(nltk.sent_tokenize(text))
        capitals = sum(word.isupper() for word in nltk.word_tokenize(text))
        if not text.strip():
            continue
        # Right at the border: at least n, and less than n + 1.
        for count, number, relation, kind in [(sentences, "num_sentences", "relation", "length_constraints:number_sentences"),
                                              (capitals, "capital_frequency", "capital_relation", "change_case:capital_word_frequency")]:
            rows += [{"id": kind, "kwargs": {number: n, relation: r}, "response": text} for n, r in [(count, "at least"), (count + 1, "less than")] if n]
    wrong = [row for row, mine in zip(rows, recorder.score([HELIO], rows, tmp_path)) if mine["strict"] != [True]]
    assert not wrong, wrong[:3]


def test_ifeval_is_lm_evals(tmp_path):
    try:
        utils = recorder.reference(tmp_path / "nltk")
    except (ImportError, AttributeError) as missing:
        pytest.skip(f"lm_eval 0.4.13's task is not in this Python: {missing}")
    rows = [recorder.judged(utils, case, number) for number, case in enumerate(recorder.cases(1500, 77))]
    wrong = recorder.differing(rows, recorder.score([HELIO], rows, tmp_path))
    assert not wrong, wrong[:3]


@needs_recorded
def test_ifeval_of_evalverse_verdict_by_verdict():
    lines, summary = score("ifeval", BENCHMARKS, RECORDED / "ifeval/output.jsonl.gz", "--variant", "evalverse")
    for kind in ("strict", "loose"):
        theirs = {row["prompt"]: row["follow_instruction_list"] for row in map(json.loads, gzip.open(RECORDED / f"ifeval/eval_results_{kind}.jsonl.gz"))}
        assert {line["prompt"]: line[kind] for line in lines} == theirs
    assert summary["instructions"] == 747
    assert [summary[f"{level}_level_{kind}_acc"] for kind in ("strict", "loose") for level in ("prompt", "inst")] == [
        0.5157116451016636, 0.5796519410977242, 0.5600739371534196, 0.6291834002677377]


@needs_recorded
def test_the_published_ifeval_set_has_834_instructions(tmp_path):
    prompts = [json.loads(line)["prompt"] for line in gzip.open(BENCHMARKS / "ifeval/input_data.jsonl.gz")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"prompt": prompt, "response": "x"}) + "\n" for prompt in prompts))
    summary = score("ifeval", BENCHMARKS, tmp_path / "rows.jsonl")[1]
    assert (summary["prompts"], summary["instructions"]) == (541, 834)


@needs_recorded
def test_eq_bench_of_evalverse_item_by_item(tmp_path):
    run = next(iter(json.load(gzip.open(RECORDED / "eq_bench/raw_results.json.gz")).values()))["iterations"]["1"]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"id": key, "response": text}) + "\n" for key, text in run["raw_inference"].items()))
    lines, summary = score("eq_bench", BENCHMARKS, tmp_path / "rows.jsonl")
    assert {line["id"]: line["score"] for line in lines} == {key: value["first_pass_score"] for key, value in run["individual_scores_fullscale"].items()}
    assert summary["score"] == run["benchmark_results_fullscale"]["first_pass_score"] and summary["parseable"] == 165


@needs_recorded
def test_mt_bench_of_evalverse_rating_by_rating():
    file = RECORDED / "mt_bench/model_judgment/gpt-4_single.jsonl.gz"
    lines, summary = score("mt_bench", BENCHMARKS, file)
    theirs = [row["score"] for row in map(json.loads, gzip.open(file))]
    assert [-1 if line["rating"] is None else line["rating"] for line in lines] == theirs
    model = summary["models"]["SOLAR-10.7B-Instruct-v1.0"]
    assert model["score"]["value"] == pytest.approx(7.443396, abs=1e-6)
    assert model["turns"]["1"]["value"] == pytest.approx(7.66875) and model["turns"]["2"]["value"] == pytest.approx(7.21519, abs=1e-5)
    assert len(model["categories"]) == 8


@needs_recorded
def test_judge_prompts_are_the_recorded_ones(tmp_path):
    """What `eval judge` asks about the recorded answers is what FastChat asked."""
    import http.server
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
    import json_server
    asked = []

    class Handler(json_server.JsonHandler):
        def do_POST(self):
            asked.append(json.loads(self.text())["messages"][-1]["content"])
            self.reply(200, json_server.chat_reply("[[5]]"))

    with json_server.running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        done = subprocess.run([HELIO, "eval", "judge", str(RECORDED / "mt_bench/model_answer/SOLAR-10.7B-Instruct-v1.0.jsonl.gz"), "--benchmarks", str(BENCHMARKS),
                               "--judge", f"openai:http://127.0.0.1:{server.server_port}/v1#gpt-4", "--out", str(tmp_path / "judged.jsonl")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = {(row["question_id"], row["turn"], *row["judge"]): row["user_prompt"] for row in map(json.loads, gzip.open(RECORDED / "mt_bench/model_judgment/gpt-4_single.jsonl.gz"))}
    ours = {(row["question_id"], row["turn"], *row["judge"]): row["user_prompt"] for row in map(json.loads, open(tmp_path / "judged.jsonl"))}
    assert ours == theirs and len(asked) == 160
