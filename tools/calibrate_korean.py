"""Thresholds for Korean on 어절 and on MeCab morphemes, from FineWeb-2's for Kiwi morphemes: prints the presets `korean-eojeol` and
`korean-mecab` of filter.gopher_quality, filter.gopher_repetition and filter.fineweb.

    python tools/calibrate_korean.py ../shared/data/corpora        (datatrove 0.10.1, kiwipiepy < 0.22, python-mecab-ko, zstandard)

For each rule: the share of sampled documents that FineWeb-2's Korean limit drops on Kiwi's tokens; the new limit is where the same
share is dropped on the new words, of the same documents. Where Kiwi's limit drops too few documents to say (under 5), it is scaled by
the ratio of the figures' means. Rules that read no words (lines, line ends) keep FineWeb-2's limits. Stop words for 어절 are those that
stand in the most documents, each source counting alike.
"""
import collections
import glob
import io
import json
import random
import re
import sys

import numpy as np
import zstandard
from datatrove.pipeline.filters.gopher_repetition_filter import find_top_duplicate, get_n_grams
from datatrove.utils.text import PUNCTUATION_SET
from datatrove.utils.word_tokenizers import KiwiTokenizer
from mecab import MeCab

STOP_WORDS = "의 다 이 는 에 을 한 년 하 은 를 했 고 에서 가 있 으로 인 월 로 되".split()
# (figure, which side drops, FineWeb-2's limit)
RULES = [("min_avg_word_length", "below", 1), ("max_avg_word_length", "above", 6), ("max_non_alpha_words_ratio", "below", 0.791),
         ("new_line_ratio", "above", 0.196)]
RULES += [(f"top_{n}", "above", limit) for n, limit in zip((2, 3, 4), (0.282, 0.228, 0.185))]
RULES += [(f"dup_{n}", "above", limit) for n, limit in zip(range(5, 11), (0.201, 0.184, 0.168, 0.154, 0.14, 0.127))]
PER_SOURCE, SMALLEST, LARGEST = 40, 200, 4000


def eojeol(text):
    for word in text.split():
        core = word
        while core and core[0] in PUNCTUATION_SET:
            core = core[1:]
        while core and core[-1] in PUNCTUATION_SET:
            core = core[:-1]
        yield core or word


def figures(text, words, stop_words):
    real = [w for w in words if any(c not in PUNCTUATION_SET for c in w)]
    mean = float(np.mean([len(w) for w in real])) if real else 0.0
    found = {"min_avg_word_length": mean, "max_avg_word_length": mean,
             "max_non_alpha_words_ratio": sum(any(c.isalpha() for c in w) for w in words) / len(words),
             "new_line_ratio": text.count("\n") / len(words), "stop_words": len(stop_words & set(words)), "words": len(real)}
    for n in (2, 3, 4):
        grams = get_n_grams(words, n)
        found[f"top_{n}"] = find_top_duplicate(grams) / len(text) if grams else 0.0
    for n in range(5, 11):
        joined, seen, repeated, at = None, set(), 0, 0
        while at < len(words) - n + 1:  # find_all_duplicate without its assertion, which Kiwi's overlapping tokens break
            joined = "".join(words[at : at + n])
            if joined in seen:
                repeated, at = repeated + len(joined), at + n
            else:
                seen.add(joined)
                at += 1
        found[f"dup_{n}"] = repeated / len(text)
    return found


def sample(folder):
    rng = random.Random(1)
    for path in sorted(glob.glob(f"{folder}/ko_*.jsonl.zst")):
        with open(path, "rb") as file:
            lines = io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file), encoding="utf-8")
            texts = [t for t in (json.loads(line)["text"] for line in lines) if SMALLEST <= len(t) <= LARGEST]
        yield [t for t in rng.sample(texts, min(PER_SOURCE, len(texts)))]


sources = [s for s in sample(sys.argv[1]) if len(s) >= 20]
texts = [t for s in sources for t in s]
print(f"{len(texts)} documents of {len(sources)} sources, {sum(len(t.encode()) for t in texts):,} bytes")
votes = collections.Counter()
for source in sources:
    inside = collections.Counter(w for t in source for w in set(eojeol(t)) if re.fullmatch("[가-힣]+", w))
    votes.update({w: n / len(source) for w, n in inside.items()})
eojeol_stops = [w for w, _ in sorted(votes.items(), key=lambda item: (-item[1], item[0]))[:22]]

kiwi, mecab = KiwiTokenizer(), MeCab()
kinds = {"kiwi": (lambda t: kiwi.word_tokenize(t), set(STOP_WORDS)), "eojeol": (lambda t: list(eojeol(t)), set(eojeol_stops)),
         "mecab": (lambda t: [m for line in t.split("\n") for m in mecab.morphs(line)], set(STOP_WORDS))}
table = {name: [figures(t, split(t), stops) for t in texts] for name, (split, stops) in kinds.items()}


def column(kind, name):
    return np.array([row[name] for row in table[kind]])


def round_to(limit):
    return float(f"{limit:.3g}")


print("stop words for eojeol:", " ".join(eojeol_stops))
for kind in ("eojeol", "mecab"):
    print(f"\n{kind}")
    for name, side, limit in RULES:
        old, new = column("kiwi", name), column(kind, name)
        dropped = int((old > limit).sum() if side == "above" else (old < limit).sum())
        if dropped >= 5:
            made = np.quantile(new, 1 - dropped / len(new) if side == "above" else dropped / len(new))
            how = "quantile"
        else:
            made, how = limit * new.mean() / old.mean(), "scaled"
        now = int((new > made).sum() if side == "above" else (new < made).sum())
        print(f"  {name:26} {round_to(made):<8} {how:9} kiwi {limit} drops {dropped}, this drops {now}")
    words = column(kind, "words").sum() / column("kiwi", "words").sum()
    fewer = [(int((column(kind, "stop_words") < k).sum()), k) for k in (1, 2, 3, 4)]
    target = int((column("kiwi", "stop_words") < 2).sum())
    print(f"  words a Kiwi word: {words:.3f} (50 words -> {50 * words:.0f}); stop words < 2 with Kiwi drops {target}, here {fewer}")
