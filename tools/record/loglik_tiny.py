#!/usr/bin/env python3
"""Records tests/fixtures/loglik_tiny: summed log-probability and greediness of continuations under llama_tiny/gqa_untied.

Made with lm-eval 0.4.13 (its HFLM._loglikelihood_tokens, the code behind every multiple-choice score), transformers 5.23.0, torch 2.15.0
(CPU, float32).  Each figure is checked here against a plain transformers forward pass.  Needs tests/fixtures/llama_tiny.
Rerun: see README.md in this folder, then `python tools/record/loglik_tiny.py`.

  pairs.jsonl   {"context": [ids], "continuation": [ids], "logprob": sum of log softmax, natural log, "is_greedy": true|false}
  settings.json checkpoint, max_length of the model (a longer input loses ids on its left)
"""
import json
import types

from common import FIXTURES, begin, finish, fixed_torch, random_ids, write_json, write_jsonl

torch = fixed_torch()
from lm_eval.models.huggingface import HFLM
from transformers import LlamaForCausalLM

CHECKPOINT = FIXTURES / "llama_tiny" / "gqa_untied"
MAX_LENGTH = 48
model = LlamaForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32, attn_implementation="eager").eval()


def greedy(context, length):
    ids = list(context)
    with torch.no_grad():
        for _ in range(length):
            ids.append(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax().item())
    return ids[len(context):]


def direct(context, continuation):
    ids = (context + continuation)[-(MAX_LENGTH + 1):]
    with torch.no_grad():
        logp = model(input_ids=torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)[-len(continuation):]
    target = torch.tensor(continuation)
    return logp.gather(1, target[:, None]).sum().item(), bool((logp.argmax(-1) == target).all())


pairs = []
for i, (n, m) in enumerate([(1, 1), (5, 1), (5, 4), (12, 1), (12, 7), (30, 3), (44, 10), (47, 1)]):  # 44 + 10 is cut on its left
    pairs.append((random_ids(900 + i, n), random_ids(950 + i, m)))
first = random_ids(980, 9)
pairs.append((first, greedy(first, 4)))
second = greedy(first, 3)
pairs.append((first, second[:2] + [(second[2] + 1) % 97]))  # all but the last id greedy
pairs.append((pairs[4][0], greedy(pairs[4][0], 1)))  # shares its context with another pair

# HFLM wants a tokenizer only for text; ids go straight to _loglikelihood_tokens
stand_in = types.SimpleNamespace(vocab_size=97, eos_token_id=2, bos_token_id=1, pad_token_id=0, model_max_length=MAX_LENGTH, name_or_path="none")
harness = HFLM.__new__(HFLM)
harness.__dict__.update(dict(_model=model, tokenizer=stand_in, _max_length=MAX_LENGTH, batch_size_per_gpu=4, batch_sizes={}, _device=torch.device("cpu"),
                             backend="causal", logits_cache=True, _rank=0, _world_size=1, max_batch_size=4, batch_schedule=1,
                             softmax_dtype=None, mixed_precision_dtype=None, _config=model.config, truncation=False))
from lm_eval.api.model import CacheHook
harness.cache_hook = CacheHook(None)
answers = harness._loglikelihood_tokens([(("", ""), c, t) for c, t in pairs], disable_tqdm=True)
rows, worst = [], 0.0
for (context, continuation), (logprob, is_greedy) in zip(pairs, answers):
    plain = direct(context, continuation)
    assert plain[1] == bool(is_greedy), (context, continuation)
    worst = max(worst, abs(plain[0] - logprob))
    rows.append({"context": context, "continuation": continuation, "logprob": float(logprob), "is_greedy": bool(is_greedy)})
assert worst < 1e-4, worst
assert any(r["is_greedy"] for r in rows) and not all(r["is_greedy"] for r in rows)
folder = begin("loglik_tiny")
write_jsonl(folder / "pairs.jsonl", rows)
write_json(folder / "settings.json", {"checkpoint": "llama_tiny/gqa_untied", "max_length": MAX_LENGTH,
                                      "input_rule": "(context + continuation)[-(max_length + 1):][:-1]; the last len(continuation) positions are scored"})
finish(folder, ["lm_eval", "transformers", "torch"], "lm-eval's log-likelihoods of id pairs",
       path="lm_eval.models.huggingface.HFLM._loglikelihood_tokens with a stand-in for the tokenizer", largest_difference_from_plain_forward=float(f"{worst:.3g}"))
