"""Runs the tiny recipe for the end-to-end tests; the finished workspace is shared by them."""
import fcntl
import json
import os
import pathlib
import subprocess

import tiny_corpus

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ["HELIO_BIN"])
HELIO = str(BIN / "helio")
STAGES = ["lots", "corpus", "tokenizer", "tokens", "base", "upscaled", "recovered", "sft", "aligned", "scores", "shares", "report"]
HAS_ENGINE = os.environ.get("HELIO_TORCH", "ON") != "OFF"


def sources():
    """The corpus, written once for this build."""
    root = BIN.parent / "tiny" / "sources"
    if not (root / "pairs.jsonl").exists():
        tiny_corpus.write(root)
    return root


def helio(*words, check=True, **more):
    done = subprocess.run([HELIO, *map(str, words)], capture_output=True, text=True, **more)
    if check:
        assert done.returncode == 0, f"helio {' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done


def run_words(workspace, *more):
    return ["run", HERE / "tiny.yaml", "--workspace", workspace, "--set", f"inputs.text={sources()}", *more]


def finished():
    """A workspace with every stage done (only what changed runs again). Tests that run side by side make it once."""
    workspace = BIN.parent / "tiny" / "workspace"
    workspace.parent.mkdir(exist_ok=True)
    with open(BIN.parent / "tiny" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        helio(*run_words(workspace, "--restart"))
    return workspace


def artefacts(workspace):
    """path -> bytes of everything that must not depend on when or how often it was made."""
    telemetry = {"metrics.jsonl", "log.txt", "env.json", "report.html", "report.json"}
    places = ["lots", "datasets", "tokenizers", "tokens", "models", "evals", "statements"]
    found = {}
    for place in places:
        for path in sorted((workspace / place).rglob("*")):
            if path.is_file() and path.name not in telemetry:
                found[str(path.relative_to(workspace))] = path.read_bytes()
    return found


def metrics(workspace):
    """Training figures of every run, less what the clock decides."""
    rows = {}
    for path in sorted((workspace / "runs").rglob("metrics.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        rows[str(path.relative_to(workspace))] = [
            {k: v for k, v in line.items() if k != "tokens_per_s" and not k.startswith(("throughput/", "mem/"))} for line in lines]
    return rows
