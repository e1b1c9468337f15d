#!/usr/bin/env python3
"""Records tests/fixtures/lm_eval_results: what lm-eval writes for a tiny model on made-up documents, through its own command's tracker.

Made with lm-eval 0.4.13.  The model is tests/peers/tiny_model.py's (random weights from a seed), so that a test can make it again and score the same.
lm-eval's load_dataset is pointed at data/, nothing else of it is touched: arc_challenge, winogrande and gsm8k (two filters), without examples.

  data/arc_challenge/test.jsonl, data/winogrande/validation.jsonl, data/gsm8k/{test,train}.jsonl   the documents, as `helio eval` reads a benchmarks folder
  tiny/results_DATE.json, tiny/samples_TASK_DATE.jsonl   lm-eval's; "pretty_env_info" is cut, paths are "MODEL" and "DATA", the date is fixed
"""
import json
import pathlib
import sys
import tempfile

from common import ROOT, begin, finish, write_jsonl

import datasets
import lm_eval
import lm_eval.api.task
from lm_eval.loggers import EvaluationTracker

sys.path.insert(0, str(ROOT / "tests/peers"))
import tiny_model  # noqa: E402

datasets.disable_progress_bars()
DATE = "2026-11-27T00-00-00.000000"
POSITIONS = 1024


def documents():
    names, things, places = ["Ann", "Bo", "Chul", "Dana", "Eun"], ["boat", "lamp", "book", "drum", "kite"], ["harbour", "school", "market", "attic", "garden"]
    arc = [{"id": str(i), "question": f"Where does {names[i % 5]} keep the {things[(i * 2) % 5]}?",
            "choices": {"text": [f"In the {places[(i + k) % 5]}." for k in range(3 + i % 3)], "label": list("ABCDE"[: 3 + i % 3])}, "answerKey": "ABC"[i % 3]} for i in range(8)]
    winogrande = [{"sentence": f"{names[i % 5]} gave {names[(i + 1) % 5]} the {things[i % 5]} because _ had {'two' if i % 2 else 'none'}.", "option1": names[i % 5],
                   "option2": names[(i + 1) % 5], "answer": "12"[i % 2]} for i in range(8)]
    gsm8k = [{"question": f"{names[i % 5]} has {i} {things[i % 5]}s and gets {i + 2} more. How many are there?", "answer": f"{i} + {i + 2} = {2 * i + 2}\n#### {2 * i + 2}"}
             for i in range(8)]
    return {"arc_challenge/test": arc, "winogrande/validation": winogrande, "gsm8k/test": gsm8k[:4], "gsm8k/train": gsm8k[4:]}


def load_made_up(data):
    """Stands in for datasets.load_dataset: the splits of data/ that a data set of this name has, or else any file for a split that is not used."""
    def load(path, name=None, **_):
        folder = data / next(task for task in ("arc", "winogrande", "gsm8k") if task in path).replace("arc", "arc_challenge")
        files = {file.stem: file for file in sorted(folder.glob("*.jsonl"))}
        some = next(iter(files.values()))
        return datasets.DatasetDict({split: datasets.Dataset.from_list([json.loads(line) for line in files.get(split, some).read_text().splitlines()])
                                     for split in ("train", "validation", "test")})
    return load


def main():
    out = begin("lm_eval_results")
    for name, rows in documents().items():
        (out / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(out / "data" / f"{name}.jsonl", rows)
    with tempfile.TemporaryDirectory() as place:
        model = pathlib.Path(place) / "tiny"
        tiny_model.write(model, positions=POSITIONS)
        lm_eval.api.task.datasets.load_dataset = load_made_up(out / "data")
        tracker = EvaluationTracker(output_path=place + "/out")
        results = lm_eval.simple_evaluate(model="hf", model_args={"pretrained": str(model), "dtype": "float32"}, tasks=["arc_challenge", "winogrande", "gsm8k"], num_fewshot=0, batch_size=4, device="cpu",
                                          log_samples=True, evaluation_tracker=tracker, bootstrap_iters=1000)
        samples = results.pop("samples")
        tracker.save_results_aggregated(results=results, samples=samples)
        for task in results["configs"]:
            tracker.save_results_samples(task_name=task, samples=samples[task])
        [folder] = (pathlib.Path(place) / "out").iterdir()
        (out / "tiny").mkdir()
        for path in sorted(folder.iterdir()):
            text = path.read_text(encoding="utf-8").replace(folder.name, "tiny").replace(str(model), "tiny").replace(str(out / "data"), "DATA")
            name = path.name.replace(path.name[path.name.rindex("_") + 1:].removesuffix(path.suffix), DATE)
            if path.suffix == ".json":
                whole = json.loads(text)
                whole.update(date=0.0, pretty_env_info="", total_evaluation_time_seconds="0")
                text = json.dumps(whole, indent=2, ensure_ascii=False)
            (out / "tiny" / name).write_text(text, encoding="utf-8")
    finish(out, ["lm_eval", "datasets", "transformers", "torch", "tokenizers"], "lm-eval's results and samples for a tiny model on made-up documents", positions=POSITIONS)


if __name__ == "__main__":
    main()
