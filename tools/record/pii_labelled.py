"""Writes tests/fixtures/pii_labelled.jsonl: sentences written for this project, personal data marked
as [[kind|value]]. Nobody's data stands in them: resident numbers are of people born 1900 to 1909,
telephone exchanges begin with 1 (not given out), the rest is drawn by a fixed seed and given its
check digit. {kind} in a sentence is replaced by a drawn value; values written out stay.

    python3 tools/record/pii_labelled.py
"""
import json, pathlib, random

R = random.Random(20261123)
d = lambda n: "".join(str(R.randrange(10)) for _ in range(n))
dash = lambda s, *cuts: "-".join(s[a:b] for a, b in zip((0,) + cuts, cuts + (None,)))


def rrn(kind=None):
    body = f"{R.randrange(10):02d}{R.randrange(1, 13):02d}{R.randrange(1, 29):02d}" + (kind or R.choice("12")) + d(5)
    total = sum(int(c) * w for c, w in zip(body, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]))
    return body + str(((13 if kind in ("5", "6") else 11) - total % 11) % 10)


def luhn(body):
    total = 0
    for i, c in enumerate(reversed(body)):
        n = int(c) * (2 if i % 2 == 0 else 1)
        total += n - 9 if n > 9 else n
    return body + str(-total % 10)


def business():
    body = str(R.randrange(101, 700)) + str(R.randrange(10, 90)) + d(4)
    total = sum(int(c) * w for c, w in zip(body, [1, 3, 7, 1, 3, 7, 1, 3, 5])) + int(body[8]) * 5 // 10
    return body + str(-total % 10)


def corporate():
    body = "1101" + R.choice(["11", "14", "21"]) + d(6)
    return body + str(-sum(int(c) * (1 + i % 2) for i, c in enumerate(body)) % 10)


MAKE = {
    "rrn": lambda: dash(rrn(), 6), "rrn_plain": rrn,
    "rrn_new": lambda: "201" + R.choice("012") + f"{R.randrange(1, 29):02d}-" + R.choice("34") + d(6),
    "frn": lambda: dash(rrn(R.choice("56")), 6), "frn_plain": lambda: rrn("5"),
    "visa": lambda: luhn("4" + d(14)), "master": lambda: luhn("5" + R.choice("12345") + d(13)),
    "amex": lambda: luhn("37" + d(12)),
    "business": lambda: dash(business(), 3, 5), "business_plain": business,
    "corporate": lambda: dash(corporate(), 6),
    "mobile": lambda: f"010-1{d(3)}-{d(4)}", "mobile_plain": lambda: "0101" + d(7),
}
DASHED = {"visa": (4, 8, 12), "master": (4, 8, 12), "amex": (4, 10)}


def fill(line):
    for name, make in MAKE.items():
        for form, gap in (("", None), ("_dashed", "-"), ("_spaced", " ")):
            mark = "{" + name + form + "}"
            while mark in line:
                value = make()
                if gap:
                    value = dash(value, *DASHED[name]).replace("-", gap)
                line = line.replace(mark, value, 1)
    assert "{" not in line.replace("{{", ""), line
    return line


here = pathlib.Path(__file__).resolve().parents[2]
lines = [line for line in (here / "tools/record/pii_labelled.txt").read_text(encoding="utf8").splitlines()
         if line and not line.startswith("#")]
with open(here / "tests/fixtures/pii_labelled.jsonl", "w", encoding="utf8") as out:
    for line in lines:
        out.write(json.dumps({"text": fill(line).replace("\\n", "\n")}, ensure_ascii=False) + "\n")
print(len(lines), "lines")
