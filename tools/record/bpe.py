#!/usr/bin/env python3
"""Records tests/fixtures/bpe: byte-level BPE trained by HF tokenizers on a small Korean and English text, and the ids of about 200 lines.

Made with tokenizers 0.23.3.  The text comes from bpe_text.py (our own sentences).
Rerun: see README.md in this folder, then `python tools/record/bpe.py`.

  corpus.jsonl           {"text"} a line: what was trained on, a document a line, in this order
  lines.jsonl            {"text"} a line: what was encoded
  VARIANT/tokenizer.json as `Tokenizer.save` writes it;  VARIANT/ids.jsonl  {"ids"} a line, line by line with lines.jsonl (no special tokens added,
                         but those in the text are recognised); decode(ids, skip_special_tokens=False) restores every line (checked here)
  VARIANT/decode.jsonl   {"ids", "text", "text_without_special"}: decode of arbitrary ids, many of which are no valid UTF-8
  settings.json          VARIANT -> vocab_size, min_frequency, split pattern, special tokens
Variants: byte_level (ByteLevel with its own pattern, as GPT-2), split (Split by Llama 3's pattern, then ByteLevel without one), frequency (as split, with a
vocabulary that min_frequency keeps from being filled).

The script also trains in plain Python by the rule in SOURCE.json and insists on the same merges, so that rule is proven on this text.
"""
import collections
import json
import random

from common import begin, finish, write_json, write_jsonl
from bpe_text import documents, lines

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>"]
VARIANTS = {"byte_level": dict(vocab_size=600, min_frequency=0, pattern=None), "split": dict(vocab_size=600, min_frequency=0, pattern=LLAMA3),
            "frequency": dict(vocab_size=5000, min_frequency=20, pattern=LLAMA3)}
TIES = "the pair with the highest count; among equal counts the pair whose left id is smallest, then whose right id is smallest"


def blank(pattern):
    tokenizer = Tokenizer(models.BPE())
    if pattern is None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False),
                                                           pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def by_rule(splitter, texts, vocab_size, min_frequency):
    """Merges by TIES, counting all pairs afresh at every step; also how many steps were decided by a tie."""
    words = collections.Counter(piece for text in texts for piece, _ in splitter.pre_tokenize_str(text))
    vocabulary = {token: i for i, token in enumerate(SPECIAL + sorted(pre_tokenizers.ByteLevel.alphabet()))}
    names = list(vocabulary)
    split = [([vocabulary[c] for c in word], count) for word, count in words.items()]
    merges, ties = [], 0
    while len(vocabulary) < vocab_size:
        counts = collections.Counter()
        for ids, count in split:
            for pair in zip(ids, ids[1:]):
                counts[pair] += count
        best, top = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if top < max(1, min_frequency):
            break
        ties += sum(c == top for c in counts.values()) > 1
        merges.append((names[best[0]], names[best[1]]))
        token = "".join(merges[-1])
        if token not in vocabulary:
            vocabulary[token] = len(names)
            names.append(token)
        for ids, _ in split:
            i = 0
            while i + 1 < len(ids):
                if (ids[i], ids[i + 1]) == best:
                    ids[i:i + 2] = [vocabulary[token]]
                i += 1
    return merges, vocabulary, ties


folder = begin("bpe")
texts, tests = documents(40_000), lines()
write_jsonl(folder / "corpus.jsonl", [{"text": t} for t in texts])
write_jsonl(folder / "lines.jsonl", [{"text": t} for t in tests])
facts = {}
for name, options in VARIANTS.items():
    out = folder / name
    out.mkdir()
    tokenizer = blank(options["pattern"])
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=options["vocab_size"], min_frequency=options["min_frequency"], special_tokens=SPECIAL,
                                                             initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.save(str(out / "tokenizer.json"))
    model = json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    merges, vocabulary, ties = by_rule(tokenizer.pre_tokenizer, texts, options["vocab_size"], options["min_frequency"])
    assert [tuple(m) for m in model["merges"]] == merges, name
    assert model["vocab"] == vocabulary, name
    encoded = [tokenizer.encode(t, add_special_tokens=False).ids for t in tests]
    assert [tokenizer.decode(ids, skip_special_tokens=False) for ids in encoded] == tests
    write_jsonl(out / "ids.jsonl", [{"ids": ids} for ids in encoded])
    draw = random.Random(5)
    loose = [[draw.randrange(len(vocabulary)) for _ in range(draw.randint(1, 12))] for _ in range(30)]
    loose += [ids[:cut] for ids in encoded[:12] for cut in (1, 2, 5)] + [ids[1:6] for ids in encoded[100:140] if ids]
    write_jsonl(out / "decode.jsonl", [{"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=False),
                                        "text_without_special": tokenizer.decode(ids, skip_special_tokens=True)} for ids in loose])
    facts[name] = {"vocab": len(vocabulary), "merges": len(merges), "steps_decided_by_a_tie": ties, "tokens": sum(map(len, encoded))}
write_json(folder / "settings.json", {"special_tokens": SPECIAL, "variants": VARIANTS})
finish(folder, ["tokenizers"], "byte-level BPE training and encoding by HF tokenizers", documents=len(texts), lines=len(tests),
       ids_are="special tokens in the given order, then the 256 byte letters in code point order, then one id a merge",
       tie_breaking=TIES + "; proven by a plain Python trainer in this script that gives the same merges and vocabulary for all variants", variants=facts)
