"""Training of Unigram tokenizers by `helio tokenizer train --model unigram` and by HF tokenizers, in turns on the same
rows: CPU and wall seconds, peak memory, and how the two vocabularies differ.

    python bench/peers/tokenizer_train_unigram.py --helio build/release/bin/helio FILE.jsonl ... [--vocab-size 32000]
        [--threads 1] [--rounds 1]

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
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    begin = cpu()
    size = sum(len(text.encode()) for text in rows(files))
    reading = cpu() - begin
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=vocab_size, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    begin, wall = cpu(), time.monotonic()
    tokenizer.train_from_iterator(rows(files), trainer)
    used, wall = cpu() - begin - reading, time.monotonic() - wall
    pathlib.Path(out).write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    print(json.dumps({"cpu": used, "reading": reading, "wall": wall, "bytes": size, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))


def train_ours(helio, files, vocab_size, threads, out):
    command = [helio, "tokenizer", "train", *files, "--model", "unigram", "--vocab-size", str(vocab_size), "--threads", str(threads), "--out", out, "--quiet"]
    wall = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit("helio failed")
    return {"cpu": used.ru_utime + used.ru_stime, "wall": time.monotonic() - wall, "peak": used.ru_maxrss >> 10}


def compare(mine, reference):
    a, b = (dict(map(tuple, json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["model"]["vocab"])) for path in (mine, reference))
    other = [piece for piece in a if piece in b and abs(a[piece] - b[piece]) > 1e-9]
    print(f"pieces of one alone: {len(set(a) ^ set(b))}; scores apart by more than 1e-9: {len(other)}, of them single characters {sum(len(p) == 1 for p in other)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--helio")
    parser.add_argument("--vocab-size", type=int, default=32000)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--theirs", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.theirs:
        return train_theirs(args.files, args.vocab_size, args.theirs)
    folder = pathlib.Path(tempfile.mkdtemp())
    for threads in args.threads:
        for _ in range(args.rounds):
            out = folder / f"ours-{threads}"
            mine = train_ours(args.helio, args.files, args.vocab_size, threads, str(out))
            environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": str(threads > 1).lower()}
            theirs = json.loads(subprocess.run([sys.executable, __file__, *args.files, "--vocab-size", str(args.vocab_size), "--theirs", str(folder / "theirs.json")],
                                               env=environment, check=True, capture_output=True, text=True).stdout)
            print(f"{threads} thread(s), {theirs['bytes'] / 1e6:.1f} MB of text, {args.vocab_size} tokens")
            print(f"  ours   {mine['cpu']:8.1f} s of CPU {mine['wall']:8.1f} s {mine['peak']:6} MB")
            print(f"  theirs {theirs['cpu']:8.1f} s of CPU {theirs['wall']:8.1f} s {theirs['peak']:6} MB   (and {theirs['reading']:.1f} s for reading)")
            compare(out / "tokenizer.json", folder / "theirs.json")


if __name__ == "__main__":
    main()
