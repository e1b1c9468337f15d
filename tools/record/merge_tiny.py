#!/usr/bin/env python3
"""Records tests/fixtures/merge_tiny: three related tiny Llamas merged by mergekit 0.1.5, every method that `helio merge` has.

Made with mergekit 0.1.5, torch 2.15.0 (CPU, one thread), transformers 5.23.0, safetensors 0.8.0.
Rerun: see README.md in this folder, then `python tools/record/merge_tiny.py`.

One folder a dtype (f32, bf16, mixed: the second model is float32, the others bfloat16):
  base/ ko/ chat/          4-layer checkpoints; ko and chat are base with noise
  plans/NAME.yaml          what mergekit was given (models relative to the dtype's folder)
  expected/NAME.safetensors  mergekit's tensors, by their names
TIES keeps the largest differences; which of equally large ones, mergekit leaves to an unstable sort.  Here `torch.argsort` is made stable (the first
stay), so that there is one answer; SOURCE.json says how many values of bf16 that changes.  DARE draws its masks from torch's generator: only
density 1, where there is no chance, is recorded.
"""
import os
import shutil
import tempfile
from pathlib import Path

from common import ROOT, begin, finish, fixed_torch, tiny_llama

torch = fixed_torch()
import yaml
from mergekit.config import MergeConfiguration
from mergekit.io.tasks import LoaderCache
from mergekit.merge import MergeOptions, run_merge
from safetensors.torch import load_file, save_file

SHAPE = dict(vocab_size=160, tie_word_embeddings=True, hidden_size=16, intermediate_size=24, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=64, rms_norm_eps=1e-5)

LINEAR = """
merge_method: linear
models:
- model: ./base
  parameters: {weight: 0.5}
- model: ./ko
  parameters: {weight: 0.3}
- model: ./chat
  parameters:
    weight:
    - filter: mlp
      value: [0.1, 0.9, 0.4]
    - value: 0.25
"""
SLERP = """
merge_method: slerp
base_model: ./base
slices:
- sources:
  - {model: ./base, layer_range: [0, 4]}
  - {model: ./chat, layer_range: [0, 4]}
parameters:
  t:
  - filter: self_attn
    value: [0, 0.5, 0.3, 0.7, 1]
  - filter: mlp
    value: [1, 0.5, 0.7, 0.3, 0]
  - value: 0.5
"""
TASKS = """
base_model: ./base
models:
- model: ./ko
  parameters: {weight: 0.7, density: %s}
- model: ./chat
  parameters:
    weight: [0.2, 0.6]
    density: %s
"""
PLANS = {
    "linear": LINEAR,
    "linear_sum": LINEAR + "parameters: {normalize: false}\n",
    "slerp": SLERP,
    "task_arithmetic": "merge_method: task_arithmetic\n" + TASKS % (1, 1) + "parameters: {lambda: 0.8}\n",
    "task_arithmetic_normalized": "merge_method: task_arithmetic\n" + TASKS % (1, 1) + "parameters: {normalize: true, int8_mask: true}\n",
    "ties": "merge_method: ties\n" + TASKS % (0.5, "[0.3, 0.8]") + "parameters: {normalize: true, int8_mask: true}\n",
    "ties_plain": "merge_method: ties\n" + TASKS % (0.25, 0.6) + "parameters: {normalize: false, rescale: true, lambda: 1.1}\n",
    "dare_ties_all": "merge_method: dare_ties\n" + TASKS % (1, 1),
    "dare_linear_all": "merge_method: dare_linear\n" + TASKS % (1, 1) + "parameters: {normalize: true}\n",
    "slices": """
merge_method: passthrough
slices:
- sources: [{model: ./base, layer_range: [0, 2]}]
- sources: [{model: ./ko, layer_range: [1, 3]}]
- sources:
  - model: ./chat
    layer_range: [2, 4]
    parameters:
      scale:
      - {filter: o_proj, value: 0.0}
      - {filter: down_proj, value: 0.5}
      - value: 1.0
- sources: [{model: ./base, layer_range: [3, 4]}]
""",
    "slices_of_means": """
merge_method: linear
out_dtype: float16
slices:
- sources:
  - {model: ./base, layer_range: [0, 2], parameters: {weight: 1}}
  - {model: ./ko, layer_range: [1, 3], parameters: {weight: 2}}
- sources:
  - {model: ./ko, layer_range: [2, 4], parameters: {weight: 1}}
  - {model: ./chat, layer_range: [2, 4], parameters: {weight: [0, 1]}}
""",
    "linear_half": LINEAR + "dtype: float16\n",
    "ties_upcast": "merge_method: ties\ndtype: float32\nout_dtype: bfloat16\n" + TASKS % (0.5, 0.5),
}
EVERY = set(PLANS)
ONLY = {"f32": EVERY - {"ties_upcast"}, "bf16": EVERY, "mixed": {"linear", "ties", "task_arithmetic", "slices"}}


def merge(text):
    """In the current folder; mergekit's tensors."""
    out = tempfile.mkdtemp(prefix="merge-tiny-")
    run_merge(MergeConfiguration.model_validate(yaml.safe_load(text)), out, MergeOptions(copy_tokenizer=False, write_model_card=False, quiet=True))
    found = {k: v.clone() for path in sorted(Path(out).glob("*.safetensors")) for k, v in load_file(path).items()}
    shutil.rmtree(out)
    return found


def unstable_and_stable(text):
    plain = merge(text)
    usual = torch.argsort
    torch.argsort = lambda *args, **options: usual(*args, stable=True, **options)
    try:
        return plain, merge(text)
    finally:
        torch.argsort = usual


folder = begin("merge_tiny")
base = tiny_llama(seed=51, **SHAPE)
facts = {}
for dtype in ("f32", "bf16", "mixed"):
    here = folder / dtype
    for seed, name in ((0, "base"), (52, "ko"), (53, "chat")):
        model = tiny_llama(seed=51, **SHAPE)
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in model.parameters():
                if seed:
                    weight.add_(0.05 * torch.randn(weight.shape, generator=draw))
        model.to(torch.float32 if dtype == "f32" or (dtype == "mixed" and name == "ko") else torch.bfloat16)
        model.save_pretrained(here / name)
        (here / name / "generation_config.json").unlink()
    (here / "plans").mkdir()
    (here / "expected").mkdir()
    os.chdir(here)
    LoaderCache().loaders.clear()  # it remembers ./base of the folder before
    for name in sorted(ONLY[dtype]):
        text = PLANS[name].lstrip()
        (here / "plans" / f"{name}.yaml").write_text(text)
        plain, stable = unstable_and_stable(text)
        other = sum(int((plain[k] != stable[k]).sum()) for k in stable)
        assert name.startswith("ties") or other == 0, name
        if other:
            facts[f"{dtype}/{name}"] = {"values": sum(x.numel() for x in stable.values()), "other_with_the_unstable_sort": other}
        save_file(stable, here / "expected" / f"{name}.safetensors", metadata={"format": "pt"})
os.chdir(ROOT)
finish(folder, ["mergekit", "transformers", "safetensors", "torch", "numpy"], "merges of three tiny Llamas by mergekit, all methods that helio has",
       argsort="torch.argsort made stable while recording", ties=facts)
