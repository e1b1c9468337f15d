# label: fast
"""helio merge and helio upscale as a person runs them: numbers by numpy, a recipe, one error and no leftovers."""
import json
import os
import pathlib
import subprocess

import numpy
from safetensors.numpy import load_file

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
DUS, TINY = FIXTURES / "dus_tiny", FIXTURES / "merge_tiny" / "f32"


def helio(*args, code=0, cwd=None):
    done = subprocess.run([HELIO, *map(str, args)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def test_averaged_seam_is_the_mean_of_both_copies(tmp_path):
    helio("upscale", DUS / "f32/input", "--drop", 2, "--seam", "average", "--seam-width", 2, "--out", tmp_path / "out")
    old, new = load_file(DUS / "f32/input/model.safetensors"), load_file(tmp_path / "out/model.safetensors")
    layer_map = [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7]
    beside = {4: 0, 5: 1, 6: 6, 7: 7}
    for name, tensor in new.items():
        if ".layers." not in name:
            assert numpy.array_equal(tensor, old[name])
            continue
        new_layer, rest = name.removeprefix("model.layers.").split(".", 1)
        one = old[f"model.layers.{layer_map[int(new_layer)]}.{rest}"]
        other = old.get(f"model.layers.{beside.get(int(new_layer), -1)}.{rest}", one)
        assert numpy.array_equal(tensor, (one + other) / numpy.float32(2)), name
    facts = json.loads((tmp_path / "out/helio_manifest.json").read_text())["facts"]
    assert facts["mean_with"] == {"4": 0, "5": 1, "6": 6, "7": 7} and facts["layer_map"] == layer_map


def test_plan_from_config_alone_gives_solars_size(tmp_path):
    config = {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_act": "silu", "hidden_size": 4096,
              "intermediate_size": 14336, "max_position_embeddings": 32768, "num_attention_heads": 32, "num_hidden_layers": 32,
              "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": False,
              "torch_dtype": "bfloat16", "vocab_size": 32000, "bos_token_id": 1, "eos_token_id": 2}
    (tmp_path / "config.json").write_text(json.dumps(config))
    plan = json.loads(helio("upscale", "plan", tmp_path, "--drop", 8, "--json").stdout)
    assert plan["before"]["parameters"] == 7_241_732_096
    assert plan["after"] == {"layers": 48, "parameters": 10_731_524_096, "weight_bytes": 2 * 10_731_524_096,
                             "cache_bytes_per_token": 2 * 2 * 48 * 1024, "training_bytes": 16 * 10_731_524_096}
    assert plan["layer_map"] == [*range(24), *range(8, 32)] and plan["seam"] == 24
    text = helio("upscale", "plan", tmp_path, "--drop", 8).stdout
    assert "10,731,524,096" in text and "source layer 23 is followed by source layer 8" in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json"]


def test_a_recipe_upscales_and_merges(tmp_path):
    (tmp_path / "plan.yaml").write_text("merge_method: slerp\nbase_model: deep\nmodels: [{model: deep}, {model: other}]\nparameters: {t: 0.4}\n")
    (tmp_path / "recipe.yaml").write_text(
        f"name: both\nabout: test\nstages:\n  deep: {{kind: upscale, model: '{TINY}/base', drop: 1}}\n"
        f"  other: {{kind: upscale, model: '{TINY}/ko', drop: 1}}\n"
        f"  both: {{kind: merge, plan: '{tmp_path}/plan.yaml', models: [deep, other]}}\n")
    helio("run", tmp_path / "recipe.yaml", "--workspace", tmp_path / "ws", cwd=tmp_path)
    manifest = json.loads((tmp_path / "ws/models/both/helio_manifest.json").read_text())
    assert manifest["made_by"] == "merge" and manifest["facts"]["models"] == ["deep", "other"] and manifest["facts"]["layers"] == 6
    assert [i["role"] for i in manifest["inputs"]] == ["models", "models", "plan"]
    helio("verify", tmp_path / "ws/models/both")
    again = helio("run", tmp_path / "recipe.yaml", "--workspace", tmp_path / "ws", cwd=tmp_path)
    assert "both" in again.stdout + again.stderr  # nothing to do: the cached stages are named


def test_one_error_and_no_leftovers(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"merge_method: linear\nmodels:\n- {{model: {TINY}/base, parameters: {{weight: 1}}}}\n- {{model: {DUS}/f32/input, parameters: {{weight: 1}}}}\n")
    said = helio("merge", "--plan", plan, "--out", tmp_path / "models/out", code=3).stderr
    assert "has 4 layers" in said and "'slices'" in said
    plan.write_text(plan.read_text().replace("weight: 1", "wait: 1"))
    assert f"{plan}:3:" in helio("merge", "--plan", plan, "--out", tmp_path / "models/out", code=3).stderr
    helio("merge", "--plan", tmp_path / "none.yaml", "--out", tmp_path / "models/out", code=4)
    plan.write_text(f"merge_method: linear\nmodels: [{{model: {TINY}/base, parameters: {{weight: 1}}}}]\n")
    helio("merge", "--plan", plan, code=2)
    helio("merge", "--plan", plan, "--out", TINY / "base", code=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    helio("merge", "--plan", plan, "--out", tmp_path / "mine", code=3)
    limited = subprocess.run(["bash", "-c", f'ulimit -f 8; exec "{HELIO}" merge --plan "{plan}" --out "{tmp_path}/full/out"'],
                             capture_output=True, text=True)
    assert limited.returncode == 1 and "cannot write" in limited.stderr
    assert not (tmp_path / "models").exists() and not list((tmp_path / "full").iterdir())
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    helio("upscale", DUS / "f32/input", code=2)
    helio("upscale", DUS / "f32/input", "--method", "interleave", "--every", 99, "--dry-run", code=2)
