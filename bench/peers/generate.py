"""Generation beside its peers, in turns in one run: helio (bench_model_generate), Hugging Face
`generate`, and llama.cpp through the C functions of PyPI's `xllamacpp` wheel, on the same weights.

  bench/peers/generate.py --model FOLDER --gguf-dir DIR --bench build/release/bin/bench_model_generate
      [--threads 1] [--weights f32 bf16 bf16_both int8 int4] [--batches 1 16] [--rounds 3] [--skip hf llama]

bf16_both is `--dtype bfloat16`. DIR holds NAME-f32.gguf, -bf16, -q8_0, -q4_0, as `helio model export gguf` writes them. Each figure is
tokens a second (with one thread: of CPU time), the best of the rounds: `prefill` of 512 tokens, `decode` of 64 steps after 32 tokens of
prompt, tokens of all sequences together. Each measurement is a process of its own.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

PREFILL, PROMPT, STEPS = 512, 32, 64
GGUF = {"f32": "f32", "bf16": "bf16", "bf16_both": "bf16", "int8": "q8_0", "int4": "q4_0"}
HF_DTYPES = {"f32": "float32", "bf16": "bfloat16", "bf16_both": "bfloat16"}


def now():
    """With one thread the processor's time, which other work on the machine hardly changes."""
    return time.process_time() if os.environ.get("OMP_NUM_THREADS") == "1" else time.perf_counter()


def prompt_ids(count, sequence=0):
    return [(7 * i + 31 * sequence) % 4000 + 100 for i in range(count)]


def run_hf(model, dtype, threads, batch):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    net = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype)).eval()

    def timed(ids, new):
        begin = now()
        net.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new,
                     do_sample=False, pad_token_id=0)
        return now() - begin

    with torch.inference_mode():
        long = torch.tensor([prompt_ids(PREFILL)])
        timed(long, 1)
        prefill = min(timed(long, 1) for _ in range(2))
        rows = torch.tensor([prompt_ids(PROMPT, s) for s in range(batch)])
        timed(rows, 2)
        first, all_steps = timed(rows, 1), timed(rows, 1 + STEPS)
    return {"prefill": PREFILL / prefill, "decode": batch * STEPS / (all_steps - first)}


class Llama:
    """llama.cpp through the C functions that the tests declare (tests/peers/llama_library.py). Of its parameters only
    the first four numbers (n_ctx, n_batch, n_ubatch, n_seq_max) are set."""

    def __init__(self, path, threads, context, sequences):
        sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/peers"))
        import llama_library

        self.lib = lib = llama_library.library()
        lib.llama_backend_init()
        self.model = lib.llama_model_load_from_file(str(path).encode(), lib.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"llama.cpp does not load {path}")
        params = lib.llama_context_default_params()
        if list(params.words[:4]) != [512, 2048, 512, 1]:
            raise SystemExit("llama_context_params does not begin as this script knows it")
        params.words[0], params.words[3] = context, sequences
        self.context = lib.llama_init_from_model(self.model, params)
        lib.llama_set_n_threads(self.context, threads, threads)
        self.vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        self.batch = lib.llama_batch_init(max(context, 512), 0, 1)

    def clear(self):
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), False)

    def decode(self, items):
        """(token, position, sequence, wants logits) each; logits of those that want them."""
        import numpy as np

        batch = self.batch
        batch.count = len(items)
        for i, (token, position, sequence, wants) in enumerate(items):
            batch.token[i], batch.pos[i], batch.n_seq[i] = token, position, 1
            batch.seq[i][0], batch.logits[i] = sequence, 1 if wants else 0
        if self.lib.llama_decode(self.context, batch) != 0:
            raise SystemExit("llama_decode failed")
        return [np.ctypeslib.as_array(self.lib.llama_get_logits_ith(self.context, i), (self.vocabulary,))
                for i, item in enumerate(items) if item[3]]


def run_llama(path, threads, batch):
    net = Llama(path, threads, batch * 1024, batch)

    def prefill():
        net.clear()
        begin = now()
        net.decode([(t, i, 0, i == PREFILL - 1) for i, t in enumerate(prompt_ids(PREFILL))])
        return now() - begin

    prefill()
    seconds = min(prefill() for _ in range(2))
    net.clear()
    tokens = [int(logits.argmax()) for s in range(batch) for logits in net.decode(
        [(t, i, s, i == PROMPT - 1) for i, t in enumerate(prompt_ids(PROMPT, s))])]
    net.decode([(t, PROMPT, s, True) for s, t in enumerate(tokens)])
    begin = now()
    for step in range(STEPS):
        rows = net.decode([(t, PROMPT + 1 + step, s, True) for s, t in enumerate(tokens)])
        tokens = [int(row.argmax()) for row in rows]
    return {"prefill": PREFILL / seconds,
            "decode": batch * STEPS / (now() - begin)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--gguf-dir", type=Path)
    parser.add_argument("--name", default="smol")
    parser.add_argument("--bench")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--weights", nargs="+", default=list(GGUF))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--skip", nargs="*", default=[])
    parser.add_argument("--llama-python", default=sys.executable, help="a Python that has xllamacpp")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        kind, what, threads, batch = args.one
        run = run_llama if kind == "llama" else lambda *rest: run_hf(args.model, *rest)
        print(json.dumps(run(what, int(threads), int(batch))))
        return

    def measure(peer, weights, threads, batch):
        script = [__file__, "--model", args.model, "--one"]
        if peer == "helio":
            command = [args.bench, args.model, "--weights", weights, "--threads", str(threads),
                       "--batch", str(batch)]
        elif peer == "llama":
            path = args.gguf_dir / f"{args.name}-{GGUF[weights]}.gguf"
            command = [args.llama_python, *script, "llama", str(path), str(threads), str(batch)]
        else:
            command = [sys.executable, *script, "hf", HF_DTYPES[weights], str(threads), str(batch)]
        env = dict(os.environ, OMP_WAIT_POLICY="passive", OMP_NUM_THREADS=str(threads))
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    print("| weights | threads | batch | | helio | llama.cpp | HF | times llama.cpp | times HF |\n"
          "|---|---|---|---|---|---|---|---|---|")
    for threads in args.threads:
        for weights in args.weights:
            for batch in args.batches:
                peers = [p for p in ("helio", "llama", "hf")
                         if p not in args.skip and (p != "hf" or weights in HF_DTYPES)]
                best = {}
                for _ in range(args.rounds):
                    for peer in peers:
                        for name, value in measure(peer, weights, threads, batch).items():
                            best[peer, name] = max(best.get((peer, name), 0), value)
                for name in ("prefill", "decode"):
                    if name == "prefill" and batch != args.batches[0]:
                        continue
                    ours, *others = (best.get((p, name)) for p in ("helio", "llama", "hf"))
                    shown = ["—" if v is None else f"{v:.1f}" for v in (ours, *others)]
                    times = ["—" if not ours or not v else f"{ours / v:.2f}" for v in others]
                    print(f"| {weights} | {threads} | {batch} | {name} | {' | '.join(shown + times)} |",
                          flush=True)


if __name__ == "__main__":
    main()
