# label: fast
"""Up-scaled models of every family by transformers: the same logits as its own layers rearranged by hand; the base's, with identity layers.

Needs torch and transformers (`python -m pytest` from a venv that has them); where they are not at hand these tests are skipped by name.
"""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

torch = pytest.importorskip("torch", reason="torch is not in this venv: the families against transformers are not compared")
transformers = pytest.importorskip("transformers", reason="transformers is not in this venv: the families against it are not compared")

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")
FAMILIES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "families"
VARIANTS = sorted(path.name for path in FAMILIES.iterdir() if path.is_dir())


def helio(*words, ok=0):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                             experts_implementation="eager").eval()


def logits(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def by_hand(folder, layer_map):
    """transformers' model of `folder` with its own layers in another order."""
    model = load(folder)
    layers, config = model.model.layers, model.config
    kinds = getattr(config, "layer_types", None)
    model.model.layers = torch.nn.ModuleList([layers[i] for i in layer_map])
    config.num_hidden_layers = len(layer_map)
    if kinds is not None:
        config.layer_types = [kinds[i] for i in layer_map]
    return model


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(params=[(v, c) for v in VARIANTS for c in ("config.json", "config_v4.json")], ids=lambda p: f"{p[0]}-{p[1][:-5]}")
def model(request, tmp_path):
    """The folder of a recorded model with one spelling of its config, and ids longer than its windows."""
    variant, spelling = request.param
    folder = tmp_path / "base"
    folder.mkdir()
    shutil.copy(FAMILIES / variant / "model.safetensors", folder)
    shutil.copy(FAMILIES / variant / spelling, folder / "config.json")
    drop = min(1, (config_of(folder)["num_hidden_layers"] - 1) // 2)
    return folder, drop, json.loads((FAMILIES / variant / "ids.jsonl").read_text().splitlines()[1])["ids"]


def test_layers_do_what_they_did_and_identities_nothing(model, tmp_path):
    folder, drop, ids = model
    plan = json.loads(helio("upscale", "plan", folder, "--drop", drop, "--json").stdout)
    made = json.loads(helio("upscale", folder, "--drop", drop, "--out", tmp_path / "deep", "--json").stdout)
    assert plan["layer_map"] == made["layer_map"] and plan["after"]["parameters"] == made["after"]["parameters"]
    assert len(made["layer_map"]) == made["after"]["layers"] == config_of(tmp_path / "deep")["num_hidden_layers"]
    assert torch.equal(logits(load(tmp_path / "deep"), ids), logits(by_hand(folder, made["layer_map"]), ids))
    helio("upscale", folder, "--method", "interleave", "--every", 2, "--init", "identity", "--out", tmp_path / "same")
    assert torch.equal(logits(load(tmp_path / "same"), ids), logits(load(folder), ids))
