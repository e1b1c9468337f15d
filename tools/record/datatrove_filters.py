"""datatrove's decisions on texts written by rule: GopherQuality and GopherRepetition with str.split words (keep, or the first failing
reason), simplify_text, and MinHash signatures (xxhash, 64 bits).  Run with datatrove, numpy, xxhash and regex installed."""
import gzip
import json
import random

from common import begin, finish

from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import simplify_text
from datatrove.utils.word_tokenizers import WordTokenizer


class Split(WordTokenizer):
    def word_tokenize(self, text):
        return text.split()

    def sent_tokenize(self, text):
        return [text]

    def span_tokenize(self, text):
        return [(0, len(text))]


ENGLISH = """the of and to in that be have with for on at page table window menu choose click document format insert cell value option
file system install package network server address user name password update version kernel module driver screen keyboard language
paragraph heading list image frame border style color width height select enter press open close save print edit view tools help don't
e-mail naïve café Ångström İstanbul ΟΔΟΣ Σίσυφος ﬁnal ½ x² 1,234.56 3.14 2023년 ٣٫١٤ 12:30 C++ #tag … ... – — “quoted” (see) [1] * • - / \\ |""".split()
KOREAN = """문서를 선택합니다 메뉴에서 서식 삽입 표 셀의 값을 입력하고 확인을 누릅니다 시스템을 설치하려면 패키지를 내려받아 네트워크 설정은
사용자가 비밀번호를 바꿀 수 있습니다 커널 모듈과 드라이버는 자동으로 올라옵니다 화면의 글꼴이 작으면 크게 할 수도 있다 그림과 틀의 테두리
스타일 단락은 머리글로 바뀐다 LibreOffice에서 F1 키를 데비안의 2,560개 ㅋㅋㅋ 한국어(韓國語) １２３ 「책」 … · 3.5배 ①""".split()
BREAKS = [" "] * 14 + ["\n"] * 3 + ["\n\n", "  ", "\t", "\u00a0", "\u3000", "\u2028", "\r\n", "\n\n\n"]


def plain(rng, words, n):
    return "".join(rng.choice(words) + rng.choice(BREAKS) for _ in range(n))


def lines(rng, words, n, pool, prefix="", suffix=""):
    made = [prefix + " ".join(rng.choice(words) for _ in range(rng.randint(3, 12))) + suffix for _ in range(pool)]
    return rng.choice(["\n", "\n\n"]).join(rng.choice(made) for _ in range(n))


def texts():
    rng = random.Random(3)
    for words in (ENGLISH, KOREAN, ENGLISH + KOREAN):
        for n in (0, 1, 3, 12, 49, 50, 51, 60, 120, 300, 800):
            yield plain(rng, words, n)
        common = [w for w in words if len(w) < 6 or w.isalpha()][:14]
        for _ in range(14):  # repeated lines and paragraphs, from a few to many kinds
            yield lines(rng, words, rng.randint(4, 60), rng.randint(2, 90))
        for _ in range(10):  # one run of words again and again among others
            run = " ".join(rng.choice(common) for _ in range(rng.randint(2, 11)))
            yield " ".join(run if rng.random() < 0.16 else rng.choice(words) for _ in range(rng.randint(60, 260)))
        for _ in range(10):  # small vocabularies
            yield plain(rng, rng.sample(common, rng.randint(4, 12)), rng.randint(50, 220))
        for prefix, suffix in (("• ", ""), ("- ", ""), ("", "..."), ("", "…"), ("  - ", " … "), ("# ", "")):
            for pool in (30, 60):
                yield lines(rng, common, 40, pool, prefix, suffix)
        for end in ("...", " …", "… "):  # long lines, so that the lines' ends decide and not the count
            yield "\n".join(" ".join(rng.choice(common) for _ in range(18)) + (end if rng.random() < 0.5 else "") for _ in range(12))
        for _ in range(6):  # runs that are equal but for where the spaces stand
            letters = rng.sample(common, 6)
            joined = ["".join(letters[:3]), "".join(letters[3:])] + letters
            yield " ".join(rng.choice(joined) for _ in range(140))
        yield " ".join(rng.choice("!?…。．·—") * rng.randint(1, 3) for _ in range(80))
        yield " ".join(str(rng.randint(0, 99999)) for _ in range(80))
        yield " ".join(rng.choice(words) * rng.randint(3, 5) for _ in range(80))
        yield " ".join(rng.choice("abcde가나") for _ in range(90))
        yield "\n" + lines(rng, words, 9, 30) + "\n\n"
    for line in ("Ｆｕｌｌ　ｗｉｄｔｈ １，２３４．５６ ½ ⅷ", "e\u0301 \u0301 a\u0301b \u0301\u0301 x", "각 각 ᄒᆞᆫ ﾊﾟ パ", "ΣΑΣ ΑΣ, Σ ΣΑ",
                 "1.2.3,4 5. 6 .7 ٣٫١٤ ५६.७", "a\u200bb\u00adc\u2028d\x1fe\x85f", "ǅ ŉ ß ẞ İI ıi", "日本語。中文，「引用」《书》", "👩‍💻 🇰🇷 ☃"):
        yield line


def verdict(filter_, text):
    try:
        result = filter_.filter(Document(text=text, id="x"))
    except ZeroDivisionError:
        return "ZeroDivisionError"
    return "keep" if result is True else result[1]


folder = begin("datatrove_filters")
split = Split()
korean = dict(min_avg_word_length=1.5, max_avg_word_length=8, min_stop_words=0, min_doc_words=20)
filters = {
    "quality": GopherQualityFilter(language=split),
    "quality_ko": GopherQualityFilter(language=split, **korean),
    "quality_no_length": GopherQualityFilter(language=split, min_doc_words=1, min_avg_word_length=0, max_avg_word_length=0),
    "repetition": GopherRepetitionFilter(language=split),
    "repetition_n_grams": GopherRepetitionFilter(language=split, dup_line_frac=0, dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0),
    "repetition_chars": GopherRepetitionFilter(language=split, dup_line_frac=0, dup_para_frac=0),
}
off = dict(dup_line_frac=0, dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0, top_n_grams=((2, 9), (3, 9), (4, 9)))
for n, share in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)):
    filters[f"repetition_{n}"] = GopherRepetitionFilter(language=split, dup_n_grams=tuple((m, share if m == n else 9) for m in range(5, 11)), **off)
filters["quality_long"] = GopherQualityFilter(language=split, max_doc_words=100)
for name in filters:
    filters[name].language = split
signer = MinhashDedupSignature("/tmp/helio-record-minhash", MinhashConfig(hash_config=HashConfig(precision=64, hash_fc="xxhash")), language=split)

counts = {name: {} for name in filters}
rows = []
for text in texts():
    row = {"text": text, "simple": simplify_text(text)}
    for name, filter_ in filters.items():
        row[name] = verdict(filter_, text)
        counts[name][row[name]] = counts[name].get(row[name], 0) + 1
    shingles = signer.get_shingles(text)
    signature = [value for band in signer.get_signature(shingles) for value in band] if len(shingles) else []
    row["signature"] = [f"{value:016x}" for value in signature]
    rows.append(row)

with gzip.GzipFile(folder / "rows.jsonl.gz", "wb", mtime=0) as out:
    for row in rows:
        out.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
a, b = signer.parameters
finish(folder, ["datatrove", "numpy", "xxhash", "regex"], "decisions, simplified texts and MinHash signatures of datatrove on texts written by rule",
       rows=len(rows), decisions={name: dict(sorted(c.items())) for name, c in counts.items()},
       a_first=[int(x) for x in a[0][:3]], b_first=[int(x) for x in b[0][:3]])
