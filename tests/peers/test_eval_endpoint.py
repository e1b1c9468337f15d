"""helio eval run on models behind OpenAI-compatible endpoints: a stub that misbehaves in every way, and helio serve, whose scores are those of the folder it serves."""
import json
import os
import pathlib
import subprocess
import time

import pytest

import endpoint_stub
import served
import tiny_model

pytestmark = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")
KEY = "sk-secret-0123456789"
NAMES = ["Ann", "the fox", "Bob", "a dog", "Minsu", "the cat"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tiny model's folder, its tokenizer, and small benchmarks."""
    root = tmp_path_factory.mktemp("endpoint")
    tokenizer = tiny_model.write(root / "models/tiny", positions=1024)
    bench = root / "bench"
    rows = [{"sentence": f"{NAMES[i % 6]} asked {NAMES[(i + 1) % 6]} to stay, but _ went home {i} times.", "option1": NAMES[i % 6], "option2": NAMES[(i + 1) % 6],
             "answer": str(1 + i % 2)} for i in range(30)]
    write(bench / "winogrande/validation.jsonl", rows)
    write(bench / "gsm8k/test.jsonl", [{"question": q, "answer": f"So.\n#### {len(q)}"} for q in (f"How many letters are in this, number {'x' * i}?" for i in range(7))])
    write(bench / "gsm8k/train.jsonl", [{"question": "One?", "answer": "#### 1"}])
    write(root / "pairs.jsonl", [{"prompt": f"Question {i}?", "chosen": "Yes, of course.", "rejected": "no"} for i in range(40)])
    write(root / "corpus/part-00000.jsonl", [{"id": f"l/{i}", "text": "The quick brown fox jumps over the lazy dog. 안녕하세요. " * (3 + i), "language": "en", "split": "heldout"} for i in range(6)])
    return root, tokenizer


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def command(place, models, out, *words, tasks=("winogrande@0",), tokenizer=True):
    root = place[0]
    return [served.HELIO, "eval", "run", *map(str, models), "--tasks", *tasks, "--benchmarks", str(root / "bench"), "--out", str(out), "--json", "--threads", "1",
            *(["--tokenizer", str(root / "models/tiny")] if tokenizer else []), *map(str, words)]


def run(place, models, out, *words, expect=0, env=None, **options):
    done = subprocess.run(command(place, models, out, *words, **options), capture_output=True, text=True, timeout=120, env={**os.environ, "OPENAI_API_KEY": KEY, **(env or {})})
    assert done.returncode == expect, done.stderr + done.stdout
    assert KEY not in done.stdout + done.stderr
    if pathlib.Path(out).exists():
        assert not any(KEY in path.read_text() for path in pathlib.Path(out).rglob("*") if path.is_file())
    return done


def samples(out, task="winogrande", model="stub"):
    return [json.loads(line) for line in (out / f"samples/{task}.{model}.jsonl").read_text().splitlines()]


def result(out, task="winogrande", model="stub"):
    return next(r for r in json.loads((out / "results.json").read_text())["results"] if r["task"] == task and r["model"] == model)


@pytest.fixture(scope="module")
def model(place):
    return endpoint_stub.Bigrams(place[1])


def expected(place, model):
    """What the bigram model scores each Winogrande item, by this file's own reading of the task."""
    out = []
    for line in (place[0] / "bench/winogrande/validation.jsonl").read_text().splitlines():
        row = json.loads(line)
        before, after = row["sentence"].split("_")
        scores = []
        for option in (row["option1"], row["option2"]):
            whole, context = model.encode(before + option + " " + after.strip()), model.encode(before + option)
            scores.append(model.score(context, whole[len(context):])[0])
        out.append(scores)
    return out


def check_scores(place, model, out):
    found = samples(out)
    for got, want in zip(found, expected(place, model), strict=True):
        assert got["log_probs"] == pytest.approx(want, abs=1e-9)
        assert got["predicted"] == (0 if want[0] >= want[1] else 1)


def test_scores_are_the_servers(place, model, tmp_path):
    with endpoint_stub.stub(model) as server:
        run(place, [server.spec("org/stub")], tmp_path / "out", "--parallel", 3)
    whole = json.loads((tmp_path / "out/results.json").read_text())
    assert [m["name"] for m in whole["models"]] == ["org/stub"]
    about = whole["models"][0]["endpoint"]
    assert about["model"] == "org/stub" and about["scores"] is True and about["probe"] == {"alternatives": 5, "best_tokens_scored": 3}
    (tmp_path / "out/samples/winogrande.org.stub.jsonl").rename(tmp_path / "out/samples/winogrande.stub.jsonl")
    check_scores(place, model, tmp_path / "out")
    assert result(tmp_path / "out", model="org/stub")["n"] == 30
    assert {key for _, _, key, _ in server.seen} == {f"Bearer {KEY}"}
    asked = [body for _, _, _, body in server.seen if len(body["prompt"]) > 6]
    assert sum(len(body["prompt"]) for body in asked) == 60 and all(body["model"] == "org/stub" and body["echo"] and body["logprobs"] == 1 for body in asked)
    assert len(asked) == 4 and 2 <= server.most <= 3
    # The manifest names the endpoint by a hash, and nothing in the folder depends on how often it had to be asked.
    assert json.loads((tmp_path / "out/helio_manifest.json").read_text())["inputs"][0]["kind"] == "endpoint"


def test_it_asks_again(place, model, tmp_path):
    """429 with Retry-After, a connection cut in mid-answer, an answer that is not JSON, one too late: each once, then the scores are as ever."""
    def plan(path, body, before):
        if before or len(body["prompt"]) < 7:
            return None
        turn = plan.turns.pop() if plan.turns else None
        if turn == "busy":
            return lambda handler: handler.reply(429, {"error": {"message": "slow down"}}, Retry_After=2)
        if turn == "cut":
            return lambda handler: handler.cut()
        if turn == "broken":
            return lambda handler: handler.reply(200, b'{"choices": [')
        if turn == "late":
            return lambda handler: (time.sleep(1.5), handler.reply(200, {"choices": []}))[1]
        return None
    plan.turns = ["late", "broken", "cut", "busy"]
    with endpoint_stub.stub(model, plan) as server:
        done = run(place, [server.spec()], tmp_path / "out", "--timeout", 1, "--parallel", 4)
    check_scores(place, model, tmp_path / "out")
    assert "stub: 4 requests were made again" in done.stderr
    times = {}
    for at, _, _, body in server.seen:
        times.setdefault(json.dumps(body), []).append(at)
    waits = sorted(t[1] - t[0] for t in times.values() if len(t) == 2)
    assert len(waits) == 4 and waits[-1] >= 2  # as Retry-After asked; the others a second
    with endpoint_stub.stub(model) as server:
        run(place, [server.spec()], tmp_path / "calm")
    assert samples(tmp_path / "calm") == samples(tmp_path / "out")


def spoil(kind):
    """What a server that cannot be trusted gives for a prompt."""
    def change(choice):
        found = choice["logprobs"]
        if kind == "no echo":  # as llama.cpp's: the generated token's alone
            for key in found:
                found[key] = found[key][-1:]
        elif kind == "no log-probabilities":
            choice["logprobs"] = None
        elif kind == "no alternatives":
            found["top_logprobs"] = None
        elif kind == "one constant":
            found["token_logprobs"] = [None] + [-5.0] * (len(found["token_logprobs"]) - 1)
            found["top_logprobs"] = [None] + [{"a": -5.0, "b": -5.0} for _ in found["top_logprobs"][1:]]
        elif kind == "nameless constant":
            found["token_logprobs"] = [None] + [-5.0] * (len(found["token_logprobs"]) - 1)
            found["top_logprobs"] = [None] + [{"<no id>": -5.0} for _ in found["top_logprobs"][1:]]
        elif kind == "sum above one":
            found["top_logprobs"] = [top and {name: -0.1 for name in top} for top in found["top_logprobs"]]
        elif kind == "moved by one":
            found["token_logprobs"] = [None] + found["token_logprobs"][2:] + [-1.0]
        elif kind == "NaN":
            found["token_logprobs"][2] = float("nan")
        elif kind == "positive":
            found["token_logprobs"][2] = 0.5
    return lambda path, body, before: change if body.get("echo") else None


@pytest.mark.parametrize("kind, why", [
    ("no echo", "log-probabilities of 1 tokens for a prompt of"),
    ("no log-probabilities", "the reply has no log-probabilities"),
    ("no alternatives", "a greedy token cannot be told"),
    ("one constant", "the model's own next token does not score above tokens taken from elsewhere"),
    ("nameless constant", "plain text scores no higher than the same tokens shuffled"),
    ("sum above one", "the probabilities in one place sum to"),
    ("moved by one", "score above tokens taken from elsewhere|more probable than the best one in its place"),
    ("NaN", "is not JSON"),
    ("positive", "a log-probability is 0.5"),
])
def test_what_cannot_be_trusted_is_not_scored(place, model, tmp_path, kind, why):
    """The reason stands in the result, no figure does, and what is answered in words is scored all the same."""
    with endpoint_stub.stub(model, spoil(kind)) as server:
        run(place, [server.spec()], tmp_path / "out", "--retries", 0, tasks=("winogrande@0", "gsm8k@0"))
    refused = result(tmp_path / "out")
    assert refused["status"] == "not_run" and "metrics" not in refused and refused["n"] == 0
    assert any(part in refused["reason"] for part in why.split("|")), refused["reason"]
    assert json.loads((tmp_path / "out/results.json").read_text())["models"][0]["endpoint"]["scores"] is False
    words = result(tmp_path / "out", "gsm8k")
    assert words["status"] == "ok" and words["n"] == 7
    right = [len(f"How many letters are in this, number {'x' * i}?") % 2 == 0 for i in range(7)]
    assert [row["correct"] for row in samples(tmp_path / "out", "gsm8k")] == right and words["metrics"]["exact_match"]["value"] == pytest.approx(sum(right) / 7)


def test_refused_with_400_is_a_reason(place, model, tmp_path):
    with endpoint_stub.stub(model, lambda *_: lambda handler: handler.reply(400, {"error": {"message": f"echo is not supported, {KEY}"}})) as server:
        run(place, [server.spec()], tmp_path / "out")
    assert "it answered 400: echo is not supported, …" in result(tmp_path / "out")["reason"]


def test_without_a_tokenizer(place, model, tmp_path):
    with endpoint_stub.stub(model) as server:
        run(place, [server.spec()], tmp_path / "out", tasks=("winogrande@0", "gsm8k@0"), tokenizer=False)
    assert "--tokenizer" in result(tmp_path / "out")["reason"] and result(tmp_path / "out", "gsm8k")["status"] == "ok"


def test_wrong_counts_later_end_the_run_and_resume_goes_on(place, model, tmp_path):
    def plan(path, body, before):
        return shorten if len(body["prompt"]) > 6 and plan.broken else None

    def shorten(choice):
        for numbers in choice["logprobs"].values():
            del numbers[-2:]

    plan.broken = True
    with endpoint_stub.stub(model, plan) as server:
        done = run(place, [server.spec()], tmp_path / "out", "--retries", 1, expect=1)
        assert "log-probabilities of" in done.stdout + done.stderr and "while scoring stub on winogrande" in done.stdout + done.stderr
        assert not (tmp_path / "out").exists()
        plan.broken = False
        run(place, [server.spec()], tmp_path / "out", "--resume")
    check_scores(place, model, tmp_path / "out")


def test_a_wrong_key_ends_the_run(place, model, tmp_path):
    with endpoint_stub.stub(model, lambda *_: lambda handler: handler.reply(401, {"error": {"message": f"bad key {KEY}"}})) as server:
        done = run(place, [server.spec()], tmp_path / "out", expect=1)
    assert "it answered 401: bad key …" in done.stdout + done.stderr and "OPENAI_API_KEY" in done.stdout + done.stderr


def test_a_server_with_chat_alone(place, model, tmp_path):
    with endpoint_stub.stub(model, lambda path, *_: "refuse" if path == "/v1/completions" else None) as server:
        run(place, [server.spec()], tmp_path / "out", tasks=("gsm8k@0",))
    assert json.loads((tmp_path / "out/results.json").read_text())["models"][0]["endpoint"]["prompts"] == "as chat"
    assert {path for _, path, _, _ in server.seen[8:]} == {"/v1/chat/completions"} and result(tmp_path / "out", "gsm8k")["n"] == 7
    chats = [body for _, path, _, body in server.seen if path == "/v1/chat/completions"]
    assert all(body["temperature"] == 0 and body["max_tokens"] == 256 and len(body["stop"]) == 3 for body in chats) and len(chats) == 7


def test_what_the_server_says_of_the_model(place, model, tmp_path):
    """Positions, and a hash of the weights when it has one: scores of other weights are not taken from the journal."""
    def plan(path, body, before):
        return (lambda handler: handler.reply(400, {})) if plan.broken and path == "/v1/completions" and not body.get("echo") else None
    plan.broken = True
    with endpoint_stub.stub(model, plan, card={"id": "stub", "max_model_len": 300, "content": "a"}) as server:
        run(place, [server.spec()], tmp_path / "out", tasks=("winogrande@0", "gsm8k@0"), expect=1)
        asked = len(server.seen)
        run(place, [server.spec()], tmp_path / "out", "--resume", tasks=("winogrande@0", "gsm8k@0"), expect=1)
        assert len(server.seen) < asked + 14  # the probe and the question that fails
        server.card["content"], plan.broken = "b", False
        run(place, [server.spec()], tmp_path / "out", "--resume", tasks=("winogrande@0", "gsm8k@0"))
    assert sum(len(body["prompt"]) for _, _, _, body in server.seen if body.get("echo") and body["logprobs"] == 1) == 120
    assert json.loads((tmp_path / "out/results.json").read_text())["models"][0]["positions"] == 298


def test_names_that_do_not_tell_ids(place, tmp_path):
    """Where a server's names of tokens lead to no id, plain text in its order must score above the same tokens shuffled."""
    texts = ["The capital of France is Paris, and the capital of Japan is Tokyo.", "One, two, three, four, five, six, seven, eight, nine, ten.",
             "Water boils when it is heated, and it freezes when it is cooled."]
    reader = endpoint_stub.Bigrams(place[1], texts)
    with endpoint_stub.stub(reader, names="<{}>") as server:
        run(place, [server.spec()], tmp_path / "out")
    assert json.loads((tmp_path / "out/results.json").read_text())["models"][0]["endpoint"]["probe"]["best_tokens_scored"] == 0
    check_scores(place, reader, tmp_path / "out")


@pytest.mark.parametrize("model", ["openai:http://u:secret@127.0.0.1:1/v1#m", "openai:ftp://h/v1#m", "openai:http://h/v1", "openai:http://h/v1#"])
def test_what_is_no_endpoint(place, tmp_path, model):
    done = run(place, [model], tmp_path / "out", expect=2)
    assert "secret" not in done.stdout + done.stderr


def close(a, b):
    return a == b if not isinstance(a, float) else a == pytest.approx(b, abs=2e-4, rel=1e-5)


def test_equals_the_folder_that_is_served(place, tmp_path):
    """helio serve, asked by the stub's side of the protocol: every item's scores and answers are those of the folder, with its own tokenizer or one from disk."""
    root = place[0]
    folder = root / "models/tiny"
    tasks = ("winogrande@1", "gsm8k@1", "bits_per_byte", "preference")
    write(root / "bench/winogrande/train.jsonl", [{"sentence": f"{name} is here, says _.", "option1": name, "option2": "no one", "answer": "1"} for name in NAMES])
    more = ["--dataset", root / "corpus", "--pairs", root / "pairs.jsonl", "--heldout", "0.5"]
    with served.serving(tmp_path / "log.txt", folder, "--threads", "1") as server:
        endpoint = f"openai:{server.url}/v1#tiny"
        run(place, [folder, endpoint], tmp_path / "out", *more, tasks=tasks)
        run(place, [endpoint], tmp_path / "remote", tasks=("winogrande@1",), tokenizer=False)
    whole = json.loads((tmp_path / "out/results.json").read_text())
    names = [m["name"] for m in whole["models"]]
    assert len(set(names)) == 2 and names[0].endswith("tiny") and names[1].endswith("tiny")
    local, remote = names
    for task in ("winogrande", "gsm8k", "bits_per_byte", "preference"):
        a, b = result(tmp_path / "out", task, local), result(tmp_path / "out", task, remote)
        assert a["status"] == b["status"] == "ok" and a["n"] == b["n"] > 0, (a, b)
        for metric, value in a["metrics"].items():
            assert value["value"] == pytest.approx(b["metrics"][metric]["value"], abs=1e-5), (task, metric)
        mine, theirs = (samples(tmp_path / "out", task, name.replace("/", ".")) for name in names)
        for one, other in zip(mine, theirs, strict=True):
            assert one.keys() == other.keys()
            for key in one:
                same = all(close(x, y) for x, y in zip(one[key], other[key], strict=True)) if key == "log_probs" else close(one[key], other[key])
                assert same, (task, key, one, other)
    for one, other in zip(samples(tmp_path / "remote", model="tiny"), samples(tmp_path / "out", model=remote.replace("/", ".")), strict=True):
        assert one["log_probs"] == pytest.approx(other["log_probs"], abs=2e-4)


def test_in_a_recipe_a_stage_runs_again_when_the_server_says_so(place, tmp_path):
    """What a stage of a recipe stands on is the endpoint's address, name, and the content that its server lists; a server that is gone is not needed by a finished one."""
    root, tokenizer = place
    model = endpoint_stub.Bigrams(tokenizer)
    recipe = tmp_path / "recipe.yaml"

    def go(*words):
        done = subprocess.run([served.HELIO, "run", str(recipe), "--workspace", str(tmp_path / "w"), "--json", *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["stages"]

    def why():
        return go("--dry-run")[0]["why"]

    with endpoint_stub.stub(model, card={"id": "stub", "content": "a"}) as server:
        recipe.write_text(f"inputs: {{served: '{server.spec()}'}}\nstages:\n  scores:\n    kind: eval run\n    models: [served]\n    tasks: [winogrande@0]\n    limit: 4\n"
                          f"    retries: 0\n    tokenizer: {root / 'models/tiny'}\n    benchmarks: {root / 'bench'}\n")
        assert why() == "never run"
        assert go()[0]["ran"] and not go()[0]["ran"]
        server.card["content"] = "b"
        assert why() == "input models: served changed"
        assert go()[0]["ran"] and not go()[0]["ran"]
    assert not go()[0]["ran"]
    assert json.loads((tmp_path / "w/evals/scores/results.json").read_text())["results"][0]["status"] == "ok"
    recipe.write_text(recipe.read_text().replace("#stub", "#other"))
    assert why() == "input models: served changed"


def test_gguf_is_a_model_too(place, tmp_path):
    folder = place[0] / "models/tiny"
    made = subprocess.run([served.HELIO, "model", "export", "gguf", str(folder), "--type", "f32", "--out", str(tmp_path / "tiny.gguf")], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    run(place, [folder, tmp_path / "tiny.gguf"], tmp_path / "out")
    names = [m["name"] for m in json.loads((tmp_path / "out/results.json").read_text())["models"]]
    for one, other in zip(*(samples(tmp_path / "out", model=name.replace("/", ".")) for name in names), strict=True):
        assert one["predicted"] == other["predicted"] and one["log_probs"] == pytest.approx(other["log_probs"], abs=1e-3)
