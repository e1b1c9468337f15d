#!/usr/bin/env python3
"""Records tests/fixtures/train_tiny: what transformers + torch.optim.AdamW do to llama_tiny/gqa_untied in a few steps.

Made with transformers 5.23.0, torch 2.15.0 (CPU, float32, eager attention, one thread).  Needs tests/fixtures/llama_tiny.
Rerun: see README.md in this folder, then `python tools/record/train_tiny.py`.

  settings.json                  optimiser, clipping, which tensors decay, initial checkpoint
  pretrain_steps.jsonl           a line a step: step, lr, input_ids [2][16], loss (mean cross entropy over the 2*15 shifted targets),
                                 grad_norm (L2 over all parameters, before clipping), targets
  pretrain_grads_step1.safetensors   gradient of every parameter at step 1, before clipping
  pretrain_final.safetensors     weights after the last step
  sft_steps.jsonl                a line a step: step, lr, loss, grad_norm, targets, micro_batches: [{input_ids, labels, loss_sum, targets}]
                                 labels are not shifted (-100: no target); loss = sum of loss_sum / sum of targets over the micro-batches
  sft_grads_step1.safetensors    gradient of every parameter of step 1 (both micro-batches together), before clipping
  sft_final.safetensors          weights after the last step
"""
import math

from common import FIXTURES, begin, finish, fixed_torch, random_ids, write_json, write_jsonl

torch = fixed_torch()
from safetensors.torch import save_file
from transformers import LlamaForCausalLM

BETAS, EPS, DECAY = (0.9, 0.95), 1e-8, 0.1
CLIP, SFT_CLIP = 1.0, 100.0  # the first clips at every step, the second at none
STEPS, SFT_STEPS = 12, 3
# linear warm-up over 3 steps to 3e-3, then a cosine to a tenth of it: every value is written in the step's line
LRS = [3e-3 * (i + 1) / 3 if i < 3 else 3e-4 + 0.5 * (3e-3 - 3e-4) * (1 + math.cos(math.pi * (i - 2) / (STEPS - 2))) for i in range(STEPS)]


def start():
    model = LlamaForCausalLM.from_pretrained(FIXTURES / "llama_tiny" / "gqa_untied", dtype=torch.float32, attn_implementation="eager").train()
    named = list(model.named_parameters())
    groups = [{"params": [p for _, p in named if p.dim() >= 2], "weight_decay": DECAY}, {"params": [p for _, p in named if p.dim() < 2], "weight_decay": 0.0}]
    return model, torch.optim.AdamW(groups, lr=0.0, betas=BETAS, eps=EPS)


def gradients(model):
    return {name: p.grad.detach().clone().contiguous() for name, p in model.named_parameters()}


def weights(model):
    return {name: p.detach().clone().contiguous() for name, p in model.named_parameters()}


def step(model, optimizer, lr, limit):
    for group in optimizer.param_groups:
        group["lr"] = lr
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm.item()


folder = begin("train_tiny")
model, optimizer = start()
write_json(folder / "settings.json", {
    "init": "llama_tiny/gqa_untied", "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "max_grad_norm": CLIP, "sft_max_grad_norm": SFT_CLIP,
    "decayed": [n for n, p in model.named_parameters() if p.dim() >= 2], "not_decayed": [n for n, p in model.named_parameters() if p.dim() < 2],
    "clip_rule": "every gradient is multiplied by min(1, max_grad_norm / (grad_norm + 1e-6))",
    "decay_rule": "decoupled: weight *= 1 - lr * weight_decay before the Adam update"})

rows, clipped = [], 0
for i, lr in enumerate(LRS):
    ids = [random_ids(5000 + 2 * i + b, 16) for b in range(2)]
    if i >= 6:  # the second half repeats the first half's batches, so that the loss falls within the fixture
        ids = rows[i - 6]["input_ids"]
    batch = torch.tensor(ids)
    loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    if i == 0:
        save_file(gradients(model), folder / "pretrain_grads_step1.safetensors")
    norm = step(model, optimizer, lr, CLIP)
    clipped += norm > CLIP
    rows.append({"step": i + 1, "lr": lr, "input_ids": ids, "loss": loss.item(), "grad_norm": norm, "targets": 2 * 15})
write_jsonl(folder / "pretrain_steps.jsonl", rows)
save_file(weights(model), folder / "pretrain_final.safetensors")
losses = [round(r["loss"], 4) for r in rows]

# SFT: per step two micro-batches with different numbers of targets; transformers' own num_items_in_batch gives sum / all targets
model, optimizer = start()
sft = []
for i in range(SFT_STEPS):
    shapes = [(2, 16, (9, 4)), (3, 11, (8, 10, 2))]  # rows, length, prompt length of each row (labels -100 there)
    micro = []
    for m, (count, length, prompts) in enumerate(shapes):
        ids = [random_ids(7000 + 100 * i + 10 * m + r, length) for r in range(count)]
        labels = [[-100] * p + row[p:] for row, p in zip(ids, prompts)]
        if m == 1:  # right padding in the last row: id 0, no target, no attention mask needed under causal attention
            ids[2][8:] = [0] * 3
            labels[2][8:] = [-100] * 3
        if m == 0:  # and a hole in the middle, as between the turns of a chat
            labels[1][8:11] = [-100] * 3
        micro.append({"input_ids": ids, "labels": labels})
    total = sum(sum(x != -100 for row in b["labels"] for x in row[1:]) for b in micro)
    loss = 0.0
    for b in micro:
        part = model(input_ids=torch.tensor(b["input_ids"]), labels=torch.tensor(b["labels"]), num_items_in_batch=total).loss
        part.backward()
        b["targets"] = sum(x != -100 for row in b["labels"] for x in row[1:])
        b["loss_sum"] = part.item() * total
        loss += part.item()
    if i == 0:
        save_file(gradients(model), folder / "sft_grads_step1.safetensors")
        means = [b["loss_sum"] / b["targets"] for b in micro]
        assert abs(loss - sum(means) / 2) > 1e-2, "the fixture must tell a mean of means from the token-weighted mean"
    norm = step(model, optimizer, 1e-3, SFT_CLIP)
    assert norm < SFT_CLIP
    sft.append({"step": i + 1, "lr": 1e-3, "loss": loss, "grad_norm": norm, "targets": total, "micro_batches": micro})
write_jsonl(folder / "sft_steps.jsonl", sft)
save_file(weights(model), folder / "sft_final.safetensors")
assert clipped == STEPS
finish(folder, ["transformers", "torch", "safetensors"], "losses, gradients, gradient norms and weights of a few AdamW steps",
       pretrain_losses=losses, pretrain_grad_norms=[round(r["grad_norm"], 4) for r in rows], steps_with_clipping=clipped,
       sft_losses=[round(r["loss"], 4) for r in sft], sft_mean_of_means_step1=round(sum(means) / 2, 4))
