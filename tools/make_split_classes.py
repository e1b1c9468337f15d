#!/usr/bin/env python3
"""Writes src/text/tokenizer/split_tables.inc: what the regular expressions of HF tokenizers take each character for.

Asked of the library itself, code point by code point (Oniguruma's Unicode is younger than our own library's).
Run by hand with the version of `tokenizers` that tools/test_requirements.txt names.
"""
import pathlib

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

CLASSES = [("upper", r"[\p{Lu}\p{Lt}]"), ("lower", r"\p{Ll}"), ("caseless", r"[\p{Lm}\p{Lo}]"), ("number", r"\p{N}"), ("space", r"\s"), ("mark", r"\p{M}"),
           ("sign", r"[\p{P}\p{S}]")]


def main():
    splits = [(name, Split(Regex(pattern), "removed")) for name, pattern in CLASSES]
    runs = []
    for c in range(0x110000):
        here = "other"
        if not 0xD800 <= c < 0xE000:
            is_of = [name for name, split in splits if not split.pre_tokenize_str(chr(c))]
            assert len(is_of) <= 1, (hex(c), is_of)
            here = is_of[0] if is_of else "other"
        if not runs or runs[-1][1] != here:
            runs.append((c, here))
    lines, line = [], "   "
    for c, name in runs:
        item = " {0x%X, %s}," % (c, "k" + name.capitalize())
        if len(line) + len(item) > 99:
            lines.append(line)
            line = "   "
        line += item
    text = (f"// Made by tools/make_split_classes.py with tokenizers {tokenizers.__version__}: do not edit.\n// clang-format off\n\n"
            "// Where each class of characters begins; it goes on to the next one.\nconstexpr Run kRuns[] = {\n" + "\n".join([*lines, line]) + "\n};\n// clang-format on\n")
    path = pathlib.Path(__file__).resolve().parents[1] / "src/text/tokenizer/split_tables.inc"
    path.write_text(text, encoding="utf-8")


main()
