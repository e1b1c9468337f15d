"""Strings made to break tokenizers: the same for the same seed. check_tokenizers.py and tests/peers use them."""
import random
import unicodedata

WORDS = """the The THE a I of and hello World iPhone camelCase snake_case __init__ don't naïve café Straße İstanbul ǅungla ﬁnance ſo Ωmega Ж Привет мир
한국어 대한민국 을 를 은 는 하였습니다 되었다. 안녕하세요 ㅋㅋ ㅋㅋㅋㅋ ㅠㅠ ㄱㄴㄷ 뷁 값어치 읽다 漢字 日本語 カタカナ ひらがな ﾊﾝｶｸ 中文分词 繁體 𠮷野家 العربية שלום हिन्दी ক্ষ తెలుగు ไทยภาษา ລາວ မြန်မာ ខ្មែរ བོད ქართული հայ አማርኛ
ᏣᎳᎩ ᠮᠣᠩ ꦗꦮ 𝓐𝓑 𝔘𝔫𝔦 ⅷ Ⅷ ½ ① ㎏ ㋿ ﷺ ｆｕｌｌ Ａ１ ﾡﾢ 😀 👍🏽 👩‍👩‍👧 🇰🇷 🇰 1️⃣ ❤️ ☺︎ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 0 1 12 123 1234 2023년 3.14 1,000 １２３ ٣٤ १२ ৩ 〇 ²³ 0x1F 1e-5""".split()
KOREAN = WORDS[WORDS.index("한국어"):WORDS.index("漢字")]
CODE = ["def f(x):\n    return x", "for (int i = 0; i < n; ++i) {", "};\n\n", "#include <a.h>", "https://a.b/c?d=e&f=%20#g", "x@y.co.kr", "C:\\a\\b", "<div class=\"a\">", "</p>", "{{ x }}", "\\n", "\\u0041", "/* */", "// ",
        "!=", "===", "->", "::", "...", "….", "---", "```", "$x_1$", "`a`", "\t\treturn", "    if", "&amp;", "%s", "[1, 2]", "{\"a\": null}", "a/b", "and/or", "\"quoted\"", "“ ”", "‘’", "«»", "–—", "。", "、", "！？", "「」", "~", "^", "|", "@", "€", "₩1,000", "№"]
SPACES = [" ", " ", " ", "  ", "   ", "    ", " " * 8, "\n", "\n", "\r\n", "\n\n", "\r", "\t", "\t\t", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680", "\u180e", "\u2000", "\u2003", "\u2009", "\u200a", "\u2028", "\u2029",
          "\u202f", "\u205f", "\u3000", "\u200b", "\u2060", "\ufeff", " \n", "\n ", " \n ", "\n\t", "▁", "▁▁", "\u00ad"]
UNSEEN = ["\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\ufe0e", "\ufe0f", "\U000e0100", "\U000e0020", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u3164", "\uffa0", "\0",
          "\x01", "\x1b", "\x7f", "\x80", "\ufffc", "\ufffd", "\ufffe", "\uffff", "\ue000", "\U0010ffff", "\U0001fffe"]
ENDINGS = ["s", "S", "t", "T", "re", "RE", "Re", "rE", "ve", "VE", "vE", "m", "M", "ll", "LL", "Ll", "lL", "d", "D", "\u017f", "\u017fs", "l", "r", "v", "lL1", "sS", "em", "K", "\u212a", "s's", "i", "İ"]
APOSTROPHES = ["'", "'", "'", "'", "''", "\u2019", "\u02bc", " '", "' ", "\uff07", "`", "\n'"]
LOOKALIKES = ["<s>", "</s>", "<unk>", "<pad>", "<mask>", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[INST]", "[/INST]", "<<SYS>>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|end_of_text|>", "<bos>", "<eos>",
              "<start_of_turn>", "<0x41>", "<0x0A>", "<0xEA>", "<|", "|>", "<", ">", "[", "]", "##a", "</w>", "Ġ", "Ċ", "Ā", "<｜begin▁of▁sentence｜>", "｜", "<extra_id_0>"]
TRAPS = ["e\u0301", "\u00e9", "\u212b", "A\u030a", "\u00c5", "\u1e9b\u0323", "\ufb01", "\ufb03", "\u0344", "\u0308\u0301", "\u0958", "\u0915\u093c", "\u2126", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u1100\u1161", "\u1161\u11a8", "\u3131\u314f", "\uffa1\uffc2",
         "\u0f73", "\u0f71\u0f72", "\u0d4a", "\u1fbe", "\u03b1\u0345", "\u1f80", "\U0001d15e", "\U0002f800", "\uf900", "\ufa0e", "\u3392", "\u32ff", "\u337f", "\ufdfa", "\u1e0b\u0323", "\u0064\u0323\u0307", "q\u0307\u0323", "\u0300", "\u0301\u0300", "\u0327\u0301",
         "\u05b7\u05bc\u05b0", "\u064b\u0651", "\u0e33", "\u0eb3", "\u2024", "\u2025", "\u2026", "\u00a8", "\u00af", "\u02da", "\u037a", "\u1fc1", "\uff9e", "\u304b\u3099", "\u30ab\uff9e", "\uff76\uff9e", "\u00b5", "\u0131", "I\u0307", "ß", "ẞ", "ŉ", "ǰ", "ΐ",
         "ς", "Σ", "\ua64a", "\u1c80", "\uab70", "\u10d0", "\u1c90", "\u2160", "\u24b6"]
# First and last code points of blocks, weighted by how often they stand here.
BLOCKS = [(0, 0x7F), (0, 0x7F), (0x80, 0xFF), (0x100, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0x97F), (0x980, 0xDFF), (0xE00, 0xEFF), (0xF00, 0xFFF),
          (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x167F), (0x1680, 0x18AF), (0x1900, 0x1CFF), (0x1AB0, 0x1AFF), (0x1D00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x20FF), (0x2100, 0x218F), (0x2190, 0x23FF), (0x2400, 0x27BF), (0x2C00, 0x2DFF),
          (0x2E00, 0x303F), (0x3040, 0x30FF), (0x3100, 0x31FF), (0x3200, 0x33FF), (0x3400, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xAC00, 0xD7A3), (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0xE000, 0xE010), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFE6F),
          (0xFE70, 0xFEFF), (0xFF00, 0xFFEF), (0xFFF0, 0xFFFF), (0x10000, 0x105FF), (0x10600, 0x10FFF), (0x11000, 0x12FFF), (0x13000, 0x167FF), (0x16800, 0x1BFFF), (0x1C000, 0x1D0FF), (0x1D100, 0x1D7FF), (0x1D800, 0x1EFFF), (0x1F000, 0x1FAFF), (0x1FB00, 0x1FFFF),
          (0x20000, 0x323AF), (0x323B0, 0x3FFFF), (0x40000, 0xDFFFF), (0xE0000, 0xE01EF), (0xE01F0, 0xFFFFF), (0x100000, 0x10FFFF), (0, 0x10FFFF)]
MARKS = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c))[0] == "M"]
DIGITS = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c))[0] == "N"]
PEOPLE = ["👩", "👨", "🧑", "👧", "👦", "🏃", "🤷", "👮", "✋", "☝"]
TONES = ["", "\U0001f3fb", "\U0001f3fc", "\U0001f3fd", "\U0001f3fe", "\U0001f3ff"]
JOINED = ["👩", "👨", "❤\ufe0f", "💻", "🚀", "♀\ufe0f", "♂", "🦰", "⚖\ufe0f", "🌈", "🔥", "⬛"]


def characters(draw, low, high, count):
    return "".join(chr(c) for c in (draw.randint(low, high) for _ in range(count)) if not 0xD800 <= c < 0xE000)


def mixed(draw):
    pools = (WORDS, WORDS, WORDS, CODE, SPACES, SPACES, SPACES, UNSEEN, TRAPS, LOOKALIKES)
    return "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 9)))


def sentence(draw):
    return draw.choice((" ", " ", " ", "  ", "\n", "")).join(draw.choices(WORDS, k=draw.randint(1, 7))) + draw.choice(("", ".", "?!", "\n", " "))


def raw_bytes(draw):
    top = draw.choice((0x100, 0x100, 0x80, 0xF8))
    data = bytes(draw.randrange(top) if draw.random() < 0.6 else draw.choice(b"\xea\xb0\x80\xf0\x9f\xed\xa0\xc0\xe2\x81 \n'a") for _ in range(draw.randint(1, 28)))
    return data.decode("utf-8", "replace")


def blocks(draw):
    return "".join(characters(draw, *draw.choice(BLOCKS), draw.randint(1, 5)) + draw.choice(("", "", " ", "\n", "a")) for _ in range(draw.randint(1, 4)))


def hangul(draw):
    ways = (lambda: characters(draw, 0xAC00, 0xD7A3, draw.randint(1, 6)), lambda: characters(draw, 0x1100, 0x1112, 1) + characters(draw, 0x1161, 0x1175, 1) + draw.choice(("", characters(draw, 0x11A7, 0x11C3, 1))),
            lambda: characters(draw, 0x1100, 0x11FF, draw.randint(1, 4)), lambda: characters(draw, 0x3130, 0x318F, draw.randint(1, 4)), lambda: characters(draw, 0xFFA0, 0xFFDC, draw.randint(1, 3)),
            lambda: characters(draw, 0xA960, 0xA97C, 1) + characters(draw, 0xD7B0, 0xD7FB, 2), lambda: characters(draw, 0xAC00, 0xD7A3, 1) + characters(draw, 0x11A7, 0x11C2, 1), lambda: draw.choice(KOREAN),
            lambda: unicodedata.normalize("NFD", draw.choice(KOREAN)), lambda: draw.choice("ㅋㅎㅠㅜㅇㄷ") * draw.randint(1, 9), lambda: draw.choice((" ", "\n", ".", "~", "!!", "1")))
    return "".join(draw.choice(ways)() for _ in range(draw.randint(1, 6)))


def marks(draw):
    return "".join(draw.choice("aeEio한漢कб \n1.") + "".join(draw.choices(MARKS, k=draw.choice((0, 1, 1, 2, 3, 6)))) for _ in range(draw.randint(1, 5)))


def emoji(draw):
    ways = (lambda: draw.choice(PEOPLE) + draw.choice(TONES) + "".join("\u200d" + draw.choice(JOINED) for _ in range(draw.randint(0, 3))), lambda: "".join(chr(0x1F1E6 + draw.randrange(26)) for _ in range(draw.randint(1, 5))),
            lambda: draw.choice("0123456789*#") + draw.choice(("\ufe0f\u20e3", "\u20e3", "\ufe0f")), lambda: characters(draw, 0x1F300, 0x1FAFF, draw.randint(1, 4)), lambda: characters(draw, 0x2600, 0x27BF, 1) + draw.choice(("", "\ufe0e", "\ufe0f")),
            lambda: "🏴" + characters(draw, 0xE0061, 0xE007A, 4) + "\U000e007f", lambda: draw.choice((" ", "\u200d", "a", ":)")))
    return "".join(draw.choice(ways)() for _ in range(draw.randint(1, 4)))


def spaces(draw):
    return "".join(draw.choice(SPACES) if draw.random() < 0.75 else draw.choice(("a", "한", "1", ".", "'s", "\u0301", "<s>", "Z", "-")) for _ in range(draw.randint(1, 12)))


def digits(draw):
    return "".join(draw.choice(draw.choice(("0123456789", "0123456789", DIGITS, DIGITS, ".,-/: ", "년월일원명a"))) for _ in range(draw.randint(1, 14)))


def contractions(draw):
    return "".join(draw.choice(("I", "we", "한국", "1", "É", "", " ", "X", "don", "!")) + draw.choice(APOSTROPHES) + draw.choice(ENDINGS) + draw.choice(("", "", " ", "a", "\n", "1")) for _ in range(draw.randint(1, 4)))


def runs(draw):
    part = draw.choice(draw.choice((WORDS, SPACES, CODE, TRAPS, UNSEEN, ["a", "=", "-", "ㅋ", "가", "0", "9", "!", "e\u0301", "ab", "\u1100", "\u0301", "😀"])))
    times = max(1, min(draw.choice((3, 10, 17, 33, 64, 65, 100, 200)), 200 // len(part.encode())))
    return draw.choice(("", "a", " ")) + part * times + draw.choice(("", "a", " ", "\n"))


# Kinds and their share in hundredths.
KINDS = ((mixed, 28), (sentence, 12), (raw_bytes, 9), (blocks, 12), (hangul, 11), (marks, 6), (emoji, 6), (spaces, 6), (digits, 3), (contractions, 5), (runs, 2))


def changed(draw, text):
    """A text with a few characters put in, dropped, repeated or in the other case."""
    letters = list(text)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(letters) + 1)
        way = draw.randrange(5)
        if way == 0 or at == len(letters):
            letters.insert(at, draw.choice(draw.choice((SPACES, UNSEEN, TRAPS, WORDS))))
        elif way == 1:
            del letters[at]
        elif way == 2:
            letters[at] *= 2
        elif way == 3:
            letters[at] = letters[at].swapcase()
        else:
            letters[at] = unicodedata.normalize(draw.choice(("NFD", "NFKC")), letters[at])
    return "".join(letters)


def texts(count, seed):
    """Strings for every tokenizer."""
    draw = random.Random(seed)
    kinds = [kind for kind, share in KINDS for _ in range(share)]
    out = []
    for _ in range(count):
        text = draw.choice(kinds)(draw)
        out.append(changed(draw, text) if draw.random() < 0.1 else text)
    return out


def own_texts(tokenizer, count, seed):
    """Strings for one tokenizer: of its added tokens, of what only looks like them, and of its vocabulary."""
    draw = random.Random(seed)
    added = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
    added = [t for t in added if t] or LOOKALIKES
    short = [t for t in added if len(t.encode()) < 40] or added
    size = tokenizer.get_vocab_size()
    # Tokens as people see them: the decoder turns byte letters and the like back.
    known = tokenizer.decode_batch([[draw.randrange(size)] for _ in range(min(20_000, size))], skip_special_tokens=False)
    known = [t for t in known if 0 < len(t) < 40] or WORDS

    def token():
        text = draw.choice(short)
        way = draw.randrange(8)
        if way == 0:
            return text[:draw.randint(0, len(text))]
        if way == 1:
            return text[draw.randint(0, len(text)):]
        if way == 2:
            return changed(draw, text)
        if way == 3:
            return draw.choice(SPACES) + text + draw.choice(SPACES)
        return text

    ways = (token, token, lambda: draw.choice(known), lambda: draw.choice(known), lambda: draw.choice(known), lambda: draw.choice(SPACES), lambda: draw.choice(WORDS), lambda: draw.choice(TRAPS))
    out = []
    for _ in range(count):
        if draw.random() < 0.5:
            out.append("".join(draw.choice(ways)() for _ in range(draw.randint(1, 5))))
        else:
            out.append(draw.choice((" ", "", "")).join(draw.choices(known, k=draw.randint(1, 6))))
    return out
