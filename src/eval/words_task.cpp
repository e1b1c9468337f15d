#include "eval/words_task.h"

#include "core/hash.h"

namespace helio::eval {
void WordsTask::take(BenchmarkRead read, const Sources& sources) {
  parts_ = std::move(read.parts);
  not_run_ = std::move(read.not_run);
  settings_ = std::move(read.settings);
  if (spec_.mode != "conversation") return;
  settings_["chat_template"] = chat_template_name(sources.chat_template);
  settings_["max_tokens"] = spec_.answer.max_tokens;
  if (spec_.answer.attempts > 1) settings_["attempts"] = spec_.answer.attempts;
}

uint64_t WordsTask::seed_of(int64_t run_seed, const std::string& item, size_t draw) {
  return xxh3_64(std::to_string(run_seed) + " " + item + " " + std::to_string(draw));
}

std::unique_ptr<Task> make_conversation_task(const TaskSpec& spec, const Sources& sources) {
  const std::string& read = spec.answer.read;
  if (read == "ifeval") return make_ifeval_task(spec, sources);
  if (read == "eq_bench") return make_eq_bench_task(spec, sources);
  return make_mt_bench_task(spec, sources);
}

}  // namespace helio::eval
