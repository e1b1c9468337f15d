"""IFEval verdicts of lm-evaluation-harness's own checks: tests/fixtures/ifeval/cases.jsonl.gz, one case a line: an instruction with its
kwargs, a response made here, and the strict and loose verdict of the real thing.

Needs lm_eval 0.4.13 (its files of the task only), langdetect 1.0.9, nltk 3.9.1, immutabledict, absl-py. nltk's English parameters are
those of src/eval/ifeval/data. --check PROGRAM compares N cases with `PROGRAM eval score` and writes nothing.
"""
import argparse
import gzip
import importlib.metadata
import importlib.util
import json
import logging
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]


def punkt_folder(folder):
    """nltk's punkt_tab/english, written from the parameters that the program carries."""
    place = pathlib.Path(folder) / "tokenizers/punkt_tab/english"
    place.mkdir(parents=True)
    text = subprocess.run(["zstd", "-dc", ROOT / "src/eval/ifeval/data/punkt_english.txt.zst"], capture_output=True, check=True).stdout.decode()
    names = {"abbreviation": "abbrev_types.txt", "starter": "sent_starters.txt", "collocation": "collocations.tab", "context": "ortho_context.tab"}
    out = {name: [] for name in names}
    for line in text.removesuffix("\n").split("\n"):
        kind, _, value = line.partition("\t")
        if kind == "context":
            flags, _, word = value.partition("\t")
            value = f"{word}\t{flags}"
        out[kind].append(value + "\n")
    for kind, name in names.items():
        (place / name).write_text("".join(out[kind]))
    return str(folder)


def reference(folder):
    """The task's module of lm_eval, imported without the harness around it."""
    os.environ["NLTK_DATA"] = punkt_folder(folder)
    import langdetect
    import nltk
    langdetect.DetectorFactory.seed = 0
    nltk.data.path.insert(0, str(folder))
    for package, version in {"nltk": "3.9.1", "langdetect": "1.0.9", "lm_eval": "0.4.13"}.items():
        found = importlib.metadata.version(package)
        if found != version:
            raise ImportError(f"{package} is {found}, not {version}")
    place = importlib.util.find_spec("lm_eval").submodule_search_locations[0]
    for name in ("lm_eval", "lm_eval.tasks", "lm_eval.tasks.ifeval"):
        module = types.ModuleType(name)
        module.__path__ = [str(pathlib.Path(place).parent / name.replace(".", "/"))]
        sys.modules[name] = module
    logging.disable(logging.CRITICAL)
    from lm_eval.tasks.ifeval import utils
    return utils


SENTENCES = [
    "Dr. Kim met Mr. Lee at 3 p.m. in Seoul.", "It cost $3.50, i.e. very little!", "Is it true? Yes... it is.", "The U.S. economy grew 2.5 percent.",
    "He said \"stop.\" Then he left.", "NASA and the EU sent a probe (see Fig. 3).", "We can't, won't and shouldn't wait -- gotta go.", "A. B. Smith wrote it.",
    "my answer is here", "My answer is yes.", "MY ANSWER IS NO.", "the cat sat on the mat", "THE DOG RAN OVER THE HILL", "rock 'n' roll isn't dead",
    "P.S. Bring the keys.", "p. s. one more", "P.P.S I forgot", "p.p. s nothing", "* first point", "- second point", "** bold ** text", "*one* and *two* and **three**",
    "* * *", "***", "******", "****", "[name]", "[street] [town]", "[open", "<<A Title>>", "<< >>", "<<>>", "<<a>> and <<b>>", "Section 1", "SECTION 2\nmore", "Section3 and Section 4",
    "{\"a\": 1}", "[1, 2, NaN]", "```json\n{\"k\": [true, null]}\n```", "{\"a\": 1,}", "{\"a\": \"\\u12\"}", "[Infinity, -Infinity, 1e5, -0.5]", "01", "\"quoted\"", "\"\"", "\"",
    "안녕하세요. 오늘은 날씨가 좋습니다!", "한국어로 답합니다", "서울은 대한민국의 수도이다. 인구는 약 940만 명이다.", "これは日本語の文です。", "这是一个中文句子。", "Это русское предложение.", "هذه جملة عربية", "यह एक हिंदी वाक्य है",
    "Dies ist ein deutscher Satz über Straßen.", "Ceci est une phrase française, n'est-ce pas ?", "Esta es una frase en español.", "Questa è una frase italiana.", "Đây là một câu tiếng Việt.",
    "ΑΥΤΟΣ ΕΙΝΑΙ Ο ΟΔΥΣΣΕΥΣ", "İstanbul'da ıslak bir gün", "ſecret Kelvin K", "ǅungla ǆ Ǆ", "ⅣⅤ ⓐⒷ ª º", "ಕನ್ನಡ ಭಾಷೆ", "\u00a0\u3000 \u2028x\u0085y", "a\x1cb\x1dc", "№ 5 ½ ²", "emoji 😀 ok", "e\u0301te\u0301",
    "http://example.com/a?b=c and me@example.org", "first, second; third: fourth", "no punctuation at all", "etc. and so on", "Vol. 2, No. 3. vs. all", "Prof. Dr. J. K. Rowling Ph.D. came.",
    "end of it all", "Any other questions?", "word WORD Word wOrD", "keyword,keyword.keyword", "under_score under score", "a-b-c d--e f—g", "'tis 'twas gimme lemme cannot wanna go", "``x'' \"y\" ''z''",
    "1. one\n2. two", "12.5. Next", "-3.14. The", "...", "?!", "!!! ok", "Hi.\"Bye.\"", "(a.) (B.) [c.]", "x.y.z", "J. D. is", "No. 7", "I. Introduction", "e.g. this",
]
WORDS = ["the", "cat", "word", "keyword", "word's", "한국", "Straße", "ı", "kelvin", "secret", "it", "is", "a b", "end", "ΟΔΥΣΣΕΥΣ", "né"]
LANGUAGES = ["en", "ko", "ja", "de", "fr", "es", "vi", "ru", "ar", "hi", "kn", "it", "pt"]
GAPS = [" ", "\n", "\n\n", "  ", "\n \n", ". ", "", "\t", "\n\n\n", " *** ", "\n***\n", "\n\n***\n\n", "******", " - ", "\n* ", "\n- ", "\r\n"]

KINDS = """
change_case:capital_word_frequency
change_case:english_capital
change_case:english_lowercase
combination:repeat_prompt
combination:two_responses
detectable_content:number_placeholders
detectable_content:postscript
detectable_format:constrained_response
detectable_format:json_format
detectable_format:multiple_sections
detectable_format:number_bullet_lists
detectable_format:number_highlighted_sections
detectable_format:title
keywords:existence
keywords:forbidden_words
keywords:frequency
keywords:letter_frequency
language:response_language
length_constraints:nth_paragraph_first_word
length_constraints:number_paragraphs
length_constraints:number_sentences
length_constraints:number_words
punctuation:no_comma
startend:end_checker
startend:quotation
""".split()

# What a kind of instruction looks for.
TELLING = {
    "detectable_format:number_highlighted_sections": ["*one*", "**two**", "*three four*", "** **", "*", "***five***"],
    "detectable_format:json_format": ['{"a": [1, 2.5e3, "b\\n"]}', "[]", '{"a": {"b": null}}', '"text"', "12", "-0.0", "NaN", "tru", "[1 2]", '{"a":1}{"b":2}', '{"\\ud83d": "\\u00e9"}', '["\\q"]', "```JSON\n[]\n```", "```\n{}```"],
    "detectable_format:title": ["<<Title>>", "<< a >>", "<<<b>>>", "<<>>", "<c>"],
    "detectable_format:multiple_sections": ["Section 1", "Section 2", "SECTION 3", "Section", "Section4\n", "section 5"],
    "detectable_format:constrained_response": ["My answer is yes.", "My answer is no.", "My answer is maybe.", "my answer is yes.", "My answer is yes"],
    "detectable_content:postscript": ["P.S. x", "p.s.", "P. S. y", "P.P.S z", "P. P. S", "PS", "P.P.S. w"],
    "detectable_content:number_placeholders": ["[a]", "[b] [c]", "[d\ne]", "[]", "[f[g]]"],
    "change_case:english_capital": ["THIS IS AN ENGLISH SENTENCE ABOUT A DOG", "I AM A MAN", "A B C D", "THE WAY I DO IT IS A BIG ONE"],
    "change_case:english_lowercase": ["this is an english sentence about a dog", "the weather is nice today and we like it"],
    "combination:two_responses": ["first", "******", "second", "******"],
}


def response(rng, kind):
    telling = TELLING.get(kind, SENTENCES) if rng.random() < 0.6 else SENTENCES
    parts = [rng.choice(telling) for _ in range(rng.choice([0, 1, 1, 2, 3, 4, 6, 9, 14]))]
    if rng.random() < 0.35:  # one language, or one form
        parts = [rng.choice(parts or SENTENCES)] * len(parts)
    text = ""
    for part in parts:
        text += part + rng.choice(GAPS)
    change = rng.random()
    if change < 0.1: text = text.lower()
    elif change < 0.2: text = text.upper()
    elif change < 0.3: text = '"' + text + '"'
    elif change < 0.4: text = rng.choice([" ", "\n", "\t\n"]) + text.strip() + rng.choice(["", "\n", " "])
    elif change < 0.5 and text:  # a slip at any place
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(["", " ", "\n", "*", ".", "\"", ",", "A", "]", "'", "\u00a0"]) + text[at + rng.randrange(2):]
    elif change < 0.55: text = "Sure! Here it is:\n" + text + "\nHope this helps"
    return text


def first_word(rng, text):
    """Paragraphs, one of them, and how it begins, or nearly."""
    paragraphs = text.split("\n\n")
    count = max(1, sum(bool(p.strip()) for p in paragraphs) + rng.choice([-1, 0, 0, 0, 1]))
    nth = rng.randrange(1, count + 1)
    words = paragraphs[nth - 1].split() if nth <= len(paragraphs) else []
    word = words[0].strip("'\"").split(".")[0].split(",")[0] if words else "the"
    return {"num_paragraphs": count, "nth_paragraph": nth, "first_word": rng.choice([word, word, word.upper(), "the"]) or "x"}


def instruction(rng, kind, text):
    """An instruction whose numbers are near what the text has."""
    near = lambda n: max(1, n + rng.choice([-1, 0, 0, 1]))
    relation = rng.choice(["at least", "less than"])
    words = text.split() or ["none"]
    some = lambda: rng.choice([rng.choice(WORDS), rng.choice(words).strip(".,!?*[](){}\"'\\|+^$<>-") or "x"])
    clean = lambda w: w if not set(w) & set(".^$*+?{}[]\\|()") else "plain"
    kinds = {
        "keywords:existence": lambda: {"keywords": [clean(some()) for _ in range(rng.choice([1, 2]))]},
        "keywords:forbidden_words": lambda: {"forbidden_words": [clean(some()) for _ in range(rng.choice([1, 3]))]},
        "keywords:frequency": lambda: {"keyword": clean(some()), "frequency": near(rng.choice([1, 2, 3])), "relation": relation},
        "keywords:letter_frequency": lambda: {"letter": (c := rng.choice("aeinstzqAE")), "let_frequency": near(text.lower().count(c.lower())), "let_relation": relation},
        "language:response_language": lambda: {"language": rng.choice(LANGUAGES)},
        "length_constraints:number_sentences": lambda: {"num_sentences": near(rng.randrange(1, 12)), "relation": relation},
        "length_constraints:number_paragraphs": lambda: {"num_paragraphs": near(text.count("***") + 1)},
        "length_constraints:number_words": lambda: {"num_words": near(len(words)), "relation": relation},
        "length_constraints:nth_paragraph_first_word": lambda: first_word(rng, text),
        "detectable_content:number_placeholders": lambda: {"num_placeholders": near(text.count("["))},
        "detectable_content:postscript": lambda: {"postscript_marker": rng.choice(["P.S.", "P.P.S"])},
        "detectable_format:number_bullet_lists": lambda: {"num_bullets": near(text.count("\n*") + text.count("\n-"))},
        "detectable_format:constrained_response": dict,
        "detectable_format:number_highlighted_sections": lambda: {"num_highlights": near(text.count("*") // rng.choice([2, 3, 4, 6]))},
        "detectable_format:multiple_sections": lambda: {"section_spliter": rng.choice(["Section", "SECTION"]), "num_sections": near(text.count("ection"))},
        "detectable_format:json_format": dict,
        "detectable_format:title": dict,
        "combination:two_responses": dict,
        "combination:repeat_prompt": lambda: {"prompt_to_repeat": rng.choice([text[: rng.randrange(1, 30)], text.strip()[:20].upper(), "the cat"]) or "x"},
        "startend:end_checker": lambda: {"end_phrase": rng.choice([text.strip()[-rng.randrange(1, 12):], "Any other questions?", "end of it all"]) or "x"},
        "startend:quotation": dict,
        "change_case:capital_word_frequency": lambda: {"capital_frequency": near(sum(w.isupper() for w in words)), "capital_relation": relation},
        "change_case:english_capital": dict,
        "change_case:english_lowercase": dict,
        "punctuation:no_comma": dict,
    }
    return kinds[kind]()


def cases(count, seed):
    rng = random.Random(seed)
    for number in range(count):
        kind = rng.choice(KINDS)
        text = response(rng, kind)
        kwargs = instruction(rng, kind, text)
        if kind == "combination:repeat_prompt" and not kwargs["prompt_to_repeat"].strip():
            kwargs["prompt_to_repeat"] = "the cat"
        yield {"id": kind, "kwargs": kwargs, "response": text}


def judged(utils, case, number):
    example = utils.InputExample(key=number, instruction_id_list=[case["id"]], prompt=f"case {number}", kwargs=[case["kwargs"]])
    strict = utils.test_instruction_following_strict(example, case["response"])
    loose = utils.test_instruction_following_loose(example, case["response"])
    return {**case, "strict": strict.follow_instruction_list[0], "loose": loose.follow_instruction_list[0]}


def score(program, rows, folder):
    """The same cases through the program: a benchmark folder of our own."""
    folder = pathlib.Path(folder)
    (folder / "ifeval").mkdir(parents=True, exist_ok=True)
    with open(folder / "ifeval/input_data.jsonl", "w") as items, open(folder / "responses.jsonl", "w") as responses:
        for number, row in enumerate(rows):
            items.write(json.dumps({"key": number, "prompt": f"case {number}", "instruction_id_list": [row["id"]], "kwargs": [row["kwargs"]]}) + "\n")
            responses.write(json.dumps({"prompt": f"case {number}", "response": row["response"]}) + "\n")
    done = subprocess.run([*program, "eval", "score", "ifeval", "--benchmarks", folder, "--responses", folder / "responses.jsonl"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def differing(rows, ours):
    assert len(rows) == len(ours)
    return [(row, mine) for row, mine in zip(rows, ours) if [row["strict"]] != mine["strict"] or [row["loose"]] != mine["loose"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", metavar="PROGRAM")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        utils = reference(folder + "/nltk")
        rows = [judged(utils, case, number) for number, case in enumerate(cases(options.count, options.seed))]
        if options.check:
            wrong = differing(rows, score([options.check], rows, folder))
            for row, mine in wrong[:20]:
                print(json.dumps(row, ensure_ascii=False), mine["strict"], mine["loose"])
            print(f"{len(rows)} cases, {len(wrong)} differ")
            sys.exit(bool(wrong))
    import common
    out = common.begin("ifeval")
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    (out / "cases.jsonl.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    common.finish(out, ["lm_eval", "nltk", "langdetect", "immutabledict"], "Instructions, responses made by the script, and the verdicts of lm-evaluation-harness's IFEval checks",
                  cases=len(rows), seed=options.seed, followed=sum(row["strict"] for row in rows))


if __name__ == "__main__":
    main()
