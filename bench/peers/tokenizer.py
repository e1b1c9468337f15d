#!/usr/bin/env python3
"""Tokenizers beside Hugging Face's `tokenizers` and `tiktoken`: encoding, decoding and loading, one thread, in turns.

    bench/peers/tokenizer.py --bench build/release/bin/bench_text_tokenizer --tokenizers A/tokenizer.json ... --texts ko.jsonl en.jsonl ...
                             [--megabytes 5] [--rounds 2] [--out table.md]          (tokenizers 0.23.3, tiktoken 0.14)

Of each text file every n-th document is taken, so that they come to the megabytes asked for. A round runs each library once in a process of its
own, with a newly loaded tokenizer (no words cached), strings and ids ready in memory; the figures are CPU seconds, the least of the rounds.
Ids are held against each other by SHA-256, decoded texts too. tiktoken gets the vocabulary of the same file, where it is a byte-level one whose ids
rise with its merges.
"""
import argparse
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

# What a byte-level tokenizer.json cuts with, where it is not one Split's regular expression.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
DIGITS_GPT2 = r"\p{N}|'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+"


def digest_ids(all_ids):
    h = hashlib.sha256()
    for ids in all_ids:
        h.update(struct.pack(f"<{len(ids)}I", *ids))
        h.update(b"\xff\xff\xff\xff")
    return h.hexdigest()


def digest_texts(texts):
    h = hashlib.sha256()
    for text in texts:
        h.update(text.encode("utf-8"))
        h.update(b"\xff\xff\xff\xff")
    return h.hexdigest()


def timed(work):
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def pattern_of(js):
    pre = js["pre_tokenizer"] or {}
    steps = pre.get("pretokenizers", [pre])
    kinds = [s.get("type") for s in steps]
    if kinds == ["Split", "ByteLevel"] and "Regex" in steps[0]["pattern"]:
        return steps[0]["pattern"]["Regex"]
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return GPT2
    if kinds == ["Digits", "ByteLevel"] and steps[0]["individual_digits"]:
        return DIGITS_GPT2
    if kinds == ["Split", "Split", "Split", "ByteLevel"]:  # DeepSeek V3: about the same pieces
        return "|".join(s["pattern"]["Regex"] for s in steps[:3])
    return None


def tiktoken_encoding(js):
    import tiktoken
    pattern = pattern_of(js)
    if pattern is None:
        return None
    bs = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    cs, n = bs[:], 0
    for b in range(256):
        if b not in bs:
            bs.append(b)
            cs.append(256 + n)
            n += 1
    byte_of = {chr(c): b for b, c in zip(bs, cs)}
    special = {x["content"]: x["id"] for x in js["added_tokens"]}
    ranks = {bytes(byte_of[c] for c in k): v for k, v in js["model"]["vocab"].items() if k not in special and all(c in byte_of for c in k)}
    for b in range(256):  # bytes that the vocabulary lacks: beyond its ids
        ranks.setdefault(bytes([b]), len(js["model"]["vocab"]) + 100_000 + b)
    return tiktoken.Encoding("same", pat_str=pattern, mergeable_ranks=ranks, special_tokens={k: v for k, v in special.items() if v not in set(ranks.values())})


def run_hf(path, texts, way):
    from tokenizers import Tokenizer
    load, tok = timed(lambda: Tokenizer.from_file(path))
    if way == "hf":
        encode, ids = timed(lambda: [tok.encode(t, add_special_tokens=False).ids for t in texts])
        decode, out = timed(lambda: [tok.decode(i, skip_special_tokens=False) for i in ids])
        return dict(load_s=load, encode_s=encode, decode_s=decode, ids_sha256=digest_ids(ids), texts_sha256=digest_texts(out))
    encode, encodings = timed(lambda: tok.encode_batch_fast(texts, add_special_tokens=False))
    return dict(load_s=load, encode_s=encode, ids_sha256=digest_ids(e.ids for e in encodings))


def run_tiktoken(path, texts):
    enc = tiktoken_encoding(json.load(open(path, encoding="utf-8")))
    if enc is None:
        return {}
    encode, ids = timed(lambda: [enc.encode_ordinary(t) for t in texts])
    decode, _ = timed(lambda: [enc.decode(i) for i in ids])
    return dict(encode_s=encode, decode_s=decode, ids_sha256=digest_ids(ids))


def one(way, path, text):
    texts = [json.loads(line)["text"] for line in open(text, encoding="utf-8")]
    print(json.dumps(run_tiktoken(path, texts) if way == "tiktoken" else run_hf(path, texts, way)))


def sample(file, megabytes, out):
    texts = [json.loads(line)["text"] for line in open(file, encoding="utf-8")]
    size = sum(len(t.encode()) for t in texts)
    step = max(1, round(size / megabytes / 1e6))
    taken = texts[::step]
    with open(out, "w", encoding="utf-8") as rows:
        for text in taken:
            rows.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    return sum(len(t.encode()) for t in taken)


def least(results, key):
    values = [r[key] for r in results if key in r]
    return min(values) if values else None


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bench", required=True)
    p.add_argument("--tokenizers", nargs="+", required=True)
    p.add_argument("--texts", nargs="+", required=True)
    p.add_argument("--megabytes", type=float, default=5)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--out")
    a = p.parse_args()
    env = {**os.environ, "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "passive"}
    lines = ["| tokenizer | text | helio encode, MB/s | HF, `encode_batch_fast` | tiktoken | times HF, tiktoken | helio decode, MB/s | HF | tiktoken | times HF "
             "| load, ms | HF | ids, texts equal HF's |", "|" + "---|" * 13]
    with tempfile.TemporaryDirectory() as folder:
        samples = []
        for text in a.texts:
            out = f"{folder}/{pathlib.Path(text).stem}.jsonl"
            samples.append((pathlib.Path(text).stem, out, sample(text, a.megabytes, out)))
        for path in a.tokenizers:
            name = pathlib.Path(path).parent.parent.name if pathlib.Path(path).parent.name == "models" else pathlib.Path(path).parent.name
            for text, file, size in samples:
                got = {way: [] for way in ("helio", "hf", "fast", "tiktoken")}
                for _ in range(a.rounds):
                    for way in got:
                        command = [a.bench, path, file, "--rounds", "1"] if way == "helio" else [sys.executable, __file__, "--one", way, path, file]
                        result = json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)
                        got[way].append({**result["files"][0], "load_s": result["load_s"]} if way == "helio" else result)
                speed = {(way, key): least(got[way], key) for way in got for key in ("encode_s", "decode_s", "load_s")}
                rate = lambda way, key: f"{size / 1e6 / speed[way, key]:.3g}" if speed[way, key] else "—"  # noqa: E731
                times = lambda way, key: f"{speed[way, key] / speed['helio', key]:.1f}" if speed[way, key] else "—"  # noqa: E731
                best_hf = "fast" if speed["fast", "encode_s"] < speed["hf", "encode_s"] else "hf"
                same = lambda way, key: got[way][0].get(key) == got["helio"][0][key]  # noqa: E731
                lines.append(f"| {name} | {text} | {rate('helio', 'encode_s')} | {rate('hf', 'encode_s')}, {rate('fast', 'encode_s')} | {rate('tiktoken', 'encode_s')}"
                             f"{'' if not got['tiktoken'][0] or same('tiktoken', 'ids_sha256') else ' (other ids)'} | {times(best_hf, 'encode_s')}, {times('tiktoken', 'encode_s')}"
                             f" | {rate('helio', 'decode_s')} | {rate('hf', 'decode_s')} | {rate('tiktoken', 'decode_s')} | {times('hf', 'decode_s')}"
                             f" | {speed['helio', 'load_s'] * 1e3:.0f} | {speed['hf', 'load_s'] * 1e3:.0f}"
                             f" | {'yes' if same('hf', 'ids_sha256') and same('fast', 'ids_sha256') else 'NO'}, {'yes' if same('hf', 'texts_sha256') else 'NO'} |")
                print(lines[-1], flush=True)
    if a.out:
        pathlib.Path(a.out).write_text("\n".join(lines) + "\n", encoding="utf-8")


if len(sys.argv) > 1 and sys.argv[1] == "--one":
    one(*sys.argv[2:])
else:
    main()
