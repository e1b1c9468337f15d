#!/usr/bin/env python3
"""Records tests/fixtures/eval_requests: the requests lm-eval's own task code builds from made-up documents.

Made with lm-eval 0.4.13, datasets 5.2.0; lm-eval's load_dataset is pointed at the documents below, nothing else of it is touched.
Rerun: see README.md in this folder, then  python tools/record/eval_requests.py

  docs.json       place in a benchmarks folder (without its ending) -> documents of our own in each data set's schema, with what usually goes wrong
                  (edge spaces, numeric labels, three and five choices, line breaks, braces, a label mask with a true answer behind a false one)
  requests.jsonl  {"task", "part", "shots", "documents": [{"gold", "requests": [[context, continuation] or [context, {"until"}]]}]}, in document order
"""
import random

from common import begin, finish, write_json, write_jsonl

import datasets
import lm_eval.api.task
from lm_eval.tasks import TaskManager

datasets.disable_progress_bars()
SEED = 1234  # lm-eval's default fewshot_random_seed
draw = random.Random(5)


def arc(i, count=4, numeric=False):
    labels = [str(n + 1) if numeric else "ABCDE"[n] for n in range(count)]
    return {"question": f"Which of {count} is number {i}?" + "  " * (i % 2), "choices": {"text": [f"thing {i}{n}" for n in range(count)], "label": labels}, "answerKey": labels[i % count]}


def targets(count, true):
    return {"choices": [f" Edge {n} " if n == 1 else f"Answer {n}." for n in range(count)], "labels": [int(n in true) for n in range(count)]}


def truth(i, true):
    return {"question": f"Is {{{i}}} true?\nReally?", "mc1_targets": targets(3, {0}), "mc2_targets": targets(5, true)}


def gsm(i):
    return {"question": f"Ana has {i} boats and buys {i + 1}.\nHow many?  ", "answer": f"She has {i}+{i + 1}=<<{i}+{i + 1}={2 * i + 1}>>{2 * i + 1}.\n#### {2 * i + 1}"}


boolq = lambda i: {"paragraph": f"배 {i}척이 있다. ", "question": f"배가 {i}척인가요?", "label": i % 2}
copa = lambda i: {"premise": f"사람 {i}이 왔다.", "question": ["원인", "결과 "][i % 2], "alternative_1": f"{i}번이 불렀다.", "alternative_2": "비가 왔다.", "label": i % 2}
hella = lambda i: {"context": f"장면 {i}.", **{f"ending_{n}": f" 끝 {n}{i}" for n in range(1, 5)}, "label": i % 4}
senti = lambda i: {"sentence": f"별로 {i}  ", "label": i % 2}
wic = lambda i: {"word": "배", "context_1": f"[배]가 {i}", "context_2": "[배]를 먹다", "label": i % 2}
kmmlu = lambda i: {"question": f"  무엇인가 {i}?\n", "answer": i % 4 + 1, "A": "가", "B": " 나", "C": "다 ", "D": f"{i}"}
haerae = lambda i: {"query": f"다음 중 {i}는?\n(A) ㄱ\n(B) ㄴ\n(C) ㄷ\n(D) ㄹ\n(E) ㅁ\n정답:", "options": "x", "answer": f"({'ABCDE'[i % 5]})"}
many = lambda make, count, start=0: [make(i) for i in range(start, start + count)]

# task -> (lm-eval's name, part, {split: place}, {split: documents}, shots)
TASKS = {
    "arc_challenge": ("arc_challenge", "", "arc_challenge/{}", {"test": [arc(0), arc(1, 3, True), arc(2, 5), arc(3, numeric=True)], "train": many(arc, 90, 10)}, (0, 3, 25)),
    "truthfulqa_mc1": ("truthfulqa_mc1", "", "truthfulqa/mc_hf_817", {"validation": [truth(0, {0, 1}), truth(1, {0, 3}), truth(2, {1})]}, (0,)),
    "truthfulqa_mc2": ("truthfulqa_mc2", "", "truthfulqa/mc_hf_817", {"validation": [truth(0, {0, 1}), truth(1, {0, 3}), truth(2, {1})]}, (0,)),
    "gsm8k": ("gsm8k", "", "gsm8k/{}", {"test": many(gsm, 4), "train": many(gsm, 40, 10)}, (0, 5)),
    "kobest_boolq": ("kobest_boolq", "", "kobest/jsonl/boolq_{}", {"test": many(boolq, 4), "train": many(boolq, 30, 10)}, (0, 5)),
    "kobest_copa": ("kobest_copa", "", "kobest/jsonl/copa_{}", {"test": many(copa, 4), "train": many(copa, 30, 10)}, (0, 5)),
    "kobest_hellaswag": ("kobest_hellaswag", "", "kobest/jsonl/hellaswag_{}", {"test": many(hella, 4), "train": many(hella, 30, 10)}, (0, 5)),
    "kobest_sentineg": ("kobest_sentineg", "", "kobest/jsonl/sentineg_{}", {"test": many(senti, 4), "train": many(senti, 30, 10)}, (0, 5)),
    "kobest_wic": ("kobest_wic", "", "kobest/jsonl/wic_{}", {"test": many(wic, 4), "train": many(wic, 30, 10)}, (0, 5)),
    "kmmlu": ("kmmlu_criminal_law", "Criminal-Law", "kmmlu/Criminal-Law-{}", {"test": many(kmmlu, 5), "dev": many(kmmlu, 5, 10)}, (0, 5)),
    "haerae_loan_word": ("haerae_loan_word", "", "haerae/loan_words/{}", {"test": many(haerae, 12)}, (0, 3, 10)),
}


def gold(task, doc):
    value = task.doc_to_target(doc)
    if isinstance(value, str):
        choices = task.doc_to_choice(doc)
        value = int(value) if value.isdigit() else choices.index(value)
    return value


manager = TaskManager()
docs, rows = {}, []
for name, (theirs, part, place, splits, shot_counts) in TASKS.items():
    for split, documents in splits.items():
        docs[place.format(split)] = documents
    for shots in shot_counts:
        lm_eval.api.task.datasets.load_dataset = lambda *_, **__: {split: datasets.Dataset.from_list(d) for split, d in splits.items()}
        task = manager.load_task_or_group([theirs])[theirs]
        task.set_config(key="num_fewshot", value=shots)
        task.set_fewshot_seed(seed=SEED)
        task.build_all_requests(rank=0, world_size=1)
        out = {}
        for instance in task.instances:
            entry = out.setdefault(instance.doc_id, {"gold": None, "requests": []})
            if task.OUTPUT_TYPE == "multiple_choice":
                entry["gold"] = gold(task, instance.doc)
                entry["requests"].append(list(instance.args))
            else:
                entry["requests"].append([instance.args[0], {"until": instance.args[1]["until"]}])
        rows.append({"task": name, "part": part, "shots": shots, "documents": [out[i] for i in sorted(out)]})

folder = begin("eval_requests")
write_json(folder / "docs.json", docs)
write_jsonl(folder / "requests.jsonl", rows)
finish(folder, ["lm_eval", "datasets", "jinja2"], "requests of lm-eval's own task code for made-up documents", few_shot_seed=SEED)
