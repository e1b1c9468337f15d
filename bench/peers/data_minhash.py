"""MinHash signatures by datatrove and rensa on the files that bench_data_minhash reads: MB of text per
CPU second of one process. Run in a venv with datatrove, numpy, xxhash, rensa and zstandard:

    python bench/peers/data_minhash.py FILE.jsonl.zst ... [--seconds 6]
"""
import argparse
import io
import json
import time

import zstandard
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import ngrams
from datatrove.utils.word_tokenizers import WordTokenizer
from rensa import RMinHash


class Split(WordTokenizer):
    def __init__(self):
        pass

    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        return [text]

    def span_tokenize(self, text):
        return [(0, len(text))]


def texts(path, limit=24e6):
    size = 0
    with open(path, "rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file), "utf-8")
        for line in lines:
            text = json.loads(line)["text"]
            size += len(text.encode())
            yield text
            if size > limit:
                return


def measure(name, rows, work, seconds):
    done, begin = 0, time.process_time()
    for text, size in rows:
        work(text)
        done += size
        if time.process_time() - begin > seconds:
            break
    print(f"  {name:44} {done / 1e6 / (time.process_time() - begin):8.2f} MB/s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seconds", type=float, default=6)
    args = parser.parse_args()
    signer = MinhashDedupSignature("/tmp/helio-bench-minhash", MinhashConfig(hash_config=HashConfig(64, "xxhash")))
    signer.word_tokenizer = Split()

    def datatrove(text):
        shingles = signer.get_shingles(text)
        if len(shingles):
            signer.get_signature(shingles)

    def rensa(text):
        words = text.split()
        minhash = RMinHash(num_perm=112, seed=1)
        minhash.update([" ".join(gram) for gram in ngrams(words, 5)])
        return minhash.digest()

    for path in args.files:
        rows = [(text, len(text.encode())) for text in texts(path)]
        print(f"{path}: {len(rows)} documents, {sum(size for _, size in rows) / 1e6:.1f} MB")
        measure("datatrove, its normalisation, str.split", rows, datatrove, args.seconds)
        measure("rensa RMinHash 112, no normalisation", rows, rensa, args.seconds)


if __name__ == "__main__":
    main()
