#!/usr/bin/env python3
"""Records tests/fixtures/lora_tiny: five AdamW steps of PEFT's LoRA on the rows of tests/fixtures/train_tiny, and the merged model's loss.

Made with peft 0.21.2, transformers 5.23.0, torch 2.15.0 (CPU, float32, eager attention, one thread).  Base llama_tiny/gqa_untied.
Rerun: see README.md in this folder, then `python tools/record/lora_tiny.py` (after train_tiny.py).

  start.safetensors, final.safetensors   the adapter before and after, by PEFT's names
  steps.jsonl      step, loss, grad_norm (not clipped), lr;  settings.json  rank, alpha, targets, optimiser, merged_loss
"""
import json

from common import FIXTURES, begin, finish, fixed_torch, write_json, write_jsonl

torch = fixed_torch(5)
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import LlamaForCausalLM

RANK, ALPHA, LR, STEPS, TARGETS = 4, 12, 2e-2, 5, ["q_proj", "down_proj"]
folder = begin("lora_tiny")
model = LlamaForCausalLM.from_pretrained(FIXTURES / "llama_tiny" / "gqa_untied", dtype=torch.float32, attn_implementation="eager")
model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, lora_dropout=0.0, task_type="CAUSAL_LM"))
model.train()


def adapter():
    return {k: v.detach().clone().contiguous() for k, v in get_peft_model_state_dict(model).items()}


save_file(adapter(), folder / "start.safetensors")
rows = [json.loads(line) for line in (FIXTURES / "train_tiny" / "pretrain_steps.jsonl").read_text().splitlines()][:STEPS]
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=LR, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
steps = []
for row in rows:
    ids = torch.tensor(row["input_ids"])
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in trained]).item()
    optimizer.step()
    optimizer.zero_grad()
    steps.append({"step": row["step"], "loss": loss.item(), "grad_norm": norm, "lr": LR})
save_file(adapter(), folder / "final.safetensors")
merged = model.merge_and_unload()
with torch.no_grad():
    ids = torch.tensor(rows[0]["input_ids"])
    merged_loss = merged(input_ids=ids, labels=ids).loss.item()
write_jsonl(folder / "steps.jsonl", steps)
write_json(folder / "settings.json", {"rank": RANK, "alpha": ALPHA, "targets": TARGETS, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1, "merged_loss": merged_loss})
finish(folder, ["peft", "transformers", "torch"], "steps of PEFT's LoRA", losses=[round(s["loss"], 5) for s in steps])
