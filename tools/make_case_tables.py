#!/usr/bin/env python3
"""Writes src/text/jinja/case_tables.h: where Python's str methods go beyond general categories and one-to-one mappings.

Made with Python 3.11 (unicodedata 14.0.0). Usage: python tools/make_case_tables.py > src/text/jinja/case_tables.h
"""
import sys
import unicodedata

EVERY = [c for c in map(chr, range(sys.maxunicode + 1)) if not 0xD800 <= ord(c) <= 0xDFFF]


def ranges(name, comment, test):
    out, begin, last = [], None, None
    for c in EVERY:
        if test(c):
            if begin is None:
                begin = ord(c)
            last = ord(c)
        elif begin is not None:
            out.append((begin, last))
            begin = None
    print(f"// {comment}\ninline constexpr CodeRange {name}[] = {{")
    print("    " + ",\n    ".join(", ".join(f"{{0x{a:X}, 0x{b:X}}}" for a, b in out[i:i + 5]) for i in range(0, len(out), 5)) + "};\n")


def mappings(name, comment, convert):
    rows = [(ord(c), convert(c)) for c in EVERY if len(convert(c)) > 1]
    print(f"// {comment}\ninline constexpr CaseMapping {name}[] = {{")
    cells = [f"{{0x{c:X}, {{{', '.join(f'0x{ord(x):X}' for x in to)}}}}}" for c, to in rows]
    print("    " + ",\n    ".join(", ".join(cells[i:i + 3]) for i in range(0, len(cells), 3)) + "};\n")


print(f"""// Made by tools/make_case_tables.py with Unicode {unicodedata.unidata_version}.
#pragma once

#include <cstdint>

namespace helio::text::jinja {{

struct CodeRange {{
  char32_t begin, end;
}};
struct CaseMapping {{
  char32_t from, to[3];
}};
""")
ranges("kLowerBeyondLl", "str.islower() though the category is not Ll", lambda c: c.islower() and unicodedata.category(c) != "Ll")
ranges("kUpperBeyondLu", "str.isupper() though the category is not Lu", lambda c: c.isupper() and unicodedata.category(c) != "Lu")
ranges("kDigitBeyondNd", "str.isdigit() though the category is not Nd", lambda c: c.isdigit() and unicodedata.category(c) != "Nd")
ranges("kNumericLetters", "str.isnumeric() though the category is not N*", lambda c: c.isnumeric() and unicodedata.category(c)[0] != "N")
mappings("kUpperToMany", "str.upper() of one character that is several", str.upper)
mappings("kTitleToMany", "str.title() of one character that is several", str.title)
mappings("kFoldToMany", "str.casefold() of one character that is several", str.casefold)
print("}  // namespace helio::text::jinja")
