# label: fast
"""helio tokenizer extend, and training's newer options, as a person uses them."""
import json
import os
import pathlib
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
KOREAN = "도서관은 아침 아홉 시에 문을 연다. 도서관 앞에는 벌써 몇 사람이 줄을 서 있었다."
ENGLISH = "the cat and the other cat"


def helio(*args, code=0):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("extend")
    for name, text in {"ko": KOREAN, "en": ENGLISH}.items():
        (made / f"{name}.txt").write_text((text + "\n") * 20, encoding="utf-8")
    helio("tokenizer", "train", made / "en.txt", "--vocab-size", 270, "--out", made / "base")
    (made / "base/vocab.json").write_text("{}")
    (made / "base/merges.txt").write_text("")
    (made / "base/tokenizer.model").write_text("old")
    return made


def ids(tokenizer, file, out):
    helio("tokenizer", "encode", "--tokenizer", tokenizer, "--in", file, "--out", out)
    return [json.loads(line)["ids"] for line in out.read_text().splitlines()]


def test_the_folder_is_whole_and_english_is_cut_as_before(folder):
    done = helio("tokenizer", "extend", folder / "base", "--corpus", folder / "ko.txt", "--add", 40, "--script", "hangul", "--out", folder / "new")
    assert "40 new tokens behind the 270 there were" in done.stdout and "english" in done.stdout
    assert "tokenizer.model is left out" in done.stderr
    names = {p.name for p in (folder / "new").iterdir()}
    assert names == {"tokenizer.json", "extension.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "vocab.json", "merges.txt", "helio_manifest.json"}
    whole = json.loads((folder / "new/tokenizer.json").read_text(encoding="utf-8"))["model"]
    assert json.loads((folder / "new/vocab.json").read_text(encoding="utf-8")) == whole["vocab"]
    assert (folder / "new/merges.txt").read_text(encoding="utf-8").splitlines()[1:] == [" ".join(m) for m in whole["merges"]]
    assert ids(folder / "new", folder / "en.txt", folder / "a.jsonl") == ids(folder / "base", folder / "en.txt", folder / "b.jsonl")
    assert len(ids(folder / "new", folder / "ko.txt", folder / "a.jsonl")[0]) < len(ids(folder / "base", folder / "ko.txt", folder / "b.jsonl")[0])
    helio("verify", folder / "new")
    manifest = json.loads((folder / "new/helio_manifest.json").read_text())
    assert manifest["made_by"] == "tokenizer extend" and [i["role"] for i in manifest["inputs"]] == ["base", "corpus"]


def test_threads_and_memory_change_nothing_and_a_dry_run_writes_nothing(folder):
    common = ("tokenizer", "extend", folder / "base", "--corpus", folder / "ko.txt", "--add", 30)
    helio(*common, "--out", folder / "x/same", "--threads", 1)
    helio(*common, "--out", folder / "y/same", "--threads", 3, "--memory", "1M")
    for file in (folder / "x/same").iterdir():
        assert file.read_bytes() == (folder / "y/same" / file.name).read_bytes(), file.name
    before = sorted(folder.rglob("*"))
    report = json.loads(helio(*common, "--dry-run", "--json").stdout)
    assert sorted(folder.rglob("*")) == before
    assert report["written"] is False and report["added"] == 30 and report["vocab_size"] == 300
    assert [row["text"] for row in report["fertility"]] == ["corpus", "korean", "english", "code"]


def test_a_dataset_gives_what_its_rows_give(folder):
    dataset = folder / "dataset"
    dataset.mkdir()
    rows = [{"text": t, "split": s} for t, s in ((KOREAN, "train"), (ENGLISH, "heldout"), (KOREAN, "train"))]
    (dataset / "part-00000.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (folder / "two.txt").write_text((KOREAN + "\n") * 2, encoding="utf-8")
    helio("tokenizer", "extend", folder / "base", "--dataset", dataset, "--add", 30, "--out", folder / "by_dataset")
    helio("tokenizer", "extend", folder / "base", "--corpus", folder / "two.txt", "--add", 30, "--out", folder / "by_file")
    assert (folder / "by_dataset/tokenizer.json").read_bytes() == (folder / "by_file/tokenizer.json").read_bytes()


def test_fewer_tokens_than_asked_is_said(folder):
    done = helio("tokenizer", "extend", folder / "base", "--corpus", folder / "ko.txt", "--add", 100000, "--dry-run")
    assert "tokens were added, not 100000" in done.stderr


@pytest.mark.parametrize("args,code,says", [
    (("extend", "BASE", "--corpus", "KO", "--add", 5), 2, "--dry-run"),
    (("extend", "BASE", "--add", 5, "--dry-run"), 2, "--dataset"),
    (("extend", "BASE", "--dataset", "BASE", "--add", 5, "--dry-run"), 4, "part-"),
    (("extend", "BASE", "--corpus", "missing.txt", "--add", 5, "--dry-run"), 4, "missing.txt"),
    (("extend", "BASE", "--corpus", "EMPTY", "--add", 5, "--dry-run"), 3, "no text"),
    (("extend", "missing", "--corpus", "KO", "--add", 5, "--dry-run"), 4, "missing"),
    (("extend", "BASE", "--corpus", "KO", "--add", 5, "--script", "latin", "--dry-run"), 2, "hangul"),
    (("train", "KO", "--vocab-size", 300, "--memory", "lots", "--out", "OUT"), 2, "512M"),
    (("train", "KO", "--vocab-size", 300, "--split-regex", "(", "--out", "OUT"), 3, "("),
    (("train", "TIES", "--vocab-size", 300, "--max-words", 1, "--out", "OUT"), 3, "--max-words"),
])
def test_errors(folder, args, code, says):
    (folder / "empty.txt").write_text("")
    (folder / "ties.txt").write_text("ab\ncd\n")
    known = {"BASE": folder / "base", "KO": folder / "ko.txt", "EMPTY": folder / "empty.txt", "TIES": folder / "ties.txt", "OUT": folder / "out"}
    done = helio("tokenizer", *[known.get(a, a) for a in args], code=code)
    assert says in done.stderr
    assert not (folder / "out").exists()


def test_words_left_out_are_counted(folder):
    (folder / "some.txt").write_text("often often often seldom\n")
    done = helio("tokenizer", "train", folder / "some.txt", "--vocab-size", 260, "--max-words", 2, "--out", folder / "some", "--json")
    assert json.loads(done.stdout)["words_left_out"] == 2 and "left out" in done.stderr


def test_it_is_a_stage_of_a_recipe(folder):
    recipe = folder / "recipe.yaml"
    recipe.write_text(json.dumps({"name": "extend", "about": "A tokenizer and more of it.", "stages": {
        "base": {"kind": "tokenizer train", "files": [str(folder / "en.txt")], "vocab_size": 270},
        "korean": {"kind": "tokenizer extend", "base": "base", "corpus": [str(folder / "ko.txt")], "add": 30}}}))
    words = ("run", recipe, "--workspace", folder / "workspace", "--json")
    assert [row["ran"] for row in json.loads(helio(*words).stdout)["stages"]] == [True, True]
    assert not any(row["ran"] for row in json.loads(helio(*words).stdout)["stages"])
    base, korean = (json.loads((folder / "workspace/tokenizers" / name / "helio_manifest.json").read_text()) for name in ("base", "korean"))
    assert korean["inputs"][0]["role"] == "base" and korean["inputs"][0]["content"] == base["content"]
