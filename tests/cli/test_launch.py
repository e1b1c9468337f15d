"""helio launch: several processes train as one does, fail as one, and go on in another number."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

import pipeline
from pipeline import HELIO, helio

engine = pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")


@pytest.fixture(scope="module")
def workspace():
    return pipeline.finished()


def pretrain_words(workspace, out, *more):
    return ["pretrain", workspace / "tokens/tokens", "--tokenizer", workspace / "tokenizers/tokenizer", "--out", out / "model", "--run", out / "run",
            "--sequence", 64, "--model.layers", 2, "--model.hidden", 32, "--model.heads", 4, "--model.kv-heads", 2, "--model.ffn", 64, "--model.context", 128,
            "--train.steps", 20, "--train.batch-size", 4, "--train.lr", "5e-3", "--train.threads", 1, "--train.save-every", 5, *more]


def launch(processes, *words, check=True, **more):
    done = subprocess.run([HELIO, "launch", "-n", str(processes), "--", HELIO, *map(str, words)], capture_output=True, text=True, timeout=120, **more)
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def metrics(run):
    """But for the samples of text: divided weights give none."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if "samples" not in row]


def assert_same_training(ours, other):
    """Sums are taken in another order: equal but for the last bits of f32, which grow a little over the steps."""
    ours, other = metrics(ours), metrics(other)
    assert [row["step"] for row in ours] == [row["step"] for row in other]
    for a, b in zip(ours, other):
        assert a.keys() == b.keys()
        for key in ("loss", "eval/loss"):
            if key in a:
                assert a[key] == pytest.approx(b[key], abs=1e-5), (a, b)
        if "loss" in a:
            assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-3)
            for key in ("num_tokens", "epoch", "learning_rate"):
                assert a[key] == b[key]


@pytest.fixture(scope="module")
def alone(workspace, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    helio(*pretrain_words(workspace, out))
    return out


@engine
@pytest.mark.parametrize("processes, more", [(2, ()), (3, ("--train.micro-batch-size", 1)), (2, ("--train.shard", "optimizer")),
                                             (3, ("--train.shard", "gradients")), (2, ("--train.shard", "weights")),
                                             (3, ("--train.shard", "weights", "--train.micro-batch-size", 1))])
def test_several_processes_train_as_one(workspace, alone, tmp_path, processes, more):
    done = launch(processes, *pretrain_words(workspace, tmp_path, *more))
    assert done.stdout.count("Model: ") == 1  # one of them speaks
    assert_same_training(tmp_path / "run", alone / "run")
    facts = [json.loads((out / "model/helio_manifest.json").read_text())["facts"] for out in (tmp_path, alone)]
    assert facts[0].pop("processes") == processes
    assert facts[0]["tokens_by_lot"] == facts[1]["tokens_by_lot"]
    assert not (tmp_path / "run/checkpoints").exists()
    ours, other = weights(tmp_path / "model"), weights(alone / "model")
    assert ours.keys() == other.keys()
    for name, values in ours.items():
        assert abs(values - other[name]).max() < 1e-3, name  # twenty steps of AdamW enlarge last bits
    assert (tmp_path / "model/config.json").read_text() == (alone / "model/config.json").read_text()


def weights(model):
    from safetensors.numpy import load_file
    return load_file(model / "model.safetensors")


@engine
def test_divided_weights_are_measured_kept_and_refused(workspace, tmp_path):
    best = ("--train.shard", "weights", "--train.keep-best", "--train.validate-every", 5)
    plan = json.loads(launch(2, *pretrain_words(workspace, tmp_path, *best, "--dry-run", "--json")).stdout)
    levels = plan["memory_bytes_by_shard"]
    assert plan["processes"] == 2 and plan["memory_bytes"] == levels["weights"] < levels["none"] > levels["gradients"] == levels["optimizer"]
    assert "in each of 2 processes" in launch(2, *pretrain_words(workspace, tmp_path, "--dry-run")).stdout
    launch(2, *pretrain_words(workspace, tmp_path, *best))
    losses = {row["step"]: row["eval/loss"] for row in metrics(tmp_path / "run") if row.get("eval/loss") and row["step"]}
    last = min(losses, key=losses.get) == 20
    kept, whole = weights(tmp_path / "model/best"), weights(tmp_path / "model")
    assert kept.keys() == whole.keys() and last == all((kept[name] == whole[name]).all() for name in kept)
    for words in (("--train.ema", 0.9), ("--train.lora-rank", 2)):
        done = launch(2, *pretrain_words(workspace, tmp_path / "no", "--train.shard", "weights", *words), check=False)
        assert done.returncode == 2 and "--train.shard gradients" in done.stderr


@engine
def test_fine_tuning_with_adapters_and_fewer_rows_than_processes(workspace, tmp_path):
    words = ["sft", workspace / "models/recovered", pipeline.sources() / "sft.json", "--max-length", 96, "--packing", "best_fit", "--train.epochs", 1,
             "--train.batch-size", 2, "--train.threads", 1, "--train.lora-rank", 4]
    one, three = tmp_path / "one", tmp_path / "three"
    helio(*words, "--out", one / "model", "--run", one / "run")
    launch(3, *words, "--out", three / "model", "--run", three / "run", "--train.shard", "optimizer")
    assert_same_training(three / "run", one / "run")
    assert (three / "model/adapter/adapter_model.safetensors").stat().st_size == (one / "model/adapter/adapter_model.safetensors").stat().st_size


def align_words(workspace, out, *more):
    return ["align", workspace / "models/sft", pipeline.sources() / "pairs.jsonl", "--out", out / "model", "--run", out / "run", "--max-length", 96,
            "--heldout", 0.2, "--train.batch-size", 4, "--train.lr", "1e-3", "--train.threads", 1, "--train.validate-every", 2, *more]


@engine
@pytest.mark.parametrize("processes, more", [(2, ("--steps", 2, "--order", "easy_to_hard")), (3, ("--loss", "kto", "--train.shard", "gradients")),
                                             (2, ("--loss", "aot", "--train.micro-batch-size", 2, "--train.lora-rank", 4))])
def test_several_processes_align_as_one(workspace, tmp_path, processes, more):
    """Losses of single pairs and of whole batches; the reference's scores are made by shares."""
    one, many = tmp_path / "one", tmp_path / "many"
    helio(*align_words(workspace, one, *more))
    done = launch(processes, *align_words(workspace, many, *more))
    assert done.stdout.count("Models: ") == 1
    assert sorted(path.name for path in (many / "model").iterdir()) == sorted(path.name for path in (one / "model").iterdir())
    assert not list(many.rglob("parts"))
    for step in sorted(path.name for path in (one / "run").glob("step-*")):
        assert_same_training(many / "run" / step, one / "run" / step)
        for ours, other in zip(metrics(many / "run" / step), metrics(one / "run" / step)):
            for name in ours:
                if "rewards/" in name or "logps/" in name or name in ("kl", "eval/kl"):
                    assert ours[name] == pytest.approx(other[name], abs=1e-4), (step, name)
        facts = [json.loads((out / "model" / step / "helio_manifest.json").read_text())["facts"] for out in (many, one)]
        assert facts[0]["processes"] == processes and "processes" not in facts[1]
        assert facts[0]["chunk"]["rewards_after"]["margin"] == pytest.approx(facts[1]["chunk"]["rewards_after"]["margin"], abs=1e-4)
    again = launch(2, *align_words(workspace, many, *more, "--resume"))  # another number finds that all is done
    assert again.stdout == done.stdout


def child_of(launcher, rank):
    children = pathlib.Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    for pid in children:
        if f"RANK={rank}".encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return int(pid)
    raise AssertionError(f"no rank {rank} among {children}")


def start_long(workspace, out, processes, *more):
    words = pretrain_words(workspace, out, *more)
    return subprocess.Popen([HELIO, "launch", "-n", str(processes), "--", HELIO, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_checkpoint(run, process):
    until = time.monotonic() + 60
    while not list((run / "checkpoints").glob("step-*")):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.01)


LONG = ("--train.steps", 150)


@pytest.fixture(scope="module")
def long_alone(workspace, tmp_path_factory):
    out = tmp_path_factory.mktemp("long")
    helio(*pretrain_words(workspace, out, *LONG))
    return out


@engine
@pytest.mark.parametrize("shard, then", [("optimizer", "none"), ("weights", "weights"), ("weights", "gradients")])
def test_a_killed_process_ends_all_and_another_number_goes_on(workspace, long_alone, tmp_path, shard, then):
    whole, out = long_alone, tmp_path / "killed"
    run = start_long(workspace, out, 2, *LONG, "--train.shard", shard)
    wait_for_checkpoint(out / "run", run)
    os.kill(child_of(run, 1), signal.SIGKILL)
    killed = time.monotonic()
    _, errors = run.communicate(timeout=60)
    assert time.monotonic() - killed < 10
    assert run.returncode == 128 + signal.SIGKILL, errors
    assert "rank 1 of 2 was killed by signal 9" in errors and "--resume" in errors
    assert not (out / "model").exists()
    refused = launch(2, *pretrain_words(workspace, out, *LONG), check=False)
    assert refused.returncode == 2 and "--restart" in refused.stderr
    launch(3, *pretrain_words(workspace, out, *LONG, "--train.shard", then, "--resume"))
    ours, other = metrics(out / "run"), metrics(whole / "run")
    assert [(row["step"], row.get("num_tokens")) for row in ours] == [(row["step"], row.get("num_tokens")) for row in other]
    # Rounding grows with the steps: what the processes read was the same.
    assert [row["loss"] for row in ours if "loss" in row][:50] == pytest.approx([row["loss"] for row in other if "loss" in row][:50], abs=1e-4)
    assert ours[-1]["eval/loss"] == pytest.approx(other[-1]["eval/loss"], abs=0.02)


@engine
def test_tasks_of_srun_find_each_other(workspace, alone, tmp_path):
    """As Slurm's srun starts two tasks on one machine: no launcher of ours."""
    job = {"SLURM_NTASKS": "2", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_STEP_NODELIST": "localhost",
           "SLURM_JOB_ID": str(os.getpid())}
    words = [HELIO, *map(str, pretrain_words(workspace, tmp_path, "--train.shard", "weights"))]
    tasks = [subprocess.Popen(words, env={**os.environ, **job, "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) for rank in (0, 1)]
    said = [task.communicate(timeout=120) for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert "Model: " in said[0][0] and said[1][0] == ""
    assert_same_training(tmp_path / "run", alone / "run")


@engine
def test_a_request_to_stop_saves_and_exits_75(workspace, tmp_path):
    run = start_long(workspace, tmp_path, 2, *LONG)
    wait_for_checkpoint(tmp_path / "run", run)
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 75, errors
    assert "--resume" in errors and "rank" not in errors
    helio(*pretrain_words(workspace, tmp_path, *LONG, "--resume"))
    steps = [row["step"] for row in metrics(tmp_path / "run") if "loss" in row]
    assert steps == list(range(1, 151))


@engine
def test_processes_that_do_not_belong_together_are_refused(workspace, tmp_path):
    words = " ".join(map(str, pretrain_words(workspace, tmp_path)))
    done = subprocess.run([HELIO, "launch", "-n", "2", "--", "sh", "-c", f"exec {HELIO} {words} --train.seed $RANK"], capture_output=True, text=True)
    assert done.returncode == 2 and "does not run the same training as rank 0" in done.stderr
    done = launch(2, "align", "score", workspace / "models/sft", pipeline.sources() / "pairs.jsonl", check=False)
    assert done.returncode == 2 and "helio align score runs in one process" in done.stderr
    done = launch(2, "align", workspace / "models/sft", pipeline.sources() / "pairs.jsonl", "--out", tmp_path / "x", "--train.shard", "weights", check=False)
    assert done.returncode == 2 and "cannot be divided" in done.stderr
    done = helio(*pretrain_words(workspace, tmp_path), check=False, env={**os.environ, "RANK": "2", "WORLD_SIZE": "2"})
    assert done.returncode == 2 and "RANK" in done.stderr


def shell(processes, script, *more):
    return subprocess.run([HELIO, "launch", "-n", str(processes), *more, "--", "sh", "-c", script], capture_output=True, text=True, timeout=60)


def test_variables_output_and_exit_codes():
    script = 'echo "$RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $MASTER_ADDR"; test $MASTER_PORT -gt 1023; echo "said $RANK" >&2'
    done = shell(3, script)
    assert done.returncode == 0 and done.stdout == "0/3 0/3 127.0.0.1\n" and done.stderr == "said 0\n"
    done = shell(2, script, "--output", "all")
    assert sorted(done.stderr.splitlines()) == ["[rank 0] said 0", "[rank 1] 1/2 1/2 127.0.0.1", "[rank 1] said 1"]
    assert shell(2, "exit 75").returncode == 75


def test_the_first_failure_ends_all_and_is_named():
    began = time.monotonic()
    done = shell(3, 'if [ $RANK = 2 ]; then echo "helio sft: no such thing" >&2; echo "  hint: look" >&2; exit 9; fi; exec sleep 50')
    assert time.monotonic() - began < 20
    assert done.returncode == 9
    assert "rank 2 of 3 failed (exit code 9); its last words: helio sft: no such thing" in done.stderr
    assert "rank 2" not in done.stderr.replace("rank 2 of 3", "", 1)
    began = time.monotonic()
    done = shell(2, 'trap "" TERM; if [ $RANK = 0 ]; then exit 3; fi; while true; do sleep 1; done')  # deaf to SIGTERM
    assert done.returncode == 3 and time.monotonic() - began < 20
    done = subprocess.run([HELIO, "launch", "-n", "2", "--", "/no/such/program"], capture_output=True, text=True)
    assert done.returncode == 127 and "could not be started: /no/such/program" in done.stderr
    assert subprocess.run([HELIO, "launch", "--", "true"], capture_output=True, text=True).returncode == 2
    assert subprocess.run([HELIO, "launch", "-n", "0", "--", "true"], capture_output=True, text=True).returncode == 2
