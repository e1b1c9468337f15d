# label: fast
"""helio tokenizer compare as a person runs it."""
import json
import os
import pathlib
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
KOREAN = "가는 말이 고와야 오는 말이 곱다"
ENGLISH = "the cat and the other cat"


def helio(*args, code=0):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tokenizers")
    for name, text in {"ko": KOREAN, "en": ENGLISH}.items():
        (made / f"{name}.txt").write_text((text + "\n") * 50)
        helio("tokenizer", "train", made / f"{name}.txt", "--vocab-size", 300, "--out", made / name)
    rows = [{"text": KOREAN, "language": "ko"}, {"text": ENGLISH, "language": "en"}, {"text": KOREAN, "language": "ko"}]
    (made / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


def test_figures_are_those_of_the_ids(folder):
    args = ["tokenizer", "compare", folder / "ko", folder / "en", "--in", folder / "rows.jsonl", "--by", "language", "--json"]
    found = json.loads(helio(*args).stdout)
    assert found == json.loads(helio(*args, "--threads", 3).stdout)
    ids = {name: [len(json.loads(line)["ids"]) for line in helio("tokenizer", "encode", "--tokenizer", folder / name, "--no-special",
                                                                 "--in", folder / "rows.jsonl").stdout.splitlines()] for name in ("ko", "en")}
    groups = {group["name"]: group for group in found["groups"]}
    assert list(groups) == ["ko", "en"]
    assert [groups["ko"][key] for key in ("documents", "bytes", "characters", "words")] == [
        2, 2 * len(KOREAN.encode()), 2 * len(KOREAN), 12]
    for i, name in enumerate(("ko", "en")):
        of_ko, of_en = groups["ko"]["tokenizers"][i], groups["en"]["tokenizers"][i]
        assert of_ko["tokens"] == ids[name][0] + ids[name][2] and of_en["tokens"] == ids[name][1]
        assert of_ko["tokens_per_word"] == pytest.approx(of_ko["tokens"] / 12)
        assert of_ko["tokens_per_character"] == pytest.approx(of_ko["tokens"] / (2 * len(KOREAN)))
        assert of_ko["bytes_per_token"] == pytest.approx(2 * len(KOREAN.encode()) / of_ko["tokens"])
    # Each cuts its own language more coarsely, and a vocabulary without Hangul cuts it into bytes.
    korean = groups["ko"]["tokenizers"]
    assert korean[0]["tokens"] < korean[1]["tokens"]
    assert korean[1]["partial_tokens"] == 2 * 3 * sum("가" <= c <= "힣" for c in KOREAN)
    vocabularies = found["vocabularies"]
    assert vocabularies[0]["scripts"]["hangul"] > 0 and vocabularies[1]["scripts"]["hangul"] == 0
    for vocabulary in vocabularies:
        assert sum(vocabulary["scripts"].values()) == vocabulary["vocab_size"]


def test_without_texts_its_own_pages_are_cut(folder):
    found = json.loads(helio("tokenizer", "compare", folder / "ko", "--json").stdout)
    assert [group["name"] for group in found["groups"]] == ["korean", "english", "code"]
    shown = helio("tokenizer", "compare", folder / "ko", folder / "en" / "tokenizer.json").stdout
    assert "korean:" in shown and str(folder / "en" / "tokenizer.json") in shown


def test_wrong_rows_and_files_are_named(folder, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a", "language": "ko"}\n{"text": "b"}\n')
    assert "rows.jsonl:2" in helio("tokenizer", "compare", folder / "ko", "--in", rows, "--by", "language", code=3).stderr
    assert "nowhere" in helio("tokenizer", "compare", tmp_path / "nowhere", code=4).stderr
    rows.write_text("")
    assert "no text" in helio("tokenizer", "compare", folder / "ko", "--in", rows, code=3).stderr
