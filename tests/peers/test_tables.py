"""Parquet, Arrow and S3 beside pyarrow: what it wrote we read equal, and the other way round."""
import json
import os
import pathlib
import subprocess
import time

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not in the test venv")
import pyarrow.ipc  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

BIN = pathlib.Path(os.environ["HELIO_BIN"])
TOOL = BIN / "table_tool"
pytestmark = pytest.mark.skipif(not (BIN / "libhelio_columnar.so").exists(), reason="built with HELIO_ARROW=OFF")

TEXTS = ["하나", "two\nlines", None, "  ", "넷 \U0001f600", "x" * 5000]


def run(*arguments, stdin=None, env=None):
    return subprocess.run([TOOL, *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          env={**os.environ, **(env or {})})


def read(*arguments, env=None):
    done = run("read", *arguments, env=env)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1], lines[-1]


def table(text_type=None):
    return pa.table({
        "id": pa.array(range(len(TEXTS)), pa.int64()),
        "text": pa.array(TEXTS, text_type or pa.string()),
        "url": pa.array(["https://a.example/%d" % i for i in range(len(TEXTS))]),
        "tags": pa.array([["a", "b"], [], None, ["c"], ["d"], ["e"]]),
        "info": pa.array([{"n": i, "s": "é"} for i in range(len(TEXTS))]),
        "score": pa.array([0.5, float("nan"), None, 1e300, -0.0, 3.0]),
        "ok": pa.array([True, False, None, True, True, False]),
    })


def check(rows, tally):
    assert [row["text"] for row in rows] == [text for text in TEXTS if text and text.strip()]
    assert tally == {"documents": 4, "empty": 2, "bad": 0}
    first = rows[0]
    assert first["url"] == "https://a.example/0"
    assert first["meta"] == {"id": 0, "url": "https://a.example/0", "tags": ["a", "b"],
                             "info": {"n": 0, "s": "é"}, "score": 0.5, "ok": True}
    assert rows[1]["meta"]["score"] is None


TYPES = {"string": pa.string(), "large": pa.large_string(), "dictionary": pa.dictionary(pa.int32(), pa.string()),
         "view": pa.string_view()}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("piece", [50, 1 << 20])
def test_parquet_of_pyarrow(tmp_path, kind, piece):
    if kind == "view":
        pytest.skip("pyarrow writes no string views to Parquet")
    for compression in ["zstd", "snappy", "gzip", "none"]:
        path = tmp_path / f"{compression}.parquet"
        pq.write_table(table(TYPES[kind]), path, compression=compression, row_group_size=4)
        rows, tally = read(path, "fail", piece)
        check(rows, tally)
        assert [row["id"] for row in rows][-1] == f"lot/{path.name}#6"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("stream", [False, True])
def test_arrow_of_pyarrow(tmp_path, kind, stream):
    path = tmp_path / "a.arrow"
    data = table(TYPES[kind])
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    for compression in [None, "zstd", "lz4"]:
        with make(path, data.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as out:
            out.write_table(data, max_chunksize=4)
        check(*read(path))


def test_a_dataset_folder_with_splits(tmp_path):
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for split in ["train", "test"]:
        folder = tmp_path / split
        folder.mkdir()
        (folder / "dataset_info.json").write_text("{}")
        (folder / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
        data = table()
        for name in ["data-00000-of-00001.arrow", "cache-1234.arrow"]:
            with pa.ipc.new_stream(folder / name, data.schema) as out:
                out.write_table(data)
    rows, _ = read(tmp_path)
    assert len(rows) == 8
    assert rows[0]["split"] == "test" and rows[0]["id"] == "lot/test/data-00000-of-00001.arrow#1"


def out_rows(count=500):
    return [{"id": f"lot/{i}", "text": f"글 {i} " + "내용 " * (i % 50), "url": "u" if i % 3 else "",
             "scores": {"a.b": i / 7}, "changed": ["clean.spaces"] if i % 2 else [], "cluster": f"doc/{i // 2}"} for i in range(count)]


def written(folder, kind, *more, env=None):
    rows = out_rows()
    done = run("write", folder, kind, *more, stdin="".join(json.dumps(row) + "\n" for row in rows), env=env)
    assert done.returncode == 0, done.stderr
    return rows, done.stdout.split()


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_what_we_write_pyarrow_reads(tmp_path, kind):
    rows, shards = written(tmp_path / "out", kind, 20000)
    assert len(shards) > 1
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == shards
    tables = [pq.read_table(f) if kind == "parquet" else pa.ipc.open_file(f).read_all() for f in files]
    got = pa.concat_tables(tables).to_pylist()
    assert tables[0].schema.field("text").type == pa.large_string()
    assert [row["text"] for row in got] == [row["text"] for row in rows]
    assert [row["changed"] for row in got] == [row["changed"] for row in rows]
    assert [json.loads(row["scores"]) for row in got] == [row["scores"] for row in rows]
    assert [row["url"] for row in got] == [row["url"] or None for row in rows]
    if kind == "parquet":
        group = pq.ParquetFile(files[0]).metadata.row_group(0)
        assert group.column(1).compression == "ZSTD"
    again = written(tmp_path / "again", kind, 20000)[1]
    assert [(tmp_path / "again" / name).read_bytes() for name in again] == [file.read_bytes() for file in files]


@pytest.mark.parametrize("damage", ["cut", "no footer", "zeros"])
def test_damaged_parquet_is_told(tmp_path, damage):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path)
    raw = path.read_bytes()
    path.write_bytes({"cut": raw[:len(raw) // 2], "no footer": raw[:-8], "zeros": raw[:20] + bytes(len(raw) - 20)}[damage])
    done = run("read", path)
    assert done.returncode == 3 and "a.parquet" in done.stderr, done.stderr
    assert read(path, "skip")[1] == {"documents": 0, "empty": 0, "bad": 1}


@pytest.fixture
def store():
    server = pytest.importorskip("moto.server", reason="moto is not in the test venv")
    threaded = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    threaded.start()
    host, port = threaded.get_host_and_port()
    import urllib.request
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/club", method="PUT"), timeout=10)
    time.sleep(0.1)
    yield {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a",
           "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true"}
    threaded.stop()


def test_an_object_store(store):
    rows, shards = written("s3://club/out", "parquet", 20000, env=store)
    assert len(shards) > 1
    got, tally = read("s3://club/out", env=store)
    assert [row["text"] for row in got] == [row["text"] for row in rows]
    assert read("s3://club/out/*0.parquet", env=store)[1]["documents"] < tally["documents"]
    missing = run("read", "s3://club/nothing", env=store)
    assert missing.returncode == 4, missing.stderr
