#!/usr/bin/env python3
"""Records tests/fixtures/llama_tiny: four small random Llama checkpoints with the logits transformers computes for a few rows of ids.

Made with transformers 5.23.0, torch 2.15.0, safetensors 0.8.0 (CPU, float32, eager attention, one thread, one row at a time, no padding).
Rerun: see README.md in this folder, then `python tools/record/llama_tiny.py`.

One folder a variant:
  config.json, generation_config.json, model.safetensors   as `save_pretrained` writes them (rope_parameters: the transformers 5 form)
  config_v4.json      the same model as transformers 4 wrote it (rope_theta, rope_scaling at the top level); most published checkpoints look so
  ids.jsonl           {"ids": [...]} a line
  logits.safetensors  "0", "1", ...: float32 [tokens, vocab], one a row
"""
import json
import shutil
import tempfile

from common import begin, finish, fixed_torch, random_ids, tiny_llama, write_json, write_jsonl

torch = fixed_torch()
from safetensors.torch import save_file
from transformers import LlamaForCausalLM

LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
VARIANTS = {
    "gqa_untied": dict(seed=11),
    "tied_theta": dict(seed=12, tie_word_embeddings=True, head_dim=16, rms_norm_eps=1e-5,
                       rope_parameters={"rope_type": "default", "rope_theta": 500000.0}),
    # head_dim 16 and an original length of 64: of the 8 frequencies some are kept, some blended, some divided by the factor
    "llama3_rope": dict(seed=13, head_dim=16, max_position_embeddings=512, rope_parameters=LLAMA3),
    "bf16": dict(seed=14, rms_norm_eps=1e-5),
}
LENGTHS = (5, 17, 40, 23)


def version4_config(config):
    """transformers 4's spelling of a transformers 5 config.json."""
    old = dict(config)
    rope = dict(old.pop("rope_parameters"))
    old["rope_theta"] = rope.pop("rope_theta")
    old["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    old["torch_dtype"] = old.pop("dtype")
    old["transformers_version"] = "4.46.0"
    return old


def run(model, rows):
    with torch.no_grad():
        return {str(i): model(input_ids=torch.tensor([ids])).logits[0].contiguous() for i, ids in enumerate(rows)}


folder = begin("llama_tiny")
facts = {}
for name, options in VARIANTS.items():
    model = tiny_llama(**options)
    out = folder / name
    if name == "bf16":
        model = model.to(torch.bfloat16)
    model.save_pretrained(out)
    config = json.loads((out / "config.json").read_text())
    write_json(out / "config_v4.json", version4_config(config))
    rows = [random_ids(100 * options["seed"] + i, n) for i, n in enumerate(LENGTHS)]
    write_jsonl(out / "ids.jsonl", [{"ids": ids} for ids in rows])

    load = lambda where, dtype=torch.float32: LlamaForCausalLM.from_pretrained(where, dtype=dtype, attn_implementation="eager").eval()
    logits = run(load(out), rows)  # bf16 weights are raised to float32 here, at load
    save_file(logits, out / "logits.safetensors")

    with tempfile.TemporaryDirectory() as temporary:  # both spellings of config.json must mean the same model
        shutil.copy(out / "model.safetensors", temporary)
        shutil.copy(out / "config_v4.json", temporary + "/config.json")
        again = run(load(temporary), rows)
    assert all(torch.equal(logits[k], again[k]) for k in logits), name
    exact = run(load(out, torch.float64), rows)
    facts[name] = {"logits_std": round(torch.cat(list(logits.values())).std().item(), 3),
                   "largest_logit": round(max(x.abs().max().item() for x in logits.values()), 3),
                   "float32_against_float64_max_abs": float(f"{max((exact[k] - logits[k]).abs().max().item() for k in logits):.3g}")}
finish(folder, ["transformers", "torch", "safetensors"], "random Llama checkpoints and their logits by transformers",
       lengths=list(LENGTHS), config_v4="checked here: transformers 5 gives equal logits from both spellings", variants=facts)
