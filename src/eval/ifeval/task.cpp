// IFEval as a task of `helio eval run`: one question each, in the model's chat template.
#include <algorithm>

#include "eval/ifeval/ifeval.h"
#include "eval/words_task.h"

namespace helio::eval {
namespace {

class IfevalTask final : public WordsTask {
 public:
  IfevalTask(const TaskSpec& plain, const Sources& sources)
      : WordsTask(with_profile(plain, sources.profile), find_profile(sources.profile)) {
    take(read_benchmark(ItemBuilder(spec_), sources, profile_,
                        [&](const Json& document, const Before&, std::string id) {
                          items_.push_back(ifeval::read_item(document));
                          ids_.push_back(std::move(id));
                        }),
         sources);
  }

  std::optional<Answerable> question(int64_t item,
                                     const std::vector<std::string>& answers) const override {
    if (!answers.empty()) return std::nullopt;
    return Answerable{.messages = {{.role = "user", .content = at(item).prompt}},
                      .stops = spec_.answer.until,
                      .max_tokens = spec_.answer.max_tokens,
                      .special = profile_.special};
  }
  Judged judge_answers(int64_t item, const std::vector<std::string>& answers) const override {
    const ifeval::Item& asked = at(item);
    const ifeval::Verdict verdict = ifeval::judge(asked, answers.front());
    Judged out;
    for (const auto* each : {&verdict.strict, &verdict.loose}) {
      const auto followed = static_cast<double>(std::count(each->begin(), each->end(), true));
      const auto all = static_cast<double>(each->size());
      out.metrics.push_back({.value = followed == all ? 1.0 : 0.0});
      out.metrics.push_back({.value = followed, .weight = all});
    }
    out.sample = {{"doc", item_id(item)},
                  {"key", asked.key},
                  {"prompt", asked.prompt},
                  {"response", answers.front()},
                  {"instructions", asked.instructions},
                  {"strict", verdict.strict},
                  {"loose", verdict.loose},
                  {"correct", out.metrics[0].value == 1}};
    return out;
  }
  OrderedJson answer_row(int64_t item, const std::vector<std::string>& answers,
                         const std::string&) const override {
    return {{"prompt", at(item).prompt}, {"response", answers.front()}};
  }
  // Figures by kind of instruction, as `helio eval score` has them.
  void complete(const std::vector<const Judged*>& items, OrderedJson& result) const override {
    ifeval::Summary summary;
    for (const Judged* judged : items) {
      ifeval::Item item;
      item.instructions = judged->sample.at("instructions").get<std::vector<std::string>>();
      summary.add(item, {.strict = judged->sample.at("strict").get<std::vector<bool>>(),
                         .loose = judged->sample.at("loose").get<std::vector<bool>>()});
    }
    result["instructions"] = summary.strict.instructions;
    result["by_instruction"] = summary.json().at("by_instruction");
  }
  std::string item_id(int64_t item) const override { return ids_[static_cast<size_t>(item)]; }
  int64_t cost(int64_t item) const override {
    return static_cast<int64_t>(at(item).prompt.size()) + 4 * spec_.answer.max_tokens;
  }

 private:
  const ifeval::Item& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }
  std::vector<ifeval::Item> items_ = {};
  std::vector<std::string> ids_ = {};
};

}  // namespace

std::unique_ptr<Task> make_ifeval_task(const TaskSpec& spec, const Sources& sources) {
  return std::make_unique<IfevalTask>(spec, sources);
}

}  // namespace helio::eval
