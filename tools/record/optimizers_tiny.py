#!/usr/bin/env python3
"""Records tests/fixtures/optimizers_tiny: what torch.optim.Muon and transformers' Adafactor make of a few weights and gradients.

Made with torch 2.15.0 and transformers 5.23.0 (CPU, one thread).
Rerun: see README.md in this folder, then `python tools/record/optimizers_tiny.py`.

  settings.json       learning rates of the steps, weight decay, the peers' options
  start.safetensors   the weights: two matrices (tall and wide) and a vector
  grads.safetensors   STEP.NAME: the gradients of every step
  final.safetensors   KIND.NAME after the last step, for muon_as_adamw, muon_original (the matrices only) and adafactor
"""
from common import begin, finish, fixed_torch, write_json

torch = fixed_torch()
from safetensors.torch import save_file
from transformers.optimization import Adafactor

SHAPES, STEPS, DECAY = {"tall": (24, 10), "wide": (8, 20), "vector": (12,)}, 6, 0.1
LRS = [2e-2 * (i + 1) / STEPS for i in range(STEPS)]

folder = begin("optimizers_tiny")
generator = torch.Generator().manual_seed(5)
start = {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}
grads = [{name: torch.randn(shape, generator=generator) * (0.1 + i) for name, shape in SHAPES.items()} for i in range(STEPS)]


def follow(names, make):
    weights = {name: torch.nn.Parameter(start[name].clone()) for name in names}
    optimizer = make(weights)
    for lr, grad in zip(LRS, grads):
        for group in optimizer.param_groups:
            group["lr"] = lr
        for name in names:
            weights[name].grad = grad[name].clone()
        optimizer.step()
    return {name: weight.detach().clone() for name, weight in weights.items()}


def adafactor(weights):
    groups = [{"params": [w for w in weights.values() if w.dim() == 2], "weight_decay": DECAY}, {"params": [w for w in weights.values() if w.dim() < 2], "weight_decay": 0.0}]
    return Adafactor(groups, lr=1.0, scale_parameter=False, relative_step=False, warmup_init=False)


matrices = ["tall", "wide"]
final = {}
for kind, rule in (("muon_as_adamw", "match_rms_adamw"), ("muon_original", "original")):
    moved = follow(matrices, lambda w: torch.optim.Muon(w.values(), lr=1.0, weight_decay=DECAY, momentum=0.95, nesterov=True, adjust_lr_fn=rule))
    final.update({f"{kind}.{name}": value for name, value in moved.items()})
final.update({f"adafactor.{name}": value for name, value in follow(list(SHAPES), adafactor).items()})
save_file(start, folder / "start.safetensors")
save_file({f"{i}.{name}": value for i, grad in enumerate(grads) for name, value in grad.items()}, folder / "grads.safetensors")
save_file(final, folder / "final.safetensors")
write_json(folder / "settings.json", {"lrs": LRS, "weight_decay": DECAY, "momentum": 0.95})
finish(folder, ["torch", "transformers", "safetensors"], "weights after a few steps of Muon and Adafactor")
