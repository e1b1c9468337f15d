"""A small Korean and English corpus written by rule: what the end-to-end tests run on.

Deterministic (its own generator, no clock); has boilerplate, exact and near duplicates, PII and too-short pages on purpose.
"""
import json
import pathlib

KO = {
    "who": ["관리자는", "사용자는", "개발자는", "학생은", "연구원은", "선생님은", "시민은", "작가는", "의사는", "요리사는"],
    "where": ["서울에서", "도서관에서", "연구실에서", "화면에서", "학교에서", "시장에서", "부산에서", "산길에서", "바닷가에서", "사무실에서"],
    "what": ["새로운 문서를", "오래된 지도를", "표의 셀을", "긴 편지를", "작은 프로그램을", "맛있는 음식을", "두꺼운 책을", "회의 자료를", "사진 파일을", "한국어 문장을"],
    "how": ["천천히", "정확하게", "빠르게", "조심스럽게", "다시 한번", "꼼꼼하게", "처음으로", "함께", "혼자서", "매일"],
    "does": ["읽고 정리했다.", "저장하고 닫았다.", "고르고 나누었다.", "쓰고 고쳤다.", "찾아서 보여 주었다.", "설명하고 기록했다.", "비교하고 선택했다.", "만들고 나누어 주었다.", "옮기고 확인했다.", "배우고 익혔다."],
}
EN = {
    "who": ["The editor", "A student", "The engineer", "Every reader", "The old captain", "A careful clerk", "The teacher", "Our neighbour", "The gardener", "A young writer"],
    "does": ["opens", "describes", "repairs", "compares", "collects", "measures", "explains", "copies", "prints", "studies"],
    "what": ["the large table", "a short letter", "the second chapter", "that broken clock", "the list of names", "a map of the coast", "the printed page", "this small engine", "the garden wall", "an unusual word"],
    "where": ["in the library", "near the river", "with a quiet friend", "on the first floor", "behind the station", "at the end of the day", "during the meeting", "under the lamp", "beside the window", "in the morning"],
    "why": ["because the weather is fine", "and writes down the result", "to help the others", "while the rain is falling", "before the doors are closed", "so that nothing is lost", "and then goes home", "after a long journey", "for the sake of order", "without any hurry"],
}


class Numbers:
    """A 64-bit linear congruential generator: the same numbers wherever the tests run."""

    def __init__(self, seed):
        self.state = seed * 2654435761 + 12345

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def pick(self, items):
        return items[self.below(len(items))]


def sentence(language, numbers):
    if language == "ko":
        return " ".join(numbers.pick(KO[part]) for part in ("who", "where", "what", "how", "does"))
    return " ".join(numbers.pick(EN[part]) for part in ("who", "does", "what", "where", "why")) + "."


def paragraph(language, numbers, sentences):
    return " ".join(sentence(language, numbers) for _ in range(sentences))


def html_page(title, paragraphs):
    body = "".join(f"<p>{p}</p>" for p in paragraphs)
    return (f"<html><head><meta charset='utf-8'><title>{title}</title><style>p {{}}</style></head><body>"
            f"<nav><a href='/'>Home</a> <a href='/next'>Next</a></nav><h1>{title}</h1>{body}"
            f"<footer>Copyright nobody in particular</footer></body></html>")


def write(root, pages=90):
    root = pathlib.Path(root)
    for language, folder in (("ko", "guide-ko"), ("en", "guide-en")):
        numbers = Numbers(7 if language == "ko" else 11)
        for i in range(pages):
            paragraphs = [paragraph(language, numbers, 5 + numbers.below(4)) for _ in range(3)]
            if i % 10 == 3:
                paragraphs[0] += " 문의: minsu.kim@example.com 010-1234-5678" if language == "ko" else " Write to jane.roe@example.org today."
            page = html_page(f"{'쪽' if language == 'ko' else 'Page'} {i}", paragraphs)
            target = root / folder / f"page-{i:03}.html"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page, encoding="utf-8")
            if i % 15 == 4:  # the same page under another name
                (target.parent / f"page-{i:03}-copy.html").write_text(page, encoding="utf-8")
            if i % 15 == 9:  # nearly the same page
                (target.parent / f"page-{i:03}-near.html").write_text(page.replace("</p>", " .</p>", 1), encoding="utf-8")
        (root / folder / "stub.html").write_text(html_page("x", ["..."]), encoding="utf-8")
    numbers = Numbers(23)
    with open(root / "notes.jsonl", "w", encoding="utf-8") as out:
        for i in range(60):
            text = "\n".join(paragraph("ko" if i % 2 else "en", numbers, 6) for _ in range(2))
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    sft = [{"instruction": f"Write sentence number {i}.", "input": "", "output": sentence("en" if i % 2 else "ko", numbers)} for i in range(24)]
    (root / "sft.json").write_text(json.dumps(sft, ensure_ascii=False), encoding="utf-8")
    pairs = [{"prompt": f"Describe item {i} of the list.", "chosen": sentence("en", numbers), "rejected": "no " * (3 + numbers.below(5)) + str(i)} for i in range(40)]
    (root / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in pairs), encoding="utf-8")


if __name__ == "__main__":
    import sys
    write(sys.argv[1])
