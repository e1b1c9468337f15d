// MT-Bench as a task of `helio eval run`: two turns each, the second after the model's own first
// answer. Its figures come from a judge (eval/mt_bench/judging.h), after all answers.
#include "eval/mt_bench/mt_bench.h"
#include "eval/words_task.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

std::string stripped(const std::string& answer) { return std::string(text::trim(answer)); }

class MtBenchTask final : public WordsTask {
 public:
  MtBenchTask(const TaskSpec& plain, const Sources& sources)
      : WordsTask(with_profile(plain, sources.profile), find_profile(sources.profile)),
        seed_(sources.seed) {
    take(read_benchmark(ItemBuilder(spec_), sources, profile_,
                        [&](const Json& document, const Before&, const std::string&) {
                          items_.push_back(mt_bench::read_question(document));
                        }),
         sources);
    if (sources.chat_template == "none" && not_run_.empty())
      not_run_ = "its second turns need a chat template (--chat-template none was given)";
  }

  std::optional<Answerable> question(int64_t item,
                                     const std::vector<std::string>& answers) const override {
    const mt_bench::Question& asked = at(item);
    if (answers.size() == asked.turns.size()) return std::nullopt;
    Answerable out{.stops = spec_.answer.until,
                   .max_tokens = spec_.answer.max_tokens,
                   .temperature = mt_bench::temperature_of(asked.category),
                   .seed = seed_of(seed_, item_id(item), answers.size()),
                   .special = profile_.special};
    for (size_t turn = 0; turn <= answers.size(); ++turn) {
      out.messages.push_back({.role = "user", .content = asked.turns[turn]});
      if (turn < answers.size())
        out.messages.push_back({.role = "assistant", .content = stripped(answers[turn])});
    }
    return out;
  }
  // No ratings yet.
  Judged judge_answers(int64_t item, const std::vector<std::string>& answers) const override {
    const mt_bench::Question& asked = at(item);
    Judged out;
    out.metrics.resize(spec_.metrics.size(), {.value = 0, .weight = 0});
    out.sample = {{"doc", item_id(item)}, {"category", asked.category}};
    out.sample["turns"] = OrderedJson::array();
    for (size_t turn = 0; turn < answers.size(); ++turn)
      out.sample["turns"].push_back(
          {{"prompt", asked.turns[turn]}, {"response", stripped(answers[turn])}});
    return out;
  }
  OrderedJson answer_row(int64_t item, const std::vector<std::string>& answers,
                         const std::string& model) const override {
    OrderedJson turns = OrderedJson::array();
    for (const auto& answer : answers) turns.push_back(stripped(answer));
    return {{"question_id", at(item).id},
            {"model_id", model},
            {"choices", {{{"index", 0}, {"turns", std::move(turns)}}}}};
  }
  void complete(const std::vector<const Judged*>& items, OrderedJson& result) const override {
    int64_t ratings = 0, judged = 0;
    for (const Judged* item : items) {
      ratings += static_cast<int64_t>(item->metrics[0].weight);
      for (const auto& turn : item->sample.at("turns")) judged += turn.contains("judgment");
    }
    result["judgments"] = judged;
    result["without_rating"] = judged - ratings;
    if (ratings > 0) return;
    result["status"] = "failed";
    result["reason"] = "no judgment holds a rating";
    result.erase("metrics");
    result.erase("parts");
  }
  std::string item_id(int64_t item) const override { return std::to_string(at(item).id); }
  int64_t cost(int64_t item) const override {
    int64_t bytes = 0;
    for (const auto& turn : at(item).turns)
      bytes += static_cast<int64_t>(turn.size()) + 4 * spec_.answer.max_tokens;
    return bytes;
  }

 private:
  const mt_bench::Question& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }
  int64_t seed_;
  std::vector<mt_bench::Question> items_ = {};
};

}  // namespace

std::unique_ptr<Task> make_mt_bench_task(const TaskSpec& spec, const Sources& sources) {
  return std::make_unique<MtBenchTask>(spec, sources);
}

}  // namespace helio::eval
