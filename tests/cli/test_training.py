"""helio pretrain as its user meets it: the plan, limits, stops, and bad luck with disk and data."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import tiny_model

pytestmark = pytest.mark.skipif(os.environ.get("HELIO_TORCH", "ON") == "OFF", reason="needs helio-engine")
HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")


def helio(*words, code=0, limit=None):
    def apply():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True, preexec_fn=apply)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A small model with its tokenizer, and token shards of two languages."""
    root = tmp_path_factory.mktemp("training")
    tiny_model.write(root / "model")
    for language, word in (("en", "number"), ("ko", "숫자")):
        (root / f"{language}.jsonl").write_text("".join(json.dumps({"id": f"{language}{i}", "text": f"The {word} {i} follows {i - 1}. " * 6}) + "\n" for i in range(40)))
    (root / "data.yaml").write_text("inputs:\n" + "".join(f"  - {{path: {root}/{x}.jsonl, lot: {x}-lot, language: {x}, partner: p, licence: CC0-1.0}}\n" for x in ("en", "ko"))
                                    + "steps:\n  - {op: split.heldout, share: 0.2}\n")
    helio("data", "run", "--config", root / "data.yaml", "--out", root / "dataset", "-q")
    helio("tokens", "build", root / "dataset", root / "model", "--out", root / "tokens", "-q")
    return root


def words(room, out, *more):
    return ["pretrain", room / "tokens", "--init", room / "model", "--out", out, "--run", str(out) + "-run", "--sequence", 64, "--train.batch-size", 4,
            "--train.threads", 1, *more]


def test_the_plan_says_what_it_takes(room, tmp_path):
    plan = json.loads(helio(*words(room, tmp_path / "m", "--train.steps", 5, "--dry-run", "--json")).stdout)
    assert plan["steps"] == 5 and plan["tokens"] == 5 * 4 * 64 and plan["parameters"] > 0 and plan["flops"] > 0 and plan["seconds"] > 0
    assert 300 << 20 < plan["memory_bytes"] < 500 << 20 and plan["disk_bytes"] >= 4 * 4 * plan["parameters"]
    text = helio(*words(room, tmp_path / "m", "--train.steps", 5, "--dry-run")).stdout
    assert "memory" in text and "disk" in text and not list(tmp_path.iterdir())
    less = json.loads(helio(*words(room, tmp_path / "m", "--train.steps", 5, "--train.optimizer", "adafactor", "--dry-run", "--json")).stdout)
    assert less["memory_bytes"] < plan["memory_bytes"] and less["disk_bytes"] < plan["disk_bytes"]


def test_what_cannot_fit_is_refused_with_what_would(room, tmp_path):
    shape = ["pretrain", room / "tokens", "--tokenizer", room / "model", "--out", tmp_path / "m", "--train.steps", 5, "--model.hidden", 1024, "--model.heads", 16, "--model.ffn", 4096,
             "--sequence", 512, "--train.batch-size", 100000]
    for more in ([], ["--dry-run"]):
        done = helio(*shape, "--model.layers", 4, *more, code=6)
        assert "of memory, this machine has" in done.stderr and "--train.micro-batch-size 1" in done.stderr, done.stderr
    huge = helio(*shape, "--model.layers", 100000, "--dry-run", code=6)
    assert "a smaller model" in huge.stderr, huge.stderr
    assert not list(tmp_path.iterdir())


def test_stopping_after_some_steps_exits_75_and_goes_on(room, tmp_path):
    frozen = ("--train.freeze", "model.embed_tokens.*", "*_layernorm.weight")
    done = helio(*words(room, tmp_path / "m", "--train.steps", 6, "--train.stop-after", 4, *frozen, "-q"), code=75)
    assert "stopped at step 4 of 6" in done.stderr and "--resume" in done.stderr
    assert "--train.freeze 'model.embed_tokens.*' '*_layernorm.weight'" in done.stderr, done.stderr
    helio(*words(room, tmp_path / "m", "--train.steps", 6, *frozen, "--resume", "-q"))
    helio(*words(room, tmp_path / "whole", "--train.steps", 6, *frozen, "-q"))
    assert (tmp_path / "m/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_sigterm_saves_and_exits_75(room, tmp_path):
    run = subprocess.Popen([HELIO, *map(str, words(room, tmp_path / "m", "--train.steps", 100000, "-q"))], stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not list((tmp_path / "m-run").glob("metrics.jsonl")):
        time.sleep(0.02)
    time.sleep(0.2)
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 75 and "--resume" in errors, errors
    assert list((tmp_path / "m-run/checkpoints").glob("step-*")) and not (tmp_path / "m").exists()


def test_a_corrupt_shard_is_named_with_its_hash(room, tmp_path):
    shutil.copytree(room / "tokens", tmp_path / "tokens")
    shard = tmp_path / "tokens/train-00000.bin"
    data = bytearray(shard.read_bytes())
    data[10] ^= 1
    shard.write_bytes(data)
    done = helio("pretrain", tmp_path / "tokens", "--init", room / "model", "--out", tmp_path / "m", "--sequence", 64, code=3)
    assert "train-00000.bin" in done.stderr and ("hash" in done.stderr or "sha256" in done.stderr), done.stderr


def test_a_disk_that_fills_up_while_saving_keeps_the_last_checkpoint(room, tmp_path):
    asked = words(room, tmp_path / "m", "--train.steps", 4, "--train.save-every", 1, "-q")
    helio(*asked, "--train.stop-after", 2, code=75)
    checkpoints = tmp_path / "m-run/checkpoints"
    sizes = [path.stat().st_size for path in (checkpoints / "step-2").iterdir()]
    for limit in (min(sizes) + 1, max(sizes) - 1):
        done = helio(*asked, "--resume", code=1, limit=limit)
        assert "File too large" in done.stderr.splitlines()[0] and "hint: " in done.stderr, done.stderr
        assert {path.name for path in checkpoints.iterdir()} == {"step-1", "step-2"} and not (tmp_path / "m").exists()
    helio(*asked, "--resume")
    helio(*words(room, tmp_path / "whole", "--train.steps", 4, "-q"))
    assert (tmp_path / "m/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_a_missing_tokenizer_and_too_long_sequences_are_one_clear_error(room, tmp_path):
    shutil.copytree(room / "model", tmp_path / "bare")
    (tmp_path / "bare/tokenizer.json").unlink()
    done = helio("pretrain", room / "tokens", "--init", tmp_path / "bare", "--out", tmp_path / "m", "--sequence", 64, code=4)
    assert "has no tokenizer.json" in done.stderr
    done = helio("pretrain", room / "tokens", "--init", room / "model", "--out", tmp_path / "m", "--sequence", 1000000, code=3)
    assert "positions" in done.stderr and "hint: " in done.stderr
