#!/usr/bin/env python3
"""Records tests/fixtures/families: small random checkpoints of every model family helio runs, with the logits transformers computes.

Made with transformers 5.23.0, torch 2.15.0, safetensors 0.8.0 (CPU, eager attention and experts, one thread, one row at a time, no padding).
Rerun: see README.md in this folder, then `python tools/record/families.py`.

Weights are bfloat16 values (so that one file serves float32 and bfloat16), norms away from 1, biases away from 0.  Rows are longer than the
sliding windows, and with scaled positions both shorter and longer than the original length.  One folder a variant:
  config.json, model.safetensors   as `save_pretrained` writes them (rope_parameters: the transformers 5 form)
  config_v4.json      the same model as transformers 4 wrote it (rope_theta, rope_scaling at the top level); most published checkpoints look so
  ids.jsonl           {"ids": [...]} a line
  logits.safetensors  "0", "1", ...: float32 [tokens, vocab], one a row; each row by a model just loaded (dynamic scaling has a memory)
  bf16.safetensors    the same computed in bfloat16 (one variant a family)
  grads.safetensors   d sum(cross entropy of row 1's next tokens) / d weight, float32, by the names in model.safetensors (some variants)
"""
import json
import shutil
import tempfile

from common import begin, finish, fixed_torch, random_ids, write_json, write_jsonl

torch = fixed_torch()
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

VOCAB = 97
BASE = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0)
FOUR = {**BASE, "num_hidden_layers": 4}


def rope(kind="default", theta=10000.0, **options):
    return {"rope_type": kind, "rope_theta": theta, **options}


SHORT = [1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0]
LONG = [1.0, 1.3, 2.0, 3.5, 6.0, 9.0, 14.0, 20.0]
GEMMA3_ROPE = {"sliding_attention": rope(), "full_attention": rope("linear", 1000000.0, factor=8.0)}

# name: model_type, config options, and what else is recorded
VARIANTS = {
    "llama_biases": ("llama", dict(BASE, attention_bias=True, mlp_bias=True, rope_parameters=rope()), "bf16"),
    "llama_linear": ("llama", dict(BASE, rope_parameters=rope("linear", factor=4.0)), ""),
    "llama_dynamic": ("llama", dict(BASE, max_position_embeddings=32, rope_parameters=rope("dynamic", factor=4.0)), ""),
    "llama_yarn": ("llama", dict(BASE, head_dim=16, rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=32)), ""),
    "llama_yarn_options": ("llama", dict(BASE, head_dim=16, rope_parameters=rope(
        "yarn", factor=4.0, original_max_position_embeddings=32, beta_fast=16.0, beta_slow=0.5, mscale=1.5, mscale_all_dim=0.5, truncate=False)), ""),
    "llama_longrope": ("llama", dict(BASE, head_dim=16, rope_parameters=rope(
        "longrope", short_factor=SHORT, long_factor=LONG, original_max_position_embeddings=32, factor=4.0)), ""),
    "mistral": ("mistral", dict(BASE, head_dim=16, sliding_window=12, rope_parameters=rope(theta=1000000.0)), "bf16"),
    "qwen2": ("qwen2", dict(FOUR, tie_word_embeddings=True, use_sliding_window=True, sliding_window=12, max_window_layers=2,
                            rope_parameters=rope(theta=1000000.0)), "bf16"),
    "qwen2_yarn": ("qwen2", dict(BASE, use_sliding_window=False, rope_parameters=rope(
        "yarn", 1000000.0, factor=4.0, original_max_position_embeddings=32)), ""),
    "qwen3": ("qwen3", dict(BASE, head_dim=16, rope_parameters=rope(theta=1000000.0)), "bf16 grads"),
    "qwen3_biases": ("qwen3", dict(FOUR, head_dim=16, attention_bias=True, use_sliding_window=True, sliding_window=12, max_window_layers=3,
                                   rope_parameters=rope()), ""),
    "gemma": ("gemma", dict(BASE, head_dim=16, num_key_value_heads=1, tie_word_embeddings=True, rope_parameters=rope()), "bf16"),
    "gemma2": ("gemma2", dict(FOUR, head_dim=16, tie_word_embeddings=True, query_pre_attn_scalar=24, sliding_window=12,
                              attn_logit_softcapping=5.0, final_logit_softcapping=3.0, rope_parameters=rope()), "bf16 grads"),
    "gemma3": ("gemma3_text", dict(FOUR, head_dim=16, tie_word_embeddings=True, query_pre_attn_scalar=24, sliding_window=12,
                                   layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
                                   rope_parameters=GEMMA3_ROPE), "bf16 grads"),
    "gemma3_pattern": ("gemma3_text", dict(FOUR, num_hidden_layers=7, head_dim=8, tie_word_embeddings=True, query_pre_attn_scalar=8, sliding_window=7,
                                           rope_parameters={"sliding_attention": rope(), "full_attention": rope(theta=1000000.0)}), ""),
    "phi3": ("phi3", dict(BASE, num_key_value_heads=4, sliding_window=12, original_max_position_embeddings=128, rope_parameters=rope()), "bf16 grads"),
    "phi3_long": ("phi3", dict(BASE, hidden_size=64, num_key_value_heads=2, original_max_position_embeddings=32, tie_word_embeddings=True,
                               rope_parameters=rope("longrope", short_factor=SHORT[:6], long_factor=LONG[:6], partial_rotary_factor=0.75)), ""),
    "olmo2": ("olmo2", dict(BASE, rope_parameters=rope(theta=500000.0)), "bf16 grads"),
    "mixtral": ("mixtral", dict(BASE, num_local_experts=4, num_experts_per_tok=2, sliding_window=None, rope_parameters=rope(theta=1000000.0)),
                "bf16 grads"),
    "mixtral_window": ("mixtral", dict(BASE, num_hidden_layers=2, num_local_experts=5, num_experts_per_tok=3, sliding_window=12,
                                       rope_parameters=rope(theta=1000000.0)), ""),
    "qwen3_moe": ("qwen3_moe", dict(BASE, head_dim=16, moe_intermediate_size=24, num_experts=6, num_experts_per_tok=2, norm_topk_prob=True,
                                    mlp_only_layers=[1], rope_parameters=rope(theta=1000000.0)), "bf16 grads"),
    "qwen3_moe_sparse": ("qwen3_moe", dict(BASE, head_dim=16, moe_intermediate_size=24, num_experts=6, num_experts_per_tok=3, norm_topk_prob=False,
                                           decoder_sparse_step=2, rope_parameters=rope(theta=1000000.0)), ""),
}
LENGTHS = (5, 40, 70)


def version4_config(config):
    """transformers 4's spelling of a transformers 5 config.json."""
    old = dict(config)
    rope = dict(old.pop("rope_parameters"))
    if "full_attention" in rope:  # Gemma 3
        old["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = dict(rope["full_attention"])
        if "layer_types" in old and config["num_hidden_layers"] == 7:
            del old["layer_types"]
            old["sliding_window_pattern"] = 6
    old["rope_theta"] = rope.pop("rope_theta")
    if (partial := rope.pop("partial_rotary_factor", 1.0)) != 1.0:
        old["partial_rotary_factor"] = partial
    if old["model_type"] == "phi3" and rope["rope_type"] == "longrope":
        rope = {"type": "longrope", "short_factor": rope["short_factor"], "long_factor": rope["long_factor"]}
    old["rope_scaling"] = None if rope.get("rope_type") == "default" else rope
    if old["model_type"] in ("qwen2", "qwen3", "gemma2"):
        old.pop("layer_types", None)
    if old["model_type"].startswith("gemma"):
        assert old.pop("tie_word_embeddings") is True  # transformers 4 leaves out what equals the class
    old["torch_dtype"] = old.pop("dtype")
    old["transformers_version"] = "4.46.0"
    return old


def random_model(model_type, options, seed):
    config = AutoConfig.for_model(model_type, **options)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=draw)
            if "norm" in name:
                weight.copy_((0.0 if model_type.startswith("gemma") else 1.0) + 0.3 * noise)
            elif "embed_tokens" in name:
                weight.copy_((0.2 if model_type.startswith("gemma") else 0.5) * noise)
            else:
                weight.copy_((0.3 if name.endswith("bias") else 0.5 if ".gate.weight" in name else 0.2) * noise)
    return model.to(torch.bfloat16).eval()


def load(where, dtype=torch.float32):
    model = AutoModelForCausalLM.from_pretrained(where, dtype=dtype, attn_implementation="eager", experts_implementation="eager")
    return model.eval()


def run(where, rows, dtype=torch.float32):
    with torch.no_grad():
        return {str(i): load(where, dtype)(input_ids=torch.tensor([ids])).logits[0].contiguous() for i, ids in enumerate(rows)}


def gradients(where, ids, names):
    """By the names of the file: transformers keeps the experts of a layer in one tensor."""
    model = load(where)
    logits = model(input_ids=torch.tensor([ids])).logits[0]
    torch.nn.functional.cross_entropy(logits[:-1].float(), torch.tensor(ids[1:]), reduction="sum").backward()
    found = {}
    for name, weight in model.named_parameters():
        grad = weight.grad
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            found[name.replace(".mlp.gate.", ".block_sparse_moe.gate.") if model.config.model_type == "mixtral" else name] = grad
            continue
        layer = name.split(".mlp.")[0]
        mixtral = model.config.model_type == "mixtral"
        at = layer + (".block_sparse_moe.experts." if mixtral else ".mlp.experts.")
        gate, up, down = ("w1", "w3", "w2") if mixtral else ("gate_proj", "up_proj", "down_proj")
        for i, part in enumerate(grad):
            if name.endswith("down_proj"):
                found[f"{at}{i}.{down}.weight"] = part
            else:
                found[f"{at}{i}.{gate}.weight"], found[f"{at}{i}.{up}.weight"] = part.chunk(2)
    assert sorted(found) == sorted(names), set(found) ^ set(names)
    return {name: grad.contiguous().clone() for name, grad in found.items()}


folder = begin("families")
facts = {}
for seed, (name, (model_type, options, extra)) in enumerate(VARIANTS.items(), start=31):
    out = folder / name
    random_model(model_type, options, seed).save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((out / "config.json").read_text())
    write_json(out / "config_v4.json", version4_config(config))
    rows = [random_ids(100 * seed + i, n) for i, n in enumerate(LENGTHS)]
    write_jsonl(out / "ids.jsonl", [{"ids": ids} for ids in rows])
    logits = run(out, rows)
    save_file(logits, out / "logits.safetensors")
    with tempfile.TemporaryDirectory() as temporary:  # both spellings of config.json must mean the same model
        shutil.copy(out / "model.safetensors", temporary)
        shutil.copy(out / "config_v4.json", temporary + "/config.json")
        again = run(temporary, rows)
    assert all(torch.equal(logits[k], again[k]) for k in logits), name
    exact = run(out, rows, torch.float64)
    size = max(x.abs().max().item() for x in logits.values())
    worst = lambda other: float(f"{max((other[k].double() - logits[k].double()).abs().max().item() for k in logits) / size:.3g}")
    facts[name] = {"logits_std": round(torch.cat(list(logits.values())).std().item(), 3), "largest_logit": round(size, 3),
                   "float32_against_float64_relative": worst(exact)}
    if "bf16" in extra:
        half = run(out, rows, torch.bfloat16)
        save_file(half, out / "bf16.safetensors")
        facts[name]["bfloat16_against_float32_relative"] = worst(half)
    if "grads" in extra:
        save_file(gradients(out, rows[1], load_file(out / "model.safetensors")), out / "grads.safetensors")
finish(folder, ["transformers", "torch", "safetensors"], "small random checkpoints of every family and their logits by transformers",
       lengths=list(LENGTHS), config_v4="checked here: transformers 5 gives equal logits from both spellings", variants=facts)
