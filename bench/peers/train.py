#!/usr/bin/env python3
"""helio pretrain beside a transformers + torch.optim.AdamW(fused) step: tokens a second, peak memory, and the losses of the same steps.

    OMP_WAIT_POLICY=passive /opt/peers/bin/python bench/peers/train.py --helio build/release/bin/helio-engine --model SMOLLM2 --text book.txt

Same weights, tokens, order, optimiser, clipping and threads.  The text becomes one document, so that the rows of a step follow from the step alone.
Both sides run in turns, each in a process of its own; the figure is the best of the repeats, over the steps after the first two.
tokens/s is by the clock; "cpu" is tokens a second of processor time, which other work on the machine disturbs less.
"""
import argparse
import hashlib
import json
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

SETTLED = 2  # steps that do not count


def write_shards(options, folder):
    """A folder as `helio tokens build` writes it, with one document of exactly the tokens that the steps take."""
    import numpy
    from tokenizers import Tokenizer
    model = pathlib.Path(options.model)
    config = json.loads((model / "config.json").read_text())
    eos = config["eos_token_id"]
    eos = eos[0] if isinstance(eos, list) else eos
    need = options.steps * options.batch * options.sequence
    text = pathlib.Path(options.text).read_text(errors="ignore")[:need * 12]
    ids = Tokenizer.from_file(str(model / "tokenizer.json")).encode(text, add_special_tokens=False).ids[:need - 1]
    assert len(ids) == need - 1, f"the text has {len(ids)} tokens, {need} are needed"
    ids.append(eos)
    folder.mkdir()
    data, index = numpy.array(ids, "<u4").tobytes(), struct.pack("<QI", need, 0)
    (folder / "train-00000.bin").write_bytes(data)
    (folder / "train-00000.idx").write_bytes(index)
    lots = [{"lot": "text", "partner": "", "language": "en", "documents": 1, "tokens": need}]
    digest = lambda b: hashlib.sha256(b).hexdigest()
    (folder / "tokens.json").write_text(json.dumps({
        "format": 1, "dtype": "uint32", "vocab_size": config["vocab_size"], "tokens": need, "documents": 1, "tokenizer": "", "eos": eos, "lots": lots,
        "splits": {"train": {"documents": 1, "tokens": need, "lots": [{"lot": "text", "documents": 1, "tokens": need}]}},
        "shards": [{"file": "train-00000.bin", "split": "train", "tokens": need, "documents": 1, "sha256": digest(data), "index_sha256": digest(index)}]}))
    return ids, eos


def ours(options, tokens, folder):
    out = folder / "ours"
    for old in (out, folder / "ours-run"):
        shutil.rmtree(old, ignore_errors=True)
    command = [options.helio, "pretrain", str(tokens), "--init", options.model, "--out", str(out), "--sequence", str(options.sequence),
               "--train.steps", str(options.steps), "--train.batch-size", str(options.batch), "--train.micro-batch-size", str(options.micro),
               "--train.lr", str(options.lr), "--train.schedule", "constant", "--train.warmup-ratio", "0", "--train.weight-decay", "0.1",
               "--train.save-every", "0", "--samples", "0", "--train.threads", str(options.threads), *options.also]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run, marks = folder / "ours-run" / "metrics.jsonl", []
    while process.poll() is None:  # processor time at each line of the metrics
        time.sleep(0.02)
        lines = run.read_text().count('"loss"') if run.exists() else 0
        if lines > len(marks):
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split() if process.poll() is None else None
            marks += [(time.time(), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else None)] * (lines - len(marks))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, command
    rows = [json.loads(line) for line in open(run)]
    rows = [row for row in rows if "loss" in row]
    settled = rows[SETTLED:]
    tokens_of_step = options.batch * options.sequence
    ended = [mark for mark in marks if mark[1] is not None]
    cpu = (len(ended) - 1 - SETTLED) * tokens_of_step / (ended[-1][1] - ended[SETTLED][1]) if len(ended) > SETTLED + 1 else float("nan")
    return {"rate": len(settled) / sum(1 / row["tokens_per_s"] for row in settled), "cpu": cpu, "peak_mb": usage.ru_maxrss / 1024,
            "losses": [row["loss"] for row in rows]}


def peer_process(options):
    """In a process of its own: trains and prints what it took."""
    import numpy
    import torch
    from transformers import AutoModelForCausalLM
    torch.set_num_threads(options.threads)
    ids = numpy.fromfile(options.shard, "<u4").astype("int64")
    stream = torch.from_numpy(numpy.concatenate([[options.eos], ids]))
    dtype = torch.bfloat16 if options.autocast else torch.float32
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).train()
    model.config.use_cache = False
    if options.checkpointing:
        model.gradient_checkpointing_enable()
    groups = [{"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.1},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.95), eps=1e-8, fused=True)
    losses, marks, at = [], [], 0
    rows = options.micro or options.batch
    for _ in range(options.steps):
        started, used = time.time(), time.process_time()
        loss = 0.0
        for _ in range(0, options.batch, rows):
            count = rows * options.sequence
            inputs = stream[at:at + count].view(rows, options.sequence)
            targets = stream[at + 1:at + 1 + count].view(rows, options.sequence)
            at += count
            with torch.autocast("cpu", dtype, enabled=options.autocast):
                logits = model(input_ids=inputs).logits
            part = torch.nn.functional.cross_entropy(logits.view(-1, logits.size(-1)).float(), targets.reshape(-1), reduction="sum") / (options.batch * options.sequence)
            part.backward()
            loss += part.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss)
        marks.append((time.time() - started, time.process_time() - used))
    tokens = options.batch * options.sequence * (options.steps - SETTLED)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"rate": tokens / sum(m[0] for m in marks[SETTLED:]), "cpu": tokens / sum(m[1] for m in marks[SETTLED:]),
                      "peak_mb": usage.ru_maxrss / 1024, "losses": losses}))


def theirs(options, tokens, eos):
    command = [sys.executable, __file__, "--peer", "--model", options.model, "--shard", str(tokens / "train-00000.bin"), "--eos", str(eos)]
    for name in ("sequence", "batch", "micro", "steps", "lr", "threads"):
        command += ["--" + name, str(getattr(options, name))]
    command += ["--autocast"] * options.autocast + ["--checkpointing"] * options.checkpointing
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--helio", default="build/release/bin/helio-engine")
    parser.add_argument("--model", required=True, help="a Hugging Face folder with its tokenizer")
    parser.add_argument("--text", help="a text file")
    parser.add_argument("--sequence", type=int, default=512)
    parser.add_argument("--batch", type=int, default=4, help="rows of a step")
    parser.add_argument("--micro", type=int, default=0, help="rows of a forward pass; 0: all")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", default="", help="helio or transformers")
    parser.add_argument("--autocast", action="store_true", help="the peer under bf16 autocast")
    parser.add_argument("--checkpointing", action="store_true", help="the peer with gradient checkpointing")
    parser.add_argument("--also", nargs=argparse.REMAINDER, default=[], help="more words for helio, last")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--shard", help=argparse.SUPPRESS)
    parser.add_argument("--eos", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer_process(options)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-train-"))
    _, eos = write_shards(options, folder / "tokens")
    sides = {"helio": lambda: ours(options, folder / "tokens", folder), "transformers": lambda: theirs(options, folder / "tokens", eos)}
    best = {}
    for _ in range(options.repeats):
        for name, run in sides.items():
            if options.only and options.only != name:
                continue
            figures = run()
            if name not in best or figures["rate"] > best[name]["rate"]:
                best[name] = figures
    for name, figures in best.items():
        print(f"{name:14} {figures['rate']:7.1f} tokens/s, {figures['cpu']:7.1f} a second of processor time, peak {figures['peak_mb']:6.0f} MB, "
              f"losses {figures['losses'][0]:.5f} ... {figures['losses'][-1]:.5f}")
    if len(best) == 2:
        a, b = best["helio"], best["transformers"]
        print(f"{'helio / peer':14} {a['rate'] / b['rate']:.2f}x tokens/s, {a['cpu'] / b['cpu']:.2f}x a second of processor time, {a['peak_mb'] / b['peak_mb']:.2f}x memory, "
              f"losses apart by {max(abs(x - y) for x, y in zip(a['losses'], b['losses'])):.1e} at most over {options.steps} steps")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
