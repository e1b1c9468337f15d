// Benchmarks that are answered in the model's own words: mode generate.
#include "core/error.h"
#include "eval/benchmark_documents.h"
#include "eval/gsm8k/gsm8k.h"

namespace helio::eval {
namespace {

struct Item {
  std::string id = {}, prompt = {}, target = {};
};

class GenerationTask final : public Task {
 public:
  GenerationTask(TaskSpec spec, const Profile& profile, std::vector<Item> items, BenchmarkRead read)
      : Task(std::move(spec)), items_(std::move(items)) {
    profile_ = profile;
    parts_ = std::move(read.parts);
    not_run_ = std::move(read.not_run);
    settings_ = std::move(read.settings);
  }

  std::vector<model::ScoreRequest> requests(int64_t, const model::LanguageModel&) const override {
    return {};
  }
  Judged judge(int64_t, const std::vector<model::ScoreRequest>&,
               const std::vector<model::Score>&) const override {
    throw Error(ErrorKind::invalid, "an answer in words has no log-probabilities to judge");
  }
  Judged judge_answer(int64_t item, const std::string& answer) const override {
    const std::string& target = at(item).target;
    const std::string strict = gsm8k::strict_match(answer), loose = gsm8k::flexible_extract(answer);
    const bool strict_right = profile_.name == "openllm-v1"
                                  ? gsm8k::leaderboard_v1_match(answer, target)
                                  : gsm8k::exact_match(strict, target);
    const bool loose_right = gsm8k::exact_match(loose, target);
    return {.metrics = {{.value = strict_right ? 1.0 : 0.0}, {.value = loose_right ? 1.0 : 0.0}},
            .sample = {{"doc", at(item).id},
                       {"response", answer},
                       {"target", target},
                       {"answer", strict},
                       {"correct", strict_right},
                       {"answer_flexible", loose},
                       {"correct_flexible", loose_right}}};
  }
  std::optional<Question> question(int64_t item) const override {
    return Question{.prompt = at(item).prompt,
                    .until = spec_.answer.until,
                    .max_tokens = spec_.answer.max_tokens};
  }
  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override {
    return static_cast<int64_t>(at(item).prompt.size()) + 4 * spec_.answer.max_tokens;
  }

 private:
  const Item& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }
  std::vector<Item> items_;
};

}  // namespace

std::unique_ptr<Task> make_generation_task(const TaskSpec& plain, const Sources& sources) {
  const TaskSpec spec = with_profile(plain, sources.profile);
  const Profile& profile = find_profile(sources.profile);
  const ItemBuilder builder(spec);
  std::vector<Item> items;
  auto read = read_benchmark(builder, sources, profile,
                             [&](const Json& document, const std::string& before, std::string id) {
                               items.push_back({.id = std::move(id),
                                                .prompt = before + builder.question(document),
                                                .target = builder.target(document)});
                             });
  return std::make_unique<GenerationTask>(spec, profile, std::move(items), std::move(read));
}

}  // namespace helio::eval
