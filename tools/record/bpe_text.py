"""Korean and English text for bpe.py, made from templates written for this project: documents to train on and lines to encode.

Not a recorder itself.  Everything comes from one random.Random, so the text is the same on every run.
"""
import random
import unicodedata

WHO = ["나는", "우리 팀은", "그 연구원은", "학생들이", "할머니께서", "개발자는", "담당자가", "고양이가", "선생님은", "이웃집 아이가"]
WHEN = ["오늘 아침에", "지난주 금요일에", "2024년 3월부터", "점심을 먹고 나서", "비가 오는 날이면", "회의가 끝난 뒤", "밤늦게까지", "매일"]
WHERE = ["서울에서", "도서관에서", "부산역 앞에서", "연구실에서", "시장 골목에서", "온라인으로", "강변을 따라", "집 근처 공원에서"]
WHAT = ["새로운 언어 모델을", "말뭉치를", "김치찌개를", "보고서를", "토크나이저의 어휘를", "오래된 책을", "자전거를", "데이터 정제 규칙을", "한국어 문장을", "사진을"]
DID = ["만들었습니다", "읽었다", "정리하고 있다", "학습시켰습니다", "나누어 주었어요", "고쳤지만 아직 부족합니다", "찾아보려고 합니다", "비교했는데 결과가 좋았다", "기록해 두었다", "보여 주었습니다"]
SUBJECT = ["The model", "Our team", "A small tokenizer", "The old bridge", "My neighbour", "This data set", "The committee", "Every partner", "A careful reader", "The river"]
VERB = ["learns", "describes", "counts", "doesn't change", "carries", "rewrites", "keeps", "measures", "can't explain", "follows"]
OBJECT = ["the training data", "twelve Korean words", "a long and winding road", "its own mistakes", "the loss at each step", "every document twice", "the price of apples",
          "what people wrote", "the tokens of the corpus", "a shared rule"]
TAIL = ["before the meeting starts", "in the early morning", "without any warning", "because it's cheaper", "for 1,024 steps", "since 1998", "and nobody noticed", "as we've seen", "until the end of the day", "with 3.14 percent error"]
CODE = ["for (int i = 0; i < n; ++i) {\n    total += values[i];\n}", "def mean(xs):\n    return sum(xs) / len(xs)\n", "SELECT name, count(*) FROM lots GROUP BY name;",
        "if x == 0x1F:\n\treturn None", "std::vector<float> w(1024, 0.0f);", "{\"id\": 17, \"text\": \"안녕\"}"]
NUMBERS = ["010-1234-5678", "3.14159", "1,234,567원", "2026-11-23", "100%", "-273.15°C", "0x7fffffff", "1e-8", "제12조 제3항", "₩9,900"]
EMOJI = ["🙂", "🎉🎉", "👩‍💻", "🇰🇷", "❤️", "👍🏽"]


def korean(draw):
    parts = [draw.choice(WHO), draw.choice(WHEN), draw.choice(WHERE), draw.choice(WHAT), draw.choice(DID)]
    if draw.random() < 0.3:
        parts.pop(draw.choice([1, 2]))
    return " ".join(parts) + draw.choice([".", ".", ".", "!", "?", "…"])


def english(draw):
    text = f"{draw.choice(SUBJECT)} {draw.choice(VERB)} {draw.choice(OBJECT)}"
    return (f"{text} {draw.choice(TAIL)}" if draw.random() < 0.7 else text) + draw.choice([".", ".", ".", "!", "?", ";"])


def documents(size):
    """Documents of 2 to 7 sentences or a piece of code, about `size` UTF-8 bytes together."""
    draw, out, total = random.Random(2024), [], 0
    while total < size:
        kind = draw.random()
        if kind < 0.08:
            text = draw.choice(CODE)
        else:
            make = korean if kind < 0.55 else english if kind < 0.9 else lambda d: d.choice([korean, english])(d)
            pieces = []
            for _ in range(draw.randint(2, 7)):
                pieces.append(make(draw))
                if draw.random() < 0.12:
                    pieces.append(draw.choice(NUMBERS + EMOJI))
            text = pieces[0] + "".join(draw.choice([" ", " ", " ", "\n", "\n\n"]) + p for p in pieces[1:])
        out.append(text)
        total += len(text.encode())
    return out


ODD = ["", " ", "  ", "\n", "\n\n\n", "\t", " \t \n ", "a", "가", "\u3000전각\u3000공백\u3000", "no\u00a0break\u00a0space", "zero\u200bwidth", "\ufeffbyte order mark", "line\u2028separator\u2029paragraph",
       "carriage\r\nreturn\r\n", "\r\r", "form\x0cfeed\x0bvertical", "\x00null\x01\x02\x1f\x7f", "next\x85line", "trailing   ", "   leading", "many     inner     spaces",
       "tab\tseparated\tvalues", "soft\u00adhyphen", "\ufffd\ufffd replacement", "\ue000 private \U000f0000", "\u0301combining first", "mixed \u200f\u202eRTL\u202c", "ends with nl\n", " \n a \n  b",
       "    four spaces of indent", "\u2003\u2002em en", "x\u200d\u200dy", "\U0010ffff", "\ud7ff\ue000\uffff"]
HAND = ["안녕하세요", "안녕하세요, 세계!", "Hello, world!", "Hello안녕World세계", "I'm you're we've they'll he'd it's don't", "I'M YOU'RE WE'VE", "'s 't 're at the start", "it’s a curly one", "o'clock 'tis",
        "뷁 쀍 햏 ㅋㅋㅋㅋㅋ ㅠㅠ", "ㄱㄴㄷㄹ ㅏㅑㅓㅕ", "漢字 仮名 ひらがな カタカナ", "Ünïcödé ñandú Straße ŒUVRE", "Ελληνικά Русский العربية עברית हिन्दी ไทย", "ﬁ ligature ½ Ⅷ ² ①", "１２３ ＡＢＣ ｶﾅ",
        "1", "12", "123", "1234", "12345678901234567890", "3.14", "1,234,567.89", "1e-8 -42 +7", "٠١٢٣ १२३", "2026-11-23T10:22:33Z", "v1.2.3-rc.4+build5", "₩1,000 $5 €3 £2 ¥1",
        "🙂", "🙂🙃😀", "👩‍👩‍👧‍👦 family", "🇰🇷🇺🇸", "👍🏻👍🏿", "❤️ ☎️ ©️", "text🙂text", "한글🙂한글", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "for (int i=0;i<10;++i) printf(\"%d\\n\", i);", "def f(x):\n    return x**2  # square\n", "#include <vector>\n\nint main() { return 0; }\n", "{\"a\": [1, 2, {\"b\": null}]}", "<div class=\"x\">안녕</div>",
        "a==b && c!=d || !e", "::->=><<=>>...", "https://example.org/a?b=c&d=%ED%95%9C#e", "user.name+tag@example.com", "C:\\Users\\홍길동\\file.txt", "/usr/share/doc/한글/README", "x_1 = y-2 * z^3", "~~~```~~~", "!!!???...", "\"quoted\" 'single' «guillemets» 「괄호」 『책』",
        "<|endoftext|>", "<|user|>안녕<|assistant|>반가워요<|endoftext|>", "text<|endoftext|>text", "<|endoftext|><|endoftext|>", " <|user|> spaced <|assistant|> ", "<|unknown|>", "<|endoftext", "endoftext|>", "<|USER|>", "<|user|>\n<|user|>\n",
        "대한민국의 수도는 서울특별시이다.", "아버지가방에들어가신다", "띄어쓰기를 하지않은문장도있습니다", "값이 1,000원에서 2,500원으로 150% 올랐다.", "제1조(목적) 이 법은 …을 목적으로 한다.", "A/B 테스트 결과(n=42)는 p<0.05였다.", "서울시 강남구 테헤란로 123-45, 6층", "‘작은따옴표’ “큰따옴표” — 줄표 ~ 물결", "가나다라마바사아자차카타파하" * 3,
        "aaaaaaaaaaaaaaaaaaaaaaaa", "abababababababab", "the the the the", "ALLCAPS WORDS HERE", "camelCaseAndPascalCase snake_case kebab-case", "wwwwwwwwwwwwwwwwwww가가가가가가가가"]


def lines():
    """About 200 lines: generated ones, hand-written ones, odd white space, and the Korean ones decomposed (NFD)."""
    draw = random.Random(77)
    made = [korean(draw) for _ in range(28)] + [english(draw) for _ in range(28)] + [korean(draw) + " " + english(draw) + draw.choice(EMOJI) for _ in range(10)]
    made += [c + "\n" for c in CODE] + NUMBERS
    decomposed = [unicodedata.normalize("NFD", t) for t in HAND if any("가" <= c <= "힣" for c in t)][:14]
    odd = [t for t in ODD if not any(0xD800 <= ord(c) <= 0xDFFF for c in t)]
    return made + HAND + decomposed + odd
