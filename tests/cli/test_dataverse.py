# label: fast
"""A Dataverse configuration, unmodified: Parquet in, Parquet out, and what is said of the rest."""
import json
import os
import pathlib
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
# Sanitizer builds have no Arrow.
pytestmark = pytest.mark.skipif(not (HELIO.parent / "libhelio_columnar.so").exists(), reason="built with HELIO_ARROW=OFF")
CONFIG = """spark:
  appname: dedup
  driver: {memory: 16g}
etl:
  - name: data_ingestion___parquet___pq2raw
    args: {path: in.parquet, repartition: 8}
  - name: cleaning___korean___reduce_emoticon
    args: {subset: body}
  - name: cleaning___korean___filter_by_ratio
    args: {subset: body, korean_ratio: 0.5}
  - name: deduplication___minhash___lsh_jaccard
    args: {subset: body, threshold: 0.7}
  - name: pii___nin___replace_korean_rrn
    args: {subset: body, replace_pii: True}
  - name: data_save___parquet___ufl2parquet
    args: {save_path: out/clean}
"""
KOREAN = ("하늘이 맑게 갠 아침에 마을 사람들은 강가에 모여 지난밤의 비를 이야기했다 아이들은 물가에서 돌을 던지며 놀았고 "
          "어른들은 무너진 둑을 다시 쌓을 일을 의논하였다 해가 중천에 오르자 모두 일터로 돌아갔다")


def helio(*args, cwd, code=0):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture
def root(tmp_path):
    texts = [KOREAN, KOREAN + " 그랬다", "English only, and nothing else at all.", "정말요ㅋㅋㅋㅋㅋㅋ 다행이네요 고마워요",
             "제 번호는 900101-1234568 입니다 확인해 주세요"]
    pq.write_table(pa.table({"body": texts, "source": [f"s{i}" for i in range(len(texts))]}), tmp_path / "in.parquet")
    (tmp_path / "dataverse.yaml").write_text(CONFIG)
    return tmp_path


def test_it_runs_as_it_is(root):
    said = helio("data", "run", "dataverse.yaml", cwd=root).stderr
    assert "dataverse.yaml:6:43: 'repartition' is not used" in said
    assert "spark.driver.memory is not used" in said
    rows = pq.read_table(root / "out/clean").to_pylist()
    # Of the two Korean ones the first stays (the original keeps both: it sees no Korean words).
    assert [row["text"] for row in rows] == [KOREAN, "정말요ㅋㅋ 다행이네요 고마워요", "제 번호는 [NIN] 입니다 확인해 주세요"]
    assert json.loads(rows[0]["meta"]) == {"source": "s0"}
    assert sorted(os.listdir(root / "out/clean")) == ["part-00000.parquet"]
    account = json.loads((root / "out/clean-dataset/dataset.json").read_text())
    assert [step["dropped"] for step in account["steps"]] == [0, 1, 1, 0]
    # Once more: nothing of a former export is left, and no other files are lost.
    helio("data", "run", "dataverse.yaml", cwd=root)
    (root / "out/clean/mine.txt").write_text("x")
    assert "which no export wrote" in helio("data", "run", "dataverse.yaml", cwd=root, code=3).stderr
    assert (root / "out/clean/mine.txt").exists()


def test_the_plan_reads_nothing(root):
    plan = json.loads(helio("data", "run", "dataverse.yaml", "--dry-run", "--json", cwd=root).stdout)
    assert [step["op"] for step in plan["steps"]] == ["clean.emoticons", "filter.hangul_ratio", "dedup.minhash", "pii.mask"]
    assert plan["exports"] == [{"path": "out/clean", "format": "parquet"}]
    assert not (root / "out").exists()


def test_mistakes_are_told_with_their_place(root):
    (root / "bad.yaml").write_text(CONFIG.replace("reduce_emoticon", "reduce_emoticons"))
    said = helio("data", "run", "bad.yaml", cwd=root, code=3).stderr
    assert "bad.yaml:7:11" in said and "did you mean 'cleaning___korean___reduce_emoticon'?" in said
    checked = json.loads(helio("data", "validate", "dataverse.yaml", "--json", cwd=root).stdout)
    assert checked["valid"] and checked["steps"] == 4
    assert any("repartition" in problem["message"] for problem in checked["problems"])
    assert not json.loads(helio("data", "validate", "bad.yaml", "--json", cwd=root, code=3).stdout)["valid"]


def test_documents_can_be_cut_as_they_are_written(root):
    helio("data", "run", "dataverse.yaml", cwd=root)
    done = json.loads(helio("data", "export", "out/clean-dataset", "--path", "chunks", "--chunk-words", 10, "--json", cwd=root).stdout)
    rows = pq.read_table(root / "chunks").to_pylist()
    assert done["documents"] == 3 and done["rows"] == len(rows) > 3
    whole = rows[0]["id"].rsplit("#", 1)[0]
    first = [row for row in rows if row["id"].startswith(whole + "#")]
    assert [row["id"].rsplit("#", 1)[1] for row in first] == ["0", "1", "2"]
    assert " ".join(row["text"] for row in first) == KOREAN and len(first[0]["text"].split()) == 10


def test_arrow_for_hugging_face(root):
    helio("data", "run", "dataverse.yaml", cwd=root)
    done = json.loads(helio("data", "export", "out/clean-dataset", "--path", "arrow", "--format", "arrow", "--split", "train",
                            "--json", cwd=root).stdout)
    table = pa.ipc.open_file(root / "arrow" / done["files"][0]).read_all()
    assert table.num_rows == done["documents"] <= 3
    assert "no split 'test'" in helio("data", "export", "out/clean-dataset", "--path", "x", "--split", "test", cwd=root, code=2).stderr
