# label: fast
"""Every component of a tokenizer.json, built with PyPI's tokenizers: ids, offsets and decoded text are equal."""
import json
import os
import pathlib
import random
import subprocess

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
SHARED = pathlib.Path("/work/shared/data/tokenizers")
PARTS = ["a", "Z", "the", " the", "hello", " world", "é", "e\u0301", "한", "한국어", "을", "ㅋㅋ", "\u1112\u1161\u11ab", "\u1161", "시\u11a7", "\U00011935\U00011930", "漢字", "日本語", "カタカナー", "العربية", "1", "2023",
         "Ⅷ", "½", "１", "①", " ", "  ", "    ", "\n", "\r\n", "\n\n", "\t", "\x0b", "\x1c", "\u00a0", "\u3000", "\u0085", "\u180e", "\u200b", "\u2028", ".", "!", "?!", "_", "-", "'",
         "'s", "'ll", "'d", "\u0301", "\u0323\u0301", "😀", "👩\u200d👩\u200d👧", "\u200d", "\ufe0f", "«", "\0", "＿", "Ⓐ", "ﬁ", "㋿", "ﾡ", "\uFFFD", "<tok>", "<tok", "[X]", " [X] ", "<unk>",
         "[UNK]", "<0x41>", "<", "▁", "▁▁", "\u212b", "İ", "ẞ", "/", "\r", "\ufeff", "ß", "日", "\u05b9", "\u1ac6", "\u0898\u0323", "zq", "</w>", "##", "|", "x,y", "naïve", "가나다라마바사"]


def texts(seed, count=250):
    draw = random.Random(seed)
    out = ["", " ", "\n", "a", "  a  ", "▁", "\r\n"]
    out += ["".join(draw.choice(PARTS) for _ in range(draw.randint(1, 16))) for _ in range(count)]
    out += [bytes(draw.randrange(256) for _ in range(draw.randint(1, 30))).decode("utf-8", "replace") for _ in range(count // 5)]
    return out


CORPUS = texts(77, 300) + [json.loads(line)["text"] for line in (FIXTURES / "bpe/lines.jsonl").read_bytes().decode().split("\n") if line][:150]


def helio(*words):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def rows(path):
    return [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n") if line]


def compare(theirs, folder, samples):
    file = folder / "tokenizer.json"
    theirs.save(str(file))
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in samples))
    expected = []
    for text in samples:
        try:
            expected.append((theirs.encode(text), theirs.encode(text, add_special_tokens=False)))
        except BaseException as problem:  # HF panics on spaces stripped twice
            assert type(problem).__name__ == "PanicException", problem
            expected.append(None)
    assert sum(e is not None for e in expected) > len(samples) // 2
    for which, flags in enumerate(([], ["--no_special"])):
        for offsets in ([], ["--offsets"]):
            helio("tokenizer", "encode", "--tokenizer", file, "--in", folder / "in.jsonl", "--out", folder / "out.jsonl", *flags, *offsets)
            for text, e, ours in zip(samples, expected, rows(folder / "out.jsonl"), strict=True):
                if e is None:
                    continue
                assert ours["ids"] == e[which].ids, (text, e[which].tokens)
                if offsets:
                    assert [tuple(o) for o in ours["offsets"]] == e[which].offsets, (text, e[which].tokens)
    draw = random.Random(len(samples))
    size = theirs.get_vocab_size()
    lists = [e[0].ids for e in expected if e] + [[draw.randrange(size) for _ in range(draw.randint(0, 12))] for _ in range(100)]
    (folder / "ids.jsonl").write_text("".join(json.dumps({"ids": i}) + "\n" for i in lists))
    for skip, flags in ((True, []), (False, ["--keep-special"])):
        helio("tokenizer", "decode", "--tokenizer", file, "--in", folder / "ids.jsonl", "--out", folder / "text.jsonl", *flags)
        for ids, ours in zip(lists, rows(folder / "text.jsonl"), strict=True):
            try:
                text = theirs.decode(ids, skip_special_tokens=skip)
            except BaseException as problem:
                assert type(problem).__name__ == "PanicException", problem
                continue
            assert ours["text"] == text, [theirs.id_to_token(i) for i in ids]


def bpe(**options):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **options))
    return tokenizer, trainers.BpeTrainer(vocab_size=600, special_tokens=["<unk>", "<s>", "</s>"], limit_alphabet=150, show_progress=False)


def bytes_bpe(**options):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, **options))
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    return tokenizer, trainers.BpeTrainer(vocab_size=900, special_tokens=special, limit_alphabet=120, show_progress=False)


def unigram(**options):
    return Tokenizer(models.Unigram()), trainers.UnigramTrainer(vocab_size=3000, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False)


def wordpiece(**options):
    return Tokenizer(models.WordPiece(unk_token="[UNK]", **options)), trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[UNK]", "[CLS]", "[SEP]"], limit_alphabet=150, show_progress=False)


def wordlevel(**options):
    return Tokenizer(models.WordLevel(unk_token="<unk>")), trainers.WordLevelTrainer(vocab_size=500, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)


MODELS = {"bpe": bpe, "bytes_bpe": bytes_bpe, "unigram": unigram, "wordpiece": wordpiece, "wordlevel": wordlevel}


def trained(kind, normalizer=None, pre_tokenizer=None, **options):
    tokenizer, trainer = MODELS[kind](**options)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


BERT = {f"bert_{i}": lambda i=i: normalizers.BertNormalizer(clean_text=bool(i & 1), handle_chinese_chars=bool(i & 2), strip_accents=(None, False, True)[i % 3], lowercase=bool(i & 4)) for i in range(8)}
NORMALIZERS = {
    "nfc": normalizers.NFC, "nfd": normalizers.NFD, "nfkc": normalizers.NFKC, "nfkd": normalizers.NFKD, "nmt": normalizers.Nmt, "lowercase": normalizers.Lowercase,
    "strip": normalizers.Strip, "strip_left": lambda: normalizers.Strip(right=False), "strip_right": lambda: normalizers.Strip(left=False), "accents": normalizers.StripAccents,
    "prepend": lambda: normalizers.Prepend("▁"), "prepend_more": lambda: normalizers.Prepend("ab"), "byte_level": normalizers.ByteLevel,
    "replace": lambda: normalizers.Replace("a", "bcd"), "remove": lambda: normalizers.Replace("he", ""), "replace_regex": lambda: normalizers.Replace(Regex(r" {2,}|\n+"), "▁"),
    "llama": lambda: normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
    "many": lambda: normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(), normalizers.Replace(Regex(r"\s+"), " ")]), **BERT}
BEHAVIOURS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
PRE_TOKENIZERS = {
    "none": lambda: None, "byte_level": pre_tokenizers.ByteLevel, "whitespace": pre_tokenizers.Whitespace, "whitespace_split": pre_tokenizers.WhitespaceSplit,
    "bert": pre_tokenizers.BertPreTokenizer, "delimiter": lambda: pre_tokenizers.CharDelimiterSplit("a"), "scripts": pre_tokenizers.UnicodeScripts,
    "fixed": lambda: pre_tokenizers.FixedLength(3), "digits": lambda: pre_tokenizers.Digits(True),
    **{f"metaspace_{s}_{c}": lambda s=s, c=c: pre_tokenizers.Metaspace(prepend_scheme=s, split=c) for s in ("first", "always", "never") for c in (True, False)},
    **{f"punctuation_{b}": lambda b=b: pre_tokenizers.Punctuation(b) for b in BEHAVIOURS},
    **{f"split_{b}_{i}": lambda b=b, i=i: pre_tokenizers.Split(" ", b, i) for b in BEHAVIOURS for i in (False, True)},
    "byte_level_then_split": lambda: pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(use_regex=False), pre_tokenizers.Split("Ġ", "merged_with_next")]),
    "words_then_metaspace": lambda: pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")]),
    "prefix_then_metaspace": lambda: pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(), pre_tokenizers.Metaspace(prepend_scheme="first")]),
    "digits_then_scripts": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.UnicodeScripts(), pre_tokenizers.Punctuation()])}


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizers(name, tmp_path):
    for seed, kind in enumerate(("bpe", "bytes_bpe", "unigram")):
        compare(trained(kind, NORMALIZERS[name](), pre_tokenizers.Metaspace(prepend_scheme="first") if seed else None), tmp_path, texts(seed))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", PRE_TOKENIZERS)
def test_pre_tokenizers_with_every_model(kind, name, tmp_path):
    compare(trained(kind, pre_tokenizer=PRE_TOKENIZERS[name]()), tmp_path, texts(len(kind) * 31 + len(name), 150))


def test_affixes_and_unknown_text(tmp_path):
    for seed, options in enumerate(({"end_of_word_suffix": "</w>"}, {"continuing_subword_prefix": "##"}, {"fuse_unk": True}, {"ignore_merges": True},
                                    {"end_of_word_suffix": "</w>", "continuing_subword_prefix": "@@", "fuse_unk": True})):
        for kind in (bpe, bytes_bpe):
            tokenizer, trainer = kind(**options)
            tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
            for key in ("end_of_word_suffix", "continuing_subword_prefix"):
                if key in options:
                    setattr(trainer, key, options[key])
            tokenizer.train_from_iterator(CORPUS, trainer)
            compare(tokenizer, tmp_path, texts(seed))
            # Some bytes without a token, so that text is unknown in spite of byte fallback.
            whole = json.loads(tokenizer.to_str())
            vocab = {t: i for t, i in whole["model"]["vocab"].items() if t not in ("<0xED>", "<0xC2>")}
            if len(vocab) < len(whole["model"]["vocab"]):
                whole["added_tokens"] = [t for t in whole["added_tokens"] if not t["content"].startswith("<0x")]
                whole["model"]["vocab"] = {t: i for i, t in enumerate(vocab)}
                compare(Tokenizer.from_str(json.dumps(whole)), tmp_path, texts(seed))


def test_unigram_by_hand(tmp_path):
    for fallback in (False, True):
        vocab = [("<unk>", 0.0), ("a", -1.5), ("b", -2.0), ("ab", -3.4), ("▁", -1.0), ("▁a", -2.5), ("한", -4.0), ("<tok", -3.0), ("a", -1.6)]
        vocab += [(f"<0x{b:02X}>", -9.0) for b in range(0 if fallback else 200, 256)]
        tokenizer = Tokenizer(models.Unigram(vocab, 0, True))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
        compare(tokenizer, tmp_path, texts(3) + ["abab", "aab<unk>", "한글", "<unk><unk>b"])


DECODERS = {
    "byte_level": decoders.ByteLevel, "metaspace": decoders.Metaspace, "metaspace_never": lambda: decoders.Metaspace(prepend_scheme="never"), "fuse": decoders.Fuse,
    "wordpiece": decoders.WordPiece, "wordpiece_plain": lambda: decoders.WordPiece("a", False), "bpe": lambda: decoders.BPEDecoder("e"), "ctc": lambda: decoders.CTC("<s>", "a", True),
    "ctc_plain": lambda: decoders.CTC("a", "|", False), "strip": lambda: decoders.Strip("a", 1, 0), "replace": lambda: decoders.Replace(Regex("[ab]+"), "x"),
    "llama": lambda: decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]), "byte_fallback": decoders.ByteFallback}


@pytest.mark.parametrize("name", DECODERS)
def test_decoders(name, tmp_path):
    for kind in ("bytes_bpe", "wordpiece"):
        tokenizer = trained(kind, pre_tokenizer=pre_tokenizers.Metaspace())
        tokenizer.decoder = DECODERS[name]()
        compare(tokenizer, tmp_path, texts(11))


POST = {
    "bert": lambda: processors.BertProcessing(("</s>", 2), ("<s>", 1)), "roberta": lambda: processors.RobertaProcessing(("</s>", 2), ("<s>", 1)),
    **{f"roberta_{t}_{p}": lambda t=t, p=p: processors.RobertaProcessing(("</s>", 2), ("<s>", 1), t, p) for t in (True, False) for p in (True, False)},
    **{f"byte_level_{t}": lambda t=t: processors.ByteLevel(trim_offsets=t) for t in (True, False)}, "byte_level_no_prefix": lambda: processors.ByteLevel(add_prefix_space=False),
    "sequence": lambda: processors.Sequence([processors.ByteLevel(add_prefix_space=False), processors.TemplateProcessing("<s> $A </s> <s>", special_tokens=[("<s>", 1), ("</s>", 2)])])}


@pytest.mark.parametrize("name", POST)
def test_post_processors(name, tmp_path):
    for pre_tokenizer in (pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.ByteLevel(), pre_tokenizers.ByteLevel(use_regex=False), pre_tokenizers.Split("a", "isolated")):
        tokenizer = trained("bpe", pre_tokenizer=pre_tokenizer)
        tokenizer.post_processor = POST[name]()
        compare(tokenizer, tmp_path, texts(12))


@pytest.mark.parametrize("seed", range(12))
def test_random_tokenizers(seed, tmp_path):
    draw = random.Random(seed)
    steps = [NORMALIZERS[draw.choice(list(NORMALIZERS))]() for _ in range(draw.randint(1, 3))]
    cuts = [c for c in (PRE_TOKENIZERS[draw.choice(list(PRE_TOKENIZERS))]() for _ in range(draw.randint(1, 3))) if c]
    tokenizer = trained(draw.choice(list(MODELS)), normalizers.Sequence(steps), pre_tokenizers.Sequence(cuts))
    tokenizer.add_tokens([AddedToken(c, **{k: draw.random() < 0.4 for k in ("single_word", "lstrip", "rstrip", "normalized", "special")})
                          for c in ("<tok>", "<tok", "[X]", "한국어", "é", "the", "1")])
    compare(tokenizer, tmp_path, texts(seed))


def test_every_code_point_is_of_the_same_class(tmp_path):
    everything = [chr(c) for c in [*range(0xD800), *range(0xE000, 0x33500), *range(0xE0000, 0xE0200), *range(0x10FF00, 0x110000)]]
    lines = ["".join(f"a{c}b " for c in everything[i:i + 2048]) for i in range(0, len(everything), 2048)]
    for normalizer, cut in ((None, "whitespace"), (None, "punctuation_isolated"), (None, "scripts"), ("bert_7", "whitespace_split"), ("accents", "whitespace_split"), ("lowercase", "fixed")):
        tokenizer = Tokenizer(models.BPE({"<unk>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")], unk_token="<unk>", fuse_unk=True))
        if normalizer:
            tokenizer.normalizer = NORMALIZERS[normalizer]()
        tokenizer.pre_tokenizer = PRE_TOKENIZERS[cut]()
        compare(tokenizer, tmp_path, lines)


@pytest.mark.skipif(not SHARED.exists(), reason="no /work/shared/data/tokenizers")
def test_smollm2_offsets(tmp_path):
    compare(Tokenizer.from_file(str(SHARED / "smollm2/tokenizer.json")), tmp_path, texts(5) + [r["text"] for r in rows(SHARED / "golden/smollm2.jsonl")])
