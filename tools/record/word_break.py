"""Unicode's own test of word boundaries (Debian's unicode-data 15.0), without its comments: one text a line, its segments as hexadecimal
code points with a space between characters and "÷" between segments."""
import gzip
import re

from common import begin, finish

folder = begin("word_break")
lines = []
for line in open("/usr/share/unicode/auxiliary/WordBreakTest.txt", encoding="utf-8"):
    line = line.split("#")[0].strip()
    if line:
        lines.append("÷".join(re.sub(" × ", " ", part).strip() for part in line.strip("÷ ").split("÷")))
with gzip.GzipFile(folder / "cases.txt.gz", "wb", mtime=0) as out:
    out.write(("\n".join(lines) + "\n").encode())
finish(folder, [], "WordBreakTest.txt of Unicode 15.0 (Copyright 1991-2022 Unicode, Inc.; unicode.org/terms_of_use)", cases=len(lines))
