"""datatrove's decisions with its default English words (spaCy) and with str.split, on sentences written by rule and on documents of the
shared corpora: quality, repetition, FineWeb, C4 (decision and text), C4's paragraphs and bad words, URLs; and spaCy's tokens.

    python tools/record/data_filters.py [../shared/data]      (datatrove, spacy, tldextract, ahocorasick, xxhash, zstandard)

Of the corpora only places, decisions and hashes are kept; without the folder what was recorded of them is carried over.
"""
import glob
import gzip
import io
import json
import pathlib
import random
import re
import sys

import xxhash
from common import FIXTURES, begin, finish

from datatrove.data import Document
from datatrove.pipeline.filters import c4_filters
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.pipeline.filters.url_filter import URLFilter
from datatrove.utils import word_tokenizers
from datatrove.utils.word_tokenizers import SpaCyTokenizer, WhitespaceTokenizer, WordTokenizer, load_word_tokenizer


class Split(WordTokenizer):
    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        raise NotImplementedError

    span_tokenize = sent_tokenize


class Terminal(Split):  # datatrove's sentences for languages that it has no tokenizer for
    def __init__(self):
        self.inner = WhitespaceTokenizer()

    def sent_tokenize(self, text):
        return self.inner.sent_tokenize(text)

    def span_tokenize(self, text):
        return self.inner.span_tokenize(text)


split, terminal, spacy = Split(), Terminal(), load_word_tokenizer("eng")
assert isinstance(spacy, SpaCyTokenizer)
BAD = ["darn", "blast it", "so-and-so", "나쁜말", "ugh!"]


def bad_words():
    made = c4_filters.C4BadWordsFilter(default_language="en")
    made._badwords_regex["en"] = re.compile(r"(?:\W|^)({})(?:\W|$)".format("|".join(map(re.escape, BAD))))
    return made


ko = dict(line_punct_thr=0.062, new_line_ratio=0.196, char_duplicates_ratio=0.1, short_line_thr=999)
FILTERS = {
    "quality": lambda: GopherQualityFilter(), "quality_split": lambda: GopherQualityFilter(language=split),
    "repetition": lambda: GopherRepetitionFilter(), "repetition_split": lambda: GopherRepetitionFilter(language=split),
    "fineweb": lambda: FineWebQualityFilter(), "fineweb_split": lambda: FineWebQualityFilter(language=split),
    "fineweb_zero": lambda: FineWebQualityFilter(language=split, line_punct_exclude_zero=True),
    "fineweb_ko": lambda: FineWebQualityFilter(language=split, **ko),
    "c4": lambda: c4_filters.C4QualityFilter(), "c4_fineweb": lambda: c4_filters.C4QualityFilter(filter_no_terminal_punct=False),
    "c4_sentences": lambda: c4_filters.C4QualityFilter(split_paragraph=False),
    "c4_terminal": lambda: c4_filters.C4QualityFilter(language=terminal, min_num_sentences=3),
    "c4_terminal_sentences": lambda: c4_filters.C4QualityFilter(language=terminal, split_paragraph=False, min_num_sentences=2),
    "c4_paragraph": lambda: c4_filters.C4ParagraphFilter(), "c4_badwords": bad_words,
}
ENGLISH_ONLY = {"quality", "repetition", "fineweb", "c4", "c4_fineweb", "c4_sentences"}
filters = {name: make() for name, make in FILTERS.items()}
for name, made in filters.items():
    if name.endswith("split"):
        made.language = split


def judged(name, text):
    document = Document(text=text, id="x")
    try:
        result = filters[name].filter(document)
    except ZeroDivisionError:
        return "ZeroDivisionError"
    reason = "keep" if result is True else result[1]
    if name in ("c4", "c4_fineweb", "c4_sentences", "c4_terminal", "c4_terminal_sentences") and reason == "keep":
        reason += " " + xxhash.xxh64_hexdigest(document.text.encode())
    return reason


def tokens(text):
    words = spacy.word_tokenize(text)
    return f"{len(words)} {xxhash.xxh64_hexdigest(chr(10).join(words).encode())}"


WORDS = """the of and to in that be have with for a page you can't won't it's they're I'd don't isn't U.S. e.g. i.e. Mr. Dr. St. p.m. 10am
3.5% $20 US$5 20€ 5km 100kg/h 7°C. C++ co-operate well-known 9-to-5 2020-11-23 10:30 and/or A/B key:value x=y a<b C# #tag @user :) :-( <3 ...
… -- — – 'quoted' "said" ‘so’ “it” (see) [1] [edit] [citation needed] [12] {x} www.example.com http://a.b/c?d=e#f user@mail.example.org
file.name.txt 192.168.0.1 8.8.8.8:53 v1.2.3 é naïve Ångström 한국어 문서를 中文 日本語。 ½ x² µm №5 § 50% ~10 1,000 1.000,50 a.b.c end.Start
end.start word,word (word) word) ((word)) word.) "word." word's words' James's o'clock rock'n'roll 'tis ’em y’all C’mon ain’t cookies use
javascript JavaScript lorem ipsum privacy policy darn blast it so-and-so 나쁜말 ugh! 😀 👍🏽 ☃ ™ © → ½ ١٢ १२ 100°F. km². kB. 5GB 3T. AAA. Abc. aB.""".split()
ENDS = [".", ".", ".", ".", "!", "?", "...", '."', "'", ";", "", "。", "…", ".)", "?!", " ."]
BREAKS = ["\n"] * 6 + ["\n\n", "\r\n", "\u2028", "\x0b", "\x85", "\n \n", " \n", "\x1c"]


def texts():
    rng = random.Random(5)
    plain = "the of and to in that be have with for a page you of is was it he she we said went came found made took see good".split()
    for words, count in ((plain, 70), (WORDS, 90), (plain * 8 + WORDS, 160)):
        for i in range(count):
            lines = []
            for _ in range(rng.randint(1, 24)):
                sentences = [" ".join(rng.choice(words) for _ in range(rng.randint(1, 16))) + rng.choice(ENDS) for _ in range(rng.randint(1, 4))]
                lines.append(rng.choice(["", "", "- ", "• ", "  "]) + " ".join(s.capitalize() if rng.random() < 0.6 else s for s in sentences))
            if i % 4 == 0:
                lines += rng.choices(lines, k=len(lines) // 2)
            if i % 5 == 0:
                lines = [line * 3 for line in lines]
            yield "".join(line + rng.choice(BREAKS) for line in lines)
    for _ in range(60):  # characters in any order
        yield "".join(rng.choice("ab.,'-!?:)(\"$% \n12sS’°FU/+*…é한@#") for _ in range(rng.randint(1, 200)))
    yield from ("", " ", "\n", "a", "A. B. C.", "W" * 1001 + " a b c.", "A sentence of some words.\n" * 5, "\u0130stanbul lorem ipsum is here now.",
                "Use coo\u212aies here and there now.", "x y z [١٢] w.", "He met Dr. A. No end", "Vitamin A.", "끝이다. 또 끝이다! 정말?\n그래.")


URLS = """http://example.com/ https://www.example.com/a https://sub.blocked.org/x http://blocked.org http://a.b.blocked.co.kr/p http://blocked.co.kr
http://bad-host.example.net/ http://x.bad-host.example.net/ https://ok.com/full/url https://ok.com/full/url2 http://ok.com/hard-word/ http://ok.com/Hard-word
http://ok.com/hardword http://ok.com/soft1 http://ok.com/soft1/soft2 http://ok.com/soft1-soft1 http://ok.com/s-u-b-w-o-r-d http://SubWord.com
http://user:pass@blocked.org:8080/ http://127.0.0.1/blocked.org http://localhost/ http://blocked.org.evil.com/ http://구글.한국/ ftp://blocked.org/x
//blocked.org/y blocked.org/z http://www.city.kawasaki.jp/a http://a.kawasaki.jp/ http://foo.bar.ck http://www.ck http://blocked.org./q""".split()
LISTS = {"extra_domains": ["blocked.org", "blocked.co.kr", "bad-host.example.net", "city.kawasaki.jp", "www.ck"], "extra_urls": ["https://ok.com/full/url"],
         "banned_words": ["hard"], "banned_subwords": ["subword"], "soft_banned_words": ["soft1", "soft2"]}
SUFFIXES = ["com", "org", "net", "kr", "co.kr", "jp", "*.kawasaki.jp", "!city.kawasaki.jp", "*.ck", "!www.ck", "한국", "xn--3e0b707e"]


def urls():
    import tldextract
    made = URLFilter(use_integrated_lists=False, **LISTS)
    made.tldextractor = tldextract.TLDExtract(suffix_list_urls=())
    for url in URLS:
        result = made.filter(Document(text="x", id="x", metadata={"url": url}))
        yield {"url": url, "said": "keep" if result is True else result[1]}


def documents(folder):
    import zstandard
    rng = random.Random(7)
    for path in sorted(glob.glob(f"{folder}/corpora/*.jsonl.zst")):
        with open(path, "rb") as file:
            lines = io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file), encoding="utf-8")
            rows = [(i, json.loads(line)["text"]) for i, line in enumerate(lines)]
        rows = [(i, text) for i, text in rows if len(text) < 30000]
        for i, text in sorted(rng.sample(rows, min(250, len(rows)))):
            yield pathlib.Path(path).name, i, text


old = FIXTURES / "data_filters" / "corpus.jsonl.gz"
carried = old.read_bytes() if old.exists() else None
folder = begin("data_filters")
counts = {name: {} for name in filters}


def note(name, said):
    said = said.split(" ")[0] if said.startswith("keep") else said
    counts[name][said] = counts[name].get(said, 0) + 1


def write(name, rows):
    with gzip.GzipFile(folder / name, "wb", mtime=0) as out:
        for row in rows:
            out.write((json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode())


def text_rows():
    for text in texts():
        row = {"text": text, "spacy": tokens(text)}
        for name in filters:
            row[name] = judged(name, text)
            note(name, row[name])
        yield row


def corpus_rows(shared):
    for file, index, text in documents(shared):
        english = file.startswith("en_")
        row = {"file": file, "row": index, "hash": xxhash.xxh64_hexdigest(text.encode())}
        if english:
            row["spacy"] = tokens(text)
        for name in filters:
            if english or name not in ENGLISH_ONLY:
                row[name] = judged(name, text)
                note(name, row[name])
        yield row


rows = list(text_rows())
write("texts.jsonl.gz", rows)
write("urls.jsonl.gz", list(urls()))
(folder / "lists.json").write_text(json.dumps({**LISTS, "public_suffixes": SUFFIXES, "bad_words": BAD}, ensure_ascii=False, indent=1) + "\n")
if len(sys.argv) > 1:
    write("corpus.jsonl.gz", list(corpus_rows(sys.argv[1])))
elif carried:
    (folder / "corpus.jsonl.gz").write_bytes(carried)
finish(folder, ["datatrove", "spacy", "tldextract", "numpy", "xxhash"], "decisions of datatrove and tokens of spaCy",
       texts=len(rows), decisions={name: dict(sorted(c.items())) for name, c in counts.items()})
