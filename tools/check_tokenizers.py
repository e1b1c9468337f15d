#!/usr/bin/env python3
"""Compares helio with HF tokenizers on tokenizer.json files: ids, offsets and decoded text of corpora and fuzzed strings.

  tools/check_tokenizers.py --helio build/release/bin/helio --corpus docs.jsonl.zst --megabytes 10 --strings 100000 FILE...

Prints a line for each file, with the counts and the first difference; ends with 1 if there is any.
"""
import argparse
import gzip
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

PARTS = ["a", "Z", "the", " the", "hello", " world", "é", "e\u0301", "한", "한국어", "을", "ㅋㅋ", "\u1112\u1161\u11ab", "\u1161", "漢字", "日本語", "カタカナ", "ひらがな", "العربية",
         "हिन्दी", "ไทย", "1", "2023", "Ⅷ", "½", "１", "①", " ", "  ", "    ", "\n", "\r\n", "\n\n", "\t", "\x0b", "\x1c", "\u00a0", "\u3000", "\u2003", "\u0085",
         "\u180e", "\u200b", "\u2028", ".", "!", "?!", "_", "-", "'", "'s", "'S", "'ll", "'LL", "'re", "'Ve", "'d", "'\u017f", "\u0301", "😀", "👩\u200d👩\u200d👧",
         "🇰🇷", "👍🏽", "\u200d", "\ufe0f", "«", "\0", "＿", "Ⓐ", "ﬁ", "㋿", "ﾡ", "\uFFFD", "<|end", "<s>", "</s>", "<unk>", "<pad>", "[UNK]", "[CLS]", "<0x41>", "<", ">", "▁", "▁▁",
         "\u212b", "İ", "ſ", "ǅ", "ẞ", "/", "\r", "\ufeff", "ß", "Å", "ǆ", "def f(x):\n    return x", "https://a.b/c?d=e", "$", "€", "~", "`", "\\", "\""]


def pieces(theirs):
    extra = [t.content for t in list(theirs.get_added_tokens_decoder().values())[:40]]
    return PARTS + extra + [t[:-1] for t in extra if len(t) > 1] + [" " + t + " " for t in extra[:10]]


def fuzzed(theirs, count, seed):
    draw = random.Random(seed)
    parts = pieces(theirs)
    for i in range(count):
        kind = draw.random()
        if kind < 0.75:
            yield "".join(draw.choice(parts) for _ in range(draw.randint(1, 20)))
        elif kind < 0.9:
            yield bytes(draw.randrange(256) for _ in range(draw.randint(1, 40))).decode("utf-8", "replace")
        else:
            yield "".join(chr(c) for c in (draw.randrange(0x110000 if draw.random() < 0.1 else 0x3000) for _ in range(draw.randint(1, 20))) if not 0xD800 <= c < 0xE000)


def documents(path, megabytes):
    left = megabytes * 1_000_000
    opener = None
    if path.suffix == ".zst":
        opener = subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE)
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


def run(helio, file, rows, folder, *flags):
    done = subprocess.run([helio, "tokenizer", "encode", "--tokenizer", file, "--in", rows, "--field", "text", "--out", folder / "ids.jsonl", *flags], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or done.stdout.strip())
    return (json.loads(line) for line in (folder / "ids.jsonl").open(encoding="utf-8"))


def check(helio, file, theirs, texts, folder, counts):
    """The first difference, or nothing."""
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts), encoding="utf-8")
    plain = list(run(helio, file, folder / "in.jsonl", folder))
    placed = list(run(helio, file, folder / "in.jsonl", folder, "--offsets"))
    expected = []
    for text in texts:
        try:
            expected.append(theirs.encode(text))
        except BaseException as problem:  # HF panics where an added token of spaces lies in spaces that another one strips
            if type(problem).__name__ != "PanicException":
                raise
            expected.append(None)
    (folder / "back.jsonl").write_text("".join(json.dumps({"ids": e.ids if e else []}) + "\n" for e in expected), encoding="utf-8")
    for skip, flags in ((True, []), (False, ["--keep-special"])):
        done = subprocess.run([helio, "tokenizer", "decode", "--tokenizer", file, "--in", folder / "back.jsonl", "--out", folder / "text.jsonl", *flags], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        for e, line in zip(expected, (folder / "text.jsonl").open(encoding="utf-8")):
            if e and json.loads(line)["text"] != theirs.decode(e.ids, skip_special_tokens=skip):
                return f"decoded text of {e.ids[:40]}: {json.loads(line)['text'][:80]!r}, not {theirs.decode(e.ids, skip_special_tokens=skip)[:80]!r}"
    for text, e, a, b in zip(texts, expected, plain, placed):
        if e is None:
            counts["panics"] += 1
            continue
        counts["texts"] += 1
        counts["bytes"] += len(text.encode("utf-8", "replace"))
        counts["tokens"] += len(e.ids)
        for what, ours, right in (("ids", a["ids"], e.ids), ("ids with offsets", b["ids"], e.ids), ("offsets", [tuple(o) for o in b["offsets"]], e.offsets)):
            if ours != right:
                at = next((i for i, (x, y) in enumerate(zip(ours, right)) if x != y), min(len(ours), len(right)))
                return f"{what} of {text[:200]!r} at {at}: {ours[max(0, at - 2):at + 4]}, not {right[max(0, at - 2):at + 4]} ({e.tokens[max(0, at - 2):at + 4]})"
    return None


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", nargs="+", type=pathlib.Path)
    options.add_argument("--helio", default="build/dev/bin/helio")
    options.add_argument("--corpus", nargs="*", type=pathlib.Path, default=[])
    options.add_argument("--megabytes", type=float, default=10, help="of all corpora together")
    options.add_argument("--strings", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    bad = 0
    for file in given.files:
        counts = {"texts": 0, "bytes": 0, "tokens": 0, "panics": 0}
        try:
            theirs = Tokenizer.from_file(str(file))
        except Exception as problem:
            print(f"{file}: HF does not load it: {problem}")
            continue
        theirs.no_truncation()
        theirs.no_padding()
        difference = None
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            try:
                batch = []
                todo = [fuzzed(theirs, given.strings, given.seed), *(documents(c, given.megabytes / len(given.corpus)) for c in given.corpus)]
                for source in todo:
                    for text in source:
                        batch.append(text)
                        if len(batch) == 20_000 or sum(map(len, batch[-200:])) > 2_000_000:
                            difference = difference or check(given.helio, file, theirs, batch, folder, counts)
                            batch = []
                    if batch:
                        difference = difference or check(given.helio, file, theirs, batch, folder, counts)
                        batch = []
            except RuntimeError as problem:
                difference = str(problem)
        print(f"{file}: {counts['texts']:,} texts, {counts['bytes'] / 1e6:.1f} MB, {counts['tokens']:,} tokens: {'equal' if not difference else 'DIFFERENT: ' + difference}", flush=True)
        bad += bool(difference)
    sys.exit(bad > 0)


main()
