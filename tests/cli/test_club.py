# label: fast
"""helio club and helio lineage as a person runs them."""
import json
import os
import pathlib
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"


def helio(*args, code=0, cwd=None):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture
def lots(tmp_path):
    sources = tmp_path / "sources"
    for name, text in {"news/b.html": "<p>둘째 기사</p>", "news/a.html": "<p>첫째 기사 하나</p>"}.items():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text(text)
    (sources / "law.jsonl").write_text('{"body": "제1조 목적"}\n{"body": "제2조 정의"}\n')
    (tmp_path / "recipe.yaml").write_text(
        "lots:\n  sources:\n"
        "    - {lot: news, partner: 신문사, language: ko, licence: CC-BY-4.0, path: news, contact: a@b.kr}\n"
        "    - {lot: law, partner: 법제처, language: ko, licence: KOGL-1, path: law.jsonl, field: body}\n")
    helio("club", "import", "--config", tmp_path / "recipe.yaml#lots", "--root", sources,
          "--out", tmp_path / "ws/lots/all")
    return tmp_path / "ws/lots/all"


def test_import_counts_and_lists(lots):
    listed = json.loads(helio("club", "list", lots, "--json").stdout)
    assert [(lot["lot"], lot["documents"], lot["words"]) for lot in listed["lots"]] == [
        ("news", 2, 5), ("law", 2, 4)]
    assert {p["name"]: p["contact"] for p in listed["partners"]} == {"신문사": "a@b.kr", "법제처": ""}
    assert all(not p["meets_entry"] for p in listed["partners"])
    assert "of the 100M asked" in helio("club", "list", lots).stdout


def test_the_same_sources_give_the_same_bytes(lots, tmp_path):
    helio("club", "import", "--config", "recipe.yaml#lots", "--root", "sources",
          "--out", "other/lots/all", cwd=tmp_path)
    for file in sorted(lots.rglob("*")):
        if file.is_file():
            other = tmp_path / "other/lots/all" / file.relative_to(lots)
            assert other.read_bytes() == file.read_bytes(), file


def test_add_lot_keeps_what_was_there(lots, tmp_path):
    before = (lots / "news/documents.jsonl.zst").read_bytes()
    (tmp_path / "late.txt").write_text("늦게 온 글")
    flags = ["--lot", "late", "--partner", "신문사", "--language", "ko", "--licence", "CC0-1.0"]
    helio("club", "add-lot", lots, tmp_path / "late.txt", *flags)
    listed = json.loads(helio("club", "list", lots, "--json").stdout)
    assert [lot["lot"] for lot in listed["lots"]] == ["news", "law", "late"]
    assert listed["partners"][1]["contact"] == "a@b.kr"
    assert (lots / "news/documents.jsonl.zst").read_bytes() == before
    assert str(tmp_path) not in (lots / "late/helio_manifest.json").read_text()
    again = helio("club", "add-lot", lots, tmp_path / "late.txt", *flags, code=3)
    assert "already" in again.stderr


def test_verify_names_what_differs(lots):
    assert json.loads(helio("club", "verify", lots, "--json").stdout)["ok"]
    with open(lots / "law/documents.jsonl.zst", "ab") as file:
        file.write(b"x")
    found = helio("club", "verify", lots, code=5)
    assert "law/documents.jsonl.zst" in found.stdout and "news/" not in found.stdout


@pytest.mark.parametrize("change, told", [
    ("partner: 신문사", "partnr: 신문사"), ("lot: law", "lot: news"), ("path: news", "path: nowhere"),
    ("licence: KOGL-1, ", ""), ("lot: law", "lot: ../law")])
def test_bad_sources_leave_nothing_behind(lots, tmp_path, change, told):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace(change, told))
    done = subprocess.run([HELIO, "club", "import", "--config", f"{recipe}#lots", "--root", tmp_path / "sources",
                           "--out", tmp_path / "new/all"], capture_output=True, text=True)
    assert done.returncode in (3, 4) and "hint" in done.stderr, done.stderr
    assert not (tmp_path / "new/all").exists()
    assert not list((tmp_path / "new").glob("*")) if (tmp_path / "new").exists() else True


def test_lineage_goes_both_ways(lots, tmp_path):
    tree = helio("lineage", "news", "--workspace", tmp_path / "ws").stdout
    assert "lot: lots/all" in tree and "신문사" in tree
    found = json.loads(helio("lineage", "lots/all", "--workspace", tmp_path / "ws", "--json").stdout)
    assert sorted(lot["facts"]["partner"] for lot in found["lots"]) == ["법제처", "신문사"]
    lost = helio("lineage", "lots/al", "--workspace", tmp_path / "ws", code=4)
    assert "did you mean 'lots/all'" in lost.stderr


def test_statement_sums_to_the_pool_and_refuses_what_does_not_add_up(lots, tmp_path):
    def save(path, value):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(json.dumps(value))

    partner = {"news": "신문사", "law": "법제처"}
    save("dataset/dataset.json", {"lots": [
        {"lot": lot, "partner": partner[lot], "documents_in": 2, "documents_out": 2, "words_out": 4} for lot in partner]})
    save("tokens/tokens.json", {"tokens": 30, "lots": [
        {"lot": "news", "partner": "신문사", "tokens": 20}, {"lot": "law", "partner": "법제처", "tokens": 10}]})
    run = {"total": 70, "lots": [
        {"lot": "news", "partner": "신문사", "tokens": 47}, {"lot": "law", "partner": "법제처", "tokens": 23}]}
    save("runs/base/lots.json", run)
    flags = ["--lots", lots, "--dataset", tmp_path / "dataset", "--tokens", tmp_path / "tokens",
             "--runs", tmp_path / "runs/base", "--pool", 1000001, "--out", tmp_path / "ws/statements/first"]
    told = json.loads(helio("club", "statement", *flags, "--json").stdout)
    assert {p["partner"]: p["amount"] for p in told["partners"]} == {"신문사": 671429, "법제처": 328572}
    table = helio("club", "statement", *flags).stdout
    assert "671,429" in table and "1,000,001" in table
    rows = (tmp_path / "ws/statements/first/statement.csv").read_text().splitlines()
    assert rows[0].startswith("partner,lots,") and sum(int(row.split(",")[-2]) for row in rows[1:]) == 1000001
    assert "statements/first" in helio("lineage", "law", "--workspace", tmp_path / "ws").stdout

    run["total"] = 71
    save("runs/base/lots.json", run)
    wrong = helio("club", "statement", *flags[:-1], tmp_path / "ws/statements/second", code=5)
    assert "sum to 70" in wrong.stderr
    assert not (tmp_path / "ws/statements/second").exists()
