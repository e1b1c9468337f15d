#!/usr/bin/env python3
"""Records tests/fixtures/train_f64_tiny: the losses of 20 AdamW steps of transformers on llama_tiny/gqa_untied in float64, and in float32 beside it.

Made with transformers 5.23.0, torch 2.15.0 (CPU, one thread).  Needs tests/fixtures/llama_tiny.  In float64 what transformers computes in float32 whatever
the model's type is (the norms' mean squares, attention's softmax) stays float64 too, so that these losses have no rounding to speak of: whoever is further
from them than float32's own rounding defines something else.  Rerun: see README.md in this folder, then `python tools/record/train_f64_tiny.py`.

  settings.json   optimiser and clipping (as train_tiny's), initial checkpoint
  steps.jsonl     a line a step: step, lr, input_ids [2][16], loss_f64, loss_f32 (mean cross entropy over the 2*15 shifted targets), grad_norm_f64
"""
from common import FIXTURES, begin, finish, fixed_torch, random_ids, write_json, write_jsonl

torch = fixed_torch()
from transformers import LlamaForCausalLM
from transformers.models.llama import modeling_llama

BETAS, EPS, DECAY, CLIP, LR, STEPS = (0.9, 0.95), 1e-8, 0.1, 1.0, 1e-3, 20
BATCHES = 5  # come round again, so that the loss falls


def norm_in_own_type(self, hidden_states):
    scale = torch.rsqrt(hidden_states.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
    return self.weight * (hidden_states * scale)


def train(dtype):
    model = LlamaForCausalLM.from_pretrained(FIXTURES / "llama_tiny" / "gqa_untied", dtype=dtype, attn_implementation="sdpa").train()
    groups = [{"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": DECAY},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=BETAS, eps=EPS)
    rows = []
    for i in range(STEPS):
        ids = [random_ids(9000 + 2 * (i % BATCHES) + b, 16) for b in range(2)]
        batch = torch.tensor(ids)
        logits = model(input_ids=batch).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.size(-1)), batch[:, 1:].reshape(-1))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        rows.append((ids, loss.item(), norm.item()))
    return rows


folder = begin("train_f64_tiny")
single = train(torch.float32)
modeling_llama.LlamaRMSNorm.forward = norm_in_own_type
double = train(torch.float64)
apart = max(abs(a[1] - b[1]) for a, b in zip(single, double))
assert apart < 1e-5, apart
write_json(folder / "settings.json", {"init": "llama_tiny/gqa_untied", "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "max_grad_norm": CLIP})
write_jsonl(folder / "steps.jsonl", [{"step": i + 1, "lr": LR, "input_ids": d[0], "loss_f64": d[1], "loss_f32": s[1], "grad_norm_f64": d[2]}
                                     for i, (s, d) in enumerate(zip(single, double))])
finish(folder, ["transformers", "torch"], "losses of 20 AdamW steps in float64, and in float32 beside it",
       losses_f64=[round(d[1], 4) for d in double], float32_apart=apart)
