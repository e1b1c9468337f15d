# label: fast
"""helio model shard, cast, diff, check and convert as a user runs them."""
import json
import os
import pathlib
import struct
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
MODEL = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "dus_tiny" / "f32" / "input"


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((MODEL / name).read_bytes())
    (folder / "generation_config.json").write_text('{"bos_token_id": 1, "eos_token_id": [2]}')
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}))
    return folder


def test_shards_and_back_are_the_same_bytes(tmp_path, model):
    report = json.loads(helio("model", "shard", model, "--size", "20KB", "--out", tmp_path / "many", "--json").stdout)
    files = sorted((tmp_path / "many").glob("*.safetensors"))
    assert len(files) == report["files"] > 2 and all(path.stat().st_size <= 20_000 for path in files)
    assert files[0].name == f"model-00001-of-{len(files):05}.safetensors"
    index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
    whole = load_file(model / "model.safetensors")
    assert index["weight_map"].keys() == whole.keys() and index["metadata"]["total_size"] == sum(x.nbytes for x in whole.values())
    assert "model.embed_tokens.weight" in load_file(files[0])  # shards follow the layers
    helio("model", "shard", tmp_path / "many", "--size", 0, "--out", tmp_path / "one")
    assert (tmp_path / "one" / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        assert (tmp_path / "one" / name).read_bytes() == (model / name).read_bytes()
    assert "The model is good" in helio("model", "check", tmp_path / "many").stdout
    helio("model", "shard", model, "--size", "5 parsecs", "--out", tmp_path / "x", ok=2)
    helio("model", "shard", model, "--out", model, ok=2)


def test_casts_round_to_nearest_even(tmp_path, model):
    helio("model", "cast", model, "--dtype", "float16", "--out", tmp_path / "half")
    whole, half = load_file(model / "model.safetensors"), load_file(tmp_path / "half" / "model.safetensors")
    assert whole.keys() == half.keys()
    for name, value in whole.items():
        assert half[name].tobytes() == value.astype(np.float16).tobytes(), name
    config = json.loads((tmp_path / "half" / "config.json").read_text())
    assert config["torch_dtype"] == config["dtype"] == "float16"
    one = json.loads(helio("model", "cast", model, "--dtype", "bfloat16", "--threads", 1, "--out", tmp_path / "b1", "--json").stdout)
    helio("model", "cast", model, "--dtype", "bfloat16", "--threads", 5, "--out", tmp_path / "b5")
    assert (tmp_path / "b1" / "model.safetensors").read_bytes() == (tmp_path / "b5" / "model.safetensors").read_bytes()
    bits = np.concatenate([x.ravel() for x in whole.values()]).view(np.uint32).astype(np.uint64)
    wide = (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32)
    assert one["rounded_values"] == int((wide != bits).sum()) > 0 and one["infinite_values"] == 0
    # Back to float32 nothing more is lost, and the diff sees what was.
    helio("model", "cast", tmp_path / "half", "--dtype", "float32", "--out", tmp_path / "back")
    helio("model", "diff", tmp_path / "half", tmp_path / "back")
    diff = json.loads(helio("model", "diff", model, tmp_path / "half", "--json", ok=5).stdout)
    largest = {row["name"]: row["largest"] for row in diff["different"]}
    for name, value in whole.items():
        want = float(np.abs(value.astype(np.float64) - half[name].astype(np.float64)).max())
        assert largest.get(name, 0) == want, name


def test_values_that_become_infinite_are_counted(tmp_path, model):
    tensors = load_file(model / "model.safetensors")
    tensors["model.norm.weight"][0] = 1e30
    tensors["model.norm.weight"] = tensors["model.norm.weight"].astype(np.float64)
    tensors["model.norm.weight"][1] = 0.1
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    done = helio("model", "cast", model, "--dtype", "float16", "--out", tmp_path / "half", "--json")
    assert json.loads(done.stdout)["infinite_values"] == 1 and "became infinite" in done.stderr
    assert "infinite" in helio("model", "check", tmp_path / "half", ok=5).stdout


def test_check_names_what_is_wrong(tmp_path, model):
    report = json.loads(helio("model", "check", model, "--json").stdout)
    assert report["good"] and {line["what"] for line in report["checks"]} == {"weights", "config", "values", "tokenizer", "generation", "hashes"}
    tensors = load_file(model / "model.safetensors")
    broken = dict(tensors)
    broken["model.layers.1.mlp.up_proj.weight"] = tensors["model.layers.1.mlp.up_proj.weight"].T.copy()
    del broken["model.layers.2.input_layernorm.weight"]
    broken["extra.weight"] = np.array([np.nan, np.inf, 1], dtype=np.float32)
    save_file(broken, model / "model.safetensors", metadata={"format": "pt"})
    (model / "generation_config.json").write_text('{"eos_token_id": 99999}')
    (model / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": {"a": 99999}, "merges": []}}))
    (model / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    done = helio("model", "check", model, ok=5)
    for part in ("'model.layers.1.mlp.up_proj.weight' has shape", "'model.layers.2.input_layernorm.weight' is missing",
                 "'extra.weight' is none of the model's", "'extra.weight' has 1 NaN and 1 infinite", "eos_token_id", "largest id is 99999",
                 "pytorch_model.bin is a PyTorch pickle"):
        assert part in done.stdout, part
    whole = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(whole[:-4])
    assert "truncated" in helio("model", "check", model, ok=5).stdout
    helio("model", "check", tmp_path / "nowhere", ok=4)


def test_check_compares_hashes(tmp_path, model):
    helio("model", "shard", model, "--size", 0, "--out", tmp_path / "out")
    assert "are as helio_manifest.json says" in helio("model", "check", tmp_path / "out").stdout
    path = tmp_path / "out" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "FAILED       hashes" in helio("model", "check", tmp_path / "out", ok=5).stdout


def test_diff_says_what_differs(tmp_path, model):
    assert "equal, 0 different" in helio("model", "diff", model, model).stdout
    tensors = load_file(model / "model.safetensors")
    name = "model.layers.0.mlp.up_proj.weight"
    tensors[name] = tensors[name].copy()
    tensors[name][0, 0] *= 2
    tensors["new.weight"] = tensors.pop("model.norm.weight")
    other = tmp_path / "other"
    other.mkdir()
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    done = helio("model", "diff", model, other, ok=5)
    assert "only in a: model.norm.weight" in done.stdout and "only in b: new.weight" in done.stdout
    row = json.loads(helio("model", "diff", model, other, "--json", ok=5).stdout)["different"][0]
    assert row["name"] == name and row["different"] == 1 and row["largest_relative"] == 0.5


@pytest.mark.parametrize("command", [("shard",), ("cast", "--dtype", "float16")])
def test_pickles_are_refused_with_advice(tmp_path, model, command):
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    done = helio("model", command[0], model, *command[1:], "--out", tmp_path / "out", ok=3)
    assert "pickle" in done.stderr and "safe_serialization=True" in done.stderr and not (tmp_path / "out").exists()
    assert "pickle" in helio("model", "diff", model, model, ok=3).stderr
    assert "pickle" in helio("model", "check", model, ok=5).stdout
    (model / "model.pt").write_bytes(b"\x80\x02" + struct.pack("<Q", 2**62))
    assert "pickle" in helio("model", "diff", model / "model.pt", model / "model.pt", ok=3).stderr


def test_a_full_disk_leaves_nothing(tmp_path, model):
    for words in (f'shard "{model}"', f'cast "{model}" --dtype float64'):
        done = subprocess.run(["bash", "-c", f'ulimit -f 20; exec "{HELIO}" model {words} --out "{tmp_path}/models/out"'],
                              capture_output=True, text=True)
        assert done.returncode == 1 and "cannot write" in done.stderr, done
        assert list((tmp_path / "models").iterdir()) == []


def test_a_folder_is_not_converted(tmp_path, model):
    done = helio("model", "convert", model, "--out", tmp_path / "out", ok=2)
    assert "helio model cast" in done.stderr
