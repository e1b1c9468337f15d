#!/usr/bin/env python3
"""Records tests/fixtures/chat_requests: what lm-eval asks with --apply_chat_template, for several templates.

Made with lm-eval 0.4.13, transformers 5.23.  lm-eval's load_dataset is pointed at documents of our own, nothing else of it is touched; the templates
are rendered by HFLM.apply_chat_template on a tokenizer that has nothing but special tokens.

  templates/NAME.jinja  templates of our own, each with what usually makes a difference: a system message of its own, none allowed, a beginning token, trimmed
                        messages, what follows the generation prompt
  tokenizer/            tokenizer.json, tokenizer_config.json: the special tokens
  docs.json             {"PLACE": [document, ...]}: PLACE.jsonl of a benchmarks folder
  requests.jsonl        {"template", "how", "task", "shots", "doc", "hashes"}: how is multi_turn or single_turn; for each request the first 16 hex digits of
                        sha256(UTF-8 of context + "\\x1f" + continuation; of GSM8K context alone).  Templates of our own by name; "trl/NAME.jinja" are those of TRL
                        1.16, which stay in its package ("template_sha256" is the file's)
"""
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

from common import begin, finish, write_json, write_jsonl

import datasets
import lm_eval.api.task
import tokenizers
import transformers
import trl
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

datasets.disable_progress_bars()
TRL = Path(trl.__file__).parent / "chat_templates"
FROM_TRL = ("llama3.jinja", "llama3_1.jinja", "llama3_2.jinja", "gemma.jinja", "gemma3.jinja", "qwen2_5.jinja", "qwen3.jinja", "smollm3.jinja", "cohere.jinja", "phi3.jinja")
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}

# Our own, in the manner of the families.
TEMPLATES = {
    "own_system": "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|open|>system\nA helper called Sol.<|close|>\n{% endif %}"
                  "<|open|>{{ m['role'] }}\n{{ m['content'] }}<|close|>\n{% endfor %}{% if add_generation_prompt %}<|open|>assistant\n{% endif %}",
    "no_system": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system messages here') }}{% endif %}"
                 "{% set who = 'model' if m['role'] == 'assistant' else m['role'] %}<turn>{{ who }}\n{{ m['content'] | trim }}</turn>\n{% endfor %}"
                 "{% if add_generation_prompt %}<turn>model\n{% endif %}",
    "trimmed": "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]\n\n{{ m['content'] | trim }}[end]{% endfor %}{% if add_generation_prompt %}[assistant]\n\n{% endif %}",
    "pairs": "{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}{{ '\n\n' }}{% elif m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
             "{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}",
    "thinking": "{% for m in messages %}<|open|>{{ m['role'] }}\n{{ m['content'] }}<|close|>\n{% endfor %}{% if add_generation_prompt %}<|open|>assistant\n<think>\n\n</think>\n\n{% endif %}",
}


def documents():
    letters = ["A", "B", "C", "D"]
    arc = lambda i, n: {"id": f"q{i}", "question": f" Which weighs {i} stones? " if i % 2 else f"Name item {i}:", "choices": {"text": [f"thing {i}{c}" for c in letters[:n]], "label": letters[:n]},
                        "answerKey": letters[i % n]}
    mmlu = lambda i: {"question": f"Where is place {i}?\n" if i % 2 else f"  Place {i} lies in", "subject": "high_school_geography", "choices": [f"north {i}", f"south {i} ", "east", "west"], "answer": i % 4}
    wino = lambda i: {"sentence": f"Ana gave Bo lamp {i} because _ asked.", "option1": "Ana", "option2": "Bo", "answer": str(1 + i % 2)}
    gsm = lambda i: {"question": f"A box holds {i} pens. How many do {i} boxes hold?", "answer": f"{i} * {i} = <<{i}*{i}={i * i}>>{i * i}\n#### {i * i}"}
    hella = lambda i: {"ind": i, "activity_label": "Boiling rice", "ctx_a": f"Cook {i} washes it.", "ctx_b": "then the cook", "ctx": "", "endings": ["waits. [step] Rests.", f"sings  song {i}", "sleeps", "leaves"],
                       "label": str(i % 4), "source_id": f"s~{i}", "split": "x", "split_type": "y"}
    truth = lambda i: {"question": f"Is {i} even?", "mc1_targets": {"choices": ["yes", "no"], "labels": [1, 0]}, "mc2_targets": {"choices": ["yes", "no", f"{i} is {i}"], "labels": [1, 0, 1]}}
    return {
        "arc_challenge": {"train": [arc(i, 4) for i in range(40)], "test": [arc(i, 3 + i % 2) for i in range(50, 53)]},
        "mmlu": {"dev": [mmlu(i) for i in range(5)], "test": [mmlu(i) for i in range(60, 63)]},
        "winogrande": {"train": [wino(i) for i in range(40)], "validation": [wino(i) for i in range(70, 73)]},
        "gsm8k": {"train": [gsm(i) for i in range(2, 40)], "test": [gsm(i) for i in range(80, 83)]},
        "hellaswag": {"train": [hella(i) for i in range(40)], "validation": [hella(i) for i in range(90, 93)]},
        "truthfulqa": {"validation": [truth(i) for i in range(3)]},
    }


# ours, lm-eval's, place, shots
TASKS = [("arc_challenge", "arc_challenge", "arc_challenge", 3), ("mmlu", "mmlu_high_school_geography", "mmlu", 2), ("winogrande", "winogrande", "winogrande", 2),
         ("gsm8k", "gsm8k", "gsm8k", 2), ("hellaswag", "hellaswag", "hellaswag", 2), ("truthfulqa_mc2", "truthfulqa_mc2", "truthfulqa", 0), ("arc_challenge", "arc_challenge", "arc_challenge", 0)]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


folder = begin("chat_requests")
docs = documents()
words = tokenizers.Tokenizer(tokenizers.models.WordLevel({token: i for i, token in enumerate(SPECIAL.values())}, unk_token="<unk>"))
words.add_special_tokens(list(SPECIAL.values()))
(folder / "tokenizer").mkdir()
words.save(str(folder / "tokenizer" / "tokenizer.json"))
write_json(folder / "tokenizer" / "tokenizer_config.json", SPECIAL)
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, **SPECIAL)
(folder / "templates").mkdir()
templates = dict(TEMPLATES)
for name, source in TEMPLATES.items():
    (folder / "templates" / f"{name}.jinja").write_text(source)
templates.update({"trl/" + name: (TRL / name).read_text() for name in FROM_TRL if (TRL / name).is_file()})

manager = TaskManager()
rows = []
for template, source in templates.items():
    tokenizer.chat_template = source
    model = SimpleNamespace(tokenizer=tokenizer, chat_template_args={})
    render = lambda history, add_generation_prompt=True: HFLM.apply_chat_template(model, history, add_generation_prompt)
    for how in ("multi_turn", "single_turn"):
        for ours, theirs, place, shots in TASKS:
            splits = datasets.DatasetDict({split: datasets.Dataset.from_list(list_) for split, list_ in docs[place].items()})
            lm_eval.api.task.datasets.load_dataset = lambda path, name=None, **_: splits
            task = manager.load_task_or_group([theirs])[theirs]
            task.set_config(key="num_fewshot", value=shots)
            task.set_fewshot_seed(seed=1234)
            task.build_all_requests(rank=0, world_size=1, apply_chat_template=True, fewshot_as_multiturn=how == "multi_turn", chat_template=render, tokenizer_name="made-up")
            asked = {}
            for instance in task.instances:
                both = instance.args[0] if isinstance(instance.args[1], dict) else instance.args[0] + "\x1f" + instance.args[1]
                asked.setdefault(instance.doc_id, []).append(digest(both))
            for doc, hashes in sorted(asked.items()):
                row = {"template": template, "how": how, "task": ours, "shots": shots, "doc": doc, "hashes": hashes}
                if template.startswith("trl/"):
                    row["template_sha256"] = hashlib.sha256(source.encode()).hexdigest()
                rows.append(row)
write_json(folder / "docs.json", {f"{place}/{split}": list_ for place, of_place in docs.items() for split, list_ in of_place.items()})
write_jsonl(folder / "requests.jsonl", rows)
finish(folder, ["lm_eval", "transformers", "jinja2", "trl"], "hashes of what lm-eval asks with --apply_chat_template, for templates of our own and TRL's", requests=len(rows),
       templates=sorted(templates))
