#include "eval/words_run.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "eval/mt_bench/judging.h"
#include "eval/results.h"

namespace helio::eval {
namespace {

std::string file_name(const Task& task, std::string model) {
  std::replace(model.begin(), model.end(), '/', '.');
  return task.spec().name + "." + model + ".jsonl";
}

// Hash of what was written.
std::string write_answers(const Task& task, const std::string& model, const AnsweredTask& answered,
                          const fs::path& file) {
  make_dirs(file.parent_path());
  LineWriter writer(file);
  Sha256Stream hash;
  for (size_t i = 0; i < answered.answers.size(); ++i) {
    const std::string line =
        compact(task.answer_row(static_cast<int64_t>(i), answered.answers[i], model));
    hash.update(line + "\n");
    writer.write(line);
  }
  writer.commit();
  return hash.hex();
}

void judge_conversations(const Task& task, const std::string& model, AnsweredTask& answered,
                         const std::string& answers, const WordsRun& run) {
  const EvalOptions& options = run.options;
  // Judgments of these answers by this judge.
  const std::string name = sha256_hex(options.judge + "\n" + answers).substr(0, 16);
  const fs::path kept = run.kept / ("judgments." + name + ".jsonl");
  mt_bench::judge_answers(task, model, answered, mt_bench::read_judge_data(options.benchmarks),
                          {.endpoint = {.model = options.judge,
                                        .key_variable = options.judge_key_variable,
                                        .timeout_s = options.judge_timeout,
                                        .retries = options.judge_retries},
                           .out = kept,
                           .parallel = options.judge_parallel},
                          run.stop);
  make_dirs(run.out / "judgments");
  write_file_atomic(run.out / "judgments" / file_name(task, model), read_file(kept));
}

}  // namespace

WordsResult run_in_words(const Task& task, const std::string& model, const WordsRun& run,
                         const std::function<void(int64_t)>& told) {
  AnsweredTask answered = answer_task(task, run.respondent, run.journal, run.answering, told);
  const fs::path file = fs::path("answers") / file_name(task, model);
  const std::string hash = write_answers(task, model, answered, run.out / file);
  WordsResult out;
  if (task.spec().answer.read == "mt_bench" && run.options.judge.empty()) {
    out.result = unscored_json(task, model, "answered", mt_bench::not_judged(task, file.string()));
    out.result["answered"] = task.items();
  } else {
    const bool judged = task.spec().answer.read == "mt_bench";
    if (judged) judge_conversations(task, model, answered, hash, run);
    out.result = result_json(task, answered.scored, model);
    if (judged) out.result["judge"] = split_endpoint(run.options.judge).second;
  }
  out.scored = std::move(answered.scored);
  return out;
}

}  // namespace helio::eval
