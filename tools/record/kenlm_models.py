#!/usr/bin/env python3
"""Tiny KenLM models and what KenLM's Python module says with them.

    python tools/record/kenlm_models.py BUILD_BINARY

Needs the package kenlm (0.3.0) and, for the binary files, BUILD_BINARY: KenLM's build_binary, made from the same source
package (lm/*.cc, util/*.cc without the other mains and tests, -DKENLM_MAX_ORDER=6). lmplz is not needed: the ARPA files are
estimated here (interpolated absolute discounting), and one is pruned so that the tables need blanks. datatrove (0.10.1) gives the
normalised texts. Writes tests/fixtures/kenlm.
"""
import collections
import gzip
import json
import math
import re
import subprocess
import sys
import unicodedata

import kenlm

import common

folder = common.begin("kenlm")
GOOD = """우리는 문서를 차분히 읽고 근거를 살핀다
연구 결과는 표와 그림으로 정리되었다
연구 결과는 다음 표와 같다
우리는 연구 결과를 문서로 정리한다
법률은 국회의 의결을 거쳐 공포된다
the results are shown in the second table
the results of the study are shown in the table
each chapter explains one idea with an example
water boils at one hundred degrees
the second chapter explains the results""".split("\n")
BAD = """지금 바로 클릭 무료 쿠폰 받기
최저가 보장 특가 할인 이벤트
지금 바로 클릭 특가 할인
무료 쿠폰 이벤트 지금 바로 참여
click here to win a free prize now
click here now to buy cheap pills
buy cheap pills online best offer
casino bonus free spins click here""".split("\n")


def arpa(lines, order, prune=(), unknown=True):
    """N-grams of every order with probabilities and backoffs (log10) that add up: interpolated absolute discounting, D = 0.6."""
    counts = [collections.Counter() for _ in range(order + 1)]
    for line in lines:
        words = ["<s>"] + line.split() + ["</s>"]
        for n in range(1, order + 1):
            for i in range(len(words) - n + 1):
                counts[n][tuple(words[i:i + n])] += 1
    followers = collections.defaultdict(list)
    for n in range(1, order + 1):
        for gram, count in counts[n].items():
            if gram != ("<s>",):
                followers[gram[:-1]].append(count)
    discount, words = 0.6, [g for g in counts[1] if g != ("<s>",)]

    def probability(gram):
        context, total = gram[:-1], sum(followers[gram[:-1]])
        left = discount * len(followers[context]) / total
        lower = probability(gram[1:]) if context else 1 / (len(words) + 1)
        return max(counts[len(gram)][gram] - discount, 0) / total + left * lower

    out = [[] for _ in range(order + 1)]
    for n in range(1, order + 1):
        for gram in sorted(counts[n]):
            if gram in prune:
                continue
            log = -99 if gram == ("<s>",) else math.log10(probability(gram))
            line = f"{log:.7g}\t{' '.join(gram)}"
            if n < order and gram in followers:
                line += f"\t{math.log10(discount * len(followers[gram]) / sum(followers[gram])):.7g}"
            elif n < order and len(out[n]) % 3 == 0:
                line += "\t0"
            out[n].append(line)
    if unknown:
        out[1].insert(0, f"{math.log10(discount * len(words) / sum(followers[()]) / (len(words) + 1)):.7g}\t<unk>\t0")
    text = "\n\\data\\\n" + "".join(f"ngram {n}={len(out[n])}\n" for n in range(1, order + 1))
    for n in range(1, order + 1):
        text += f"\n\\{n}-grams:\n" + "".join(line + "\n" for line in out[n])
    return text + "\n\\end\\\n"


models = {"good.arpa": arpa(GOOD, 3), "bad.arpa": arpa(BAD, 3), "bigram.arpa": arpa(GOOD + BAD, 2), "no_unk.arpa": arpa(BAD, 3, unknown=False),
          "pruned.arpa": None}
# 4-grams stay whose endings go, of one and of two orders, unless they are contexts (KenLM wants those): it fills in blanks.
four = arpa(GOOD, 4)
grams = [line.split("\t")[1].split() for line in four.splitlines() if "\t" in line]
contexts = {tuple(g[:-1]) for g in grams}
endings = sorted({tuple(g[1:]) for g in grams if len(g) == 4} - contexts)
endings += [e[1:] for e in endings if e[1:] not in contexts]
models["pruned.arpa"] = arpa(GOOD, 4, prune=set(endings))
for name, text in models.items():
    (folder / name).write_text(text, encoding="utf-8")
with gzip.GzipFile(folder / "good.arpa.gz", "wb", mtime=0) as out:
    out.write(models["good.arpa"].encode())

build = sys.argv[1]
for name, source, options in (("good.bin", "good", ["probing"]), ("good_no_words.bin", "good", ["-v", "probing"]),
                              ("pruned.bin", "pruned", ["-p", "2.5", "probing"]), ("bigram.bin", "bigram", ["probing"]),
                              ("pruned_default.bin", "pruned", ["probing"]), ("no_unk.bin", "no_unk", ["probing"]),
                              ("trie.bin", "good", ["trie"])):
    options, kind = options[:-1], options[-1]
    subprocess.run([build, *options, kind, folder / f"{source}.arpa", folder / name], check=True, capture_output=True)

sentences = ["", " ", "the results are shown", "the results of the study are shown in the table", "study are shown", "연구 결과는 표와 그림으로 정리되었다",
             "연구 결과는 다음", "결과는 표와 같다", "click here to win", "무료 쿠폰 이벤트 지금 바로 참여", "unknown words only here", "the unknown results",
             "<unk> results", "the </s> results", "a  b\tc", "<s> the", "at one hundred degrees", "water boils at one hundred", "x" * 300, "table", "표와 같다"]
sentences += [" ".join(reversed(line.split())) for line in GOOD + BAD] + [a + " " + b for a, b in zip(GOOD, BAD)]
answers = {}
for path in sorted(folder.iterdir()):
    if path.suffix in (".arpa", ".bin") and path.name != "trie.bin":
        model = kenlm.Model(str(path))
        answers[path.name] = {"order": model.order, "scores": [model.score(s) for s in sentences]}

texts = ["", "  Plain English, 3.14 and 1,000 or ２０２６年。 ", "연구 결과는 「표와 그림」으로… 정리되었다!", "Ünïcode ÉCOLE İstanbul ΣΊΣΥΦΟΣ ΟΔΟΣ.", "a\nb\r\n\tc\u0085d\u007fe\u00a0f",
         "（全角）：％～＂─━—–►【x】〈y〉«z»“q”‘r’", "１２３ ١٢٣ ４５．６", "３，０００ 원 1.5.7", "ạ̈ ắ Å ﬁ ㎏ ½ ²", "がギ한글é", "Ⅷ ẞ Ǆ", "「」《》´∶？！；．", "é ÿ"]
from datatrove.utils.perplexity import KenlmModel  # noqa: E402

trove = KenlmModel("none", "none")
DIGIT, CONTROL = re.compile(r"\d"), KenlmModel.non_printing_chars_re


def ccnet(text):  # cc_net/text_normalizer.py normalize() with its defaults
    text = text.strip().lower()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    text = DIGIT.sub("0", text)
    return CONTROL.sub("", "".join(trove.unicode_punct.get(c, c) for c in text))


documents = ["\n".join(GOOD[:4]), "\n\n".join(BAD[:3]), "The RESULTS are shown\nin the second table 12", GOOD[0], "", "click here\n"]
model = kenlm.Model(str(folder / "good.arpa"))


def perplexity(text):  # datatrove's get_perplexity without SentencePiece
    lines = text.split("\n")
    return 10 ** (-sum(model.score(line) for line in lines) / sum(len(line.split()) + 1 for line in lines))


common.write_json(folder / "golden.json", {
    "sentences": sentences, "models": answers,
    "normalized": {"texts": texts, "datatrove": [trove.normalize(t) for t in texts], "ccnet": [ccnet(t) for t in texts]},
    "documents": {"texts": documents, "none": [perplexity(t) for t in documents], "datatrove": [perplexity(trove.normalize(t)) for t in documents]}})
common.finish(folder, ["kenlm", "datatrove"], "tiny n-gram models, KenLM's scores with them, texts normalised by datatrove and as cc_net does")
