"""helio model merge-adapter beside what PEFT's merge_and_unload recorded (tools/record/lora.py)."""
# label: fast
import json
import os
import pathlib
import shutil
import struct
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "lora"
VARIANTS = ["plain", "patterns", "embedding", "bf16", "fan_in_fan_out"]


def merge(base, adapter, out, code=0):
    done = subprocess.run([HELIO, "model", "merge-adapter", str(base), str(adapter), "--out", str(out), "--json"], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def tensors(path):
    """Names to (dtype, shape, float32 values); numpy knows no bfloat16."""
    data = path.read_bytes()
    size, = struct.unpack("<Q", data[:8])
    out = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        raw = np.frombuffer(data[begin:end], dtype={"F32": np.float32, "BF16": np.uint16}[entry["dtype"]])
        values = (raw.astype(np.uint32) << 16).view(np.float32) if entry["dtype"] == "BF16" else raw
        out[name] = entry["dtype"], entry["shape"], values
    return out


@pytest.mark.parametrize("name", VARIANTS)
def test_equals_peft(name, tmp_path):
    folder = FIXTURES / name
    report = merge(folder / "base", folder / "adapter", tmp_path / "merged")
    ours, base = tensors(tmp_path / "merged" / "model.safetensors"), tensors(folder / "base" / "model.safetensors")
    theirs = tensors(folder / "merged.safetensors")
    assert ours.keys() == base.keys() and set(base) <= set(theirs)
    changed = 0
    for key, (dtype, shape, values) in ours.items():
        assert (dtype, shape) == theirs[key][:2], key
        wanted = theirs[key][2]
        changed += not np.array_equal(values, base[key][2])
        if dtype == "F32":
            np.testing.assert_allclose(values, wanted, rtol=1e-6, atol=2e-7, err_msg=key)
        else:  # where the sum lies between two bfloat16 values, its last bit before rounding decides
            near = np.abs(values - wanted) <= np.abs(wanted) * 2**-7
            assert near.all() and (values == wanted).mean() > 0.99, key
    assert changed == report["merged"] + report["replaced"] > 0
    assert json.loads((tmp_path / "merged" / "config.json").read_text()) == json.loads((folder / "base" / "config.json").read_text())


def test_errors(tmp_path):
    base, given = FIXTURES / "plain" / "base", FIXTURES / "plain" / "adapter"
    adapter = tmp_path / "adapter"

    def broken(change_config=None, change=None):
        shutil.rmtree(adapter, ignore_errors=True)
        shutil.copytree(given, adapter)
        config = json.loads((adapter / "adapter_config.json").read_text())
        weights = load_file(adapter / "adapter_model.safetensors")
        if change_config:
            config.update(change_config)
        if change:
            change(weights)
        (adapter / "adapter_config.json").write_text(json.dumps(config))
        save_file(weights, adapter / "adapter_model.safetensors")
        return merge(base, adapter, tmp_path / "out", code=3)

    q = "base_model.model.model.layers.0.self_attn.q_proj"
    assert "use_dora" in broken({"use_dora": True})
    assert "'bias'" in broken({"bias": "all"})
    assert "LORA is merged" in broken({"peft_type": "IA3"})
    assert f"{q}.lora_A.weight' has no partner" in broken(change=lambda w: w.pop(f"{q}.lora_B.weight"))
    assert "another rank" in broken(change=lambda w: w.update({f"{q}.lora_B.weight": np.zeros((16, 3), np.float32)}))
    assert "do not have the shape" in broken(change=lambda w: w.update({f"{q}.lora_A.weight": np.zeros((4, 15), np.float32)}))
    assert "which the model does not have" in broken(change=lambda w: w.update({"base_model.model.nobody.weight": np.zeros((4, 4), np.float32)}))
    assert "is not known here" in broken(change=lambda w: w.update({f"{q}.lora_C.weight": np.zeros((4, 4), np.float32)}))
    assert not (tmp_path / "out").exists()
    assert "adapter_config.json" in merge(base, base, tmp_path / "out", code=4)
