# label: slow
"""GGUF files that we export, run by llama.cpp: its logits are ours, and its greedy text is ours wherever the two likeliest tokens lie further apart
than a bound. Skipped where neither xllamacpp nor llama-cpp-python is installed."""
import json

import numpy as np
import pytest
from llama_library import Model, is_here
from safetensors.numpy import load_file
from test_gguf import FAMILIES, VOCABULARY, helio, make_model

pytestmark = pytest.mark.skipif(not is_here(), reason="llama.cpp (pip install xllamacpp, or llama-cpp-python) is not here")
# The largest difference of logits as a share of the largest logit. llama.cpp rounds activations to the weights' type (f16, bf16) or to 8-bit blocks
# (q8_0, as our int8 does).
BOUNDS = {"f32": 0.002, "f16": 0.01, "bf16": 0.05, "q8_0": 0.05}


# What config.json must say for a model to run here.
SAID = {"mistral": {"sliding_window": None}, "phi3": {"sliding_window": None}, "gemma": {"hidden_act": "gelu_pytorch_tanh"}}


def our_logits(model, ids, tmp_path, *more):
    (tmp_path / "ids.jsonl").write_text(json.dumps({"ids": ids}) + "\n")
    helio("model", "logits", model, "--in", tmp_path / "ids.jsonl", "--out", tmp_path / "logits.safetensors", *more)
    return load_file(tmp_path / "logits.safetensors")["0"]


@pytest.mark.parametrize("family, kind", [*((family, "f16") for family in FAMILIES), *(("llama", kind) for kind in BOUNDS if kind != "f16")])
def test_logits_and_greedy_text_are_ours(tmp_path, family, kind):
    make_model(tmp_path / "in", family, **SAID.get(family, {}))
    helio("model", "export", "gguf", tmp_path / "in", "--type", kind, "--out", tmp_path / "x.gguf")
    theirs = Model(tmp_path / "x.gguf")
    assert theirs.vocabulary == VOCABULARY
    ids = [int(i) for i in np.random.default_rng(3).integers(0, VOCABULARY, 12)]
    while len(ids) < 40:
        ids.append(int(theirs.logits(ids)[-1].argmax()))
    got = theirs.logits(ids)
    theirs.close()
    want = our_logits(tmp_path / "in", ids, tmp_path, "--weights", "int8" if kind == "q8_0" else "f32")
    bound = BOUNDS[kind] * np.abs(want).max()
    assert np.abs(got - want).max() < bound, np.abs(got - want).max() / np.abs(want).max()
    best = np.sort(want, axis=1)
    clear = best[:, -1] - best[:, -2] > 2 * bound  # each of the two may be off by the bound
    assert clear.sum() > 0.1 * len(ids)
    assert (got.argmax(1) == want.argmax(1))[clear].all()
