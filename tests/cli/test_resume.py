"""kill -9 in every stage, at several moments; then --resume gives the bytes of an undisturbed run."""
import json
import os
import signal
import subprocess
import time

import pytest

import pipeline
from pipeline import HELIO, run_words

pytestmark = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")


def status(workspace, stage):
    try:
        return json.loads((workspace / "state" / f"{stage}.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def run_and_kill(workspace, stage, seconds, how):
    """Runs the recipe up to `stage` and kills all of it `seconds` after `stage` began; True when it was killed in that stage."""
    run = subprocess.Popen([HELIO, *map(str, run_words(workspace, "--resume", "--until", stage))],
                           start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while run.poll() is None and status(workspace, stage).get("status") != "running":
            time.sleep(0.002)
        time.sleep(seconds)
        if run.poll() is not None:
            return False
        os.killpg(run.pid, how)
        run.wait(timeout=60)
        return status(workspace, stage).get("status") == "running"
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()


def test_kill_9_in_every_stage_changes_no_byte(tmp_path):
    undisturbed = pipeline.finished()
    seconds = {stage: status(undisturbed, stage)["seconds"] for stage in pipeline.STAGES}
    workspace = tmp_path / "killed"
    killed = []
    for stage in pipeline.STAGES:
        for share in (0.03, 0.1, 0.3, 0.6, 0.9):  # early ones too: the machine may be faster than it was
            if run_and_kill(workspace, stage, share * seconds[stage], signal.SIGKILL):
                killed.append((stage, share))
    pipeline.helio(*run_words(workspace, "--resume"))
    assert len(killed) >= len(pipeline.STAGES), killed
    assert {stage for stage, _ in killed} >= {"corpus", "base", "recovered", "sft", "aligned", "scores"}
    assert pipeline.artefacts(workspace) == pipeline.artefacts(undisturbed)
    assert pipeline.metrics(workspace) == pipeline.metrics(undisturbed)
    leftovers = [path for path in workspace.rglob(".helio-tmp-*")]
    assert not leftovers


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    undisturbed = pipeline.finished()
    workspace = tmp_path / "stopped"
    run = subprocess.Popen([HELIO, *map(str, run_words(workspace, "--until", "base", "--set", "stages.base.train.steps=3000"))],
                           start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not list((workspace / "runs/base").glob("metrics.jsonl")):
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 75, errors
    assert "--resume" in errors
    assert list((workspace / "runs/base/checkpoints").glob("step-*"))
    assert not (workspace / "models/base").exists()
    refused = pipeline.helio(*run_words(workspace, "--until", "base", "--set", "stages.base.train.steps=3000"), check=False)
    assert refused.returncode == 1 and "--resume" in refused.stderr
    assert undisturbed.exists()


def test_two_runs_do_not_share_a_workspace(tmp_path):
    workspace = tmp_path / "w"
    first = subprocess.Popen([HELIO, *map(str, run_words(workspace, "--until", "base", "--set", "stages.base.train.steps=3000"))],
                             start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (workspace / "state/lots.json").exists():
            time.sleep(0.01)
        second = pipeline.helio(*run_words(workspace), check=False)
        assert second.returncode == 1 and "another helio run" in second.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
