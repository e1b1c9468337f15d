// Options of helio eval run. Torch-free: recipes are checked by programs without LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "eval/endpoint/endpoint_run_options.h"

namespace helio::eval {

struct EvalOptions {
  std::vector<std::string> models = {};
  std::vector<std::string> tasks = {"bits_per_byte", "cloze", "preference",
                                    "hellaswag",     "mmlu",  "winogrande"};
  std::string adapter_base = {}, dataset = {}, pairs = {}, benchmarks = {}, out = {};
  std::string dtype = "float32", profile = "current", chat_template = "auto",
              apply_chat_template = "no";
  std::string judge = {}, judge_key_variable = "OPENAI_API_KEY";
  int64_t judge_parallel = 4, judge_timeout = 300, judge_retries = 5;
  double heldout = 0.1;
  int64_t limit = 0, limit_per_subject = 0, shots = -1, seed = 1234, batch_tokens = 8192,
          threads = 0;
  bool resume = false, restart = false, dry_run = false, lm_eval_layout = false;
  EndpointRunOptions endpoint = {};
  void describe(Fields& f) {
    f.input("models", models,
            "Models to score, in the order shown: folders, GGUF files, LoRA adapters' folders, "
            "openai:URL#name.");
    f.input("adapter_base", adapter_base,
            "Model that LoRA adapters are applied to; empty: the one that each names, where it is "
            "a folder here.");
    f("tasks", tasks,
      "Tasks and groups (helio eval list), between spaces or commas; NAME@SHOTS gives a task's "
      "examples.");
    f("profile", profile, "Whose numbers: the version of lm-evaluation-harness.",
      one_of({"openllm-v1", "evalverse", "current"}));
    f.input("dataset", dataset,
            "Dataset whose held-out documents give bits per byte and the cloze choice.");
    f.input("pairs", pairs, "Preference pairs; the held-out share is scored.");
    f.input("benchmarks", benchmarks, "Folder of benchmark data.");
    f("chat_template", chat_template,
      "How conversations (IFEval, EQ-Bench, MT-Bench) are written: auto (the model's own "
      "template), none (a question as its text), solar, chatml, or a Jinja file. Other tasks are "
      "asked as text unless apply_chat_template says otherwise.");
    f("apply_chat_template", apply_chat_template,
      "Benchmarks with few-shot examples in the chat template too, as lm-evaluation-harness's "
      "--apply_chat_template: examples as turns of a conversation (its default), or all of them in "
      "one user message.",
      one_of({"no", "multi_turn", "single_turn"}));
    f("judge", judge,
      "MT-Bench's judge: openai:URL#name; its key comes from the environment. Empty: answers are "
      "written, not judged.");
    f("judge_key_variable", judge_key_variable, "Environment variable with the judge's key.");
    f("judge_parallel", judge_parallel, "Requests to the judge at a time.", between(1, 256));
    f("judge_timeout", judge_timeout, "Seconds to wait for a judgment.", at_least(1));
    f("judge_retries", judge_retries, "Further tries of a judgment that failed.", at_least(0));
    f("heldout", heldout, "Share of the pairs that is held out: as in helio align.", between(0, 1));
    f("limit", limit, "Items of each task; 0: all.", at_least(0));
    f("limit_per_subject", limit_per_subject, "Items of each MMLU subject; 0: as limit says.",
      at_least(0));
    f("shots", shots, "Few-shot examples; -1: as the task says.", at_least(-1));
    f("seed", seed, "Seed of draws.", at_least(0));
    f("dtype", dtype, "Weights while scoring.", one_of({"float32", "bfloat16"}));
    f("batch_tokens", batch_tokens, "Padded tokens in a forward pass.", at_least(1));
    f("threads", threads, "CPU threads; 0: all cores.", at_least(0));
    endpoint.describe(f);
    f("lm_eval_layout", lm_eval_layout,
      "Write lm-evaluation-harness's files too, with every prompt: lm-eval/MODEL/.");
    f("resume", resume, "Go on with a run that was interrupted.");
    f("restart", restart, "Start an interrupted run over.");
    f("dry_run", dry_run, "Print what would be scored; run nothing.");
    f.output("out", out, "evals", "Folder of results.json and samples/.");
  }
};

}  // namespace helio::eval
