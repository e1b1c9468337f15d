"""Shared by the recorders in this folder: paths, a fixed torch set-up, small random Llamas, and SOURCE.json.

Not a recorder itself.  Every recorder calls `begin(name)` for an empty fixture folder and `finish(folder, ...)` for its SOURCE.json.
"""
import datetime
import hashlib
import json
import os
import pathlib
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"


def begin(name):
    """An empty tests/fixtures/NAME; what an earlier recording left is removed, but its SOURCE.json is kept for the date."""
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "SOURCE.json":
            entry.unlink()
    return folder


def finish(folder, packages, about, **facts):
    """Writes SOURCE.json: versions, command, date, facts, sha256 of each file.  The date stays when no byte changed."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / "SOURCE.json":
            path.chmod(0o644)  # safetensors writes 0600
            files[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    date = datetime.date.today().isoformat()
    source = folder / "SOURCE.json"
    if source.exists():
        old = json.loads(source.read_text())
        if old.get("files") == files:
            date = old["date"]
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    script = pathlib.Path(sys.argv[0]).resolve().relative_to(ROOT).as_posix()
    write_json(source, {"about": about, "tool": versions, "command": f"python {script}", "date": date, **facts, "files": files})
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    print(f"{folder.relative_to(ROOT)}: {len(files)} files, {total:,} bytes")


def write_json(path, value):
    pathlib.Path(path).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_jsonl(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def fixed_torch(seed=0):
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    return torch


def tiny_llama(seed, **options):
    """A random Llama whose weights are large enough that logits, attention and norms all differ visibly from a zero or identity layer."""
    torch = fixed_torch(seed)
    from transformers import LlamaConfig, LlamaForCausalLM
    base = dict(vocab_size=97, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
                max_position_embeddings=256, rms_norm_eps=1e-6, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
                tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_implementation="eager", dtype="float32")
    model = LlamaForCausalLM(LlamaConfig(**{**base, **options}))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=draw)
            if name.endswith("norm.weight"):
                weight.copy_(1.0 + 0.3 * noise)
            elif "embed_tokens" in name:
                weight.copy_(0.5 * noise)
            else:
                weight.copy_(0.2 * noise)
    return model.float().eval()


def random_ids(seed, length, vocab=97, first_normal=3):
    """Ids that avoid 0..first_normal-1, which the tiny checkpoints use for pad, bos and eos."""
    import torch
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(first_normal, vocab, (length,), generator=draw).tolist()
