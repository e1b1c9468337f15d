# label: fast
"""A disk or a quota that fills up under a command: one clear error, nothing half-written, the old result intact.

Two ways to fill it: a limit on the size of each file (every file of the result is, in turn, the one that does not fit),
and a tiny file system of its own (user and mount namespaces; skipped where the kernel does not grant them).
"""
import os
import pathlib
import resource
import shutil
import subprocess

import pytest

HELIO = pathlib.Path(os.environ["HELIO_BIN"]) / "helio"
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
COMMANDS = {
    "club import": "club import --config sources.yaml --root . --out {out}",
    "data run": "data run lots/all --config steps.yaml --out {out}",
    "tokenizer train": "tokenizer train --dataset datasets/clean --vocab-size 300 --out {out}",
    "tokens build": "tokens build datasets/clean tokenizers/small --out {out}",
    "upscale": "upscale model --drop 1 --out {out}",
    "merge": "merge --plan plan.yaml --out {out}",
}
# data run keeps the chunks that are done beside its result: the next run goes on from them.
def work_of(command, name):
    return {f".{name}.work"} if command == "data run" else set()


def helio(words, cwd, limit=None, prefix=()):
    def apply():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return subprocess.run([*prefix, HELIO, *words.split(), "--quiet"], cwd=cwd, capture_output=True, text=True, preexec_fn=apply)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A result of every command, each made from the one before."""
    root = tmp_path_factory.mktemp("room")
    (root / "pages").mkdir()
    for i in range(40):
        (root / "pages" / f"{i:02}.html").write_text(f"<p>글 {i} 은 {i * 7919} 번째 자리에서 {i * 104729 % 1000} 낱말을 적는다</p>" * 3)
    (root / "sources.yaml").write_text(
        "sources:\n  - {lot: pages, partner: 신문사, language: ko, licence: CC0-1.0, path: pages}\n")
    (root / "steps.yaml").write_text("steps:\n  - extract.html\n  - dedup.exact\n  - {op: filter.length, min_words: 2}\n")
    shutil.copytree(FIXTURES / "llama_tiny/gqa_untied", root / "model")
    shutil.copytree(FIXTURES / "llama_tiny/gqa_untied", root / "twin")
    (root / "plan.yaml").write_text("merge_method: linear\nmodels:\n- {model: model, parameters: {weight: 1}}\n- {model: twin, parameters: {weight: 2}}\n")
    outs = {"club import": "lots/all", "data run": "datasets/clean", "tokenizer train": "tokenizers/small",
            "tokens build": "tokens/small", "upscale": "models/deep", "merge": "merged/mean"}
    for command, out in outs.items():
        done = helio(COMMANDS[command].format(out=out), root)
        assert done.returncode == 0, done.stderr
    return root, outs


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def without_names(files):
    """Manifests carry the artefact's name, which differs between two folders."""
    return {name: data for name, data in files.items() if name != "helio_manifest.json"}


def expect_one_clear_error(done, command, said):
    assert done.returncode == 1 and done.stdout == "", (done.returncode, done.stdout, done.stderr)
    first, *more = done.stderr.splitlines()
    assert first.startswith(f"helio {command}: ") and any(words in first for words in said), done.stderr
    assert all(line.startswith("  ") for line in more if line), done.stderr
    if ".work/" not in first:  # the chunks of data run say what failed and where, without a hint
        assert more[-1].startswith("  hint: "), done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_no_file_of_a_result_fits(command, room, tmp_path):
    root, outs = room
    before = contents(root / outs[command])
    sizes = sorted({len(data) for data in before.values() if data})
    assert len(sizes) > 1
    # The same name, so that the manifest that carries it is as long.
    name = pathlib.Path(outs[command]).name
    fresh = tmp_path / "fresh" / name
    for limit in [0, *(size - 1 for size in sizes)]:
        done = helio(COMMANDS[command].format(out=fresh), root, limit)
        expect_one_clear_error(done, command, ["File too large"])
        left = {p.name for p in fresh.parent.iterdir()}
        assert left <= work_of(command, name), (limit, "something half-written stayed")
    done = helio(COMMANDS[command].format(out=fresh), root, 64 << 20)
    assert done.returncode == 0 and without_names(contents(fresh)) == without_names(before), done.stderr
    assert {p.name for p in fresh.parent.iterdir()} - work_of(command, name) == {name}
    # An older result under the same name stays as it was.
    done = helio(COMMANDS[command].format(out=outs[command]), root, sizes[-1] - 1)
    expect_one_clear_error(done, command, ["File too large"])
    assert contents(root / outs[command]) == before
    # With enough room the same command gives the same bytes.
    done = helio(COMMANDS[command].format(out=outs[command]), root, 64 << 20)
    assert done.returncode == 0 and contents(root / outs[command]) == before, done.stderr
    left = {p.name for p in (root / outs[command]).parent.iterdir()}
    assert left - work_of(command, name) == {name}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_file_system(command, room, tmp_path):
    root, outs = room
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    # What is left on the file system afterwards is listed from inside: the mount ends with its namespace.
    script = f'mount -t tmpfs -o size=16k none {tiny} && head -c 12288 /dev/zero > {tiny}/full || exit 77; "$@"; code=$?; ls -A {tiny} > {tmp_path}/left; exit $code'
    words = COMMANDS[command].format(out=tiny / "out")
    done = helio(words, root, prefix=("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"))
    if not (tmp_path / "left").exists():
        pytest.skip("no user and mount namespaces here: " + done.stderr.strip())
    expect_one_clear_error(done, command, ["No space left on device", "bytes, and 4096 are free"])
    assert set((tmp_path / "left").read_text().split()) - {"full"} <= work_of(command, "out")
