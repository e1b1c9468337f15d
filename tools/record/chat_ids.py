#!/usr/bin/env python3
"""Records tests/fixtures/chat_ids: ids and masks of conversations by transformers, and prompts and answers of pairs as TRL's DPOTrainer splits them.

Made with transformers 5.23.0, trl 1.16.0, torch 2.15.0.  Templates are this project's own (below); the tokenizer is byte-level with the merges of
tests/fixtures/bpe/split and ChatML's two tokens, so that tokens may lie across borders.
Rerun: see README.md in this folder, then `python tools/record/chat_ids.py`.

  templates.json   name -> template;  special.json  special tokens
  tokenizer.json
  masks.jsonl      {"template", "messages", "ids", "mask"}: apply_chat_template(return_assistant_tokens_mask=True, return_dict=True)
  pairs.jsonl      {"template" ("" for plain texts), "prompt", "chosen", "rejected", "prompt_ids", "chosen_ids", "rejected_ids"}: columns that
                   DPOTrainer makes of the texts, without cutting
"""
import json
import shutil
import tempfile

from common import FIXTURES, begin, finish, fixed_torch, tiny_llama, write_json, write_jsonl

torch = fixed_torch()
from datasets import Dataset, disable_progress_bars
from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

disable_progress_bars()
MARKED = """{%- for m in messages -%}
{{- '<|im_start|>' + m['role'] + '\\n' -}}
{%- if m['role'] == 'assistant' -%}{%- generation -%}{{- m['content'] + '<|im_end|>' -}}{%- endgeneration -%}{{- '\\n' -}}
{%- else -%}{{- m['content'] + '<|im_end|>\\n' -}}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""
UNMARKED = """{%- for m in messages -%}{{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' -}}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""
BRACKETS = """{%- for m in messages -%}{%- if m['role'] == 'user' -%}{{- '[INST] ' + m['content'] + ' [/INST]' -}}
{%- else -%}{{- ' ' + m['content'] + eos_token -}}{%- endif -%}{%- endfor -%}"""
# The generation prompt opens a block that answers are written without.
DIVERGES = """{%- for m in messages -%}{{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' -}}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n<think>\\n' -}}{%- endif -%}"""
TEMPLATES = {"marked": MARKED, "unmarked": UNMARKED, "brackets": BRACKETS, "diverges": DIVERGES}
SPECIAL = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}

folder = begin("chat_ids")
raw = Tokenizer.from_file(str(FIXTURES / "bpe" / "split" / "tokenizer.json"))
raw.add_special_tokens([AddedToken("<|im_start|>", special=True, normalized=False), AddedToken("<|im_end|>", special=True, normalized=False)])
raw.save(str(folder / "tokenizer.json"))
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **SPECIAL)

U, A, S = (lambda text, role=role: {"role": role, "content": text} for role in ("user", "assistant", "system"))
CONVERSATIONS = [
    [U("What is 2+2?"), A("4")],
    [S("짧게 답하세요."), U("대한민국의 수도는 어디인가요?"), A("서울입니다. 🇰🇷")],
    [U("Hi"), A("Hello!"), U("And goodbye?"), A("Goodbye.")],
    [U("  spaces "), A("\n code:\n\tx = 1  \n")],
    [U("one"), A("two"), A("three")],
    [U("only a question")],
    [U("empty"), A("")],
]
masks = []
for name in ("marked",):
    tokenizer.chat_template = TEMPLATES[name]
    for messages in CONVERSATIONS:
        got = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
        masks.append({"template": name, "messages": messages, "ids": list(got["input_ids"]), "mask": list(got["assistant_masks"])})
write_jsonl(folder / "masks.jsonl", masks)

PAIRS = [
    ([U("What is 2+2?")], "4", "five"),
    ([S("짧게"), U("수도는?")], "서울", "  부산입니다"),
    ([U("Hi"), A("Hello!"), U("And?")], "\nGoodbye.", "No."),
]
PLAIN = [("Q: What is 2+2?\nA:", " 4", " five"), ("The cap", "ital of Korea", "tain"), ("수도는 ", "서울", "부산<|endoftext|>")]
scratch = tempfile.mkdtemp(prefix="chat-ids-")
model = tiny_llama(1, vocab_size=len(tokenizer))
rows = []


def split(dataset):
    arguments = DPOConfig(output_dir=scratch, use_cpu=True, bf16=False, gradient_checkpointing=False, max_length=None, report_to=[], disable_tqdm=True)
    return DPOTrainer(model=model, ref_model=tiny_llama(1, vocab_size=len(tokenizer)), args=arguments, train_dataset=Dataset.from_list(dataset),
                      processing_class=tokenizer).train_dataset


for name in ("unmarked", "brackets", "diverges"):
    tokenizer.chat_template = TEMPLATES[name]
    pairs = [p for p in PAIRS if name != "brackets" or p[0][0]["role"] != "system"]
    given = [{"prompt": p, "chosen": [A(c)], "rejected": [A(r)]} for p, c, r in pairs]
    for (p, c, r), made in zip(pairs, split(given)):
        rows.append({"template": name, "prompt": p, "chosen": c, "rejected": r, **{k: made[k] for k in ("prompt_ids", "chosen_ids", "rejected_ids")}})
for (p, c, r), made in zip(PLAIN, split([{"prompt": p, "chosen": c, "rejected": r} for p, c, r in PLAIN])):
    rows.append({"template": "", "prompt": [U(p)], "chosen": c, "rejected": r, **{k: made[k] for k in ("prompt_ids", "chosen_ids", "rejected_ids")}})
write_jsonl(folder / "pairs.jsonl", rows)
write_json(folder / "templates.json", TEMPLATES)
write_json(folder / "special.json", SPECIAL)
shutil.rmtree(scratch)
finish(folder, ["transformers", "trl", "jinja2", "tokenizers", "torch"], "ids, assistant masks and prompt/answer splits by transformers and TRL",
       masks=len(masks), pairs=len(rows))
