# label: fast
"""Ids, decoded text and trained vocabularies equal those of PyPI's tokenizers; jinja2 renders our chat template as we do."""
import json
import os
import pathlib
import random
import subprocess

import jinja2
import jinja2.ext
import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
SHARED = pathlib.Path("/work/shared/data")
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


def write_rows(path, rows):
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    return path


def read_rows(path):
    return [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n") if line]


PARTS = ["a", "Z", "hello", " world", "é", "e\u0301", "한", "한국어", "ㅋㅋ", "\u1112\u1161\u11ab", "漢字", "1", "2023", "Ⅷ", "½", "１", "①", " ", "  ", "    ",
         "\n", "\r\n", "\n\n", "\t", "\x0b", "\x1c", "\u00a0", "\u3000", "\u2003", "\u0085", "\u180e", "\u200b", "\u2028", ".", "!", "?!", "_", "-", "'", "'s", "'S",
         "'ll", "'LL", "'re", "'Ve", "'d", "'\u017f", "\u0301", "😀", "👩\u200d👩\u200d👧", "\u200d", "\ufe0f", "«", "\0", "＿", "Ⓐ", "ﬁ", "㋿", "ﾡ", "\uFFFD",
         "<|endoftext|>", "<|user|>", "<tok>", "<tok", "tok>", "[X]", " [X] ", "Day", "day", "<|end", "\u212b", "İ", "ſ", "ǅ", "ẞ", "/", "\r"]


def texts(seed, count=400):
    draw = random.Random(seed)
    out = ["", " ", "\n"] + ["".join(draw.choice(PARTS) for _ in range(draw.randint(1, 25))) for _ in range(count)]
    return out + [row["text"] for row in read_rows(FIXTURES / "bpe/lines.jsonl")]


def compare(tokenizer_json, folder, seed=1, samples=None, decode=True):
    """Encodes with and without special tokens, and decodes, on both sides."""
    file = folder / "tokenizer.json"
    file.write_text(tokenizer_json if isinstance(tokenizer_json, str) else json.dumps(tokenizer_json, ensure_ascii=False), encoding="utf-8")
    theirs = Tokenizer.from_file(str(file))
    samples = samples or texts(seed)
    rows = write_rows(folder / "in.jsonl", [{"text": t} for t in samples])
    for special in (True, False) if decode else (False,):
        flags = [] if special else ["--no_special"]
        helio("tokenizer", "encode", "--tokenizer", file, "--in", rows, "--field", "text", "--out", folder / "ids.jsonl", *flags)
        ours = read_rows(folder / "ids.jsonl")
        assert len(ours) == len(samples)
        for text, row in zip(samples, ours):
            try:
                expected = theirs.encode(text, add_special_tokens=special)
            except BaseException as problem:  # HF panics where an added token of spaces lies in the spaces another one strips
                assert type(problem).__name__ == "PanicException", problem
                continue
            assert row["ids"] == expected.ids, (text, expected.tokens)
    for keep in (True, False) if decode else ():
        helio("tokenizer", "decode", "--tokenizer", file, "--in", folder / "ids.jsonl", "--out", folder / "texts.jsonl", *(["--keep-special"] if keep else []))
        for row, got in zip(ours, read_rows(folder / "texts.jsonl")):
            assert got["text"] == theirs.decode(row["ids"], skip_special_tokens=not keep), row["ids"]


def base(variant="split"):
    return json.loads((FIXTURES / "bpe" / variant / "tokenizer.json").read_text(encoding="utf-8"))


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2 = {**BYTE_LEVEL, "use_regex": True}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


PRE_TOKENIZERS = {
    "gpt2": GPT2,
    "gpt2_prefix_space": {**GPT2, "add_prefix_space": True},
    "no_split": BYTE_LEVEL,
    "no_split_prefix_space": {**BYTE_LEVEL, "add_prefix_space": True},
    "llama3": sequence(split(LLAMA3), BYTE_LEVEL),
    "qwen2": sequence(split(LLAMA3.replace("{1,3}", "")), BYTE_LEVEL),
    "gpt4o": sequence(split(GPT4O), BYTE_LEVEL),
    "smollm": sequence({"type": "Digits", "individual_digits": True}, GPT2),
    "digits_together": sequence({"type": "Digits", "individual_digits": False}, GPT2),
    "digits_prefix_space": sequence({"type": "Digits", "individual_digits": True}, {**GPT2, "add_prefix_space": True}),
    "deepseek": sequence(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
                         split(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
                         BYTE_LEVEL),
    "words": sequence(split(r"\w+|[^\w\s]+"), BYTE_LEVEL),
    "not_spaces": sequence(split(r"\S+", invert=True), BYTE_LEVEL),
    "anchored": sequence(split(r"^.|.$"), BYTE_LEVEL),
    "empty_matches": sequence(split(r"1*"), BYTE_LEVEL),
    "string": sequence(split(".", kind="String"), split("-", kind="String", behavior="MergedWithNext"), GPT2),
    **{f"spaces_{b}{'_inverted' if i else ''}": sequence(split(r"\s", b, i), BYTE_LEVEL)
       for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous") for i in (False, True)},
}


@pytest.mark.parametrize("name", PRE_TOKENIZERS)
def test_pre_tokenizers(name, tmp_path):
    compare({**base(), "pre_tokenizer": PRE_TOKENIZERS[name]}, tmp_path)


@pytest.mark.parametrize("forms", [["NFC"], ["NFD"], ["NFKC"], ["NFKD"], ["NFD", "NFC"]])
def test_normalizers(forms, tmp_path):
    steps = [{"type": f} for f in forms]
    compare({**base(), "normalizer": steps[0] if len(steps) == 1 else {"type": "Sequence", "normalizers": steps}}, tmp_path)


def added(identifier, content, **flags):
    return {"id": identifier, "content": content, **{k: flags.get(k, False) for k in ("single_word", "lstrip", "rstrip", "normalized", "special")}}


@pytest.mark.parametrize("normalizer", [None, {"type": "NFKC"}])
@pytest.mark.parametrize("seed", range(4))
def test_added_tokens_with_every_option(seed, normalizer, tmp_path):
    tokenizer = base()
    draw = random.Random(seed)
    contents = ["<tok>", "<tok", "Day", "한국어", "[X]", "  ", "①", "e\u0301", "1", "\n", " world"]
    for content in contents:
        flags = {k: draw.random() < 0.4 for k in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        known = tokenizer["model"]["vocab"].get(content)
        taken = {t["id"] for t in tokenizer["added_tokens"]}
        tokenizer["added_tokens"].append(added(known if known is not None else max(max(taken) + 1, len(tokenizer["model"]["vocab"])), content, **flags))
    compare({**tokenizer, "normalizer": normalizer}, tmp_path, seed)


def test_post_processors(tmp_path):
    single = [{"SpecialToken": {"id": "<|user|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "two", "type_id": 0}}]
    template = {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<|user|>": {"id": "<|user|>", "ids": [1], "tokens": ["<|user|>"]}, "two": {"id": "two", "ids": [2, 3], "tokens": ["<|assistant|>", "<|system|>"]}}}
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    for post in (None, byte_level, template, {"type": "Sequence", "processors": [byte_level, template]}):
        compare({**base(), "post_processor": post}, tmp_path)


def test_decoders(tmp_path):
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    for decoder in (None, byte_level, {"type": "Sequence", "decoders": [byte_level, {"type": "Fuse"}]}):
        compare({**base(), "decoder": decoder}, tmp_path)


def test_model_options(tmp_path):
    # A vocabulary that lacks bytes, with an unknown token, fused or not.
    for options in ({"unk_token": None}, {"unk_token": "!"}, {"unk_token": "!", "fuse_unk": True}, {"ignore_merges": True}):
        tokenizer = base("byte_level")
        model = tokenizer["model"]
        gone = {"ê", "É", "z"}
        model["merges"] = [m for m in model["merges"] if not gone & set("".join(m))]
        if not options.get("ignore_merges"):
            model["vocab"] = {t: i for t, i in model["vocab"].items() if not gone & set(t)}
            renumbered = sorted(model["vocab"], key=model["vocab"].get)
            model["vocab"] = {t: i for i, t in enumerate(renumbered)}
        model.update(options)
        compare(tokenizer, tmp_path)


def test_merges_as_text_and_repeated_merges(tmp_path):
    tokenizer = base()
    merges = tokenizer["model"]["merges"]
    tokenizer["model"]["merges"] = ["#version: 0.2"] + [" ".join(m) for m in merges] + [" ".join(m) for m in merges[5:9]]
    compare(tokenizer, tmp_path)


# Every assigned code point and some of the planes for private use.
EVERYTHING = [chr(c) for c in [*range(0xD800), *range(0xE000, 0x33500), *range(0xE0000, 0xE0200), *range(0x10FF00, 0x110000)]]


@pytest.mark.parametrize("name", ["llama3", "smollm", "gpt4o", "deepseek", "words"])
def test_every_code_point_is_of_the_same_class(name, tmp_path):
    lines = ["".join(f"a{c}1 {c}" for c in EVERYTHING[i:i + 1024]) for i in range(0, len(EVERYTHING), 1024)]
    compare({**base(), "pre_tokenizer": PRE_TOKENIZERS[name]}, tmp_path, samples=lines, decode=False)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_code_point_is_normalized_alike(form, tmp_path):
    lines = ["\n".join(EVERYTHING[i:i + 1024]) for i in range(0, len(EVERYTHING), 1024)]
    compare({**base(), "normalizer": {"type": form}}, tmp_path, samples=lines, decode=False)


def test_invalid_utf8_in_plain_text_reads_as_python_reads_it(tmp_path):
    data = bytes(random.Random(3).randrange(256) for _ in range(4000)).replace(b"\n", b"").replace(b"\r", b"")
    (tmp_path / "in.txt").write_bytes(data + b"\n\nlast")
    helio("tokenizer", "encode", "--tokenizer", FIXTURES / "bpe/split", "--in", tmp_path / "in.txt", "--out", tmp_path / "ids.jsonl")
    theirs = Tokenizer.from_file(str(FIXTURES / "bpe/split/tokenizer.json"))
    assert [r["ids"] for r in read_rows(tmp_path / "ids.jsonl")] == [theirs.encode(t).ids for t in (data.decode("utf-8", "replace"), "", "last")]


@pytest.mark.parametrize("pattern", ["gpt2", "llama3"])
@pytest.mark.parametrize("vocab_size,min_frequency", [(300, 1), (700, 2), (1500, 1), (6000, 3)])
def test_training_gives_the_same_file(pattern, vocab_size, min_frequency, tmp_path):
    corpus = [r["text"] for r in read_rows(FIXTURES / "bpe/corpus.jsonl")] + texts(9) + ["=" * n + "-" * (2 * n) for n in range(1, 30)]
    special = ["<|endoftext|>", "<|pad|>", "a b"]
    theirs = Tokenizer(models.BPE())
    if pattern == "gpt2":
        theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        theirs.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    theirs.post_processor = processors.ByteLevel(trim_offsets=False)
    theirs.decoder = decoders.ByteLevel()
    theirs.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=special, show_progress=False,
                                                           initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    rows = write_rows(tmp_path / "corpus.jsonl", [{"body": t} for t in corpus])
    helio("tokenizer", "train", rows, "--field", "body", "--vocab-size", vocab_size, "--min-frequency", min_frequency, "--pre-tokenizer", pattern,
          "--special-tokens", *special, "--out", tmp_path / "ours")
    ours = json.loads((tmp_path / "ours/tokenizer.json").read_text(encoding="utf-8"))
    expected = json.loads(theirs.to_str())
    assert ours["model"]["merges"] == expected["model"]["merges"]
    assert (tmp_path / "ours/tokenizer.json").read_text(encoding="utf-8") == theirs.to_str(pretty=True)
    loaded = Tokenizer.from_file(str(tmp_path / "ours/tokenizer.json"))
    assert all(loaded.encode(t).ids == theirs.encode(t).ids for t in corpus[:50])


def test_training_is_the_same_for_any_number_of_threads(tmp_path):
    for threads in (1, 4):
        helio("tokenizer", "train", FIXTURES / "bpe/corpus.jsonl", "--vocab-size", 500, "--threads", threads, "--out", tmp_path / f"t{threads}" / "same")
    names = sorted(p.name for p in (tmp_path / "t1/same").iterdir())
    assert names == ["chat_template.jinja", "helio_manifest.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"]
    for name in names:
        assert (tmp_path / "t1/same" / name).read_bytes() == (tmp_path / "t4/same" / name).read_bytes(), name


def test_jinja2_renders_the_template_as_recorded(tmp_path):
    helio("tokenizer", "train", FIXTURES / "bpe/corpus.jsonl", "--vocab-size", 300, "--out", tmp_path / "t")
    source = (tmp_path / "t/chat_template.jinja").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "t/tokenizer_config.json").read_text(encoding="utf-8"))["chat_template"] == source

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    class Generation(jinja2.ext.Extension):  # transformers' tag for what the assistant says: renders as if it were not there
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return jinja2.nodes.Scope(body, lineno=line)

    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation]).from_string(source)
    template.globals["raise_exception"] = raise_exception
    for case in read_rows(FIXTURES / "chat_solar/cases.jsonl"):
        given = {"messages": case["messages"], "add_generation_prompt": case["add_generation_prompt"], "eos_token": "</s>"}
        if "error" in case:
            with pytest.raises(jinja2.TemplateError):
                template.render(**given)
        else:
            assert template.render(**given) == case["render"], case["name"]


def test_tokens_build_from_a_dataset(tmp_path):
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    lines = texts(5, 60)
    rows = [{"id": str(i), "text": t, "lot": f"lot-{i % 3}", "partner": f"p{i % 3}", "language": "ko", "split": "heldout" if i % 9 == 0 else "train", "scores": {}} for i, t in enumerate(lines)]
    write_rows(dataset / "part-00000.jsonl", rows[:30])
    write_rows(dataset / "part-00001.jsonl", rows[30:])
    helio("tokenizer", "train", "--dataset", dataset, "--vocab-size", 400, "--out", tmp_path / "tok")
    done = json.loads(helio("tokens", "build", dataset, tmp_path / "tok", "--out", tmp_path / "tokens", "--shard-tokens", 900, "--json", "-q").stdout)
    theirs = Tokenizer.from_file(str(tmp_path / "tok/tokenizer.json"))
    for split_name in ("train", "heldout"):
        ids = [i for r in rows if r["split"] == split_name for i in theirs.encode(r["text"], add_special_tokens=False).ids + [0]]
        data = b"".join(p.read_bytes() for p in sorted((tmp_path / "tokens").glob(f"{split_name}-*.bin")))
        assert [int.from_bytes(data[i:i + 2], "little") for i in range(0, len(data), 2)] == ids
        assert done["splits"][split_name]["tokens"] == len(ids)
    assert sum(lot["documents"] for lot in done["lots"]) == len(rows)
    manifest = json.loads((tmp_path / "tokens/helio_manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "tokens" and [i["role"] for i in manifest["inputs"]] == ["dataset", "tokenizer"]
    assert manifest["inputs"][1]["content"] == json.loads((tmp_path / "tok/helio_manifest.json").read_text(encoding="utf-8"))["content"]
    helio("tokens", "build", tmp_path, tmp_path / "tok", "--out", tmp_path / "none", ok=4)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words,code,said", [
    (("tokenizer", "train", "--out", "OUT"), 2, "either a dataset or files"),
    (("tokenizer", "train", "missing.txt", "--out", "OUT"), 4, "missing.txt"),
    (("tokenizer", "train", "EMPTY", "--out", "OUT"), 3, "no text"),
    (("tokenizer", "train", "TEXT", "--vocab-size", "256", "--out", "OUT"), 3, "too small"),
    (("tokenizer", "train", "TEXT", "--eos", "</s>", "--vocab-size", "300", "--out", "OUT"), 3, "no special token"),
    (("tokenizer", "encode", "--tokenizer", "BAD", "--in", "TEXT"), 3, "Unigram"),
    (("tokenizer", "encode", "--tokenizer", "nowhere", "--in", "TEXT"), 4, "nowhere"),
    (("tokenizer", "encode", "--tokenizer", "GOOD", "--in", "ROWS", "--field", "body"), 3, "no field 'body'"),
    (("tokenizer", "encode", "--tokenizer", "GOOD", "--in", "BROKEN"), 3, ":2:"),
    (("tokenizer", "decode", "--tokenizer", "GOOD", "--in", "IDS"), 3, "600 is no id"),
    (("tokens", "build", "DATA", "GOOD", "--out", "OUT"), 3, "which token ends a document"),
])
def test_errors_say_what_and_leave_nothing(words, code, said, tmp_path):
    files = {"EMPTY": tmp_path / "empty.txt", "TEXT": tmp_path / "text.txt", "BAD": tmp_path / "bad.json", "ROWS": tmp_path / "rows.jsonl", "OUT": tmp_path / "out",
             "BROKEN": tmp_path / "broken.jsonl", "IDS": tmp_path / "ids.jsonl", "GOOD": FIXTURES / "bpe/split/tokenizer.json", "DATA": tmp_path / "data"}
    files["EMPTY"].write_text("")
    files["TEXT"].write_text("some text\n")
    files["BAD"].write_text('{"model": {"type": "Unigram"}}')
    files["ROWS"].write_text('{"text": "a"}\n')
    files["BROKEN"].write_text('{"text": "a"}\n{"text": \n')
    files["IDS"].write_text('{"ids": [600]}\n')
    files["DATA"].mkdir()
    (files["DATA"] / "part-00000.jsonl").write_text('{"text": "a", "lot": "l", "partner": "p", "language": "ko", "split": "train"}\n')
    done = subprocess.run([HELIO, *[str(files.get(w, w)) for w in words]], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not files["OUT"].exists() and not [p for p in tmp_path.iterdir() if p.name.startswith(".helio-tmp-")]


@pytest.mark.skipif(not SHARED.exists(), reason="no /work/shared/data")
def test_smollm2_on_real_korean_text(tmp_path):
    golden = read_rows(SHARED / "tokenizers/golden/smollm2.jsonl")
    compare((SHARED / "tokenizers/smollm2/tokenizer.json").read_text(encoding="utf-8"), tmp_path, samples=[r["text"] for r in golden])
