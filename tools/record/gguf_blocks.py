#!/usr/bin/env python3
"""Records tests/fixtures/gguf: GGUF files written by PyPI's gguf, and what its numpy code makes of quantised blocks.

Made with gguf 0.19.0 (see SOURCE.json).  Rerun: see README.md in this folder, then `python tools/record/gguf_blocks.py`.

  kinds.gguf             every type of metadata value and array, an alignment of 64, tensors of 1 to 4 dimensions
  blocks.gguf            a tensor of random blocks for each quantised type, named after it
  values.safetensors     the same names: gguf's dequantised F32 values
  quantise.safetensors   `input` (F32) and gguf's Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, F16 and BF16 of it, and ggml's own Q4_K, Q5_K and
                         Q6_K (ggml_quantize_chunk of llama.cpp, from PyPI's xllamacpp), as bytes of each row
"""
import ctypes

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, GGUFValueType, quants
from gguf.constants import GGML_QUANT_SIZES
from safetensors.numpy import save_file

from common import begin, finish

TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4", "BF16", "F16"]
# Where the f16 scales of a block lie: random bytes there would be NaN or infinite now and then.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2],
          "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "F16": [0]}
rng = np.random.default_rng(20261127)


def random_blocks(name, rows, columns):
    block, size = GGML_QUANT_SIZES[Type[name]]
    data = rng.integers(0, 256, size=(rows * columns // block, size), dtype=np.uint8)
    for at in SCALES.get(name, []):
        scale = (rng.standard_normal(len(data)) * 2.0 ** rng.integers(-18, 4, len(data))).astype(np.float16)
        data[:, at:at + 2] = scale.view(np.uint8).reshape(-1, 2)
    if name == "BF16":
        data[:, 1] &= 0xBF  # no exponent of all ones
    return data.reshape(rows, -1)


def kinds(path):
    out = GGUFWriter(path, "llama")
    out.add_custom_alignment(64)
    for kind, value in {"uint8": 200, "int8": -100, "uint16": 60000, "int16": -30000, "uint32": 4_000_000_000, "int32": -2_000_000_000,
                        "float32": 1e-5, "uint64": 2**63 - 1, "int64": -2**62, "float64": 1e-300, "bool": True}.items():
        getattr(out, f"add_{kind}")(f"test.{kind}", value)
    out.add_key_value("test.huge", 2**64 - 1, GGUFValueType.UINT64)
    out.add_string("test.string", "한국어 \0 \" end")
    out.add_array("test.strings", ["", "a", "나", "a longer one"])
    out.add_array("test.int32s", [1, -2, 3])
    out.add_array("test.float32s", [0.5, -1.25])
    out.add_array("test.bools", [True, False, True])
    out.add_array("test.bytes", b"\x00\xff\x10")
    out.add_tensor("one", np.arange(5, dtype=np.float32))
    out.add_tensor("two", np.arange(6, dtype=np.float16).reshape(2, 3))
    out.add_tensor("three", np.arange(24, dtype=np.int8).reshape(2, 3, 4))
    out.add_tensor("four", np.arange(48, dtype=np.int32).reshape(2, 3, 4, 2))
    out.add_tensor("double", np.array([[1e300], [-2.5]]))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def blocks(path):
    out, values = GGUFWriter(path, "llama"), {}
    for name in TYPES:
        block, _ = GGML_QUANT_SIZES[Type[name]]
        columns = 512 if block == 256 else 64
        data = random_blocks(name, 3, columns)
        out.add_tensor(name, data, raw_dtype=Type[name])
        values[name] = np.ascontiguousarray(quants.dequantize(data, Type[name]))
        assert values[name].shape == (3, columns) and np.isfinite(values[name]).all(), name
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return values


def quantise():
    x = rng.standard_normal((16, 256)).astype(np.float32) * (2.0 ** rng.integers(-8, 8, (16, 1))).astype(np.float32)
    x[1] = 0
    x[2] = 1e-30  # the scale is below the smallest f16
    x[3] = np.linspace(-127, 127, 256)  # halves
    x[4] = np.round(x[4] / np.abs(x[4]).max() * 8) / 4
    x[5, ::2] = -x[5, 1::2]  # equal magnitudes of both signs
    x[6] = 6e4 * np.sign(x[6])
    x[7, 1:] = 0
    x[8] = -np.abs(x[8])
    out = {"input": x}
    for name in ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "BF16"]:
        with np.errstate(over="ignore"):
            out[name] = quants.quantize(x, Type[name]).view(np.uint8).reshape(len(x), -1)
    out["F16"] = x.astype(np.float16).view(np.uint8).reshape(len(x), -1)
    import xllamacpp
    ggml = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    for name in ["Q4_K", "Q5_K", "Q6_K"]:
        block, size = GGML_QUANT_SIZES[Type[name]]
        data = np.zeros((len(x), x.shape[1] // block * size), dtype=np.uint8)
        ggml.ggml_quantize_chunk(int(Type[name]), x.ctypes.data_as(ctypes.c_void_p), data.ctypes.data_as(ctypes.c_void_p),
                                 ctypes.c_int64(0), ctypes.c_int64(len(x)), ctypes.c_int64(x.shape[1]), None)
        out[name] = data
    return out


folder = begin("gguf")
kinds(folder / "kinds.gguf")
save_file(blocks(folder / "blocks.gguf"), folder / "values.safetensors")
save_file(quantise(), folder / "quantise.safetensors")
finish(folder, ["gguf", "numpy", "safetensors", "xllamacpp"], "GGUF files of PyPI's gguf and its reference (de)quantisation")
