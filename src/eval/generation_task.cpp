// Benchmarks whose text the model goes on with in its own words: mode generate.
#include "eval/gsm8k/gsm8k.h"
#include "eval/words_task.h"

namespace helio::eval {
namespace {

class GenerationTask final : public WordsTask {
 public:
  GenerationTask(const TaskSpec& plain, const Sources& sources)
      : WordsTask(with_profile(plain, sources.profile), find_profile(sources.profile)) {
    const ItemBuilder builder(spec_);
    take(read_benchmark(builder, sources, profile_,
                        [&](const Json& document, const Before& before, std::string id) {
                          items_.push_back({.id = std::move(id),
                                            .prompt = before.text + builder.question(document),
                                            .target = builder.target(document),
                                            .messages = before.messages});
                        }),
         sources);
  }

  Judged judge_answers(int64_t item, const std::vector<std::string>& answers) const override {
    const std::string &answer = answers.front(), &target = at(item).target;
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
  OrderedJson answer_row(int64_t item, const std::vector<std::string>& answers,
                         const std::string&) const override {
    // A number where the task has no subjects: what `eval score` takes.
    const std::string& id = at(item).id;
    const bool plain = id.find('/') == id.npos;
    return {{"doc", plain ? OrderedJson(std::stoll(id)) : OrderedJson(id)},
            {"response", answers.front()}};
  }
  std::optional<Answerable> question(int64_t item,
                                     const std::vector<std::string>& answers) const override {
    if (!answers.empty()) return std::nullopt;
    Answerable out{.prompt = at(item).prompt,
                   .stops = spec_.answer.until,
                   .max_tokens = spec_.answer.max_tokens,
                   .special = profile_.special};
    if (!chat_) return out;
    out.messages = at(item).messages;
    out.messages.push_back({.role = "user", .content = std::move(out.prompt)});
    out.prompt.clear();
    return out;
  }
  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override {
    return static_cast<int64_t>(at(item).prompt.size()) + 4 * spec_.answer.max_tokens;
  }

 private:
  struct Item {
    std::string id = {}, prompt = {}, target = {};
    std::vector<text::Message> messages = {};  // before the prompt, in a chat template
  };
  const Item& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }
  std::vector<Item> items_ = {};
};

}  // namespace

std::unique_ptr<Task> make_generation_task(const TaskSpec& spec, const Sources& sources) {
  return std::make_unique<GenerationTask>(spec, sources);
}

}  // namespace helio::eval
