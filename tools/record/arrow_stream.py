#!/usr/bin/env python3
"""Records tests/fixtures/arrow_stream: small Arrow IPC files and the rows pyarrow reads from them.

Made with pyarrow 26.0.1.  Rerun: see README.md in this folder, then  python tools/record/arrow_stream.py

  good.arrow      stream, two record batches, the types benchmark data uses, with nulls and empty lists
  file.arrow      the same rows as an Arrow file (magic, footer)
  sliced.arrow    a stream of a slice: offsets that do not begin at 0
  rows.jsonl      the rows of good.arrow, as pyarrow gives them
  lz4.arrow, dictionary.arrow, date.arrow   what our reader refuses by name
"""
import datetime

import pyarrow as pa
from common import begin, finish, write_jsonl

folder = begin("arrow_stream")
schema = pa.schema([
    ("text", pa.string()), ("large", pa.large_string()), ("flag", pa.bool_()), ("i8", pa.int8()), ("u16", pa.uint16()), ("i32", pa.int32()),
    ("u64", pa.uint64()), ("i64", pa.int64()), ("f32", pa.float32()), ("f64", pa.float64()), ("endings", pa.list_(pa.string())), ("nested", pa.list_(pa.list_(pa.int32()))),
    ("choices", pa.struct([("text", pa.list_(pa.string())), ("label", pa.list_(pa.string()))])), ("wide", pa.large_list(pa.int64()))])
rows = [
    {"text": "첫째 줄\n", "large": "é", "flag": True, "i8": -128, "u16": 65535, "i32": -5, "u64": 2**64 - 1, "i64": -(2**63), "f32": 0.5, "f64": -1.25e-300, "endings": ["a", "", "다"],
     "nested": [[1, 2], [], [3]], "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "wide": [7]},
    {name: None for name in schema.names},
    {"text": "", "large": "", "flag": False, "i8": 0, "u16": 0, "i32": 0, "u64": 0, "i64": 0, "f32": 0.0, "f64": 0.0, "endings": [], "nested": [], "choices": {"text": [], "label": None}, "wide": []},
    {"text": "last", "large": "l", "flag": True, "i8": 1, "u16": 2, "i32": 3, "u64": 4, "i64": 5, "f32": 6.0, "f64": 7.0, "endings": [None, "z"], "nested": [None, [9]], "choices": None, "wide": [None]}]
batches = [pa.RecordBatch.from_pylist(part, schema=schema) for part in (rows[:3], rows[3:])]


def write(name, batches, opener=pa.ipc.new_stream, **options):
    with opener(str(folder / name), batches[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        for batch in batches:
            out.write_batch(batch)


write("good.arrow", batches)
write("file.arrow", batches, pa.ipc.new_file)
write("sliced.arrow", [pa.RecordBatch.from_pylist(rows, schema=schema).slice(2, 2)])
write("lz4.arrow", batches, compression="lz4")
write("dictionary.arrow", [pa.record_batch({"d": pa.array(["a", "b", "a"]).dictionary_encode()})])
write("date.arrow", [pa.record_batch({"d": pa.array([datetime.date(2026, 1, 1)])})])
with pa.ipc.open_stream(str(folder / "good.arrow")) as reader:
    write_jsonl(folder / "rows.jsonl", reader.read_all().to_pylist())
finish(folder, ["pyarrow"], "Arrow IPC files and their rows", rows=len(rows))
