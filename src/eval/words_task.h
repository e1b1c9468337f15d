// What tasks that are answered in the model's own words have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "eval/benchmark_documents.h"
#include "eval/task.h"

namespace helio::eval {

class WordsTask : public Task {
 public:
  bool in_words() const override { return true; }
  std::vector<model::ScoreRequest> requests(int64_t, const model::LanguageModel&) const override {
    return {};
  }
  Judged judge(int64_t, const std::vector<model::ScoreRequest>&,
               const std::vector<model::Score>&) const override {
    throw Error(ErrorKind::invalid, "an answer in words has no log-probabilities to judge");
  }

 protected:
  WordsTask(TaskSpec spec, const Profile& profile) : Task(std::move(spec)) { profile_ = profile; }
  void take(BenchmarkRead read, const Sources& sources);
  // A seed of its own for each draw of a run: of an item, its attempt or turn.
  static uint64_t seed_of(int64_t run_seed, const std::string& item, size_t draw);
};

// Mode conversation: what the model is told stands in its chat template. By TaskSpec::answer.read.
std::unique_ptr<Task> make_ifeval_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_eq_bench_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_mt_bench_task(const TaskSpec& spec, const Sources& sources);

}  // namespace helio::eval
