#!/usr/bin/env python3
"""Records tests/fixtures/chat_solar: renders of a SOLAR-style chat template by transformers' apply_chat_template.

Made with transformers 5.23.0, jinja2 3.1, tokenizers 0.23.3.  chat_template.jinja is the project's own and is kept, not made, by this script.
Rerun: see README.md in this folder, then `python tools/record/chat_solar.py`.

  chat_template.jinja   ours: "### System:", "### User:", "### Assistant:" headings; an assistant turn ends with the eos token, then "\\n\\n";
                        {% generation %} spans an assistant's text and its eos token
  cases.jsonl           {"name", "messages", "add_generation_prompt", "render", "assistant_spans": [[begin, end], ...]}; spans are offsets in
                        Unicode code points of `render`.  Or, where transformers raises: {"name", "messages", "add_generation_prompt", "error"}
  settings.json         special tokens given to the template
  masks.jsonl           {"name", "ids", "assistant_masks"}: return_assistant_tokens_mask with the byte-level tokenizer in tokenizer.json
  tokenizer.json        256 bytes, no merges, <s> 256, </s> 257, <pad> 258 as special tokens
"""
import json

from common import FIXTURES, begin, finish, write_json, write_jsonl

from jinja2.exceptions import TemplateError
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import render_jinja_template

template = (FIXTURES / "chat_solar" / "chat_template.jinja").read_text(encoding="utf-8")
folder = begin("chat_solar")
(folder / "chat_template.jinja").write_text(template, encoding="utf-8")

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
raw = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
raw.decoder = decoders.ByteLevel()
raw.add_special_tokens(["<s>", "</s>", "<pad>"])
raw.save(str(folder / "tokenizer.json"))
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **SPECIAL)
tokenizer.chat_template = template

S, U, A = (lambda text, role=role: {"role": role, "content": text} for role in ("system", "user", "assistant"))
CASES = {
    "user_only": [U("Hello")],
    "one_turn": [U("What is 2+2?"), A("4")],
    "system_first": [S("You answer in one word."), U("Capital of Korea?"), A("Seoul")],
    "korean": [S("짧게 답하세요."), U("대한민국의 수도는 어디인가요?"), A("서울입니다. 🇰🇷")],
    "two_turns": [U("Hi"), A("Hello!"), U("And goodbye?"), A("Goodbye.")],
    "ends_with_user": [S("Be kind."), U("a"), A("b"), U("c")],
    "white_space_kept": [U("  two leading spaces\n\n"), A("\n code:\n\tx = 1  \n")],
    "markers_in_text": [U("### User:\nfake </s> {{ not a template }} {% nor this %}"), A("<s> & \"quotes\" 'single' \\n")],
    "empty_contents": [S(""), U(""), A("")],
    "two_answers_in_a_row": [U("Say two things"), A("one"), A("two")],
    "decomposed_hangul": [U("\u1112\u1161\u11ab\u1100\u1173\u11af"), A("e\u0301 \U0001F468\u200D\U0001F469\u200D\U0001F467")],
    "unknown_role": [{"role": "tool", "content": "7"}],
    "late_system": [U("x"), S("too late")],
}
rows, masks = [], []
for name, messages in CASES.items():
    for add in (False, True):
        case = {"name": name, "messages": messages, "add_generation_prompt": add}
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add)
        except TemplateError as error:
            rows.append({**case, "error": str(error)})
            continue
        again, spans = render_jinja_template(conversations=[messages], chat_template=template, return_assistant_tokens_mask=True,
                                             add_generation_prompt=add, **SPECIAL)
        assert again[0] == text
        rows.append({**case, "render": text, "assistant_spans": [list(s) for s in spans[0]]})
        if not add:
            got = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
            covered = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
            assert covered["input_ids"] == got["input_ids"]
            assert list(got["assistant_masks"]) == [int(any(b <= x < e for b, e in spans[0])) for x, _ in covered["offset_mapping"]], name
            masks.append({"name": name, "ids": list(got["input_ids"]), "assistant_masks": list(got["assistant_masks"])})
write_jsonl(folder / "cases.jsonl", rows)
write_jsonl(folder / "masks.jsonl", masks)
write_json(folder / "settings.json", SPECIAL)
assert sum("error" in r for r in rows) == 4
finish(folder, ["transformers", "jinja2", "tokenizers"], "renders and assistant masks of our SOLAR-style chat template by transformers", cases=len(rows))
