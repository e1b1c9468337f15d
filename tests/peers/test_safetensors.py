# label: fast
"""Files written here load with PyPI's safetensors with equal bytes, and files it writes load here."""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 8,
    "intermediate_size": 12, "max_position_embeddings": 16, "num_attention_heads": 2, "num_hidden_layers": 4,
    "num_key_value_heads": 1, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
    "torch_dtype": "float32", "vocab_size": 11,
}
SHAPES = {
    "input_layernorm.weight": (8,), "post_attention_layernorm.weight": (8,),
    "self_attn.q_proj.weight": (8, 8), "self_attn.k_proj.weight": (4, 8), "self_attn.v_proj.weight": (4, 8),
    "self_attn.o_proj.weight": (8, 8), "mlp.gate_proj.weight": (12, 8), "mlp.up_proj.weight": (12, 8),
    "mlp.down_proj.weight": (8, 12),
}


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


def random_model(folder, dtypes):
    """A model whose tensors take turns through `dtypes`, saved by the reference writer."""
    rng = np.random.default_rng(7)
    tensors, turn = {}, 0

    def add(name, shape):
        nonlocal turn
        dtype = np.dtype(dtypes[turn % len(dtypes)])
        raw = rng.integers(0, 256, size=int(np.prod(shape)) * dtype.itemsize, dtype=np.uint8)
        tensors[name] = (raw % 2).astype(bool).reshape(shape) if dtype == bool else raw.view(dtype).reshape(shape)
        turn += 1

    add("model.embed_tokens.weight", (11, 8))
    for layer in range(4):
        for name, shape in SHAPES.items():
            add(f"model.layers.{layer}.{name}", shape)
    add("model.norm.weight", (8,))
    add("lm_head.weight", (11, 8))
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return tensors


def bytes_of(array):
    return (str(array.dtype), array.shape, array.tobytes())


@pytest.mark.parametrize("dtypes", [["float32"], ["float16"], ["float64", "float32", "float16"],
                                    ["int64", "uint8", "int32", "int16", "int8", "bool", "uint64", "uint32", "uint16", "float64"]],
                         ids=["f32", "f16", "floats", "everything"])
def test_upscaled_files_load_with_the_reference(tmp_path, dtypes):
    source = random_model(tmp_path / "in", dtypes)
    helio("upscale", tmp_path / "in", "--drop", 1, "--out", tmp_path / "out")
    got = load_file(tmp_path / "out" / "model.safetensors")
    layer_map = [0, 1, 2, 1, 2, 3]
    want = {name: value for name, value in source.items() if ".layers." not in name}
    for new, old in enumerate(layer_map):
        for name in SHAPES:
            want[f"model.layers.{new}.{name}"] = source[f"model.layers.{old}.{name}"]
    assert set(got) == set(want)
    for name, value in want.items():
        assert bytes_of(got[name]) == bytes_of(value), name
    # The reference writer, given the same tensors, makes the same file byte for byte.
    save_file(want, tmp_path / "reference.safetensors", metadata={"format": "pt"})
    assert (tmp_path / "reference.safetensors").read_bytes() == (tmp_path / "out" / "model.safetensors").read_bytes()
    with safe_open(tmp_path / "out" / "model.safetensors", "np") as opened:
        assert opened.metadata() == {"format": "pt"}


def test_shards_load_with_the_reference(tmp_path):
    source = random_model(tmp_path / "in", ["float32"])
    helio("upscale", tmp_path / "in", "--drop", 1, "--out", tmp_path / "out", "--shard-size", 4000)
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    files = sorted(set(index["weight_map"].values()))
    assert len(files) > 2 and files == sorted(path.name for path in (tmp_path / "out").glob("*.safetensors"))
    total = 0
    for file in files:
        assert (tmp_path / "out" / file).stat().st_size <= 4000
        for name, value in load_file(tmp_path / "out" / file).items():
            assert index["weight_map"][name] == file
            total += value.nbytes
    assert total == index["metadata"]["total_size"]
    # And what the reference wrote in shards is read here.
    sharded = tmp_path / "sharded"
    sharded.mkdir()
    (sharded / "config.json").write_text(json.dumps(CONFIG))
    names = sorted(source)
    halves = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in halves.items():
        save_file({name: source[name] for name in part}, sharded / file, metadata={"format": "pt"})
    (sharded / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {name: file for file, part in halves.items() for name in part}}))
    helio("upscale", sharded, "--drop", 1, "--out", tmp_path / "from_shards", "--shard-size", 10**9)
    assert (tmp_path / "from_shards" / "model.safetensors").read_bytes() == \
        helio_single(tmp_path, tmp_path / "in").read_bytes()


def helio_single(tmp_path, model):
    helio("upscale", model, "--drop", 1, "--out", tmp_path / "single")
    return tmp_path / "single" / "model.safetensors"


def test_model_info_counts_what_the_reference_counts(tmp_path):
    source = random_model(tmp_path / "in", ["float32", "float16"])
    info = json.loads(helio("model", "info", tmp_path / "in", "--json").stdout)
    assert info["architecture"] == "LlamaForCausalLM" and info["runs"] is True
    assert info["weights"]["parameters"] == sum(value.size for value in source.values()) == info["shape"]["parameters"]
    assert info["weights"]["bytes"] == sum(value.nbytes for value in source.values())
    assert info["weights"]["stored"]["F16"]["tensors"] == sum(value.dtype == np.float16 for value in source.values())
    assert info["lineage"] is None and info["tokenizer"] is None
    text = helio("model", "info", tmp_path / "in").stdout
    assert "4 layers, hidden 8" in text and "not helio (no manifest)" in text


def test_what_the_reference_refuses_is_refused_here(tmp_path):
    random_model(tmp_path / "in", ["float32"])
    whole = (tmp_path / "in" / "model.safetensors").read_bytes()
    for about, damaged in {"truncated": whole[:-1], "longer": whole + b"x", "headless": whole[:5],
                           "length": b"\xff" * 8 + whole[8:], "json": whole[:8] + b"[" + whole[9:]}.items():
        (tmp_path / "in" / "model.safetensors").write_bytes(damaged)
        with pytest.raises(Exception):
            load_file(tmp_path / "in" / "model.safetensors")
        done = helio("upscale", tmp_path / "in", "--drop", 1, "--out", tmp_path / "out", ok=3)
        assert "model.safetensors" in done.stderr and "hint:" in done.stderr, about
        assert not (tmp_path / "out").exists()


def test_the_plan_alone_writes_nothing(tmp_path):
    model = FIXTURES / "dus_tiny" / "f32" / "input"
    done = helio("upscale", model, "--drop", 2, "--out", tmp_path / "out", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert plan["layer_map"] == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7] and plan["seam"] == 6 and plan["written"] is False
    assert plan["after"]["parameters"] == 24432
    text = helio("upscale", model, "--drop", 2, "--dry-run").stdout
    assert "■■■■■■··" in text and "··■■■■■■" in text and "24,432" in text
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    model = FIXTURES / "dus_tiny" / "f32" / "input"
    done = subprocess.run(["bash", "-c", f'ulimit -f 40; exec "{HELIO}" upscale "{model}" --drop 2 --out "{tmp_path}/models/out"'],
                          capture_output=True, text=True)
    assert done.returncode == 1, done
    assert done.stderr.count("cannot write '") == 1 and "hint:" in done.stderr
    assert list((tmp_path / "models").iterdir()) == []
