# label: fast
"""The operators as other engines call them: pyarrow's batches through ctypes, as Spark's mapInArrow does."""
import ctypes
import json
import os
import pathlib

import pyarrow as pa
import pytest

if any(word in pathlib.Path(os.environ["HELIO_BIN"]).parts for word in ("asan", "tsan")):
    pytest.skip("Python is not built with the sanitizer that the library needs", allow_module_level=True)
LIBRARY = ctypes.CDLL(str(pathlib.Path(os.environ["HELIO_BIN"]).parent / "lib" / "libhelio_data.so"))
LIBRARY.helio_steps_new.restype = ctypes.c_void_p
LIBRARY.helio_steps_free.argtypes = [ctypes.c_void_p]
LIBRARY.helio_data_version.restype = ctypes.c_char_p
STEPS = [{"op": "clean.unicode"}, {"op": "filter.length", "min_words": 2}, {"op": "pii.mask"}]


def open_steps(steps):
    error = ctypes.create_string_buffer(500)
    return LIBRARY.helio_steps_new(json.dumps(steps).encode(), error, 500), error.value.decode()


def run(steps, batch):
    from pyarrow.cffi import ffi

    schema, array, out_schema, out_array = (ffi.new("struct ArrowSchema*"), ffi.new("struct ArrowArray*"), ffi.new("struct ArrowSchema*"), ffi.new("struct ArrowArray*"))
    at = [int(ffi.cast("uintptr_t", x)) for x in (schema, array, out_schema, out_array)]
    batch._export_to_c(at[1], at[0])
    error = ctypes.create_string_buffer(500)
    code = LIBRARY.helio_steps_run(ctypes.c_void_p(steps), *(ctypes.c_void_p(x) for x in at), error, 500)
    for part in (schema, array):
        part.release(part)
    assert code == 0, error.value.decode()
    return pa.RecordBatch._import_from_c(at[3], at[2]).to_pydict()


@pytest.mark.parametrize("kind", [pa.utf8(), pa.large_utf8()])
def test_a_batch_goes_through_the_steps(kind):
    steps, _ = open_steps(STEPS)
    texts = ["하나\u00a0둘 a@b.org", "하나", None, "셋 넷"]
    batch = pa.record_batch({"id": pa.array(["a", "b", "c", "d"], kind), "text": pa.array(texts, kind), "other": pa.array([1, 2, 3, 4])})
    rows = run(steps, batch)
    assert rows["id"] == ["a", "b", "c", "d"] and rows["kept"] == [True, False, False, True]
    assert "a@b.org" not in rows["text"][0] and rows["text"][0].startswith("하나 둘 ")
    assert rows["reason"] == ["", "too_few_words", "too_few_words", ""] and rows["value"][1] == 1.0
    assert run(steps, batch.slice(1, 2))["id"] == ["b", "c"]
    assert run(steps, batch.slice(0, 0))["id"] == []
    LIBRARY.helio_steps_free(steps)


def test_errors_are_told():
    assert LIBRARY.helio_data_version().decode()[0].isdigit()
    steps, error = open_steps([{"op": "dedup.exact"}])
    assert steps is None and "all documents" in error
    assert "filter.length" in open_steps([{"op": "filter.lenght"}])[1] or "filter.lenght" in open_steps([{"op": "filter.lenght"}])[1]
    steps, _ = open_steps(STEPS)
    with pytest.raises(AssertionError, match="utf8"):
        run(steps, pa.record_batch({"text": pa.array([1, 2])}))
