"""Records what Dataverse's own cleaning functions make of small texts: tests/fixtures/dataverse_blocks.

    python3.11 -m venv DIR && DIR/bin/pip install dataverse==1.0.5 numpy==1.26.4 pandas==2.2.3 \
        scipy==1.13.1 pyspark==3.5.5 "setuptools<81"
    DIR/bin/python tools/record/dataverse_blocks.py

The blocks are plain Python functions over RDDs; a stand-in with map, filter and flatMap runs them without
Spark. The texts are written for this project. Where the original is wrong (docs/dataverse.md) its result
is not recorded.
"""
import importlib, json, pathlib, re, sys, types

# The package's __init__ files pull in Spark sessions and AWS; the modules themselves need little.
ROOT = next(p for p in map(pathlib.Path, sys.path) if (p / "dataverse/etl/cleaning").is_dir())


def package(name):
    module = types.ModuleType(name)
    module.__path__ = [str(ROOT / name.replace(".", "/"))]
    sys.modules[name] = module
    return module


for name in ("dataverse", "dataverse.etl", "dataverse.etl.cleaning"):
    package(name)
registry = types.ModuleType("dataverse.etl.registry")
registry.register_etl = lambda function: function
sys.modules["dataverse.etl.registry"] = registry


class Rows(list):
    def map(self, f):
        return Rows(map(f, self))

    def filter(self, f):
        return Rows(filter(f, self))


TEXTS = [
    "", "  앞뒤 공백  ", "한국어 문장입니다.", "a\t\tb  c\n\n d \u3000 e", "줄\n바꿈은\n남는다", "x\u00a0y\u2003z",
    "Café, naïve, Ångström", "“따옴표”와 ‘작은 것’, 그리고 …", "（괄호） 【대괄호】 《책》 「노래」", "20％ 할인！ 정말？", "A—B–C",
    "2024년 3월 15일, 1,234원", "٣ ५ ７ 가 7", "ㅋ쿠ㅜ", "ㅋ쿵ㅜ", "ㅎㅎ", "안녕 ㅠㅠ", "가나다 ㅏㅏ", "plain ascii text, 123.",
    "tab\there", "값：３개；끝．", "e\u0301 결합", "한글", "«guillemets» „low”", "～물결～ ━선 ►화살", "line one\nline two\n",
    " mixed 한글 and English, 2 lines\n둘째 줄 ", "é한글é", "Ñandú ÇA", "1. 하나\n2. 둘", "。、，", "日本語のテキスト", "Ελλάδα άλφα", "ёлка й",
    "전각　공백", "email@example.com 010-0000-0000", "zero\u200bwidth", "끝에 줄바꿈\n\n\n",
]


def rows():
    module = lambda name: importlib.import_module(f"dataverse.etl.cleaning.{name}")
    char, uni, number, korean = map(module, ("char", "unicode", "number", "korean"))
    latin = lambda t: not re.search("[\u3040-\u30ff\uac00-\ud7a3\u1100-\u11ff]", t)
    cases = [
        (char.cleaning___char___normalize_whitespace, "clean.whitespace", {}, {}, lambda t: True),
        (char.cleaning___char___remove_unprintable, "clean.control", {}, {"invisible": "keep"},
         lambda t: not re.search("[\x00-\x08\x09\x0b-\x1f\x7f-\x9f]", t)),
        # It leaves Korean in letters, and takes the voicing marks off kana.
        (char.cleaning___char___remove_accent, "clean.accents", {}, {}, latin),
        (uni.cleaning___unicode___replace_punct, "clean.punctuation", {}, {}, lambda t: "１" not in t),
        (uni.cleaning___unicode___remove_punct, "clean.punctuation", {}, {"mode": "remove"}, lambda t: "１" not in t),
        (uni.cleaning___unicode___normalize, "clean.unicode", {}, {"layout": "keep"}, lambda t: True),
        (number.cleaning___number___normalize, "clean.numbers", {}, {"assign": 0}, lambda t: True),
        (number.cleaning___number___normalize, "clean.numbers", {"assign_number": 5}, {"assign": 5}, lambda t: True),
        # Its second half never acts: only texts without repeats say what it should.
        (korean.cleaning___korean___reduce_emoticon, "clean.emoticons", {}, {}, lambda t: not re.search(r"(\w)\1{2,}", t)),
    ]
    for block, op, args, options, right in cases:
        for text in TEXTS:
            if right(text):
                out = block(None, Rows([{"text": text}]), **args)[0]["text"]
                yield {"block": block.__name__, "op": op, "options": json.dumps(options), "in": text, "out": out}


folder = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/dataverse_blocks"
lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
(folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf8")
print(len(lines), "rows")

import scipy.integrate


def optimal_param(threshold, num_perm):
    """The definition of datasketch's, which the package copies: least 0.5 fp + 0.5 fn."""
    best, least = None, float("inf")
    for b in range(1, num_perm + 1):
        for r in range(1, num_perm // b + 1):
            fp = scipy.integrate.quad(lambda s: 1 - (1 - s**r) ** b, 0.0, threshold)[0]
            fn = scipy.integrate.quad(lambda s: (1 - s**r) ** b, threshold, 1.0)[0]
            if 0.5 * fp + 0.5 * fn < least:
                least, best = 0.5 * fp + 0.5 * fn, (b, r)
    return best


for case in ((0.7, 256), (0.7, 250), (0.1, 250), (0.9, 128), (0.5, 64), (0.8, 64)):
    print(case, optimal_param(*case))
