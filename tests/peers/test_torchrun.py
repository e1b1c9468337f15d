"""Beside the real torchrun: its processes and its store serve helio's training too."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import pipeline  # noqa: E402
from pipeline import HELIO, helio  # noqa: E402

TORCHRUN = os.environ.get("HELIO_TORCHRUN") or shutil.which("torchrun")
if not TORCHRUN:
    pytest.skip("no torchrun here (set HELIO_TORCHRUN)", allow_module_level=True)
pytestmark = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")


def losses(run):
    return [row["loss"] for row in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()) if "loss" in row]


def test_torchrun_starts_a_run(tmp_path):
    workspace = pipeline.finished()
    words = ["sft", workspace / "models/recovered", pipeline.sources() / "sft.json", "--max-length", 96, "--train.steps", 6, "--train.threads", 1]
    helio(*words, "--out", tmp_path / "one", "--run", tmp_path / "one-run")
    done = subprocess.run([TORCHRUN, "--nproc-per-node", "2", "--no-python", "--", HELIO, *map(str, words), "--out", str(tmp_path / "two"), "--run",
                           str(tmp_path / "two-run")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "two-run") == pytest.approx(losses(tmp_path / "one-run"), abs=1e-5)
