#!/usr/bin/env python3
"""helio eval run beside lm-evaluation-harness's `hf` backend: the same items, model, examples, dtype and threads.

  nice /work/venv/bin/python bench/peers/eval_vs_lm_eval.py --helio build/release/bin/helio --model /tmp/lmeval/smol \\
      --benchmarks /work/shared/data/benchmarks --tasks arc_challenge@25 truthfulqa_mc2@0 --limit 8

Prints for each task the CPU seconds (user) of both, their ratio, peak memory, the largest difference of a log-likelihood and how many items
are judged alike.  lm-eval's time is that of simple_evaluate alone (no imports, no model loading); ours is that of the whole process.
lm-eval's load_dataset is pointed at the local files; nothing else of it is touched.  HellaSwag's examples come from its validation split,
Winogrande's from train_l, on both sides.  MMLU takes --limit items of each subject.
"""
import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# ours -> (lm-eval's, {split: file})
TASKS = {
    "arc_challenge": ("arc_challenge", {"test": "arc_challenge/test", "train": "arc_challenge/train"}),
    "hellaswag_val_pool": ("hellaswag", {"validation": "hellaswag/validation", "train": "hellaswag/validation"}),
    "winogrande_train_l": ("winogrande", {"validation": "winogrande/validation", "train": "winogrande/raw/train_l"}),
    "truthfulqa_mc2": ("truthfulqa_mc2", {"validation": "truthfulqa/mc_hf_817"}),
    "mmlu": ("mmlu", {"test": "mmlu/test", "dev": "mmlu/dev"}),
    "gsm8k": ("gsm8k", {"test": "gsm8k/test", "train": "gsm8k/train"}),
    "kobest_boolq": ("kobest_boolq", {"test": "kobest/jsonl/boolq_test", "train": "kobest/jsonl/boolq_train"}),
    "kobest_copa": ("kobest_copa", {"test": "kobest/jsonl/copa_test", "train": "kobest/jsonl/copa_train"}),
    "kobest_hellaswag": ("kobest_hellaswag", {"test": "kobest/jsonl/hellaswag_test", "train": "kobest/jsonl/hellaswag_train"}),
    "kobest_sentineg": ("kobest_sentineg", {"test": "kobest/jsonl/sentineg_test", "train": "kobest/jsonl/sentineg_train"}),
    "kobest_wic": ("kobest_wic", {"test": "kobest/jsonl/wic_test", "train": "kobest/jsonl/wic_train"}),
}


def rows(benchmarks, name):
    with gzip.open(Path(benchmarks) / (name + ".jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def peer(task, shots, options):
    """Runs lm-eval in this process; prints one JSON object."""
    import datasets
    import lm_eval
    import lm_eval.api.task
    import torch
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(options.threads)
    datasets.disable_progress_bars()
    theirs, splits = TASKS[task]
    files = {split: rows(options.benchmarks, name) for split, name in splits.items()}

    def load(path, name=None, **_):
        pick = lambda split: [r for r in files[split] if task != "mmlu" or r["subject"] == name]
        return datasets.DatasetDict({split: datasets.Dataset.from_list(pick(split)) for split in files})

    lm_eval.api.task.datasets.load_dataset = load
    model = HFLM(pretrained=options.model, dtype="float32", batch_size=options.peer_batch, device="cpu")
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    out = lm_eval.simple_evaluate(model=model, tasks=[theirs], num_fewshot=shots, limit=options.limit, bootstrap_iters=0, log_samples=True,
                                  apply_chat_template=options.apply_chat_template != "no", fewshot_as_multiturn=options.apply_chat_template == "multi_turn")
    after = resource.getrusage(resource.RUSAGE_SELF)
    samples = {}
    for name, entries in out["samples"].items():
        for s in entries:
            key = (name.removeprefix("mmlu_") + "/" if task == "mmlu" else "") + str(s["doc_id"])
            if task == "gsm8k":  # a sample for each filter, of one text
                text = s["resps"][0][0]
                score = float(s["exact_match"]) if s["filter"] == "strict-match" else samples.get(key, {}).get("score", 0.0)
                samples[key] = {"log_probs": [], "text": text, "score": score}
                continue
            metric = "acc_norm" if "acc_norm" in s and not task.startswith("kobest") else "acc"
            samples[key] = {"log_probs": [float(r[0][0]) for r in s["resps"]], "score": float(s[metric])}
    print(json.dumps({"user": after.ru_utime - before.ru_utime, "wall": time.monotonic() - start, "peak_mb": after.ru_maxrss / 1024, "samples": samples}))


def ours(task, shots, options):
    with tempfile.TemporaryDirectory() as folder:
        limit = ["--limit-per-subject" if task == "mmlu" else "--limit", str(options.limit)]
        command = [options.helio, "eval", "run", options.model, "--tasks", f"{task}@{shots}", "--benchmarks", options.benchmarks, *limit,
                   "--threads", str(options.threads), "--batch-tokens", str(options.batch_tokens), "--out", folder + "/out"]
        if options.apply_chat_template != "no":
            command += ["--apply-chat-template", options.apply_chat_template]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        peak = [0]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_WAIT_POLICY": "passive"})
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
                peak[0] = max([peak[0]] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
            except (FileNotFoundError, ProcessLookupError):
                pass
            time.sleep(0.05)
        if process.returncode:
            sys.exit(f"{' '.join(command)} gave {process.returncode}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        samples = {}
        for file in Path(folder, "out", "samples").iterdir():
            for line in file.read_text().split("\n"):
                if not line:
                    continue
                s = json.loads(line)
                if task == "gsm8k":
                    samples[s["doc"]] = {"log_probs": [], "text": s["response"], "score": float(s["correct"])}
                    continue
                score = s.get("true_share", s.get("correct_norm", s.get("correct")))
                samples[s["doc"]] = {"log_probs": s["log_probs"], "score": float(s["correct"] if task.startswith("kobest") else score)}
        return {"user": after.ru_utime - before.ru_utime, "wall": time.monotonic() - start, "peak_mb": peak[0] / 1024, "samples": samples}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--helio", default="build/release/bin/helio")
    parser.add_argument("--model", required=True)
    parser.add_argument("--benchmarks", required=True)
    parser.add_argument("--tasks", nargs="+", default=["arc_challenge@25", "hellaswag_val_pool@10", "mmlu@5", "truthfulqa_mc2@0", "winogrande_train_l@5"])
    parser.add_argument("--limit", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--peer-batch", default="8")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--apply-chat-template", choices=["no", "multi_turn", "single_turn"], default="no")
    parser.add_argument("--peer")
    options = parser.parse_args()
    if options.peer:
        return peer(*options.peer.split("@")[:1], int(options.peer.split("@")[1]), options)
    sums = [0, 0]
    for wanted in options.tasks:
        task, shots = wanted.split("@")
        a = b = None
        for _ in range(options.rounds):
            mine = ours(task, int(shots), options)
            run = subprocess.run([sys.executable, __file__, *[x for x in sys.argv[1:]], "--peer", wanted], capture_output=True, text=True,
                                 env={**os.environ, "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"})
            if run.returncode:
                sys.exit(run.stderr[-2000:])
            theirs = json.loads(run.stdout.strip().split("\n")[-1])
            a = mine if a is None or mine["user"] < a["user"] else a
            b = theirs if b is None or theirs["user"] < b["user"] else b
        assert a["samples"].keys() == b["samples"].keys(), (sorted(a["samples"])[:5], sorted(b["samples"])[:5])
        delta = max([abs(x - y) for k in a["samples"] for x, y in zip(a["samples"][k]["log_probs"], b["samples"][k]["log_probs"])], default=0)
        texts = [k for k in a["samples"] if "text" in a["samples"][k]]
        if texts:
            print(f"{wanted:24} same text {sum(a['samples'][k]['text'] == b['samples'][k]['text'] for k in texts)}/{len(texts)}")
        same = sum(abs(a["samples"][k]["score"] - b["samples"][k]["score"]) < 1e-3 for k in a["samples"])
        sums = [sums[0] + a["user"], sums[1] + b["user"]]
        print(f"{wanted:24} items {len(a['samples']):4}  helio {a['user']:8.1f} s  lm-eval {b['user']:8.1f} s  ratio {b['user'] / a['user']:5.2f}x  "
              f"peak {a['peak_mb']:6.0f} / {b['peak_mb']:6.0f} MB  max |d log-lik| {delta:.1e}  judged alike {same}/{len(a['samples'])}", flush=True)
    print(f"{'together':24} helio {sums[0]:.1f} s  lm-eval {sums[1]:.1f} s  ratio {sums[1] / sums[0]:.2f}x")


main()
