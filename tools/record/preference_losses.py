#!/usr/bin/env python3
"""Records tests/fixtures/preference_losses: every preference loss of TRL on the six pairs of tests/fixtures/dpo_tiny, as one batch.

Made with trl 1.16.0, transformers 5.23.0, torch 2.15.0 (CPU, float32, eager attention, one thread).  Policy llama_tiny/gqa_untied, reference
dpo_tiny/reference.  DPO's and KTO's figures are their trainers' compute_loss on ids; CPO's and ORPO's their get_batch_loss_metrics, with the
batch their collator would make of the ids.
Rerun: see README.md in this folder, then `python tools/record/preference_losses.py` (after dpo_tiny.py).

  cases.jsonl   a line a case: name, loss (as `helio align --loss`), options, loss_value, grad_norm (not clipped), metrics
"""
import json
import shutil
import tempfile
from collections import defaultdict
from types import SimpleNamespace

from common import FIXTURES, begin, finish, fixed_torch, write_jsonl

torch = fixed_torch()
from datasets import Dataset, disable_progress_bars
from tokenizers import Tokenizer, models
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

disable_progress_bars()
folder = begin("preference_losses")
DPO_TINY = FIXTURES / "dpo_tiny"
pairs = [json.loads(line) for line in (DPO_TINY / "pairs.jsonl").read_text().splitlines()]
rows = [{k: p[k] for k in ("prompt_ids", "chosen_ids", "rejected_ids")} for p in pairs]
scratch = tempfile.mkdtemp(prefix="preference-losses-")
METRICS = ("rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected", "kl", "nll_loss")


def load(path):
    return LlamaForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()


def policy():
    return load(FIXTURES / "llama_tiny" / "gqa_untied")


vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, **{f"t{i}": i for i in range(3, 97)}}
words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>")), pad_token="<pad>", bos_token="<s>", eos_token="</s>")
COMMON = dict(output_dir=scratch, use_cpu=True, per_device_train_batch_size=12, report_to=[], bf16=False, gradient_checkpointing=False,
              max_length=None, disable_tqdm=True, train_sampling_strategy="sequential")


class DpoRows(DPOTrainer):
    def _prepare_dataset(self, dataset, *_):
        return dataset


class KtoRows(KTOTrainer):
    def _prepare_dataset(self, dataset, *_):
        return dataset


def grad_norm(model):
    return torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None]).item()


def through_trainer(trainer, given):
    trainer.model.train()
    trainer._metrics["train"].clear()
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(given))
    loss.backward()
    return loss.item(), grad_norm(trainer.model), {k: v[0] for k, v in trainer._metrics["train"].items() if k in METRICS}


def dpo(**options):
    arguments = DPOConfig(**COMMON, **options)
    return through_trainer(DpoRows(model=policy(), ref_model=load(DPO_TINY / "reference"), args=arguments, train_dataset=Dataset.from_list(rows),
                                   processing_class=words), rows)


def kto(**options):
    given = []
    for i, row in enumerate(rows):
        other = rows[i - 1]
        for side, label in (("chosen_ids", True), ("rejected_ids", False)):
            given.append({"prompt_ids": row["prompt_ids"], "completion_ids": row[side], "KL_completion_ids": other[side], "label": label})
    if options["loss_type"] != "kto":
        given = [{k: v for k, v in g.items() if k != "KL_completion_ids"} for g in given]
    arguments = KTOConfig(**COMMON, **options)
    return through_trainer(KtoRows(model=policy(), ref_model=load(DPO_TINY / "reference"), args=arguments, train_dataset=Dataset.from_list(given),
                                   processing_class=words), given)


def padded(sequences, value):
    length = max(map(len, sequences))
    return torch.tensor([s + [value] * (length - len(s)) for s in sequences])


def bare(kind, **attributes):
    """A CPO or ORPO trainer with only what its loss reads."""
    trainer = object.__new__(kind)
    trainer.accelerator = SimpleNamespace(device=torch.device("cpu"), gather_for_metrics=lambda x: x)
    base = dict(is_encoder_decoder=False, pad_token_id=0, padding_value=0, aux_loss_enabled=False, beta=0.1, label_smoothing=0.0, alpha=0.0,
                label_pad_token_id=-100, cpo_alpha=1.0, simpo_gamma=0.5, loss_type="sigmoid", max_length=None)
    for name, value in {**base, **attributes}.items():
        setattr(trainer, name, value)
    batch = {}
    for side in ("chosen", "rejected"):
        ids = [row["prompt_ids"] + row[f"{side}_ids"] for row in rows]
        batch[f"{side}_input_ids"] = padded(ids, 0)
        batch[f"{side}_attention_mask"] = padded([[1] * len(s) for s in ids], 0)
        batch[f"{side}_labels"] = padded([[-100] * len(row["prompt_ids"]) + row[f"{side}_ids"] for row in rows], -100)
    model = policy()
    loss, metrics = trainer.get_batch_loss_metrics(model, batch, train_eval="train")
    loss.backward()
    return loss.item(), grad_norm(model), {k: float(v) for k, v in metrics.items() if k in METRICS}


cases = []


def add(name, loss, got, **options):
    value, norm, metrics = got
    cases.append({"name": name, "loss": loss, "options": options, "loss_value": value, "grad_norm": norm, "metrics": metrics})


for loss in ("sigmoid", "hinge", "ipo", "nca_pair", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm"):
    add(loss, loss, dpo(loss_type=[loss], beta=0.1), beta=0.1)
    add(loss + " beta 0.7", loss, dpo(loss_type=[loss], beta=0.7), beta=0.7)
for loss, e in (("exo_pair", 1e-3), ("exo_pair", 0.2), ("robust", 0.1), ("aot", 0.2), ("aot_unpaired", 0.2)):
    add(f"{loss} e {e}", loss, dpo(loss_type=[loss], beta=0.3, label_smoothing=e), beta=0.3, label_smoothing=e)
add("discopop tau 0.5", "discopop", dpo(loss_type=["discopop"], beta=0.3, discopop_tau=0.5), beta=0.3, discopop_tau=0.5)
for divergence in ("forward_kl", "js_divergence", "alpha_divergence"):
    for loss in ("sigmoid", "ipo"):
        more = dict(f_alpha_divergence_coef=0.6) if divergence == "alpha_divergence" else {}
        add(f"{loss} {divergence}", loss, dpo(loss_type=[loss], beta=0.2, f_divergence_type=divergence, **more), beta=0.2, f_divergence=divergence,
            **({"f_alpha": 0.6} if more else {}))
add("RPO", "sigmoid+0.5*sft", dpo(loss_type=["sigmoid", "sft"], loss_weights=[1.0, 0.5], beta=0.1), beta=0.1)
add("MPO", "0.8*sigmoid+0.2*bco_pair+sft", dpo(loss_type=["sigmoid", "bco_pair", "sft"], loss_weights=[0.8, 0.2, 1.0], beta=0.1), beta=0.1)
add("kto", "kto", kto(loss_type="kto", beta=0.1), beta=0.1)
add("kto weights", "kto", kto(loss_type="kto", beta=0.4, desirable_weight=1.3, undesirable_weight=0.7), beta=0.4, desirable_weight=1.3, undesirable_weight=0.7)
add("apo_zero_unpaired", "apo_zero_unpaired", kto(loss_type="apo_zero_unpaired", beta=0.4), beta=0.4)
add("cpo", "cpo", bare(CPOTrainer), beta=0.1)
add("cpo e 0.1", "cpo", bare(CPOTrainer, label_smoothing=0.1, cpo_alpha=0.5, beta=0.3), beta=0.3, label_smoothing=0.1, cpo_alpha=0.5)
add("simpo", "simpo", bare(CPOTrainer, loss_type="simpo", cpo_alpha=0.0, beta=2.0, simpo_gamma=0.8), beta=2.0, simpo_gamma=0.8)
add("simpo e 0.1", "simpo", bare(CPOTrainer, loss_type="simpo", cpo_alpha=0.0, beta=2.0, label_smoothing=0.1), beta=2.0, label_smoothing=0.1)
add("CPO-SimPO", "simpo+sft", bare(CPOTrainer, loss_type="simpo", cpo_alpha=1.0, beta=2.0), beta=2.0)
add("orpo", "orpo", bare(ORPOTrainer, beta=0.1), beta=0.1)
add("orpo beta 0.8", "orpo", bare(ORPOTrainer, beta=0.8), beta=0.8)
write_jsonl(folder / "cases.jsonl", cases)
shutil.rmtree(scratch)
finish(folder, ["trl", "transformers", "torch", "accelerate", "datasets"], "losses, metrics and gradient norms of TRL's preference trainers on dpo_tiny's pairs",
       cases=len(cases), sigmoid="TRL 1.16 ignores label_smoothing for `sigmoid`; smoothed sigmoid is recorded in dpo_tiny",
       kto="KL from each prompt with the answer of the pair before it")
