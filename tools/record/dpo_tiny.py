#!/usr/bin/env python3
"""Records tests/fixtures/dpo_tiny: what TRL's DPOTrainer computes for six preference pairs, and five of its optimisation steps.

Made with trl 1.16.0, transformers 5.23.0, torch 2.15.0 (CPU, float32, eager attention, one thread).  Every figure is the trainer's own
(compute_loss and train); only its text tokenisation is skipped, since the rows are ids.  Needs tests/fixtures/llama_tiny.
Rerun: see README.md in this folder, then `python tools/record/dpo_tiny.py`.

  reference/          checkpoint of the frozen reference: the policy (llama_tiny/gqa_untied) with noise added
  pairs.jsonl         a line a pair: prompt_ids, chosen_ids, rejected_ids, policy_logps [chosen, rejected], reference_logps [same] (sums over
                      the completion), rewards [chosen, rejected], margin, loss: {objective: figure of this pair alone}
  batch.json          objective -> all six pairs in one batch: loss (mean over pairs), grad_norm (not clipped), rewards/chosen, rewards/rejected,
                      rewards/margins, rewards/accuracies, logps/chosen, logps/rejected
  batch_grads.safetensors   gradient of every parameter for `sigmoid` over all six pairs
  steps.jsonl         five AdamW steps of DPOTrainer.train() with `sigmoid`, two pairs each in file order: step, pairs, lr, loss, grad_norm (before
                      clipping), and TRL's metrics
  final.safetensors   the policy after them;  settings.json   beta, optimiser and the objectives' formulas
"""
import json
import shutil
import tempfile

from common import FIXTURES, begin, finish, fixed_torch, random_ids, write_json, write_jsonl

torch = fixed_torch()
from datasets import Dataset, disable_progress_bars
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import DPOConfig, DPOTrainer

disable_progress_bars()
BETA, LR, STEPS, BATCH, SMOOTHING = 0.1, 5e-4, 5, 2, 0.1
POLICY = FIXTURES / "llama_tiny" / "gqa_untied"
METRICS = ("rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected")
# TRL 1.16 applies label_smoothing to some losses only, and not to `sigmoid`.  Its `aot` sorts log-ratios across the batch; on one pair nothing is
# sorted, and it is the smoothed sigmoid (conservative DPO).  So that objective is recorded pair by pair and the batch is the pairs' mean.
OBJECTIVES = {
    "sigmoid": dict(loss_type=["sigmoid"]),
    "sigmoid_smoothed": dict(loss_type=["aot"], label_smoothing=SMOOTHING),
    "robust": dict(loss_type=["robust"], label_smoothing=SMOOTHING),
    "ipo": dict(loss_type=["ipo"]),
    "hinge": dict(loss_type=["hinge"]),
}
ONE_BY_ONE = {"sigmoid_smoothed"}
FORMULAS = {
    "symbols": "d = (log-ratio of chosen) - (log-ratio of rejected), each log-ratio = policy_logps - reference_logps; b = beta; e = label_smoothing",
    "sigmoid": "-log sigmoid(b d)",
    "sigmoid_smoothed": "-(1 - e) log sigmoid(b d) - e log sigmoid(-b d)",
    "robust": "(-(1 - e) log sigmoid(b d) + e log sigmoid(-b d)) / (1 - 2 e)",
    "ipo": "(chosen log-ratio / chosen tokens - rejected log-ratio / rejected tokens - 1 / (2 b)) ** 2",
    "hinge": "max(0, 1 - b d)",
}

folder = begin("dpo_tiny")
reference = LlamaForCausalLM.from_pretrained(POLICY, dtype=torch.float32)
draw = torch.Generator().manual_seed(77)
with torch.no_grad():
    for weight in reference.parameters():
        weight.add_(0.05 * torch.randn(weight.shape, generator=draw))
reference.save_pretrained(folder / "reference")

rows = [{"prompt_ids": random_ids(300 + i, p), "chosen_ids": random_ids(400 + i, c) + [2], "rejected_ids": random_ids(500 + i, r) + [2]}
        for i, (p, c, r) in enumerate([(4, 6, 9), (11, 3, 3), (7, 14, 5), (1, 8, 12), (19, 1, 10), (6, 20, 17)])]


class IdRows(DPOTrainer):
    """DPOTrainer on rows that are ids already; keeps the losses it computes."""

    def _prepare_dataset(self, dataset, *_):
        return dataset

    def compute_loss(self, *args, **kwargs):
        loss = super().compute_loss(*args, **kwargs)
        self.__dict__.setdefault("losses", []).append(loss.item())
        return loss


def load(path):
    return LlamaForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")


vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, **{f"t{i}": i for i in range(3, 97)}}


def trainer(callbacks=(), **options):
    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>")), pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    arguments = DPOConfig(output_dir=scratch, use_cpu=True, per_device_train_batch_size=BATCH, max_steps=STEPS, learning_rate=LR,
                          lr_scheduler_type="constant", weight_decay=0.0, adam_beta1=0.9, adam_beta2=0.95, adam_epsilon=1e-8, max_grad_norm=1.0,
                          beta=BETA, max_length=None, logging_steps=1, report_to=[], save_strategy="no", bf16=False, gradient_checkpointing=False,
                          disable_dropout=True, train_sampling_strategy="sequential", disable_tqdm=True, seed=0, **options)
    return IdRows(model=load(POLICY), ref_model=load(folder / "reference"), args=arguments, train_dataset=Dataset.from_list(rows),
                  processing_class=words, callbacks=list(callbacks))


def gradients(model):
    return {n: p.grad.detach().clone().contiguous() for n, p in model.named_parameters()}


def norm(grads):
    return torch.nn.utils.get_total_norm(list(grads.values())).item()


def measure(run, chosen_rows, scale=1.0):
    """Loss and metrics of one batch; its gradient is added to the model's."""
    run._metrics["train"].clear()
    loss = run.compute_loss(run.model, run.data_collator(chosen_rows))
    (loss * scale).backward()
    return {"loss": loss.item(), **{k: run._metrics["train"][k][0] for k in METRICS}}


scratch = tempfile.mkdtemp(prefix="dpo-tiny-")
batch = {}
pairs = [{**row, "loss": {}} for row in rows]
for objective, options in OBJECTIVES.items():
    run = trainer(**options)
    run.model.train()
    singles = [measure(run, [row], 1 / len(rows)) for row in rows]
    summed = gradients(run.model)
    run.model.zero_grad()
    for pair, single, row in zip(pairs, singles, rows):
        pair["loss"][objective] = single["loss"]
        if objective == "sigmoid":
            # the trainer reports each sum with a batch of one: exact figures of this pair
            both = [single["logps/chosen"], single["logps/rejected"]]
            rewards = [single["rewards/chosen"], single["rewards/rejected"]]
            known = [x.item() for x in run.compute_ref_log_probs(run.ref_model, run.data_collator([row]))]
            pair.update(policy_logps=both, reference_logps=known, rewards=rewards, margin=single["rewards/margins"])
            for p, r, w in zip(both, known, rewards):
                assert abs(BETA * (p - r) - w) < 1e-5
    if objective in ONE_BY_ONE:
        batch[objective] = {"loss": sum(s["loss"] for s in singles) / len(rows), "grad_norm": norm(summed), **{k: sum(s[k] for s in singles) / len(rows) for k in METRICS}}
        continue
    whole = measure(run, rows)
    grads = gradients(run.model)
    if objective == "sigmoid":
        save_file(grads, folder / "batch_grads.safetensors")
    assert abs(whole["loss"] - sum(s["loss"] for s in singles) / len(rows)) < 1e-4 * max(1, whole["loss"])
    assert max((grads[k] - summed[k]).abs().max().item() for k in grads) < 1e-4 * max(1, whole["loss"]), "a padded batch is the mean of its pairs"
    batch[objective] = {"loss": whole["loss"], "grad_norm": norm(grads), **{k: whole[k] for k in METRICS}}
write_jsonl(folder / "pairs.jsonl", pairs)
write_json(folder / "batch.json", batch)
assert 0 < batch["sigmoid"]["rewards/accuracies"] < 1

logged = []


class Keep(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **_):
        if "grad_norm" in logs:
            logged.append(dict(logs))


run = trainer([Keep()], loss_type=["sigmoid"])
run.train()
assert len(run.losses) == STEPS == len(logged)
write_jsonl(folder / "steps.jsonl", [
    {"step": i + 1, "pairs": [(i * BATCH + k) % len(rows) for k in range(BATCH)], "lr": LR, "loss": loss, "grad_norm": float(log["grad_norm"]),
     **{k: log[k] for k in METRICS}} for i, (loss, log) in enumerate(zip(run.losses, logged))])
save_file({n: p.detach().clone().contiguous() for n, p in run.model.named_parameters()}, folder / "final.safetensors")
write_json(folder / "settings.json", {
    "policy": "llama_tiny/gqa_untied", "reference": "dpo_tiny/reference", "beta": BETA, "label_smoothing": SMOOTHING, "formulas": FORMULAS,
    "optimizer": {"name": "AdamW", "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.0, "lr": LR, "schedule": "constant", "max_grad_norm": 1.0},
    "ipo_tokens": "number of completion ids of the pair, the final eos included"})
shutil.rmtree(scratch)
finish(folder, ["trl", "transformers", "torch", "accelerate", "datasets"], "losses, rewards, gradients and steps of TRL's DPOTrainer on pre-tokenised pairs",
       path="DPOTrainer.compute_loss, DPOTrainer.compute_ref_log_probs and DPOTrainer.train; only _prepare_dataset (text to ids) is bypassed",
       label_smoothing="TRL 1.16 ignores label_smoothing for `sigmoid`; sigmoid_smoothed is its `aot` on one pair at a time, the same formula",
       step_losses=[round(x, 5) for x in run.losses], clipped_steps=sum(float(l["grad_norm"]) > 1.0 for l in logged))
