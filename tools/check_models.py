#!/usr/bin/env python3
"""Compares helio's logits with transformers' on model folders: python tools/check_models.py --helio build/release/bin/helio FOLDER...

Needs torch, transformers and safetensors (not in CI's environment: run by hand; figures go to docs/models.md).  For each folder, rows of
seeded random ids of several lengths run through `helio model logits` and through transformers (eager attention, one row at a time), in float32
and in bfloat16.  Prints a JSON line a folder: the largest difference as a share of the largest logit, and how often the best token is the same.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("folders", nargs="+", type=pathlib.Path)
parser.add_argument("--helio", default="build/release/bin/helio")
parser.add_argument("--lengths", type=int, nargs="+", default=[1, 7, 64, 200])
parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
options = parser.parse_args()


def peer(folder, dtype, rows):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), attn_implementation="eager").eval()
    with torch.no_grad():
        return [model(input_ids=torch.tensor([ids])).logits[0].float() for ids in rows]


def ours(folder, dtype, rows, scratch):
    (scratch / "ids.jsonl").write_text("".join(json.dumps({"ids": ids}) + "\n" for ids in rows))
    subprocess.run([options.helio, "model", "logits", folder, "--in", scratch / "ids.jsonl", "--out", scratch / "logits.safetensors",
                    "--dtype", dtype], check=True, stdout=subprocess.DEVNULL)
    found = load_file(scratch / "logits.safetensors")
    return [found[str(i)] for i in range(len(rows))]


for folder in options.folders:
    config = AutoConfig.from_pretrained(folder)
    draw = torch.Generator().manual_seed(1)
    rows = [torch.randint(config.vocab_size, (n,), generator=draw).tolist() for n in options.lengths if n <= config.max_position_embeddings]
    line = {"model": str(folder), "architecture": config.architectures[0], "lengths": [len(ids) for ids in rows]}
    for dtype in options.dtypes:
        with tempfile.TemporaryDirectory() as scratch:
            mine = ours(folder, dtype, rows, pathlib.Path(scratch))
        theirs = peer(folder, dtype, rows)
        worst = max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(mine, theirs))
        same = torch.cat([a.argmax(-1) == b.argmax(-1) for a, b in zip(mine, theirs)]).float().mean().item()
        line[dtype] = {"relative_difference": float(f"{worst:.3g}"), "same_best_token": round(same, 4)}
    print(json.dumps(line), flush=True)
