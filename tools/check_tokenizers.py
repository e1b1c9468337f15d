#!/usr/bin/env python3
"""Compares helio with HF tokenizers on tokenizer.json files: ids, offsets and decoded text of fuzzed strings and corpora.

  tools/check_tokenizers.py --helio build/release/bin/helio --corpus docs.jsonl.zst --strings 1000000 --cache /tmp/answers FILE...

Ids of all texts are compared; offsets, text decoded with and without special tokens and ids without them for one text in
ten; text decoded from made-up ids too. Prints a line for each file, and the shortest text that shows a difference; ends
with 1 if there is any. What HF answered is kept as hashes in --cache, so a later run costs only helio's time.
"""
import argparse
import gzip
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ.setdefault("RAYON_NUM_THREADS", "2")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
import tokenizers  # noqa: E402

import fuzz_texts  # noqa: E402

PANIC = b"\0" * 8
CHUNK = 20_000  # texts whose answers are kept together
SHARE = 10  # one text in ten is compared in full


def hashed(line):
    return hashlib.blake2b(line, digest_size=8).digest()


def ids_line(e):
    return f'{{"ids":[{",".join(map(str, e.ids))}]}}'.encode()


def offsets_line(e):
    return f'{{"ids":[{",".join(map(str, e.ids))}],"offsets":[{",".join(f"[{a},{b}]" for a, b in e.offsets)}]}}'.encode()


def chunks(rows):
    return (rows[at:at + CHUNK] for at in range(0, len(rows), CHUNK))


class Theirs:
    """HF's answers as eight bytes a text; those of panics are zero."""

    def __init__(self, file, cache):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(file))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.folder = cache and cache / hashlib.sha256(file.read_bytes() + tokenizers.__version__.encode()).hexdigest()[:24]
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)

    def kept(self, what, rows, compute):
        """compute(rows), or what it said before."""
        path = self.folder and self.folder / f"{what}-{hashed(repr(rows).encode('utf-8', 'surrogatepass')).hex()}"
        if path and path.exists():
            return path.read_bytes()
        answer = compute(rows)
        if path:
            path.with_suffix(".part").write_bytes(answer)
            path.with_suffix(".part").rename(path)
        return answer

    def encode_one(self, text, **how):
        try:
            return self.tokenizer.encode(text, **how)
        except BaseException as problem:  # a panic of Rust is no Exception
            if type(problem).__name__ != "PanicException":
                raise
            return None

    def encodings(self, texts, batch, **how):
        for at in range(0, len(texts), 2000):
            part = texts[at:at + 2000]
            try:
                yield from batch(part, **how)
            except BaseException as problem:
                if type(problem).__name__ != "PanicException":
                    raise
                yield from (self.encode_one(text, **how) for text in part)

    def hashes(self, texts, way):
        """A hash for each text, and the number of tokens."""
        line, _, how = WAYS[way]
        batch = self.tokenizer.encode_batch if way == "ids and offsets" else self.tokenizer.encode_batch_fast

        def compute(part):
            tokens, out = 0, []
            for e in self.encodings(part, batch, **how):
                tokens += len(e.ids) if e else 0
                out.append(hashed(line(e)) if e else PANIC)
            return b"".join(out) + tokens.to_bytes(8, "little")

        answers = [self.kept(way.replace(" ", "_"), part, compute) for part in chunks(texts)]
        return [a[i:i + 8] for a in answers for i in range(0, len(a) - 8, 8)], sum(int.from_bytes(a[-8:], "little") for a in answers)

    def decoded(self, rows, skip):
        answer = self.kept(f"text_{skip}", rows, lambda rows: b"".join(hashed(t.encode("utf-8")) for t in self.tokenizer.decode_batch(rows, skip_special_tokens=skip)))
        return [answer[i:i + 8] for i in range(0, len(answer), 8)]


class Ours:
    def __init__(self, helio, file, folder):
        self.helio, self.file, self.folder = helio, file, folder

    def run(self, command, rows, *flags):
        out = self.folder / "out.jsonl"
        done = subprocess.run([self.helio, "tokenizer", command, "--tokenizer", self.file, "--in", rows, "--out", out, *flags], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"helio tokenizer {command} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
        return out.read_bytes().split(b"\n")[:-1]

    def write(self, name, rows):
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return self.folder / name

    def encode(self, texts, *flags):
        return self.run("encode", self.write("in.jsonl", [{"text": t} for t in texts]), *flags)

    def decode(self, rows, *flags):
        return [json.loads(line)["text"].encode("utf-8") for line in self.run("decode", self.write("ids.jsonl", [{"ids": r} for r in rows]), *flags)]


class Difference(Exception):
    pass


WAYS = {"ids": (ids_line, (), {}), "ids and offsets": (offsets_line, ("--offsets",), {}), "ids without special tokens": (ids_line, ("--no_special",), {"add_special_tokens": False})}


def differing(ours, theirs, texts, way):
    """Which of the texts differ."""
    line, flags, how = WAYS[way]
    return [text for text, got in zip(texts, ours.encode(texts, *flags)) if (e := theirs.encode_one(text, **how)) and line(e) != got]


def smallest(ours, theirs, text, way):
    """Takes characters out for as long as the text still differs: halves first, then ever smaller pieces."""
    size = max(1, len(text) // 2)
    while True:
        shorter = differing(ours, theirs, [text[:at] + text[at + size:] for at in range(0, len(text), size) if size < len(text)][:4000], way)
        if shorter:
            text = min(shorter, key=len)
        elif size > 1:
            size //= 2
        else:
            return text
        size = max(1, min(size, len(text) // 2))


def show(ours, theirs, text, way):
    text = smallest(ours, theirs, text, way)
    line, flags, how = WAYS[way]
    e = theirs.encode_one(text, **how)
    raise Difference(f"{way} of {text!r}: {ours.encode([text], *flags)[0].decode()}, not {line(e).decode()} {e.tokens}")


def compare_encodings(ours, theirs, texts, way, counts=None):
    right, tokens = theirs.hashes(texts, way)
    if not ours:
        return None
    got = ours.encode(texts, *WAYS[way][1])
    if len(got) != len(texts):
        raise Difference(f"{len(got)} rows for {len(texts)} texts")
    for text, answer, line in zip(texts, right, got):
        if answer != PANIC and answer != hashed(line):
            if not differing(ours, theirs, [text], way):
                raise Difference(f"HF's encode and encode_batch give {way} that differ for {text!r}")
            show(ours, theirs, text, way)
    if counts:
        counts["tokens"] += tokens
        counts["panics"] += right.count(PANIC)
    return got


def compare_decoded(ours, theirs, rows):
    for skip, flags in ((True, ()), (False, ("--keep-special",))):
        right = theirs.decoded(rows, skip)
        for row, answer, text in zip(rows, right, ours.decode(rows, *flags) if ours else (), strict=bool(ours)):
            if answer != hashed(text):
                raise Difference(f"text of {row} (skip_special_tokens={skip}): {text.decode()!r}, not {theirs.tokenizer.decode(row, skip_special_tokens=skip)!r}")


def compare(ours, theirs, texts, counts):
    got = compare_encodings(ours, theirs, texts, "ids", counts)
    counts["texts"] += len(texts)
    counts["bytes"] += sum(len(t.encode("utf-8")) for t in texts)
    part = [text for chunk in chunks(texts) for text in chunk[:-(-len(chunk) // SHARE)]]
    for way in ("ids and offsets", "ids without special tokens"):
        compare_encodings(ours, theirs, part, way)
    if got:
        compare_decoded(ours, theirs, [json.loads(line)["ids"] for chunk in chunks(got) for line in chunk[:-(-len(chunk) // SHARE)]])


def made_up_ids(theirs, seed):
    draw = random.Random(seed)
    top = max(theirs.tokenizer.get_vocab().values(), default=0) + 1
    return [[draw.randrange(draw.choice((top, min(top, 300)))) for _ in range(draw.randint(0, 12))] for _ in range(20_000)]


def documents(path, megabytes):
    left = megabytes * 1_000_000 or float("inf")
    opener = None
    if path.suffix == ".zst":
        opener = subprocess.Popen(["zstd", "-dc", "--long=31", path], stdout=subprocess.PIPE)
        lines = opener.stdout
    else:
        lines = (gzip.open if path.suffix == ".gz" else open)(path, "rb")
    for line in lines:
        row = json.loads(line)
        text = row.get("text") or row.get("content")
        if not isinstance(text, str):
            continue
        left -= len(text.encode("utf-8", "replace"))
        yield text
        if left <= 0:
            break
    if opener:
        opener.kill()
        opener.wait()


def batches(given, theirs):
    def fuzzed(make, count):
        batch = []
        for at in range(0, count, CHUNK):
            batch += make(min(CHUNK, count - at), given.seed * 10_000 + at // CHUNK)
            if len(batch) >= 5 * CHUNK or at + CHUNK >= count:
                yield batch
                batch = []

    own = given.strings // 5
    yield from fuzzed(fuzz_texts.texts, given.strings - own)
    yield from fuzzed(lambda count, seed: fuzz_texts.own_texts(theirs.tokenizer, count, seed), own)
    batch, size = [], 0
    for path in given.corpus:
        for text in documents(path, given.megabytes / len(given.corpus)):
            batch.append(text)
            size += len(text)
            if size > 4_000_000 or len(batch) == CHUNK:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", nargs="+", type=pathlib.Path)
    options.add_argument("--helio", default="build/release/bin/helio")
    options.add_argument("--corpus", nargs="*", type=pathlib.Path, default=[])
    options.add_argument("--megabytes", type=float, default=0, help="of all corpora together, evenly; 0: everything")
    options.add_argument("--strings", type=int, default=100_000, help="fuzzed ones; a fifth is made of the tokenizer's own tokens")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--cache", type=pathlib.Path, help="folder to keep HF's answers in")
    options.add_argument("--answers-only", action="store_true", help="fill the cache; run no helio")
    given = options.parse_args()
    bad = 0
    for file in given.files:
        counts = {"texts": 0, "bytes": 0, "tokens": 0, "panics": 0}
        try:
            theirs = Theirs(file, given.cache)
        except Exception as problem:
            print(f"{file}: HF does not load it: {problem}", flush=True)
            continue
        difference = None
        with tempfile.TemporaryDirectory() as folder:
            ours = None if given.answers_only else Ours(given.helio, file, pathlib.Path(folder))
            try:
                compare_decoded(ours, theirs, made_up_ids(theirs, given.seed))
                for texts in batches(given, theirs):
                    compare(ours, theirs, texts, counts)
            except (RuntimeError, Difference) as problem:
                difference = str(problem)
        print(f"{file}: seed {given.seed}, {counts['texts']:,} texts, {counts['bytes'] / 1e6:.1f} MB, {counts['tokens']:,} tokens, {counts['panics']} panics of HF: "
              f"{'answered' if given.answers_only else 'equal' if not difference else 'DIFFERENT: ' + difference}", flush=True)
        bad += bool(difference)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
