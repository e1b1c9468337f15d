#!/usr/bin/env python3
"""helio align beside TRL's DPOTrainer: pairs a second of processor time, peak memory, and the losses of the same steps.

    OMP_WAIT_POLICY=passive /opt/peers/bin/python bench/peers/align.py --helio build/release/bin/helio-engine --model MODEL --pairs pairs.jsonl

Same model, pairs, ids, order and dtype (float32), no held-out pairs.  Each side's cost of a pair is the difference of two runs, so that loading,
imports and saving do not count: user time of (MANY - FEW) pairs.  Ours includes the reference pass, the start scores and the scores after training;
TRL's is measured with the reference in memory (its default) and with precompute_ref_log_probs.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time


def ours(options, count, folder):
    out = folder / f"ours-{count}"
    shutil.rmtree(out, ignore_errors=True)
    command = [options.helio, "align", options.model, str(folder / f"pairs-{count}.jsonl"), "--out", str(out), "--run", str(out) + "-run", "--heldout", "0", "--samples", "0",
               "--max-length", str(options.max_length), "--order", "random", "--train.batch-size", str(options.batch), "--train.threads", str(options.threads),
               "--train.save-every", "0", "--train.lr", "1e-6", "--train.schedule", "constant", "--train.warmup-ratio", "0"]
    started = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    rows = [json.loads(line) for line in open(str(out) + "-run/step-1/metrics.jsonl")]
    return {"user": usage.ru_utime, "wall": time.time() - started, "peak_mb": usage.ru_maxrss / 1024,
            "losses": [row["loss"] for row in rows if "loss" in row]}


def peer_process(options):
    """In a process of its own: trains and prints what it took."""
    import torch
    torch.set_num_threads(options.threads)
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer
    rows = [json.loads(line) for line in open(options.pairs)]
    rows = [{"prompt": r["prompt"], "chosen": [{"role": "assistant", "content": r["chosen"]}], "rejected": [{"role": "assistant", "content": r["rejected"]}]} for r in rows]
    load = lambda: AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    arguments = DPOConfig(output_dir=tempfile.mkdtemp(), use_cpu=True, per_device_train_batch_size=options.batch, num_train_epochs=1, learning_rate=1e-6,
                          lr_scheduler_type="constant", max_length=options.max_length, logging_steps=1, report_to=[], save_strategy="no", bf16=False,
                          gradient_checkpointing=options.checkpointing, disable_tqdm=True, seed=42, precompute_ref_log_probs=options.precompute)
    losses = []

    class Keep(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            if "loss" in logs:
                losses.append(float(logs["loss"]))

    trainer = DPOTrainer(model=load(), ref_model=load(), args=arguments, train_dataset=Dataset.from_list(rows), processing_class=AutoTokenizer.from_pretrained(options.model),
                         callbacks=[Keep()])
    trainer.train()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"user": usage.ru_utime, "peak_mb": usage.ru_maxrss / 1024, "losses": losses}))


def theirs(options, count, folder, precompute, checkpointing):
    command = [sys.executable, __file__, "--peer", "--model", options.model, "--pairs", str(folder / f"pairs-{count}.jsonl"), "--max-length", str(options.max_length),
               "--batch", str(options.batch), "--threads", str(options.threads)] + ["--precompute"] * precompute + ["--checkpointing"] * checkpointing
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--helio", default="build/release/bin/helio-engine")
    parser.add_argument("--model", required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--few", type=int, default=8)
    parser.add_argument("--many", type=int, default=40)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", default="")
    for flag in ("peer", "precompute", "checkpointing"):
        parser.add_argument("--" + flag, action="store_true")
    options = parser.parse_args()
    if options.peer:
        return peer_process(options)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-align-"))
    lines = pathlib.Path(options.pairs).read_text().splitlines()
    for count in (options.few, options.many):
        (folder / f"pairs-{count}.jsonl").write_text("\n".join(lines[:count]) + "\n")
    sides = {"helio": lambda n: ours(options, n, folder), "TRL": lambda n: theirs(options, n, folder, False, False),
             "TRL, reference precomputed": lambda n: theirs(options, n, folder, True, False)}
    best = {}
    for _ in range(options.repeats):
        for name, run in sides.items():
            if options.only and options.only not in name:
                continue
            few, many = run(options.few), run(options.many)
            cost = (many["user"] - few["user"]) / (options.many - options.few)
            if name not in best or cost < best[name]["cost"]:
                best[name] = {"cost": cost, "peak_mb": many["peak_mb"], "losses": many["losses"][:4]}
    for name, figures in best.items():
        print(f"{name:30} {figures['cost']:7.3f} s of user time a pair, peak {figures['peak_mb']:6.0f} MB, losses {[round(x, 5) for x in figures['losses']]}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
