"""MB/s of datatrove's filters, one thread, on the documents that bench_data_filters takes.

    python bench/peers/data_filters.py ../shared/data/corpora [MB]      (datatrove 0.10.1, spacy, kiwipiepy < 0.22, zstandard)
"""
import glob
import io
import json
import sys
import time

import zstandard
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
from datatrove.utils.word_tokenizers import WordTokenizer


class Split(WordTokenizer):
    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        return [text]

    def span_tokenize(self, text):
        return [(0, len(text))]


def corpus(folder, language, limit):
    files = sorted(glob.glob(f"{folder}/{language}_*.jsonl.zst"))
    for path in files:
        with open(path, "rb") as file:
            size = 0
            for line in io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file), encoding="utf-8"):
                text = json.loads(line)["text"]
                yield text
                size += len(text.encode())
                if size >= limit / len(files):
                    break


def speed(texts, made, seconds=4):
    done, begin = 0, time.process_time()
    for text in texts:
        try:
            made.filter(Document(text=text, id="x"))
        except (AssertionError, ZeroDivisionError):  # Kiwi's tokens overlap; a text without words
            pass
        done += len(text.encode())
        took = time.process_time() - begin
        if took > seconds:
            break
    return done / 1e6 / took


folder, limit = sys.argv[1], float(sys.argv[2]) * 1e6 if len(sys.argv) > 2 else 12e6
for language, code in (("en", "eng"), ("ko", "kor")):
    texts = sorted(corpus(folder, language, limit), key=lambda t: hash(t[:50]) % 997)  # a little of each file first
    print(f"{language}: {len(texts)} documents")
    for name, make in (("gopher_quality", GopherQualityFilter), ("gopher_repetition", GopherRepetitionFilter),
                       ("fineweb", FineWebQualityFilter), ("c4", C4QualityFilter)):
        plain = make()
        plain.language = Split()
        print(f"  {name:20} str.split {speed(texts, plain):8.2f} MB/s   default words {speed(texts, make(language=code)):8.3f} MB/s", flush=True)
