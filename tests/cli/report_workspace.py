"""A workspace as a whole recipe leaves it, written by hand: small, complete, the same every time."""
import hashlib
import json
import math
import pathlib
import random

LOTS = [
    # lot, partner, language, licence, documents in, out, words a document
    ("help-ko", "LibreOffice", "ko", "MPL-2.0", 3712, 2101, 96),
    ("help-en", "LibreOffice", "en", "MPL-2.0", 3698, 2244, 131),
    ("handbook-ko", "Debian 핸드북", "ko", "GPL-2+", 188, 171, 610),
    ("handbook-en", "Debian 핸드북", "en", "GPL-2+", 190, 176, 904),
    ("install-ko", "Debian 설치팀", "ko", "GPL-2", 131, 118, 402),
    ("install-en", "Debian 설치팀", "en", "GPL-2", 131, 119, 561),
    ("gimp-ko", "GIMP 문서화", "ko", "GFDL-1.2+", 694, 533, 170),
    ("wiki-demo", "LLaMA-Factory", "en", "Apache-2.0", 30, 30, 5200),
    ("c4-demo", "LLaMA-Factory", "en", "Apache-2.0", 300, 241, 330),
]
STEPS = [
    ("extract.html", {"no_text": 212}, 8800),
    ("clean.unicode", {}, 1930),
    ("filter.too_short", {"too_short": 1204, "no_sentence": 88}, 0),
    ("filter.language", {"other_language": 96, "unsure": 41}, 0),
    ("filter.gopher_quality", {"too_many_bullets": 143, "few_stop_words": 77, "short_words": 12}, 0),
    ("filter.repeated_lines", {"repeated_lines": 168}, 0),
    ("dedup.exact", {"exact_duplicate": 611}, 0),
    ("dedup.minhash", {"near_duplicate": 689}, 0),
    ("mask.pii", {}, 147),
]
MODELS = ["base", "upscaled", "recovered", "sft", "aligned/step-1", "aligned/step-2"]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Workspace:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.contents = {}

    def write(self, path, value):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        path.write_text(text)

    def seal(self, folder, kind, made_by, inputs=(), facts=None, options=None, size=1000):
        content = digest(folder)
        self.contents[folder] = (kind, content)
        self.write(f"{folder}/helio_manifest.json", {
            "format": 1, "kind": kind, "name": folder.split("/")[-1], "content": content, "made_by": made_by,
            "helio": {"version": "0.1.0", "code": digest("code")},
            "inputs": [self.input(role, source) for role, source in inputs],
            "options": options or {}, "facts": facts or {},
            "files": [{"path": "data", "size": size, "sha256": digest(folder + "data")}]})
        return content

    def input(self, role, source):
        if source in self.contents:
            kind, content = self.contents[source]
            return {"role": role, "kind": kind, "name": source.split("/")[-1], "content": content}
        return {"role": role, "kind": "file", "name": source.split("/")[-1], "content": digest(source)}

    def state(self, name, kind, out, seconds, rss, written, inputs):
        self.write(f"state/{name}.json", {
            "stage": name, "kind": kind, "status": "done", "key": digest(name), "content": self.contents[out][1],
            "code": digest("code"), "seconds": seconds, "peak_rss": rss << 20,
            "inputs": {f"{role}: {given}": self.input(role, source)["content"] for role, given, source in inputs},
            "written": written})
        self.write(f"state/{name}.yaml", {"out": str(self.root / out)})

    def metrics(self, run, rows):
        self.write(f"runs/{run}/metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write(f"runs/{run}/env.json", {"cpu": "AMD EPYC 7B13", "threads": 2, "memory": 8 << 30, "torch": "2.15.0"})


def curve(rng, steps, start, end, peak, noise=0.05, tokens=4096, every=1, eval_every=50):
    rows = []
    for step in range(0, steps + 1, every):
        share = step / steps
        level = end + (start - end) * math.exp(-4.5 * share)
        if step % eval_every == 0 or step == steps:
            rows.append({"step": step, "eval/loss": round(level + 0.03, 6)})
        if step == 0:
            continue
        warm = min(1, step / max(1, steps * 0.05))
        lr = peak * warm * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))
        rows.append({"step": step, "loss": level + rng.gauss(0, noise), "grad_norm": 1 + rng.random(), "learning_rate": lr,
                     "num_tokens": step * tokens, "epoch": share, "tokens_per_s": 21000 + 900 * rng.random()})
    return rows


def lots(ws):
    for lot, partner, language, licence, documents, _, words in LOTS:
        ws.seal(f"lots/lots/{lot}", "lot", "club import", [("root", "sources/" + lot)],
                {"lot": lot, "partner": partner, "licence": licence, "language": language, "source": lot,
                 "documents": documents, "words": documents * words, "bytes": documents * words * 7,
                 "content_root": digest(lot)}, size=documents * words * 2)
    ws.seal("lots/lots", "lots", "club import", [("root", "sources")], size=9_000_000)
    ws.state("lots", "club import", "lots/lots", 21.4, 190, {"root": "text"}, [("root", "text", "sources")])


def corpus(ws):
    steps, left = [], sum(lot[4] for lot in LOTS)
    for name, reasons, changed in STEPS:
        dropped = sum(reasons.values())
        steps.append({"step": name, "in": left, "out": left - dropped, "dropped": dropped, "changed": changed, "reasons": reasons})
        left -= dropped
    assert left == sum(lot[5] for lot in LOTS)
    accounts = [{"lot": lot, "partner": partner, "language": language, "licence": licence, "documents_in": came,
                 "words_in": came * words, "bytes_in": came * words * 7, "documents_out": kept, "words_out": kept * words + 40,
                 "bytes_out": kept * words * 7, "dropped": {"near_duplicate": (came - kept) // 2, "too_short": (came - kept + 1) // 2}}
                for lot, partner, language, licence, came, kept, words in LOTS]
    ws.write("datasets/corpus/dataset.json", {
        "steps": steps, "lots": accounts, "languages": {"ko": 2923, "en": 2804, "und": 6},
        "splits": {"train": {"documents": 5446, "words": 918_211, "bytes": 7_100_233},
                   "heldout": {"documents": 287, "words": 48_120, "bytes": 371_882}},
        "duplicate_clusters": 402, "pii": {"email": 131, "phone": 9, "ip_address": 18}})
    ws.seal("datasets/corpus", "dataset", "data run", [("lots", "lots/lots")], {"documents": left}, size=3_104_000)
    ws.state("corpus", "data run", "datasets/corpus", 38.9, 610, {"lots": "lots"}, [("lots", "lots", "lots/lots")])
    ws.seal("tokenizers/tokenizer", "tokenizer", "tokenizer train", [("dataset", "datasets/corpus")], {"vocab_size": 8192}, size=411_000)
    ws.state("tokenizer", "tokenizer train", "tokenizers/tokenizer", 9.2, 410, {"dataset": "corpus", "vocab_size": 8192},
             [("dataset", "corpus", "datasets/corpus")])
    ws.seal("tokens/tokens", "tokens", "tokens build", [("dataset", "datasets/corpus"), ("tokenizer", "tokenizers/tokenizer")],
            {"tokens": 2_214_880, "documents": left}, size=4_430_000)
    ws.state("tokens", "tokens build", "tokens/tokens", 4.1, 220, {"dataset": "corpus", "tokenizer": "tokenizer"},
             [("dataset", "corpus", "datasets/corpus"), ("tokenizer", "tokenizer", "tokenizers/tokenizer")])


def training(ws, rng):
    tokens, tokenizer = ("tokens", "tokens", "tokens/tokens"), ("tokenizer", "tokenizer", "tokenizers/tokenizer")
    ws.metrics("base", curve(rng, 300, 9.02, 4.31, 2e-3))
    ws.seal("models/base", "model", "pretrain", [("tokens", "tokens/tokens"), ("tokenizer", "tokenizers/tokenizer")],
            {"parameters": 4_869_312, "layers": 8}, size=19_500_000)
    ws.state("base", "pretrain", "models/base", 161.2, 1350, {"tokens": "tokens", "tokenizer": "tokenizer", "init": ""}, [tokens, tokenizer])
    layers = [(i, 1) for i in range(6)] + [(i, 2) for i in range(2, 8)]
    ws.seal("models/upscaled", "model", "upscale", [("model", "models/base")],
            {"parameters": 6_515_136, "layers": 12, "base": "base", "base_parameters": 4_869_312, "base_layers": 8, "drop": 2,
             "seam": 6, "layer_map": [layer for layer, _ in layers], "layer_copy": [copy for _, copy in layers]}, size=26_100_000)
    ws.state("upscaled", "upscale", "models/upscaled", 0.4, 90, {"model": "base", "drop": 2}, [("model", "base", "models/base")])
    ws.metrics("recovered", curve(rng, 120, 5.62, 4.02, 1e-3))
    ws.seal("models/recovered", "model", "pretrain", [("tokens", "tokens/tokens"), ("init", "models/upscaled")],
            {"parameters": 6_515_136, "layers": 12}, size=26_100_000)
    ws.state("recovered", "pretrain", "models/recovered", 88.0, 1620, {"tokens": "tokens", "tokenizer": "tokenizer", "init": "upscaled"},
             [tokens, tokenizer, ("init", "upscaled", "models/upscaled")])
    ws.metrics("sft", curve(rng, 59, 5.3, 3.7, 5e-4, 0.12, 3100, eval_every=59))
    ws.seal("models/sft", "model", "sft", [("model", "models/recovered"), ("data", "text/alpaca_en_demo.json")],
            {"parameters": 6_515_136}, size=26_100_000)
    ws.state("sft", "sft", "models/sft", 41.5, 1580, {"model": "recovered", "data": "text/alpaca_en_demo.json"},
             [("model", "recovered", "models/recovered")])


def alignment(ws, rng):
    for t, (margin, start, accuracy) in enumerate([(0.31, 0.02, 0.533), (0.52, 0.01, 0.567)], 1):
        rows = [{"step": 0, "eval/loss": 0.6931, "eval/rewards/accuracies": 0.0}]
        for step in range(1, 18):
            share = step / 17
            rows.append({"step": step, "loss": 0.69 - 0.12 * share, "learning_rate": 5e-5 * (1 - share), "num_tokens": step * 5000,
                         "rewards/margins": start + margin * share ** 1.3 + rng.gauss(0, 0.012),
                         "rewards/accuracies": min(1, max(0, 0.55 + 0.3 * share + rng.gauss(0, 0.05)))})
        rows.append({"step": 17, "eval/loss": 0.66, "eval/rewards/accuracies": accuracy})
        ws.metrics(f"aligned/step-{t}", rows)
        before = "models/sft" if t == 1 else "models/aligned/step-1"
        ws.seal(f"models/aligned/step-{t}", "model", "align", [("model", before), ("reference", before), ("data", "text/dpo_en_demo.json")],
                {"parameters": 6_515_136, "pairs": 135, "heldout_pairs": 30, "heldout_accuracy": accuracy,
                 "start": "sft" if t == 1 else "aligned/step-1", "reference": "sft" if t == 1 else "aligned/step-1",
                 "chunk": {"rewards_before": {"margin": 0.0}, "rewards_after": {"margin": margin + 0.04}},
                 "heldout": {"rewards_after": {"margin": margin / 6}, "preference_before": {"share": 0.5 if t == 1 else 0.533},
                             "preference_after": {"share": 0.533 if t == 1 else 0.567}}}, size=26_100_000)
    ws.seal("models/aligned", "models", "align", [("model", "models/sft"), ("data", "text/dpo_en_demo.json")], size=52_200_000)
    ws.state("aligned", "align", "models/aligned", 97.3, 1710,
             {"model": "sft", "data": "text/dpo_en_demo.json", "reference": "", "loss": "sigmoid", "order": "easy_to_hard", "beta": 0.1, "steps": 2},
             [("model", "sft", "models/sft")])


TASKS = [
    # name, about, metric, lm-eval's shots, higher is better, chance, base..step-2 (by part), stderr, items, total
    ("bits_per_byte", "How many bits the model needs for a byte of held-out text, by language. Lower is better.", "bits_per_byte", None, False,
     None, {"ko": [1.482, 1.731, 1.391, 1.44, 1.447, 1.452], "en": [1.911, 2.204, 1.803, 1.79, 1.801, 1.806]}, 0.012, 287, 287),
    ("cloze", "The beginning of a held-out document and four continuations, one of them its own.", "acc_norm", None, True, 0.25,
     [0.612, 0.494, 0.668, 0.651, 0.655, 0.650], 0.03, 256, 256),
    ("preference", "Of two answers to a held-out prompt, is the chosen one the likelier?", "acc", None, True, 0.5,
     [0.5, 0.467, 0.5, 0.533, 0.533, 0.567], 0.091, 30, 30),
    ("hellaswag", "How does an everyday scene go on? Four endings, three of them made by a machine.", "acc_norm", 0, True, 0.25,
     [0.27, 0.25, 0.28, 0.26, 0.27, 0.27], 0.044, 100, 10042),
    ("mmlu", "57 school, university and professional subjects; four choices, one letter is the answer.", "acc", 0, True, 0.25,
     [0.24, 0.25, 0.23, 0.25, 0.26, 0.25], 0.043, 114, 14042),
    ("winogrande", "Which of two names fits the gap in a sentence?", "acc", 0, True, 0.5, None, None, 0, 1267),
]


def estimate(value, stderr):
    return {"value": value, "stderr": stderr, "interval95": [round(value - 1.96 * stderr, 4), round(value + 1.96 * stderr, 4)]}


def result(model, index, task):
    name, _, metric, _, _, chance, values, stderr, items, total = task
    if values is None:
        return {"model": model, "task": name, "status": "not_run", "reason": "the benchmarks folder has no winogrande", "n": 0, "total": total}
    row = {"model": model, "task": name, "status": "ok", "n": items, "total": total, "unscorable": 0}
    if isinstance(values, dict):
        row["metrics"] = {metric: estimate(sum(v[index] for v in values.values()) / len(values), stderr)}
        row["parts"] = [{"name": part, "status": "ok", "n": items // 2, "total": items // 2, "metrics": {metric: estimate(v[index], stderr)}}
                        for part, v in values.items()]
    else:
        row["metrics"] = {metric: estimate(values[index], stderr)}
    row["at_chance"] = None if chance is None else abs(values[index] - chance) <= 2 * stderr
    return row


def scores(ws):
    ws.write("evals/scores/results.json", {
        "models": [{"name": model} for model in MODELS],
        "tasks": [{"name": name, "about": about, "metrics": [metric], "main_metric": metric, "higher_is_better": higher, "chance": chance,
                   "reproduces": None if shots is None else {"protocol": "lm-evaluation-harness", "version": "0.4.13", "task": name},
                   "items": items, "total": total, "settings": {} if shots is None else {"shots": shots}}
                  for name, about, metric, shots, higher, chance, _, _, items, total in TASKS],
        "results": [result(model, index, task) for index, model in enumerate(MODELS) for task in TASKS]})
    ws.seal("evals/scores", "evaluation", "eval run",
            [("models", "models/" + model) for model in MODELS] + [("dataset", "datasets/corpus"), ("pairs", "text/dpo_en_demo.json")], size=812_000)
    ws.state("scores", "eval run", "evals/scores", 74.6, 940, {"models": MODELS, "dataset": "corpus"},
             [("models", model, "models/" + model) for model in MODELS])


def shares(ws):
    partners = {}
    for lot, partner, _, _, came, kept, words in LOTS:
        row = partners.setdefault(partner, {"partner": partner, "lots": [], "documents_in": 0, "words_in": 0, "documents_surviving": 0,
                                            "words_surviving": 0, "tokens": 0, "trained": 0, "given": 0, "received": 0})
        row["lots"].append(lot)
        for key, value in (("documents_in", came), ("words_in", came * words), ("documents_surviving", kept),
                           ("words_surviving", kept * words), ("tokens", kept * words * 2), ("trained", kept * words)):
            row[key] += value
    rows = sorted(partners.values(), key=lambda row: row["partner"])
    total, pool = sum(row["trained"] for row in rows), 1_000_000
    for row in rows:
        row["credited"], row["share"] = row["trained"], row["trained"] / total
        row["amount"] = pool * row["trained"] // total
    rows[0]["amount"] += pool - sum(row["amount"] for row in rows)
    totals = {key: sum(row[key] for row in rows) for key in rows[0] if key not in ("partner", "lots", "share")}
    ws.write("statements/shares/statement.json", {"format": 1, "pool": pool, "currency": "KRW", "shared_text": "split",
                                                   "totals": totals, "partners": rows, "lots": [], "runs": []})
    ws.seal("statements/shares", "statement", "club statement",
            [("lots", "lots/lots"), ("dataset", "datasets/corpus"), ("tokens", "tokens/tokens"), ("models", "models/aligned")], size=5_200)
    ws.state("shares", "club statement", "statements/shares", 0.3, 40, {"lots": "lots", "pool": pool}, [("lots", "lots", "lots/lots")])


def make(root):
    """Writes the workspace under `root` and returns it."""
    ws, rng = Workspace(root), random.Random(7)
    lots(ws)
    corpus(ws)
    training(ws, rng)
    alignment(ws, rng)
    scores(ws)
    shares(ws)
    names = ["lots", "corpus", "tokenizer", "tokens", "base", "upscaled", "recovered", "sft", "aligned", "scores", "shares"]
    kinds = {name: json.loads((ws.root / f"state/{name}.json").read_text())["kind"] for name in names}
    ws.write("state/.recipe.json", {
        "name": "solar-mini",
        "about": "Korean and English documentation to a small Llama, depth up-scaled, continued, tuned and aligned in two sDPO steps.",
        "stages": [{"name": name, "kind": kinds[name]} for name in names] + [{"name": "report", "kind": "report"}]})
    return ws


if __name__ == "__main__":
    import sys
    make(sys.argv[1])
