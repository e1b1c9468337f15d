// Held-out preference accuracy: is log p(chosen) larger than log p(rejected)? The pairs are those
// `helio align` holds out, as ids in the model's own chat template.
#include "core/error.h"
#include "core/manifest.h"
#include "eval/task.h"
#include "text/preference_data.h"

namespace helio::eval {
namespace {

class PreferenceTask final : public Task {
 public:
  PreferenceTask(TaskSpec spec, const Sources& sources) : Task(std::move(spec)) {
    settings_ = {{"heldout", sources.heldout},
                 {"max_length", spec_.pairs.max_length},
                 {"template", "the model's own"},
                 {"chance", 0.5}};
    if (sources.pairs.empty()) {
      not_run_ = "no preference pairs were given (--pairs)";
      return;
    }
    auto loaded = text::load_preferences(sources.pairs, 0);
    OrderedJson refused = OrderedJson::object();
    for (const auto& [reason, count] : loaded.refused) refused[reason] = count;
    settings_["refused"] = refused;
    settings_["data"] = describe_input("pairs", sources.pairs).content;
    for (auto& pair : loaded.rows)
      if (text::is_held_out(pair, sources.heldout)) pairs_.push_back(std::move(pair));
    Part part{.total = static_cast<int64_t>(pairs_.size())};
    part.end = share_of_limit(sources, 0, 1, part.total);
    if (pairs_.empty())
      not_run_ = part.not_run =
          "no pair is held out (heldout is " + OrderedJson(sources.heldout).dump() + ")";
    parts_.push_back(part);
  }

  std::string refuses(const model::LanguageModel& model) const override {
    try {
      static_cast<void>(model.chat());
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  }

  std::vector<model::ScoreRequest> requests(int64_t item,
                                            const model::LanguageModel& model) const override {
    const auto ids = text::encode_preference(
        at(item), model.chat(), std::min(spec_.pairs.max_length, model.max_positions()));
    // Two answers that agree as far as they fit cannot be told apart.
    if (ids.chosen == ids.rejected || ids.prompt.empty() || ids.chosen.empty() ||
        ids.rejected.empty())
      return {};
    return {{ids.prompt, ids.chosen}, {ids.prompt, ids.rejected}};
  }

  Judged judge(int64_t item, const std::vector<model::ScoreRequest>& asked,
               const std::vector<model::Score>& scores) const override {
    const auto tokens = [&](size_t i) { return static_cast<double>(asked[i].continuation.size()); };
    Judged judged;
    judged.sample = {{"doc", at(item).id},
                     {"log_probs", {scores[0].log_prob, scores[1].log_prob}},
                     {"tokens", {asked[0].continuation.size(), asked[1].continuation.size()}}};
    for (const auto& metric : spec_.metrics) {
      const bool by_length = metric == "acc_norm";
      const bool right = by_length ? scores[0].log_prob / tokens(0) > scores[1].log_prob / tokens(1)
                                   : scores[0].log_prob > scores[1].log_prob;
      judged.metrics.push_back({.value = right ? 1.0 : 0.0});
      judged.sample[by_length ? "correct_norm" : "correct"] = right;
    }
    return judged;
  }

  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override {
    size_t bytes = at(item).chosen.size() + at(item).rejected.size();
    for (const auto& message : at(item).prompt) bytes += 2 * message.content.size();
    return static_cast<int64_t>(bytes);
  }

 private:
  const text::Preference& at(int64_t item) const { return pairs_[static_cast<size_t>(item)]; }
  std::vector<text::Preference> pairs_ = {};
};

}  // namespace

std::unique_ptr<Task> make_preference_task(const TaskSpec& spec, const Sources& sources) {
  return std::make_unique<PreferenceTask>(spec, sources);
}

}  // namespace helio::eval
