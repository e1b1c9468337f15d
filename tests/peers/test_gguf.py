# label: fast
"""GGUF files written here are read by PyPI's gguf with the right names, shapes and values, and files it writes are imported here."""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter, quants
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, Regex

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
VOCABULARY, HIDDEN, FFN, LAYERS, HEADS, KV = 300, 256, 512, 3, 8, 2
FAMILIES = {  # model_type: architecture, arch, head_dim, what its layers have beside the common
    "llama": ("LlamaForCausalLM", "llama", 32, ""), "mistral": ("MistralForCausalLM", "llama", 32, ""),
    "qwen2": ("Qwen2ForCausalLM", "qwen2", 32, "bias"), "qwen3": ("Qwen3ForCausalLM", "qwen3", 64, "head_norms"),
    "gemma": ("GemmaForCausalLM", "gemma", 64, "plus_one"), "gemma2": ("Gemma2ForCausalLM", "gemma2", 64, "plus_one four"),
    "gemma3_text": ("Gemma3ForCausalLM", "gemma3", 64, "plus_one four head_norms"), "phi3": ("Phi3ForCausalLM", "phi3", 32, "fused"),
}
NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "self_attn.qkv_proj": "attn_qkv", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "mlp.gate_up_proj": "ffn_up", "input_layernorm": "attn_norm", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
         "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


def bpe_tokenizer(folder, pattern=None, digits=False, ignore_merges=False):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {letter: i for i, letter in enumerate(letters)} | {"ab": 256, "abc": 257, "Ġa": 258}
    tokenizer = Tokenizer(models.BPE(vocab, [("a", "b"), ("ab", "c"), ("Ġ", "a")], ignore_merges=ignore_merges))
    steps = [pre_tokenizers.Digits(individual_digits=True)] if digits else []
    if pattern:
        steps.append(pre_tokenizers.Split(Regex(pattern), "isolated"))
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.add_tokens(["<think>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": "{{ messages }}"}))


def make_model(folder, family, dtype=np.float32, **more):
    """A random model of a family with its config; returns config and tensors."""
    architecture, _, head, has = FAMILIES[family]
    rng = np.random.default_rng(sum(map(ord, family)))
    tied = "plus_one" in has
    config = {"architectures": [architecture], "model_type": family, "vocab_size": VOCABULARY, "hidden_size": HIDDEN,
              "intermediate_size": FFN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV, "head_dim": head,
              "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 50000.0, "tie_word_embeddings": tied,
              "bos_token_id": 259, "eos_token_id": 260, "torch_dtype": "float32"}
    config["hidden_activation" if "plus_one" in has else "hidden_act"] = "gelu_pytorch_tanh" if "plus_one" in has else "silu"
    if "four" in has:
        config |= {"sliding_window": 64, "query_pre_attn_scalar": head,
                   "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
    if family == "gemma2":
        config |= {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}
    if family == "gemma3_text":
        config |= {"rope_local_base_freq": 10000.0, "rope_theta": 1e6}
    config |= more
    tensors = {}

    def add(name, *shape):
        values = rng.standard_normal(shape) * (0.1 if len(shape) > 1 else 0.5)
        tensors[name] = values.astype(np.float16).astype(dtype)  # exact in every type that is tested

    add("model.embed_tokens.weight", VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        if "fused" in has:
            add(layer + "self_attn.qkv_proj.weight", (HEADS + 2 * KV) * head, HIDDEN)
            add(layer + "mlp.gate_up_proj.weight", 2 * FFN, HIDDEN)
        else:
            for name, rows in (("q_proj", HEADS * head), ("k_proj", KV * head), ("v_proj", KV * head)):
                add(layer + f"self_attn.{name}.weight", rows, HIDDEN)
                if "bias" in has or more.get("attention_bias"):
                    add(layer + f"self_attn.{name}.bias", rows)
            add(layer + "mlp.gate_proj.weight", FFN, HIDDEN)
            add(layer + "mlp.up_proj.weight", FFN, HIDDEN)
        add(layer + "self_attn.o_proj.weight", HIDDEN, HEADS * head)
        if more.get("attention_bias"):
            add(layer + "self_attn.o_proj.bias", HIDDEN)
        add(layer + "mlp.down_proj.weight", HIDDEN, FFN)
        norms = ["input_layernorm", "post_attention_layernorm"]
        if "four" in has:
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        for name in norms:
            add(layer + name + ".weight", HIDDEN)
        if "head_norms" in has:
            add(layer + "self_attn.q_norm.weight", head)
            add(layer + "self_attn.k_norm.weight", head)
    add("model.norm.weight", HIDDEN)
    if not tied:
        add("lm_head.weight", VOCABULARY, HIDDEN)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    bpe_tokenizer(folder)
    return config, tensors


def as_llama_cpp(family, name, value):
    """The name and values that llama.cpp's converter gives a tensor (its own formulas, in numpy)."""
    has = FAMILIES[family][3]
    outside = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    if "plus_one" in has and name.endswith("norm.weight"):
        value = value + np.float32(1)
    if name in outside:
        return outside[name], value
    _, _, number, stem, ending = name.replace("self_attn.", "self_attn|").replace("mlp.", "mlp|").split(".")
    stem = stem.replace("|", ".")
    if stem == "post_attention_layernorm":
        new = "post_attention_norm" if "four" in has else "ffn_norm"
    else:
        new = NAMES[stem]
    if family in ("llama", "mistral") and new in ("attn_q", "attn_k"):
        heads = HEADS if new == "attn_q" else KV
        value = value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)
    return f"blk.{number}.{new}.{ending}", value


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_goes_to_gguf_and_back(tmp_path, family):
    config, tensors = make_model(tmp_path / "in", family)
    helio("model", "export", "gguf", tmp_path / "in", "--type", "f16", "--out", tmp_path / "x.gguf")
    reader = GGUFReader(tmp_path / "x.gguf")
    read = {tensor.name: tensor for tensor in reader.tensors}
    assert len(read) == len(tensors)
    for name, value in tensors.items():
        new, want = as_llama_cpp(family, name, value)
        tensor = read[new]
        assert tensor.tensor_type == (Type.F16 if value.ndim > 1 else Type.F32), name
        assert tuple(reversed(tensor.shape.tolist())) == value.shape
        assert np.array_equal(quants.dequantize(tensor.data, tensor.tensor_type).reshape(value.shape), want), name
    arch = FAMILIES[family][1]
    field = lambda key: reader.fields[f"{arch}.{key}"].contents()
    assert reader.fields["general.architecture"].contents() == arch and reader.fields["general.file_type"].contents() == 1
    assert [field(k) for k in ("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length")] == \
        [LAYERS, HIDDEN, HEADS, KV, config["head_dim"]]
    assert field("attention.layer_norm_rms_epsilon") == np.float32(1e-5) and field("rope.freq_base") == np.float32(config["rope_theta"])
    if "four" in FAMILIES[family][3]:
        assert field("attention.sliding_window_pattern") == [True, False, True]
    # Back: the same values, and a config.json that says the same.
    report = json.loads(helio("model", "convert", tmp_path / "x.gguf", "--out", tmp_path / "back", "--json").stdout)
    assert report["rounded_values"] == 0
    diff = json.loads(helio("model", "diff", tmp_path / "in", tmp_path / "back", "--json").stdout)
    assert diff["same"] and diff["equal"] == len(tensors)
    back = json.loads((tmp_path / "back" / "config.json").read_text())
    for key in config.keys() - {"architectures", "model_type", "torch_dtype"}:
        assert back[key] == config[key], key
    assert back["torch_dtype"] == "float16" and "quantization_config" not in back
    # Export again: the same tensor data byte for byte.
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "back" / name).write_bytes((tmp_path / "in" / name).read_bytes())
    helio("model", "export", "gguf", tmp_path / "back", "--type", "f16", "--out", tmp_path / "y.gguf")
    again = {tensor.name: tensor for tensor in GGUFReader(tmp_path / "y.gguf").tensors}
    assert again.keys() == read.keys()
    for name, tensor in read.items():
        assert tensor.data.tobytes() == again[name].data.tobytes(), name


@pytest.mark.parametrize("kind", ["f32", "bf16", "q8_0", "q4_0", "q4_k_m", "q6_k"])
def test_types_are_what_the_reference_makes(tmp_path, kind):
    _, tensors = make_model(tmp_path / "in", "qwen2")
    helio("model", "export", "gguf", tmp_path / "in", "--type", kind, "--out", tmp_path / "x.gguf", "--threads", 1)
    helio("model", "export", "gguf", tmp_path / "in", "--type", kind, "--out", tmp_path / "z.gguf", "--threads", 7)
    assert (tmp_path / "x.gguf").read_bytes() == (tmp_path / "z.gguf").read_bytes()
    reader = GGUFReader(tmp_path / "x.gguf")
    read = {tensor.name: tensor for tensor in reader.tensors}
    worst = {"f32": 0, "bf16": 0.004, "q8_0": 0.005, "q4_0": 0.13, "q4_k_m": 0.1, "q6_k": 0.02}[kind]
    for name, value in tensors.items():
        new, want = as_llama_cpp("qwen2", name, value)
        tensor = read[new]
        got = quants.dequantize(tensor.data, tensor.tensor_type).reshape(value.shape)
        assert np.abs(got - want).max() <= (worst * np.abs(want).max() if value.ndim > 1 else 0), name
        if value.ndim > 1 and tensor.tensor_type in (Type.Q8_0, Type.Q4_0, Type.BF16):
            assert quants.quantize(want, tensor.tensor_type).tobytes() == tensor.data.tobytes(), name
    types = {name: tensor.tensor_type.name for name, tensor in read.items()}
    if kind == "q4_k_m":  # 3 layers: 0 and 2 get more bits for values and the MLP's output
        assert types["output.weight"] == "Q6_K" and types["token_embd.weight"] == "Q4_K" and types["blk.0.attn_q.weight"] == "Q4_K"
        assert [types[f"blk.{i}.ffn_down.weight"] for i in range(3)] == ["Q4_K", "Q4_K", "Q6_K"] == [types[f"blk.{i}.attn_v.weight"] for i in range(3)]
        assert reader.fields["general.file_type"].contents() == 15
    if kind == "q4_0":
        assert types["output.weight"] == "Q6_K" and types["token_embd.weight"] == "Q4_0"


def test_quantised_files_of_the_reference_are_imported(tmp_path):
    config, tensors = make_model(tmp_path / "in", "llama")
    out = GGUFWriter(tmp_path / "x.gguf", "llama")
    out.add_block_count(LAYERS), out.add_context_length(512), out.add_embedding_length(HIDDEN), out.add_feed_forward_length(FFN)
    out.add_head_count(HEADS), out.add_head_count_kv(KV), out.add_layer_norm_rms_eps(1e-6), out.add_rope_freq_base(50000.0)
    out.add_bos_token_id(259), out.add_eos_token_id(260)
    want, kinds = {}, [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.F16, Type.BF16]
    for turn, (name, value) in enumerate(tensors.items()):
        new, stored = as_llama_cpp("llama", name, value)
        if value.ndim == 1:
            out.add_tensor(new, stored)
            want[name] = value
            continue
        kind = kinds[turn % len(kinds)]
        data = quants.quantize(np.ascontiguousarray(stored), kind)
        out.add_tensor(new, data, raw_dtype=None if kind == Type.F16 else kind)
        values = quants.dequantize(data, kind)
        if ".attn_q." in new or ".attn_k." in new:
            heads = HEADS if "attn_q" in new else KV
            values = values.reshape(heads, values.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
        want[name] = values
    out.write_header_to_file(), out.write_kv_data_to_file(), out.write_tensors_to_file(), out.close()
    report = json.loads(helio("model", "convert", tmp_path / "x.gguf", "--out", tmp_path / "out", "--json").stdout)
    assert report["dtype"] == "float32" and report["rounded_values"] == 0
    got = load_file(tmp_path / "out" / "model.safetensors")
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].dtype == np.float32 and got[name].tobytes() == np.ascontiguousarray(value, dtype=np.float32).tobytes(), name
    written = json.loads((tmp_path / "out" / "config.json").read_text())
    assert written["rms_norm_eps"] == 1e-6 and '"rms_norm_eps": 1e-06' in (tmp_path / "out" / "config.json").read_text()
    # 16 bits: rounded, counted, and the count is right.
    report = json.loads(helio("model", "convert", tmp_path / "x.gguf", "--dtype", "float16", "--out", tmp_path / "half", "--json").stdout)
    half = load_file(tmp_path / "half" / "model.safetensors")
    with np.errstate(over="ignore"):
        assert report["rounded_values"] == sum(int((value.astype(np.float16).astype(np.float32) != value).sum()) for value in want.values()) > 0
        for name, value in want.items():
            assert half[name].tobytes() == value.astype(np.float16).tobytes(), name


def test_llama3_rope_and_biases_survive(tmp_path):
    rope = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    config, _ = make_model(tmp_path / "in", "llama", rope_scaling=rope, rope_theta=500000.0, attention_bias=True)
    helio("model", "export", "gguf", tmp_path / "in", "--type", "f32", "--out", tmp_path / "x.gguf")
    read = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "x.gguf").tensors}
    frequencies = 1.0 / 500000.0 ** (np.arange(0, 32, 2, dtype=np.float32) / 32)
    waves, want = 2 * np.pi / frequencies, []
    for wave in waves:
        smooth = (8192 / wave - 1) / 3
        want.append(1.0 if wave < 2048 else 32.0 if wave > 8192 else 1 / ((1 - smooth) / 32 + smooth))
    assert np.allclose(read["rope_freqs.weight"], want, rtol=1e-6)
    helio("model", "convert", tmp_path / "x.gguf", "--out", tmp_path / "back")
    back = json.loads((tmp_path / "back" / "config.json").read_text())
    assert back["rope_scaling"] == rope and back["attention_bias"] is True
    assert back["rope_parameters"] == rope | {"rope_theta": 500000.0}
    helio("model", "diff", tmp_path / "in", tmp_path / "back")


@pytest.mark.parametrize("pattern, digits, ignore, pre", [(None, False, False, "gpt-2"), (None, True, False, "smollm"), (LLAMA3, False, True, "llama-bpe"),
                                                          (LLAMA3, False, False, "smaug-bpe"), (QWEN2, False, False, "qwen2")])
def test_pre_tokenizers_are_named_by_their_pattern(tmp_path, pattern, digits, ignore, pre):
    make_model(tmp_path / "in", "llama")
    bpe_tokenizer(tmp_path / "in", pattern, digits, ignore)
    report = json.loads(helio("model", "export", "gguf", tmp_path / "in", "--out", tmp_path / "x.gguf", "--json").stdout)
    assert report["pre"] == pre and report["filled_tokens"] == VOCABULARY - 262 and report["chat_template"] is True
    fields = GGUFReader(tmp_path / "x.gguf").fields
    tokens, types = fields["tokenizer.ggml.tokens"].contents(), fields["tokenizer.ggml.token_type"].contents()
    assert len(tokens) == len(types) == VOCABULARY and tokens[257:263] == ["abc", "Ġa", "<s>", "</s>", "<think>", "[PAD262]"]
    assert types[255:263] == [1, 1, 1, 1, 3, 3, 4, 5]
    assert fields["tokenizer.ggml.merges"].contents() == ["a b", "ab c", "Ġ a"]
    assert [fields[f"tokenizer.ggml.{key}_token_id"].contents() for key in ("bos", "eos")] == [259, 260]
    assert fields["tokenizer.ggml.model"].contents() == "gpt2" and fields["tokenizer.ggml.pre"].contents() == pre
    assert fields["tokenizer.chat_template"].contents() == "{{ messages }}"


def test_what_gguf_cannot_say_is_refused_and_leaves_nothing(tmp_path):
    make_model(tmp_path / "in", "llama")
    bpe_tokenizer(tmp_path / "in", r"\w+")
    done = helio("model", "export", "gguf", tmp_path / "in", "--out", tmp_path / "x.gguf", ok=3)
    assert "pattern that llama.cpp has no name for" in done.stderr and "hint:" in done.stderr
    (tmp_path / "in" / "tokenizer.json").unlink()
    done = helio("model", "export", "gguf", tmp_path / "in", "--out", tmp_path / "x.gguf", ok=4)
    assert "tokenizer.json" in done.stderr
    make_model(tmp_path / "yarn", "gemma3_text", query_pre_attn_scalar=168)
    done = helio("model", "export", "gguf", tmp_path / "yarn", "--out", tmp_path / "x.gguf", ok=3)
    assert "query_pre_attn_scalar" in done.stderr
    make_model(tmp_path / "window", "mistral", sliding_window=128)
    done = helio("model", "export", "gguf", tmp_path / "window", "--out", tmp_path / "x.gguf", ok=3)
    assert "sliding_window" in done.stderr
    assert not list(tmp_path.glob("*.gguf")) and not list(tmp_path.glob(".helio-tmp-*"))


def test_a_file_whose_metadata_and_tensors_disagree_is_refused(tmp_path):
    make_model(tmp_path / "in", "llama")
    helio("model", "export", "gguf", tmp_path / "in", "--type", "f32", "--out", tmp_path / "x.gguf")
    whole = (tmp_path / "x.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[:-100])
    assert "truncated" in helio("model", "convert", tmp_path / "cut.gguf", "--out", tmp_path / "out", ok=3).stderr
    key = b"llama.block_count" + (4).to_bytes(4, "little")
    at = whole.index(key) + len(key)
    (tmp_path / "deep.gguf").write_bytes(whole[:at] + (4).to_bytes(4, "little") + whole[at + 4:])
    assert "model.layers.3." in helio("model", "convert", tmp_path / "deep.gguf", "--out", tmp_path / "out", ok=3).stderr
    (tmp_path / "big.gguf").write_bytes(whole[:4] + bytes(reversed(whole[4:8])) + whole[8:])
    assert "big-endian" in helio("model", "convert", tmp_path / "big.gguf", "--out", tmp_path / "out", ok=3).stderr
    assert not (tmp_path / "out").exists()
