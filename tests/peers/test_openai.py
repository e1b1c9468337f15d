"""helio serve in front of PyPI's `openai` client: plain, streaming, asynchronous, errors, log-probabilities."""
import asyncio
import json
import math
import os
import pathlib
import subprocess

import jsonschema
import openai
import pytest

import served
import tiny_model

pytestmark = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")
KEY = "test-key-0123456789"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve") / "tiny"
    tiny_model.write(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    keys = folder.parent / "keys.txt"
    keys.write_text(f"# for tests\n{KEY}\n")
    with served.serving(folder.parent / "log.txt", folder, f"again={folder}", "--api-key-file", keys, "--threads", "1") as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0)


def tokens_of(folder, text):
    done = subprocess.run([served.HELIO, "tokenizer", "info", str(folder), "--text", text, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["ids"]


def test_models(client):
    assert [m.id for m in client.models.list()] == ["tiny", "again"]
    assert client.models.retrieve("again").owned_by == "helio"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


def test_completion_equals_generate(client, folder):
    answer = client.completions.create(model="tiny", prompt="The quick", max_tokens=12, temperature=0)
    done = subprocess.run([served.HELIO, "generate", str(folder), "--prompt", "The quick", "--max-new-tokens", "12", "--json"],
                          capture_output=True, text=True, check=True)
    assert answer.choices[0].text == json.loads(done.stdout)["text"]
    assert answer.usage.prompt_tokens == len(tokens_of(folder, "The quick"))
    assert answer.choices[0].finish_reason in ("stop", "length")
    streamed = "".join(part.choices[0].text for part in client.completions.create(model="tiny", prompt="The quick", max_tokens=12, temperature=0, stream=True))
    assert streamed == answer.choices[0].text


def test_seeds(client):
    def draw(seed):
        return [c.text for c in client.completions.create(model="tiny", prompt="fox", max_tokens=8, temperature=1.5, n=3, seed=seed).choices]
    first = draw(5)
    assert draw(5) == first and draw(6) != first
    assert len(set(first)) > 1


def test_echo_scores_equal_whole_scores(client, folder):
    """What a prompt's tokens score is what the model gives each of them after those before it."""
    ids = tokens_of(folder, "안녕하세요, fox")
    answer = client.completions.create(model="tiny", prompt=ids, echo=True, logprobs=5, max_tokens=1, temperature=0)
    scores = answer.choices[0].logprobs
    assert len(scores.tokens) == len(ids) + 1 and scores.token_logprobs[0] is None
    for at in range(1, len(ids)):
        tops = scores.top_logprobs[at]
        assert max(tops.values()) <= 0
        one = client.completions.create(model="tiny", prompt=ids[:at], logprobs=5, max_tokens=1, temperature=0).choices[0].logprobs
        assert math.isclose(max(one.top_logprobs[0].values()), max(tops.values()), abs_tol=1e-4)
    # The greedy token's number is the same text in both places.
    assert scores.token_logprobs[-1] == max(scores.top_logprobs[-1].values())
    batch = client.completions.create(model="tiny", prompt=[ids, ids[:3]], echo=True, logprobs=1, max_tokens=1, temperature=0)
    assert [c.index for c in batch.choices] == [0, 1]
    for one, other in zip(batch.choices[0].logprobs.token_logprobs[1:], scores.token_logprobs[1:]):
        assert math.isclose(one, other, abs_tol=1e-4)


def test_chat(client):
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "안녕?"}]
    answer = client.chat.completions.create(model="tiny", messages=messages, max_completion_tokens=10, temperature=0, logprobs=True, top_logprobs=2)
    choice = answer.choices[0]
    assert choice.message.role == "assistant"
    assert len(choice.logprobs.content[0].top_logprobs) == 2
    assert b"".join(bytes(entry.bytes) for entry in choice.logprobs.content).decode("utf-8", "replace").removesuffix("<|end|>").startswith(choice.message.content[:3])
    parts = list(client.chat.completions.create(model="tiny", messages=messages, max_completion_tokens=10, temperature=0, stream=True,
                                                stream_options={"include_usage": True}))
    assert parts[0].choices[0].delta.role == "assistant"
    assert "".join(p.choices[0].delta.content or "" for p in parts if p.choices) == choice.message.content
    assert parts[-1].choices == [] and parts[-1].usage.completion_tokens == answer.usage.completion_tokens
    assert len({p.id for p in parts}) == 1


def test_stop_bias_and_extra(client):
    free = client.completions.create(model="tiny", prompt="fox", max_tokens=20, temperature=0).choices[0].text
    stop = next(letter for letter in free[2:] if letter.isascii())
    assert client.completions.create(model="tiny", prompt="fox", max_tokens=20, temperature=0, stop=[stop]).choices[0].text == free[:free.index(stop)]
    banned = client.completions.create(model="tiny", prompt="fox", max_tokens=1, temperature=0, logit_bias={"7": 100}, logprobs=0)
    assert banned.choices[0].logprobs.tokens == [client.completions.create(model="tiny", prompt=[7], max_tokens=1, echo=True, logprobs=0).choices[0].logprobs.tokens[0]]
    client.completions.create(model="tiny", prompt="fox", max_tokens=2, extra_body={"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1, "nobody_knows": 1})


SCHEMA = {"type": "object", "properties": {"이름": {"type": "string", "maxLength": 8}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
                                           "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}},
          "required": ["이름", "age", "tags"], "additionalProperties": False}


def test_response_format(client):
    """Answers of a random model are valid, drawn or greedy, streamed or not."""
    messages = [{"role": "user", "content": "A person, as JSON"}]
    form = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": SCHEMA}}
    for seed in range(12):
        answer = client.chat.completions.create(model="tiny", messages=messages, response_format=form, temperature=1.5 * (seed > 0), seed=seed, max_completion_tokens=200, n=2)
        for choice in answer.choices:
            assert choice.finish_reason == "stop", choice
            jsonschema.validate(json.loads(choice.message.content), SCHEMA)
    parts = client.chat.completions.create(model="tiny", messages=messages, response_format=form, seed=3, temperature=1.5, max_completion_tokens=200, stream=True)
    jsonschema.validate(json.loads("".join(p.choices[0].delta.content or "" for p in parts)), SCHEMA)
    # JSON without a schema may be cut by max_tokens; then it is the beginning of some.
    for seed in range(6):
        choice = client.chat.completions.create(model="tiny", messages=messages, response_format={"type": "json_object"}, seed=seed, temperature=0.7,
                                                max_completion_tokens=150).choices[0]
        assert choice.message.content.startswith("{")
        if choice.finish_reason == "stop":
            assert isinstance(json.loads(choice.message.content), dict)
    text = client.completions.create(model="tiny", prompt="x", temperature=2, max_tokens=40, extra_body={"grammar": 'root ::= [가-힣]{2} ("!" | "?")'}).choices[0].text
    assert len(text) == 3 and text[2] in "!?" and all("가" <= c <= "힣" for c in text[:2])
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model="tiny", messages=messages, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {"a": {"not": {}}}}}})
    assert "$.properties.a" in bad.value.message and bad.value.param == "response_format"


def test_pydantic_parse(client):
    """The client's own helper, which sends a schema and reads the answer back."""
    import typing

    import pydantic

    class Step(pydantic.BaseModel):
        text: typing.Annotated[str, pydantic.Field(max_length=5)]
        sure: bool | None

    class Plan(pydantic.BaseModel):
        first: Step
        score: int
        kind: typing.Literal["a", "b"]

    try:
        answer = client.chat.completions.parse(model="tiny", messages=[{"role": "user", "content": "x"}], response_format=Plan, temperature=1, seed=4, max_completion_tokens=220)
    except openai.LengthFinishReasonError:
        pytest.fail("a bounded schema ended in its limit")
    assert isinstance(answer.choices[0].message.parsed, Plan)


TOOLS = [{"type": "function", "function": {"name": name, "description": "d", "parameters": {"type": "object", "properties": {"city": {"enum": ["서울", "Busan"]}}, "required": ["city"],
                                                                                           "additionalProperties": False}}} for name in ("weather", "mayor")]


@pytest.fixture(scope="module", params=["hermes", "mistral", "llama3"])
def tool_server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools") / request.param
    tiny_model.write(folder, positions=1024)
    marks = {"hermes": "<tool_call>\n", "mistral": "[TOOL_CALLS]", "llama3": "<|python_tag|>"}
    template = (folder / "chat_template.jinja").read_text().replace("message['content']", "(message['content'] or '')")
    template += "{%- if tools -%}{{- tools | tojson -}}{%- endif -%}{%- for m in messages if m.tool_calls -%}{{- '" + marks[request.param] + "' + (m.tool_calls[0].function.arguments.city) -}}{%- endfor -%}"
    (folder / "chat_template.jinja").write_text(template)
    with served.serving(folder.parent / "log.txt", folder, "--threads", "1") as server:
        yield openai.OpenAI(base_url=server.url + "/v1", api_key="-", max_retries=0)


def test_tool_calls(tool_server):
    """Calls that must come do, whatever the model would say, whole and streamed; earlier ones reach the template as objects."""
    messages = [{"role": "user", "content": "날씨?"}]

    def ask(**more):
        return tool_server.chat.completions.create(model="", messages=messages, tools=TOOLS, max_completion_tokens=150, temperature=1, **more)
    for seed in range(4):
        choice = ask(tool_choice="required", seed=seed, parallel_tool_calls=False).choices[0]
        assert choice.finish_reason == "tool_calls" and choice.message.content is None
        call, = choice.message.tool_calls
        assert call.function.name in ("weather", "mayor") and json.loads(call.function.arguments)["city"] in ("서울", "Busan")
        named = ask(tool_choice={"type": "function", "function": {"name": "mayor"}}, seed=seed).choices[0].message.tool_calls
        assert [c.function.name for c in named] == ["mayor"]
        deltas = [d for part in ask(tool_choice="required", seed=seed, parallel_tool_calls=False, stream=True) for d in part.choices[0].delta.tool_calls or []]
        assert "".join(d.function.arguments for d in deltas) == call.function.arguments and deltas[0].function.name == call.function.name and deltas[0].id
        # The client's own reading of a stream: arguments come in parts and are those of the whole answer.
        with tool_server.chat.completions.stream(model="", messages=messages, tools=TOOLS, max_completion_tokens=150, temperature=1, tool_choice="required", seed=seed, parallel_tool_calls=False) as stream:
            events = list(stream)
        parts = [e.arguments_delta for e in events if e.type == "tool_calls.function.arguments.delta"]
        assert len(parts) > 2 and "".join(parts) == call.function.arguments
        made = stream.get_final_completion().choices[0].message.tool_calls[0].function
        assert (made.name, made.arguments) == (call.function.name, call.function.arguments)
        only = ask(tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "mayor"}}]}}, seed=seed, parallel_tool_calls=False)
        assert {c.function.name for c in only.choices[0].message.tool_calls} == {"mayor"}
        many = ask(tool_choice="required", seed=seed).choices[0].message.tool_calls or []  # none: cut at the limit inside a list
        parts = [d for part in ask(tool_choice="required", seed=seed, stream=True) for d in part.choices[0].delta.tool_calls or []]
        for i, whole in enumerate(many):
            assert "".join(d.function.arguments for d in parts if d.index == i) == whole.function.arguments
        assert len({d.id for d in parts if d.id}) == 1 + max(d.index for d in parts) >= len(many)
    free = ask(tool_choice="none", seed=1).choices[0]
    assert free.message.tool_calls is None
    messages += [{"role": "assistant", "content": None, "tool_calls": [{"id": call.id, "type": "function", "function": {"name": "weather", "arguments": '{"city": "서울"}'}}]},
                 {"role": "tool", "tool_call_id": call.id, "content": "맑음"}]
    assert ask(seed=1).choices[0].message.role == "assistant"
    for wrong in ({"type": "function", "function": {"name": "nobody"}}, {"type": "function"}, "sometimes", {"type": "custom", "custom": {"name": "x"}},
                  {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}, {"type": "allowed_tools", "allowed_tools": {"mode": "never", "tools": [TOOLS[0]]}}):
        with pytest.raises(openai.BadRequestError) as bad:
            ask(tool_choice=wrong)
        assert bad.value.param == "tool_choice"


def test_embeddings(client):
    answer = client.embeddings.create(model="tiny", input=["fox", "fox", "한국어"])  # the client asks for base64
    first, same, other = (entry.embedding for entry in answer.data)
    assert first == same and len(first) == 32
    assert math.isclose(sum(x * x for x in first), 1, abs_tol=1e-5)
    plain = client.embeddings.create(model="tiny", input="한국어", encoding_format="float").data[0].embedding
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(plain, other))


def test_errors(client, server):
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0).models.list()
    with pytest.raises(openai.NotFoundError) as missing:
        client.completions.create(model="other", prompt="x")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        client.completions.create(model="tiny", prompt="x", temperature=-1)
    assert bad.value.param == "temperature" and bad.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError) as long:
        client.completions.create(model="tiny", prompt=[5] * 300)
    assert long.value.code == "context_length_exceeded"


def test_many_at_once_equal_one_at_a_time(server):
    """Answers do not depend on who else is served (greedy, short of ties)."""
    prompts = [f"The quick brown {word}" for word in ["fox", "dog", "날씨", "def", "one", "two", "three", "four"] * 4]

    async def ask():
        client = openai.AsyncOpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0)
        answers = await asyncio.gather(*(client.completions.create(model="tiny", prompt=p, max_tokens=16, temperature=0) for p in prompts))
        streams = await client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "hi"}], max_tokens=4, stream=True)
        async for _ in streams:
            pass
        return [a.choices[0].text for a in answers]

    together = asyncio.run(ask())
    client = openai.OpenAI(base_url=server.url + "/v1", api_key=KEY)
    assert together == [client.completions.create(model="tiny", prompt=p, max_tokens=16, temperature=0).choices[0].text for p in prompts]


def test_a_client_that_leaves_frees_its_slot(client, server):
    def gauge(name):
        request = client._client.get(server.url + "/metrics", headers={"Authorization": f"Bearer {KEY}"})
        return float(next(line for line in request.text.splitlines() if line.startswith(name)).split()[-1])

    for _ in range(20):
        stream = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=200, temperature=2, stream=True)
        next(iter(stream))
        stream.close()
    for _ in range(200):
        if gauge("helio_generations_running") == 0 and gauge("helio_cache_tokens") == 0:
            break
        import time
        time.sleep(0.05)
    assert gauge("helio_generations_running") == 0 and gauge("helio_cache_tokens") == 0 and gauge("helio_requests_answering") == 0


def test_models_within_a_budget(folder):
    """Two models, room for one (380 KB each): loaded when asked for, and nothing is lost when they take turns."""
    log = folder.parent / "log3.txt"
    with served.serving(log, f"a={folder}", f"b={folder}", "--memory", "600KB", "--threads", "1") as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="-", max_retries=0)

        def loaded():
            return [m.id for m in client.models.list() if m.loaded]
        assert loaded() == [] and [m.id for m in client.models.list()] == ["a", "b"]
        first = client.completions.create(model="b", prompt="fox", max_tokens=5, temperature=0)
        assert loaded() == ["b"] and first.model == "b"
        stream = client.completions.create(model="b", prompt="fox", max_tokens=200, temperature=2, stream=True, extra_body={"ignore_eos": True})
        assert client.completions.create(model="a", prompt="fox", max_tokens=5, temperature=0).choices[0].text == first.choices[0].text
        assert len(list(stream)) > 20  # what was in work went on to its end
        assert loaded() == ["a"]

        async def ask():
            many = openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="-", max_retries=0)
            return await asyncio.gather(*(many.completions.create(model="ab"[i % 2], prompt="fox", max_tokens=5, temperature=0) for i in range(20)))
        assert {answer.choices[0].text for answer in asyncio.run(ask())} == {first.choices[0].text}
        assert len(client.embeddings.create(model="b", input="fox").data[0].embedding) == 32
        assert server.stop() == 0
    done = subprocess.run([served.HELIO, "serve", str(folder), "--memory", "100KB", "--port", "0"], capture_output=True, text=True)
    assert done.returncode == 2 and "--memory" in done.stderr


def test_ends_on_sigterm(folder):
    with served.serving(folder.parent / "log2.txt", folder, "--threads", "1") as server:
        assert server.stop() == 0
    assert "stopped" in pathlib.Path(server.log).read_text()


def test_needs_keys_elsewhere(folder):
    done = subprocess.run([served.HELIO, "serve", str(folder), "--address", "0.0.0.0", "--port", "0"], capture_output=True, text=True)
    assert done.returncode == 2 and "--api-key-file" in done.stderr
