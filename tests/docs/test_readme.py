"""Every command of both READMEs is run, on the tiny workspace in place of the quick start's."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import pipeline  # noqa: E402

# What the quick start's corpus has and the tiny one has not.
STANDS_FOR = {"debian-faq-ko/support.ko.html": "guide-ko/stub.html"}


def blocks(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [[line.split("  #")[0].split(" # ")[0].strip() for line in block.splitlines() if line.strip()]
            for block in re.findall(r"```bash\n(.*?)```", text, re.S)]


def test_both_languages_show_the_same_commands():
    assert blocks("README.md") == blocks("README.ko.md")


def test_the_two_commands_are_there():
    assert blocks("README.md")[0] == ["./quickstart", "./test"]
    for script in ("quickstart", "test"):
        assert os.access(ROOT / script, os.X_OK)
        subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_every_link_leads_somewhere():
    for name in ("README.md", "README.ko.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{name}: {target}"


@pytest.mark.skipif(not pipeline.HAS_ENGINE, reason="this build has no helio-engine")
def test_every_other_command_works(tmp_path):
    (tmp_path / "workspace").symlink_to(pipeline.finished())
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    environment = dict(os.environ, PATH=f"{pipeline.BIN}:{os.environ['PATH']}")
    commands = blocks("README.md")[1]
    assert len(commands) >= 8
    for command in commands:
        for there, here in STANDS_FOR.items():
            command = command.replace(there, here)
        command = command.replace("/tmp/deeper", str(tmp_path / "deeper"))
        if "workspace/models/base" in command and "--drop" in command:
            command = command.replace("--drop 2", "--drop 1")  # the tiny base has four layers
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), f"{command} printed nothing"
