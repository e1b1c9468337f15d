# label: fast
"""The streaming engine as a person meets it: files in, interruptions, memory, any number of threads."""
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import time

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
SANITIZED = any(word in HELIO.parts for word in ("asan", "tsan"))
SYLLABLES = [chr(code) for code in range(0xAC00, 0xAC00 + 11172, 37)]

STEPS = """
steps:
  - clean.unicode
  - {op: filter.length, min_words: 4}
  - dedup.exact
  - dedup.minhash
  - pii.mask
  - {op: split.heldout, share: 0.1}
  - {op: mix.shuffle, seed: 3}
"""


def helio(*args, code=0, **how):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True, **how)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def write_corpus(path, documents, words=60, seed=1):
    """Korean-looking text with copies, near copies, short ones and addresses."""
    rng = random.Random(seed)
    texts = []
    with open(path, "w", encoding="utf-8") as out:
        for i in range(documents):
            kind = rng.random()
            if kind < 0.1 and texts:
                text = rng.choice(texts)
            elif kind < 0.15 and texts:
                text = rng.choice(texts) + " 끝"
            elif kind < 0.18:
                text = "짧다"
            else:
                text = " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(1, 5))) for _ in range(words))
                text += f" a{i}@example.org"
            if len(texts) < 500:
                texts.append(text)
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


def bytes_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder / "news.jsonl", 15000)
    (folder / "steps.yaml").write_text(STEPS + f"inputs:\n  - {{path: {folder}/news.jsonl, partner: 신문사, language: ko, licence: CC0-1.0}}\n")
    helio("data", "run", "--config", folder / "steps.yaml", "--out", folder / "whole", "--threads", 1)
    return folder


def test_files_are_read_without_being_imported(corpus):
    account = json.loads((corpus / "whole/dataset.json").read_text())
    assert account["in"]["documents"] == 15000
    assert account["lots"][0]["partner"] == "신문사" and account["lots"][0]["lot"] == "news"
    assert {"exact_duplicate", "near_duplicate", "too_few_words"} <= set(account["lots"][0]["dropped"])
    assert account["in"]["documents"] == account["out"]["documents"] + sum(account["lots"][0]["dropped"].values())
    dry = json.loads(helio("data", "run", "--config", corpus / "steps.yaml", "--out", corpus / "no", "--dry-run", "--json").stdout)
    assert dry["inputs"][0]["files"] == 1 and not (corpus / "no").exists()


def test_threads_memory_and_kept_work_do_not_show_in_the_bytes(corpus, tmp_path):
    other = tmp_path / "whole"
    helio("data", "run", "--config", corpus / "steps.yaml", "--out", other, "--threads", 3, "--memory", "64M", "--work", "remove")
    assert not (tmp_path / ".whole.work").exists()
    assert bytes_of(other) == bytes_of(corpus / "whole")


def test_a_killed_run_goes_on_to_the_same_bytes(corpus, tmp_path):
    other, rng, kills = tmp_path / "whole", random.Random(7), 0
    command = [HELIO, "data", "run", "--config", corpus / "steps.yaml", "--out", other, "--threads", "2"]
    for _ in range(40):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            child.communicate(timeout=rng.uniform(0.02, 0.6))
            assert child.returncode == 0
            break
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.communicate()
            kills += 1
            if other.exists():  # the signal came after the end: whole, as is compared below
                break
    else:
        helio(*command[1:])
    assert kills > 0
    assert bytes_of(other) == bytes_of(corpus / "whole")


def test_a_changed_recipe_begins_at_the_segment_that_changed(corpus, tmp_path):
    out = tmp_path / "whole"
    changed = tmp_path / "changed.yaml"
    helio("data", "run", "--config", corpus / "steps.yaml", "--out", out)
    first = {p: p.stat().st_mtime_ns for p in (tmp_path / ".whole.work").glob("0[01]-*/chunk-*.bin")}
    assert first
    changed.write_text((corpus / "steps.yaml").read_text().replace("share: 0.1", "share: 0.5"))
    done = helio("data", "run", "--config", changed, "--out", out)
    assert "2 of 4 parts" in done.stderr
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in first.items())
    fresh = tmp_path / "fresh"
    helio("data", "run", "--config", changed, "--out", fresh)
    a, b = bytes_of(out), bytes_of(fresh)
    a.pop("helio_manifest.json"), b.pop("helio_manifest.json")  # it holds the folder's name
    assert a == b


def test_a_changed_file_that_a_step_names_is_read_again(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "좋은 글이다"}\n{"text": "나쁜놈 글이다"}\n')
    (tmp_path / "words.txt").write_text("나쁜놈\n")
    (tmp_path / "steps.yaml").write_text(f"inputs: [{tmp_path}/in.jsonl]\nsteps:\n  - {{op: score.lexicon, list: {tmp_path}/words.txt}}\n"
                                         "  - {op: filter.score, score: lexicon, above: 100}\n")

    def kept():
        done = helio("data", "run", tmp_path / "steps.yaml", "--out", tmp_path / "out", "--json")
        return json.loads(done.stdout)["out"]["documents"]

    assert kept() == 1
    (tmp_path / "words.txt").write_text("나쁜놈\n좋은\n")
    assert kept() == 0
    told = helio("data", "explain", tmp_path / "out", "--id", "in/in.jsonl#1").stdout
    assert "was not found" not in told and "in.jsonl" in told
    inputs = json.loads((tmp_path / "out/helio_manifest.json").read_text())["inputs"]
    assert "score.lexicon.list" in [one["role"] for one in inputs]


@pytest.mark.skipif(SANITIZED, reason="a sanitizer reserves all address space")
def test_input_of_many_times_the_memory(tmp_path):
    """220 MB of text through every kind of step in 320 MB of address space, most of it libraries and stacks."""
    write_corpus(tmp_path / "seed.jsonl", 4000, words=300)
    seed = (tmp_path / "seed.jsonl").read_text().splitlines()
    with open(tmp_path / "big.jsonl", "w") as out:
        for i in range(14):
            for line in seed:
                out.write(line.replace('"text": "', f'"text": "{SYLLABLES[i]}호 ', 1) + "\n")
    size = (tmp_path / "big.jsonl").stat().st_size
    limit = 320 << 20
    assert size > 150e6
    (tmp_path / "steps.yaml").write_text(STEPS + f"inputs: [{tmp_path}/big.jsonl]\n")
    helio("data", "run", "--config", tmp_path / "steps.yaml", "--out", tmp_path / "out", "--memory", "96M", "--threads", 2, "--work", "remove",
          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    account = json.loads((tmp_path / "out/dataset.json").read_text())
    assert account["in"]["documents"] == 56000 and account["out"]["documents"] > 0


def test_every_operator_is_a_command(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "하나 둘 셋 넷"}\n{"text": "하나"}\n')
    (tmp_path / "b.txt").write_text("다섯 여섯 일곱")
    done = helio("data", "op", "filter.length", "--in", tmp_path / "a.jsonl", tmp_path / "b.txt", "--out", tmp_path / "long", "--min-words", 3, "--json")
    account = json.loads(done.stdout)
    assert account["in"]["documents"] == 3 and account["out"]["documents"] == 2
    assert "--min-words" in helio("data", "op", "filter.length", "--help").stdout
    assert "--min-words" in helio("data", "op", "filter.length", "--in", tmp_path / "a.jsonl", "--out", tmp_path / "no", "--min-wrods", 3, code=2).stderr
    assert "filter.length" in helio("data", "op", "filter.lenght", "--in", "x", "--out", "y", code=4).stderr


def test_a_bad_row_ends_the_run_or_is_counted(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "하나 둘"}\n{"text": broken\n{"text": "셋 넷"}\n')
    recipe = "steps: [clean.unicode]\ninputs:\n  - {path: %s/a.jsonl, on_error: %s}\n"
    (tmp_path / "fail.yaml").write_text(recipe % (tmp_path, "fail"))
    assert "a.jsonl:2" in helio("data", "run", "--config", tmp_path / "fail.yaml", "--out", tmp_path / "no", code=3).stderr
    assert not (tmp_path / "no").exists()
    (tmp_path / "skip.yaml").write_text(recipe % (tmp_path, "skip"))
    account = json.loads(helio("data", "run", "--config", tmp_path / "skip.yaml", "--out", tmp_path / "out", "--json").stdout)
    assert account["out"]["documents"] == 2 and account["counters"]["read.bad"] == 1
