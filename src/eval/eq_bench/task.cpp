// EQ-Bench as a task of `helio eval run`: without revision, asked again with a higher temperature
// until the answer can be read, as the published program does.
#include <fmt/format.h>

#include "eval/eq_bench/eq_bench.h"
#include "eval/words_task.h"

namespace helio::eval {
namespace {

class EqBenchTask final : public WordsTask {
 public:
  EqBenchTask(const TaskSpec& plain, const Sources& sources)
      : WordsTask(with_profile(plain, sources.profile), find_profile(sources.profile)),
        seed_(sources.seed) {
    take(read_benchmark(ItemBuilder(spec_), sources, profile_,
                        [&](const Json& document, const Before&, std::string id) {
                          if (const auto own = document.find("id"); own != document.end())
                            id = own->is_string() ? own->get<std::string>() : own->dump();
                          eq_bench::Item item = eq_bench::read_item(id, document);
                          item.prompt = eq_bench::prompt_without_revision(item.prompt);
                          items_.push_back(std::move(item));
                        }),
         sources);
  }

  std::optional<Answerable> question(int64_t item,
                                     const std::vector<std::string>& answers) const override {
    const eq_bench::Item& asked = at(item);
    const bool readable =
        !answers.empty() && eq_bench::is_parseable(asked, eq_bench::parse_answer(answers.back()));
    const size_t tries = answers.size();
    if (readable || static_cast<int64_t>(tries) == spec_.answer.attempts) return std::nullopt;
    Answerable out{.stops = spec_.answer.until,
                   .max_tokens = spec_.answer.max_tokens,
                   .temperature = spec_.answer.temperature +
                                  static_cast<double>(tries) * spec_.answer.temperature_step,
                   .seed = seed_of(seed_, asked.id, tries),
                   .special = profile_.special};
    if (!spec_.answer.system.empty())
      out.messages.push_back({.role = "system", .content = spec_.answer.system});
    out.messages.push_back({.role = "user", .content = asked.prompt});
    return out;
  }
  // The last answer is the first that could be read, if one could.
  Judged judge_answers(int64_t item, const std::vector<std::string>& answers) const override {
    const eq_bench::Item& asked = at(item);
    const auto answer = eq_bench::parse_answer(answers.back());
    std::optional<double> score;
    if (eq_bench::is_parseable(asked, answer)) score = eq_bench::score_answer(asked, answer);
    Judged out;
    out.metrics = {{.value = score ? *score * 10 : 0, .weight = score ? 1.0 : 0.0}};
    OrderedJson reference = OrderedJson::object();
    for (const auto& [emotion, intensity] : asked.reference) reference[emotion] = intensity;
    out.sample = {{"doc", asked.id},
                  {"prompt", asked.prompt},
                  {"response", answers.back()},
                  {"attempts", answers.size()},
                  {"target", std::move(reference)},
                  {"score", score ? OrderedJson(*score * 10) : OrderedJson()}};
    return out;
  }
  OrderedJson answer_row(int64_t item, const std::vector<std::string>& answers,
                         const std::string&) const override {
    return {{"id", at(item).id}, {"responses", answers}};
  }
  // The published rule: too few answers that can be read are no result.
  void complete(const std::vector<const Judged*>& items, OrderedJson& result) const override {
    int64_t readable = 0, retries = 0;
    for (const Judged* item : items) {
      readable += item->metrics[0].weight > 0;
      retries += item->sample.at("attempts").get<int64_t>() - 1;
    }
    result["parseable"] = readable;
    result["retries"] = retries;
    const auto asked = static_cast<double>(items.size());
    if (static_cast<double>(readable) / asked >= eq_bench::kLeastParseable) return;
    result["status"] = "failed";
    result["reason"] =
        fmt::format("{} of {} answers could be read; the protocol gives no score below {:.2f} %",
                    readable, items.size(), 100 * eq_bench::kLeastParseable);
    if (readable) result["mean_of_parseable"] = result["metrics"]["score"]["value"];
    result.erase("metrics");
  }
  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override {
    return static_cast<int64_t>(at(item).prompt.size()) + 4 * spec_.answer.max_tokens;
  }

 private:
  const eq_bench::Item& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }
  int64_t seed_;
  std::vector<eq_bench::Item> items_ = {};
};

}  // namespace

std::unique_ptr<Task> make_eq_bench_task(const TaskSpec& spec, const Sources& sources) {
  return std::make_unique<EqBenchTask>(spec, sources);
}

}  // namespace helio::eval
