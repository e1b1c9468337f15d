#!/usr/bin/env python3
"""Writes src/text/tokenizer/character_tables.inc: the classes of characters as HF tokenizers sees them.

Its parts know different versions of Unicode, so each class is asked of the library itself, code point by code point.
Run by hand with the version of `tokenizers` that tools/test_requirements.txt names.
"""
import pathlib

import tokenizers
from tokenizers import normalizers, pre_tokenizers

ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(members):
    out = []
    for c in members:
        if out and (out[-1][1] == c - 1 or (c == 0xE000 and out[-1][1] == 0xD7FF)):
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def rows(items):
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) > 96:
            lines.append(line.rstrip())
            line = ""
        line += item + ", "
    return "\n".join("    " + x for x in [*lines, line.rstrip()] if x)


def table(name, comment, members):
    return f"// {comment}\nconstexpr Range {name}[] = {{\n" + rows("{0x%X, 0x%X}" % tuple(r) for r in ranges(members)) + "};\n"


def removed_by(normalizer):
    return [c for c in ALL if normalizer.normalize_str("a" + chr(c)) == "a"]


def scripts():
    cut = pre_tokenizers.UnicodeScripts()
    runs, representatives, before = [], [], None
    for c in ALL:
        here = -1 if not cut.pre_tokenize_str(chr(c)) else None
        if here is None and before is not None and before[1] >= 0 and len(cut.pre_tokenize_str(chr(before[0]) + chr(c))) == 1:
            here = before[1]
        if here is None:
            here = next((i for i, r in enumerate(representatives) if len(cut.pre_tokenize_str(chr(r) + chr(c))) == 1), None)
        if here is None:
            here = len(representatives)
            representatives.append(c)
        if here >= 0:
            if runs and runs[-1][2] == here and runs[-1][1] == c - 1:
                runs[-1][1] = c
            else:
                runs.append([c, c, here])
        before = (c, here)
    return runs


def main():
    bert = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    punctuation = pre_tokenizers.Punctuation("removed")
    words = pre_tokenizers.Whitespace()
    text = [f"// Made by tools/make_tokenizer_classes.py with tokenizers {tokenizers.__version__}: do not edit.\n// clang-format off\n"]
    text.append(table("kControls", "What BertNormalizer's clean_text removes.", removed_by(normalizers.BertNormalizer(**{**bert, "clean_text": True}))))
    text.append(table("kMarks", "What StripAccents removes.", removed_by(normalizers.StripAccents())))
    text.append(table("kNonspacingMarks", "What BertNormalizer's strip_accents removes.", removed_by(normalizers.BertNormalizer(**{**bert, "strip_accents": True}))))
    text.append(table("kPunctuation", "What Punctuation cuts at.", [c for c in ALL if [p[0] for p in punctuation.pre_tokenize_str("a" + chr(c))] == ["a"]]))
    text.append(table("kWordCharacters", "The \\w of Whitespace and of added tokens with single_word.", [c for c in ALL if words.pre_tokenize_str("a" + chr(c))[0][0] != "a"]))
    text.append("// The scripts of UnicodeScripts, numbered as they turn up; characters of no range belong to any.\nconstexpr ScriptRange kScripts[] = {\n"
                + rows("{0x%X, 0x%X, %d}" % tuple(r) for r in scripts()) + "};\n// clang-format on\n")
    path = pathlib.Path(__file__).resolve().parents[1] / "src/text/tokenizer/character_tables.inc"
    path.write_text("\n".join(text), encoding="utf-8")


main()
