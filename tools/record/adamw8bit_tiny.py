#!/usr/bin/env python3
"""Records tests/fixtures/adamw8bit_tiny: what bitsandbytes' AdamW8bit (CPU) makes of a weight, its gradients and its block-wise 8-bit state.

Made with bitsandbytes 0.50.2 and torch 2.15.0 (CPU, one thread).
Rerun: see README.md in this folder, then `python tools/record/adamw8bit_tiny.py`.

  settings.json       learning rates of the steps, betas, eps, weight decay
  maps.safetensors    signed, unsigned: the 256 values that codes stand for (create_dynamic_map)
  start.safetensors   weight: its last block of 256 is not full
  grads.safetensors   STEP.weight: the gradients of every step
  final.safetensors   weight, and its state's codes (first, second) and largest values of blocks (first_max, second_max) after the last step
"""
from common import begin, finish, fixed_torch, write_json

torch = fixed_torch()
import bitsandbytes
from safetensors.torch import save_file

SHAPE, STEPS, BETAS, EPS, DECAY = (65, 67), 6, (0.9, 0.95), 1e-8, 0.1
LRS = [1e-2 * (i + 1) / STEPS for i in range(STEPS)]

folder = begin("adamw8bit_tiny")
generator = torch.Generator().manual_seed(8)
start = torch.randn(SHAPE, generator=generator)
# Of very different sizes by block, as layers' gradients are.
grads = [torch.randn(SHAPE, generator=generator) * torch.logspace(-3, 1, SHAPE[0]).unsqueeze(1) for _ in range(STEPS)]
weight = torch.nn.Parameter(start.clone())
optimizer = bitsandbytes.optim.AdamW8bit([weight], lr=1.0, betas=BETAS, eps=EPS, weight_decay=DECAY)
for lr, grad in zip(LRS, grads):
    optimizer.param_groups[0]["lr"] = lr
    weight.grad = grad.clone()
    optimizer.step()
state = optimizer.state[weight]
assert state["state1"].dtype == torch.uint8
maps = {"signed": state["qmap1"], "unsigned": state["qmap2"]}
for name, values in maps.items():
    assert torch.equal(values, bitsandbytes.functional.create_dynamic_map(signed=name == "signed"))
save_file({name: values.clone() for name, values in maps.items()}, folder / "maps.safetensors")
save_file({"weight": start}, folder / "start.safetensors")
save_file({f"{i}.weight": grad for i, grad in enumerate(grads)}, folder / "grads.safetensors")
save_file({"weight": weight.detach().clone(), "first": state["state1"].clone(), "second": state["state2"].clone(), "first_max": state["absmax1"].clone(),
           "second_max": state["absmax2"].clone()}, folder / "final.safetensors")
write_json(folder / "settings.json", {"lrs": LRS, "betas": BETAS, "eps": EPS, "weight_decay": DECAY})
finish(folder, ["bitsandbytes", "torch", "safetensors"], "a weight after a few steps of AdamW with 8-bit states, and those states")
