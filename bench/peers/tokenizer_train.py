"""Training of byte-level BPE (Llama 3's pattern) by `helio tokenizer train` and by HF tokenizers, in turns on
the same rows: CPU and wall seconds, peak memory, and whether the two tokenizer.json are equal, byte for byte.

    python bench/peers/tokenizer_train.py --helio build/release/bin/helio FILE.jsonl ... [--vocab-size 32000]
        [--threads 1 2] [--rounds 1] [--keep DIR]

HF gets its rows from json.loads in Python, whose share of the CPU time is printed too: it is not counted.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ["<|endoftext|>", "<|pad|>"]


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rows(files):
    for name in files:
        with open(name, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)["text"]


def train_theirs(files, vocab_size, out):
    """In a process of its own: its peak memory is that of the training."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    begin = cpu()
    size = sum(len(text.encode()) for text in rows(files))
    reading = cpu() - begin
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.post_processor, tokenizer.decoder = processors.ByteLevel(trim_offsets=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=2, special_tokens=SPECIAL, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    begin, wall = cpu(), time.monotonic()
    tokenizer.train_from_iterator(rows(files), trainer)
    used, wall = cpu() - begin - reading, time.monotonic() - wall
    pathlib.Path(out).write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    print(json.dumps({"cpu": used, "reading": reading, "wall": wall, "bytes": size, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))


def run(command, threads):
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - wall


def peak_of(command):
    """Wraps a command so that it prints its own peak memory in MB."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)"
    return [sys.executable, "-c", code, *command]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--helio")
    parser.add_argument("--vocab-size", type=int, default=32000)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", help="folder for the two tokenizers")
    parser.add_argument("--theirs", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.theirs:
        return train_theirs(args.files, args.vocab_size, args.theirs)
    folder = pathlib.Path(args.keep or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for threads in args.threads:
        for _ in range(args.rounds):
            out, used, wall = run(peak_of([args.helio, "tokenizer", "train", *args.files, "--vocab-size", str(args.vocab_size), "--threads", str(threads), "--out", str(folder / "ours")]), threads)
            print(f"{threads} threads  helio       {used:8.1f} s CPU {wall:8.1f} s wall {int(out):6} MB peak", flush=True)
            out, _, _ = run([sys.executable, __file__, *args.files, "--vocab-size", str(args.vocab_size), "--theirs", str(folder / "theirs.json")], threads)
            hf = json.loads(out)
            print(f"{threads} threads  tokenizers  {hf['cpu']:8.1f} s CPU {hf['wall']:8.1f} s wall {hf['peak']:6} MB peak   (and {hf['reading']:.1f} s CPU of reading rows)")
            equal = (folder / "ours/tokenizer.json").read_bytes() == (folder / "theirs.json").read_bytes()
            print(f"           {hf['bytes'] / 1e6:.1f} MB of text, {hf['cpu'] / used:.1f} times less CPU time, {hf['wall'] / wall:.1f} times less wall time; the files are {'equal' if equal else 'NOT EQUAL'}", flush=True)


if __name__ == "__main__":
    main()
