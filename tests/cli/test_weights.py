# label: fast
"""A model run with its weights in fewer bits, from a folder and from the GGUF file made of it."""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
VOCABULARY, HIDDEN, FFN, LAYERS, HEADS, KV, HEAD = 260, 128, 192, 2, 4, 2, 32
IDS = [7 * i % 250 for i in range(30)]


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "model"
    folder.mkdir()
    rng = np.random.default_rng(5)
    shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,), "lm_head.weight": (VOCABULARY, HIDDEN)}
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        shapes |= {layer + "self_attn.q_proj.weight": (HEADS * HEAD, HIDDEN), layer + "self_attn.k_proj.weight": (KV * HEAD, HIDDEN),
                   layer + "self_attn.v_proj.weight": (KV * HEAD, HIDDEN), layer + "self_attn.o_proj.weight": (HIDDEN, HEADS * HEAD),
                   layer + "mlp.gate_proj.weight": (FFN, HIDDEN), layer + "mlp.up_proj.weight": (FFN, HIDDEN),
                   layer + "mlp.down_proj.weight": (HIDDEN, FFN), layer + "input_layernorm.weight": (HIDDEN,),
                   layer + "post_attention_layernorm.weight": (HIDDEN,)}
    save_file({name: (rng.standard_normal(shape) * 0.1 + (len(shape) == 1)).astype(np.float32) for name, shape in shapes.items()},
              folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": FFN,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV, "head_dim": HEAD, "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False, "hidden_act": "silu", "bos_token_id": 256, "eos_token_id": 257,
        "torch_dtype": "float32"}))
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    return folder


def logits(model, *more):
    here = pathlib.Path(model).parent
    (here / "ids.jsonl").write_text(json.dumps({"ids": IDS}) + "\n")
    helio("model", "logits", model, "--in", here / "ids.jsonl", "--out", here / "logits.safetensors", "--threads", 1, *more)
    return load_file(here / "logits.safetensors")["0"]


def difference(got, want):
    return np.abs(got - want).max() / np.abs(want).max()


def test_fewer_bits_are_near_float32(model):
    exact = logits(model)
    sizes = [difference(logits(model, "--weights", weights), exact) for weights in ("bf16", "int8", "int4")]
    assert 0 < sizes[0] < 0.02 and sizes[0] < sizes[1] < 0.08 and sizes[1] < sizes[2] < 0.8, sizes
    assert np.array_equal(logits(model, "--weights", "auto"), exact)


def test_bfloat16_rounds_what_is_multiplied_on_any_processor(model, monkeypatch):
    exact, held = logits(model), logits(model, "--weights", "bf16")
    for kernels in ("", "avx512", "avx2", "none"):
        monkeypatch.setenv("HELIO_KERNELS", kernels)
        rounded = logits(model, "--dtype", "bfloat16")
        assert not np.array_equal(rounded, held) and difference(rounded, exact) < 0.03
        assert np.array_equal(logits(model, "--dtype", "bfloat16", "--weights", "auto"), rounded)


@pytest.mark.parametrize("kind, weights", [("q8_0", "int8"), ("bf16", "bf16"), ("f32", "f32")])
def test_a_gguf_file_runs_as_it_is(model, kind, weights):
    path = model.parent / f"{kind}.gguf"
    helio("model", "export", "gguf", model, "--type", kind, "--out", path)
    assert np.array_equal(logits(path, "--weights", "auto"), logits(model, "--weights", weights))


@pytest.mark.parametrize("kind", ["q4_k_m", "q6_k"])
def test_other_blocks_of_a_gguf_file_run_as_int8(model, kind):
    path = model.parent / f"{kind}.gguf"
    helio("model", "export", "gguf", model, "--type", kind, "--out", path)
    exact, run = logits(path, "--weights", "f32"), logits(path, "--weights", "auto")
    assert np.array_equal(run, logits(path, "--weights", "int8"))
    assert 0 < difference(run, exact) < 0.08


def test_generation_takes_them_and_a_gguf_file(model):
    path = model.parent / "text.gguf"
    helio("model", "export", "gguf", model, "--type", "q8_0", "--out", path)

    def text(source, *more):
        return json.loads(helio("generate", source, "--prompt", "abcdefg", "--max-new-tokens", 20, "--threads", 2, "--json", *more).stdout)["text"]

    assert text(model, "--weights", "int8") == text(path, "--weights", "auto")
    assert text(model) == text(model, "--weights", "f32")


def test_sizes_are_told_before_loading(model):
    info = json.loads(helio("model", "info", model, "--json").stdout)["weights"]
    matrices = info["parameters"] - HIDDEN * (2 * LAYERS + 1)
    outer = 2 * 272 * HIDDEN  # rows in panels of 16
    inner = matrices - 2 * VOCABULARY * HIDDEN
    vectors = 4 * HIDDEN * (2 * LAYERS + 1)
    assert info["memory"]["int8"] == (outer + inner) * 34 // 32 + vectors
    assert info["memory"]["int4"] == outer * 34 // 32 + inner * 18 // 32 + vectors


def test_a_type_and_weights_that_do_not_go_together_are_refused(model):
    ids = model.parent / "ids.jsonl"
    ids.write_text(json.dumps({"ids": IDS}) + "\n")
    done = helio("model", "logits", model, "--in", ids, "--out", model.parent / "x.safetensors", "--dtype", "bfloat16", "--weights", "int8", ok=2)
    assert "float32" in done.stderr
