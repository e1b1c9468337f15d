// Benchmarks with choices: modes multiple_choice, partial_context, labelled_choices.
#include "eval/benchmark_documents.h"

namespace helio::eval {

std::unique_ptr<Task> make_choice_task(const TaskSpec& plain, const Sources& sources) {
  const TaskSpec spec = with_profile(plain, sources.profile);
  const Profile& profile = find_profile(sources.profile);
  const ItemBuilder builder(spec);
  std::vector<ChoiceItem> items;
  auto read = read_benchmark(builder, sources, profile,
                             [&](const Json& document, const Before& before, std::string id) {
                               items.push_back(builder.choices(document, before.text));
                               items.back().messages = before.messages;
                               items.back().id = std::move(id);
                             });
  if (spec.mode != "labelled_choices") {
    double chance = 0;
    for (const ChoiceItem& item : items) chance += 1.0 / static_cast<double>(item.size());
    read.settings["chance"] =
        items.empty() ? spec.chance : chance / static_cast<double>(items.size());
  }
  return std::make_unique<ChoiceTask>(spec, std::move(items), std::move(read.parts), read.not_run,
                                      std::move(read.settings), profile);
}

}  // namespace helio::eval
