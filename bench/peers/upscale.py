"""Depth up-scaling and a linear merge of a made checkpoint: `helio`, `cp` and mergekit by turns, fsync included.

    python bench/peers/upscale.py --helio build/release/bin/helio --folder /var/tmp/bench [--layers 16] [--rounds 3] [--mergekit] [--merge]

Makes two float16 Llamas of random weights in the folder (16 layers: 1.7 GB each) and deletes them in the end. Run in a venv with
numpy and safetensors; with --mergekit also mergekit. Reports wall and CPU seconds (user + system), GB written a second, peak memory.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
from safetensors.numpy import save_file

HIDDEN, FFN, HEADS, KV, VOCABULARY = 2048, 8192, 16, 4, 16384


def make_model(folder, layers, seed):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": HIDDEN,
              "intermediate_size": FFN, "max_position_embeddings": 4096, "num_attention_heads": HEADS, "num_hidden_layers": layers,
              "num_key_value_heads": KV, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
              "torch_dtype": "float16", "vocab_size": VOCABULARY, "head_dim": HIDDEN // HEADS}
    (folder / "config.json").write_text(json.dumps(config))
    random = lambda *shape: (rng.standard_normal(shape, dtype=np.float32) * 0.02).astype(np.float16)
    tensors = {"model.embed_tokens.weight": random(VOCABULARY, HIDDEN), "model.norm.weight": random(HIDDEN),
               "lm_head.weight": random(VOCABULARY, HIDDEN)}
    kv = KV * HIDDEN // HEADS
    for i in range(layers):
        at = f"model.layers.{i}."
        for name, shape in {"input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,), "self_attn.q_proj": (HIDDEN, HIDDEN),
                            "self_attn.k_proj": (kv, HIDDEN), "self_attn.v_proj": (kv, HIDDEN), "self_attn.o_proj": (HIDDEN, HIDDEN),
                            "mlp.gate_proj": (FFN, HIDDEN), "mlp.up_proj": (FFN, HIDDEN), "mlp.down_proj": (HIDDEN, FFN)}.items():
            tensors[f"{at}{name}.weight"] = random(*shape)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def measure(command, out, here):
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    begin = time.time()
    child = subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    subprocess.run(["sync", "-f", str(here)], check=True)
    wall = time.time() - begin
    if status:
        sys.exit(errors.decode()[-2000:])
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    shutil.rmtree(out)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "gb": size / 1e9, "mib": usage.ru_maxrss / 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--helio", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mergekit", action="store_true")
    parser.add_argument("--merge", action="store_true", help="linear and ties of two models besides")
    args = parser.parse_args()
    here = pathlib.Path(args.folder).resolve()
    here.mkdir(parents=True, exist_ok=True)
    helio = str(pathlib.Path(args.helio).resolve())
    mergekit = str(pathlib.Path(sys.executable).parent / "mergekit-yaml")
    out = here / "out"
    try:
        for seed, name in enumerate(("a", "b") if args.merge else ("a",)):
            made = multiprocessing.Process(target=make_model, args=(here / name, args.layers, seed))  # whose memory would count as that of what runs later
            made.start()
            made.join()
        drop = args.layers // 4
        slices = "".join(f"- sources: [{{model: ./a, layer_range: [{x}, {y}]}}]\n" for x, y in ((0, args.layers - drop), (drop, args.layers)))
        plans = {"passthrough": f"merge_method: passthrough\ndtype: float16\nslices:\n{slices}"}
        if args.merge:
            weights = "models:\n- {model: ./a, parameters: {weight: 0.4}}\n- {model: ./b, parameters: {weight: 0.6, density: 0.5}}\n"
            plans["linear"] = "merge_method: linear\ndtype: float16\n" + weights.replace(", density: 0.5", "")
            plans["ties"] = "merge_method: ties\nbase_model: ./a\ndtype: float16\n" + weights
        runs = {"cp (the result's bytes)": None}
        for name, text in plans.items():
            (here / f"{name}.yaml").write_text(text)
            runs[f"helio {name}"] = [helio, "merge", "--plan", f"{name}.yaml", "--out", "out"]
            if args.mergekit:
                runs[f"mergekit {name}"] = [mergekit, f"{name}.yaml", "out", "--no-copy-tokenizer", "--lazy-unpickle"]
        subprocess.run([helio, "merge", "--plan", "passthrough.yaml", "--out", "whole"], cwd=here, check=True, capture_output=True)
        runs["cp (the result's bytes)"] = ["cp", "-r", "whole", "out"]
        best = {}
        for _ in range(args.rounds):
            for name, command in runs.items():
                got = measure(command, out, here)
                last = best.setdefault(name, got)
                best[name] = {key: (max if key == "mib" else min)(last[key], got[key]) for key in got}
        for name, got in best.items():
            print(f"{name:26} {got['wall']:7.2f} s wall {got['cpu']:7.2f} s CPU {got['gb']:6.2f} GB {got['gb'] / got['wall']:6.2f} GB/s "
                  f"{got['mib']:8.0f} MiB peak", flush=True)
    finally:
        shutil.rmtree(here, ignore_errors=True)


if __name__ == "__main__":
    main()
