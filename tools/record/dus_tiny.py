#!/usr/bin/env python3
"""Records tests/fixtures/dus_tiny: depth up-scaling of an 8-layer Llama by mergekit's passthrough (slices [0,6) and [2,8), 12 layers out).

Made with mergekit 0.1.5, transformers 5.23.0, safetensors 0.8.0, torch 2.15.0.
Rerun: see README.md in this folder, then `python tools/record/dus_tiny.py`.

One folder a variant (f32, bf16, f32_tied):
  input/           8-layer checkpoint as `save_pretrained` writes it
  plan.yaml        what mergekit was given (model: ./input, relative to the variant's folder)
  expected/        mergekit's model.safetensors and config.json
Besides, f32/input_sharded: f32's tensors in 3 shards with model.safetensors.index.json; mergekit makes the same tensors of it (checked here).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from common import begin, finish, fixed_torch, tiny_llama

torch = fixed_torch()
from safetensors.torch import load_file

KEEP, LAYERS = 6, 8
VARIANTS = {"f32": dict(seed=31), "bf16": dict(seed=32), "f32_tied": dict(seed=33, tie_word_embeddings=True)}
SHAPE = dict(vocab_size=31, hidden_size=16, intermediate_size=24, num_hidden_layers=LAYERS, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=64, rms_norm_eps=1e-5)


def plan(dtype):
    return ("slices:\n" + "".join(f"- sources:\n  - model: ./input\n    layer_range: [{a}, {b}]\n" for a, b in ((0, KEEP), (LAYERS - KEEP, LAYERS)))
            + f"merge_method: passthrough\ndtype: {dtype}\n")


def merge(source, text):
    """mergekit-yaml on a folder that holds `input`; returns the output folder."""
    work = Path(tempfile.mkdtemp(prefix="dus-tiny-"))
    shutil.copytree(source, work / "input")
    (work / "plan.yaml").write_text(text)
    tool = Path(sys.executable).parent / "mergekit-yaml"
    done = subprocess.run([str(tool), "plan.yaml", "out", "--no-copy-tokenizer"], cwd=work, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return work / "out"


def tensors(folder):
    return {k: v for path in sorted(folder.glob("*.safetensors")) for k, v in load_file(path).items()}


def same(a, b):
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a)


folder = begin("dus_tiny")
facts = {}
for name, options in VARIANTS.items():
    dtype = "bfloat16" if name == "bf16" else "float32"
    model = tiny_llama(**{**SHAPE, **options}).to(getattr(torch, dtype))
    here = folder / name
    model.save_pretrained(here / "input")
    (here / "plan.yaml").write_text(plan(dtype))
    out = merge(here / "input", plan(dtype))
    (here / "expected").mkdir()
    for path in out.iterdir():
        if path.suffix in (".safetensors", ".json"):
            shutil.copyfile(path, here / "expected" / path.name)
    given, got = tensors(here / "input"), tensors(out)

    # mergekit's result stated as a rule, so that the fixture cannot be misread: layer i comes from i (i < 6) or i - 4
    rule = {k: v for k, v in given.items() if ".layers." not in k}
    for i in range(2 * KEEP):
        source = i if i < KEEP else i - (2 * KEEP - LAYERS)
        for k, v in given.items():
            if k.startswith(f"model.layers.{source}."):
                rule[k.replace(f".{source}.", f".{i}.", 1)] = v
    assert same(rule, got), sorted(set(rule) ^ set(got))
    facts[name] = {"tensors_in": len(given), "tensors_out": len(got), "files_out": sorted(p.name for p in (here / "expected").iterdir())}
    before, after = (json.loads((here / part / "config.json").read_text()) for part in ("input", "expected"))
    facts[name]["config_changes"] = {k: [before.get(k), after.get(k)] for k in sorted(set(before) | set(after)) if before.get(k) != after.get(k)}
    if name == "f32":
        model.save_pretrained(here / "input_sharded", max_shard_size="24KB")
        shards = len(list((here / "input_sharded").glob("*.safetensors")))
        assert shards >= 3, shards
        assert same(tensors(merge(here / "input_sharded", plan(dtype))), got)
        facts[name]["shards"] = shards
finish(folder, ["mergekit", "transformers", "safetensors", "torch"], "depth up-scaling by mergekit's passthrough",
       rule="out layer i = source layer i for i < 6, else i - 4; embeddings, final norm and lm_head as in the source", variants=facts)
