"""What helio generate and helio serve do with more than a folder: a draft model, LoRA adapters, GGUF files."""
import json
import os
import pathlib
import subprocess
import urllib.request

import numpy as np
import openai
import pytest
from safetensors.numpy import load_file, save_file

import served
import tiny_model

pytestmark = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")
LORA = pathlib.Path(__file__).parents[1] / "fixtures" / "lora"


def helio(*words, code=0):
    done = subprocess.run([served.HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def generate(folder, *words, code=0):
    done = helio("generate", folder, "--prompt", "The quick brown", "--threads", 1, "--json", *words, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model, one near it (a draft), an adapter, both merged, GGUF of the model, one with another vocabulary."""
    at = tmp_path_factory.mktemp("models")
    tiny_model.write(at / "big", layers=3)
    tiny_model.write(at / "small", layers=3)
    weights = load_file(at / "small" / "model.safetensors")
    for name in weights:
        if "layers.2" in name and "proj" in name:
            weights[name] *= 0.7
    save_file(weights, at / "small" / "model.safetensors", metadata={"format": "pt"})
    draw, pieces = np.random.default_rng(1), {}
    for i in range(3):
        for module, width in (("self_attn.q_proj", 32), ("mlp.up_proj", 64)):
            name = f"base_model.model.model.layers.{i}.{module}"
            pieces[f"{name}.lora_A.weight"] = draw.normal(0, 0.3, (4, 32)).astype(np.float32)
            pieces[f"{name}.lora_B.weight"] = draw.normal(0, 0.3, (width, 4)).astype(np.float32)
    (at / "adapter").mkdir()
    save_file(pieces, at / "adapter" / "adapter_model.safetensors")
    (at / "adapter" / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "lora_alpha": 8, "r": 4, "bias": "none"}))
    helio("model", "merge-adapter", at / "big", at / "adapter", "--out", at / "merged")
    helio("model", "export", "gguf", at / "big", "--type", "f32", "--out", at / "big.gguf")
    tiny_model.write(at / "other")
    tokenizer = json.loads((at / "other" / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    a, b = list(vocabulary)[10:12]
    vocabulary[a], vocabulary[b] = vocabulary[b], vocabulary[a]
    (at / "other" / "tokenizer.json").write_text(json.dumps(tokenizer))
    return at


def test_a_draft_changes_no_greedy_answer(models):
    plain = generate(models / "big", "--max-new-tokens", 40, "--log-probs", 1)
    for tokens in (1, 4, 9):
        drafted = generate(models / "big", "--max-new-tokens", 40, "--log-probs", 1, "--draft", models / "small", "--draft-tokens", tokens)
        counts = drafted.pop("draft")
        assert 0 < counts["accepted"] < counts["proposed"]
        assert drafted["text"] == plain["text"] and drafted["ended_by"] == plain["ended_by"]
        assert [t["token"] for t in drafted["tokens"]] == [t["token"] for t in plain["tokens"]]
        assert all(abs(a["logprob"] - b["logprob"]) < 1e-3 for a, b in zip(drafted["tokens"], plain["tokens"]))
    forms = ["--json-object", "--repetition-penalty", 1.2, "--max-new-tokens", 30]
    assert generate(models / "big", *forms, "--draft", models / "small")["text"] == generate(models / "big", *forms)["text"]
    itself = generate(models / "big", "--max-new-tokens", 21, "--temperature", 0.5, "--seed", 3, "--draft", models / "big")
    if itself["new_tokens"] == 21:
        assert itself["draft"] == {"proposed": 16, "accepted": 16}
    error = generate(models / "big", "--draft", models / "other", code=3)
    assert "another vocabulary" in error and "id " in error


def test_an_adapter_is_the_merged_model(models):
    plain, adapted, merged = (generate(models / "big", "--max-new-tokens", 20), generate(models / "big", "--max-new-tokens", 20, "--adapter", models / "adapter"),
                              generate(models / "merged", "--max-new-tokens", 20))
    assert adapted == merged != plain
    assert generate(models / "big", "--weights", "int8", "--adapter", models / "adapter") == generate(models / "merged", "--weights", "int8")
    assert "no adapter_config.json" in generate(models / "big", "--adapter", models / "small", code=4)
    assert "not to GGUF" in generate(models / "big.gguf", "--adapter", models / "adapter", code=2)


@pytest.mark.parametrize("name", ["plain", "patterns", "embedding", "bf16"])
def test_logits_of_recorded_adapters_are_those_of_the_merged_model(name, tmp_path):
    folder = LORA / name
    helio("model", "merge-adapter", folder / "base", folder / "adapter", "--out", tmp_path / "merged")
    (tmp_path / "ids.jsonl").write_text('{"ids": [1, 5, 39, 7, 7, 0]}\n')
    for out, words in (("a", [folder / "base", "--adapter", folder / "adapter"]), ("b", [tmp_path / "merged"]), ("c", [folder / "base"])):
        helio("model", "logits", *words, "--in", tmp_path / "ids.jsonl", "--out", tmp_path / out)
    a, b, c = (load_file(tmp_path / out)["0"] for out in "abc")
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    helio("model", "logits", folder / "base", "--adapter", folder / "adapter", "--dtype", "bfloat16", "--in", tmp_path / "ids.jsonl", "--out", tmp_path / "d")
    helio("model", "logits", tmp_path / "merged", "--dtype", "bfloat16", "--in", tmp_path / "ids.jsonl", "--out", tmp_path / "e")
    assert np.array_equal(load_file(tmp_path / "d")["0"], load_file(tmp_path / "e")["0"])


def test_served_with_draft_adapter_and_gguf(models):
    # --draft and --adapter take one word each: what follows is a model.
    with served.serving(models / "log.txt", "--draft", f"big={models / 'small'}", models / "big", models / "merged", "--adapter", f"legal={models / 'adapter'}",
                        f"file={models / 'big.gguf'}", "--threads", 1) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="-", max_retries=0)
        cards = {m.id: m for m in client.models.list()}
        assert list(cards) == ["big", "merged", "file", "legal"]
        # Only what helio made has a hash to tell; with an adapter it is another model.
        made = json.loads((models / "merged" / "helio_manifest.json").read_text())
        assert [cards[name].content for name in cards] == [None, made["content"], None, None]
        assert (cards["big"].dtype, cards["big"].weights) == ("float32", "f32")

        def ask(model):
            return client.completions.create(model=model, prompt="The quick brown", max_tokens=30, temperature=0, logprobs=1).choices[0]
        assert ask("big").text == ask("file").text == generate(models / "big", "--max-new-tokens", 30)["text"]
        assert ask("legal") == ask("merged") and ask("legal").text != ask("big").text
        chat = [client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}], max_tokens=12, temperature=0).choices[0].message.content for model in ("big", "file")]
        assert chat[0] == chat[1]
        with urllib.request.urlopen(server.url + "/metrics") as answer:
            metrics = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
        proposed, accepted = (int(metrics[f'helio_draft_{name}_total{{model="big"}}']) for name in ("tokens", "accepted_tokens"))
        assert 0 < accepted < proposed
        assert metrics['helio_draft_tokens_total{model="file"}'] == "0"


def test_a_gguf_files_end_of_turn_ends_answers(models):
    import gguf
    from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
    scored = generate(models / "big.gguf", "--max-new-tokens", 12, "--log-probs", 0)
    third = scored["tokens"][3]["token"]
    ids = json.loads((models / "big" / "tokenizer.json").read_text())["model"]["vocab"]
    letters = letter_of_byte()
    name = "".join(letters[b] for b in scored["tokens"][3]["bytes"])
    reader = gguf.GGUFReader(models / "big.gguf")
    writer = gguf.GGUFWriter(models / "turn.gguf", arch="llama", endianess=reader.endianess)
    copy_with_new_metadata(reader, writer, {"tokenizer.ggml.eot_token_id": MetadataDetails(gguf.GGUFValueType.UINT32, ids[name])}, [])
    ended = generate(models / "turn.gguf", "--max-new-tokens", 12)
    assert ended["ended_by"] == "eos" and ended["new_tokens"] == [t["token"] for t in scored["tokens"]].index(third)


def letter_of_byte():
    """Byte-level BPE's letter of each byte."""
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
    rest = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}


def test_models_within_a_memory_budget(models):
    with served.serving(models / "log2.txt", models / "big.gguf", "--adapter", f"legal={models / 'adapter'}", "--memory", "64MiB", "--threads", 1) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="-", max_retries=0)
        assert [m.id for m in client.models.list()] == ["big", "legal"]
        assert client.completions.create(model="big", prompt="x", max_tokens=3).choices[0].text is not None
        with pytest.raises(openai.InternalServerError) as error:
            client.completions.create(model="legal", prompt="x", max_tokens=3)
        assert "not to GGUF" in str(error.value)
    for words, why in (([models / "merged", "--draft", models / "small"], "whose draft"), (["--draft", f"nobody={models / 'small'}"], "no model is named"), (["--adapter", models / "adapter"], "NAME=DIR"),
                       (["--adapter", f"big={models / 'adapter'}"], "already")):
        assert why in helio("serve", models / "big", *words, "--port", 0, code=2).stderr


def test_an_adapter_is_scored_as_the_merged_model(models, tmp_path):
    """helio eval run on an adapter's folder: the scores of the model that it was merged into, and not those of its base."""
    bench = tmp_path / "bench/winogrande"
    bench.mkdir(parents=True)
    rows = [{"sentence": f"Ann asked Bob to stay, but _ left {i} times.", "option1": "Ann", "option2": "Bob", "answer": str(1 + i % 2)} for i in range(8)]
    (bench / "validation.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["eval", "run", models / "adapter", "--tasks", "winogrande@0", "--benchmarks", tmp_path / "bench", "--threads", 1]
    assert "--adapter-base" in helio(*words, "--out", tmp_path / "no", code=2).stderr
    helio("eval", "run", models / "adapter", models / "merged", models / "big", *words[3:], "--adapter-base", models / "big", "--out", tmp_path / "out")
    whole = json.loads((tmp_path / "out/results.json").read_text())
    adapter, merged, base = whole["models"]
    assert adapter["adapter_base"] == "big" and "adapter_base" not in merged
    assert len({m["content"] for m in whole["models"]}) == 3
    scores = {name: [json.loads(line)["log_probs"] for line in (tmp_path / f"out/samples/winogrande.{name}.jsonl").read_text().splitlines()] for name in ("adapter", "merged", "big")}
    assert scores["adapter"] == scores["merged"] != scores["big"]
    manifest = json.loads((tmp_path / "out/helio_manifest.json").read_text())
    assert [i["role"] for i in manifest["inputs"][:2]] == ["models", "adapter_base"]
    # The base that the adapter names.
    config = models / "adapter" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": str(models / "big")}))
    helio(*words, "--out", tmp_path / "named")
    assert (tmp_path / "named/samples/winogrande.adapter.jsonl").read_bytes() == (tmp_path / "out/samples/winogrande.adapter.jsonl").read_bytes()
