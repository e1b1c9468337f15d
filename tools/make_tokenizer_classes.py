#!/usr/bin/env python3
"""Writes src/text/tokenizer/character_tables.inc and younger_characters.inc: the classes of characters as HF tokenizers sees them.

Its parts know different versions of Unicode, so each class is asked of the library itself, code point by code point.
Run by hand with the version of `tokenizers` that tools/test_requirements.txt names.
"""
import pathlib
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

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


CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf".split()
SCRIPTS = ["Han", "Hiragana", "Katakana", "Latin", "Cyrillic", "Arabic"]


def matched(pattern, codes):
    cut, left = pre_tokenizers.Split(Regex(pattern), "removed"), set()
    for i in range(0, len(codes), 256):
        left.update("".join(part for part, _ in cut.pre_tokenize_str("".join(map(chr, codes[i:i + 256])))))
    return [c for c in codes if chr(c) not in left]


def write_younger(path):
    """What HF's regular expressions know beyond the Unicode 14 of PCRE2 10.42, which Python 3.11 has too."""
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit("run this with Python 3.11, whose Unicode is PCRE2's: 14.0.0")
    unknown = [c for c in ALL if unicodedata.category(chr(c)) == "Cn" and (c < 0x33500 or 0xE0000 <= c < 0xE0200)]
    gone = set(matched(r"\p{Cn}", unknown))
    unknown = [c for c in unknown if c not in gone]
    text = [f"// Made by tools/make_tokenizer_classes.py with tokenizers {tokenizers.__version__}: do not edit.\n// clang-format off",
            "// Characters that are assigned for Oniguruma (Unicode 16) and not in Unicode 14, and their category."]
    for name, properties in (("kCategories", CATEGORIES), ("kScripts", SCRIPTS)):
        found = [(a, b, p) for p in properties for a, b in ranges(matched(r"\p{%s}" % p, unknown))]
        text.append(f"constexpr Younger {name}[] = {{\n" + rows('{0x%X, 0x%X, "%s"}' % r for r in (sorted(found) if name == "kCategories" else found)) + "\n};")
    path.write_text("\n".join([*text, "// clang-format on\n"]), encoding="utf-8")


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
    write_younger(path.with_name("younger_characters.inc"))


main()
