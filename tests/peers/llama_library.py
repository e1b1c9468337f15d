"""llama.cpp's C functions, as PyPI's `xllamacpp` wheel (100 MB, not among the test requirements) or `llama-cpp-python`
(compiled from its source) carries them: logits of token ids. `PYTHONPATH` may name the folder that has one."""
import ctypes as c
import importlib.util
import os
import pathlib
import sys

import numpy as np


class Opaque(c.Structure):
    """A parameter structure, passed by value as the last argument: more memory than it has does no harm."""
    _fields_ = [("words", c.c_int32 * 256)]


class Batch(c.Structure):
    _fields_ = [("count", c.c_int32), ("token", c.POINTER(c.c_int32)), ("embd", c.c_void_p), ("pos", c.POINTER(c.c_int32)),
                ("n_seq", c.POINTER(c.c_int32)), ("seq", c.POINTER(c.POINTER(c.c_int32))), ("logits", c.POINTER(c.c_int8))]


QUIET = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)(lambda level, text, data: None)


def is_here():
    return any(importlib.util.find_spec(name) for name in ("xllamacpp", "llama_cpp"))


def library_file():
    if importlib.util.find_spec("xllamacpp"):
        sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
        import xllamacpp
        return xllamacpp.xllamacpp.__file__
    return pathlib.Path(importlib.util.find_spec("llama_cpp").origin).parent / "lib" / "libllama.so"


def library():
    lib = c.CDLL(str(library_file()))
    lib.llama_log_set(QUIET, None)
    lib.llama_model_default_params.restype = lib.llama_context_default_params.restype = Opaque
    lib.llama_model_load_from_file.restype = lib.llama_init_from_model.restype = c.c_void_p
    lib.llama_model_load_from_file.argtypes = [c.c_char_p, Opaque]
    lib.llama_init_from_model.argtypes = [c.c_void_p, Opaque]
    lib.llama_set_n_threads.argtypes = [c.c_void_p, c.c_int32, c.c_int32]
    lib.llama_batch_init.restype, lib.llama_batch_init.argtypes = Batch, [c.c_int32] * 3
    lib.llama_decode.argtypes = [c.c_void_p, Batch]
    lib.llama_get_logits_ith.restype, lib.llama_get_logits_ith.argtypes = c.POINTER(c.c_float), [c.c_void_p, c.c_int32]
    lib.llama_get_memory.restype, lib.llama_get_memory.argtypes = c.c_void_p, [c.c_void_p]
    lib.llama_memory_clear.argtypes = [c.c_void_p, c.c_bool]
    lib.llama_model_get_vocab.restype = c.c_void_p
    lib.llama_model_get_vocab.argtypes = lib.llama_vocab_n_tokens.argtypes = [c.c_void_p]
    lib.llama_free.argtypes = lib.llama_model_free.argtypes = [c.c_void_p]
    return lib


class Model:
    def __init__(self, path):
        self.lib = library()
        self.model = self.lib.llama_model_load_from_file(str(path).encode(), self.lib.llama_model_default_params())
        assert self.model, f"llama.cpp does not load {path}"
        self.context = self.lib.llama_init_from_model(self.model, self.lib.llama_context_default_params())
        assert self.context, f"llama.cpp makes no context for {path}"
        self.lib.llama_set_n_threads(self.context, 1, 1)
        self.vocabulary = self.lib.llama_vocab_n_tokens(self.lib.llama_model_get_vocab(self.model))
        self.batch = self.lib.llama_batch_init(512, 0, 1)

    def logits(self, ids):
        """[len(ids), vocabulary]"""
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), False)
        self.batch.count = len(ids)
        for i, token in enumerate(ids):
            self.batch.token[i], self.batch.pos[i], self.batch.n_seq[i] = token, i, 1
            self.batch.seq[i][0], self.batch.logits[i] = 0, 1
        assert self.lib.llama_decode(self.context, self.batch) == 0
        return np.stack([np.ctypeslib.as_array(self.lib.llama_get_logits_ith(self.context, i), (self.vocabulary,)).copy() for i in range(len(ids))])

    def close(self):
        self.lib.llama_free(self.context)
        self.lib.llama_model_free(self.model)
