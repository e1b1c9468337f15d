// Items with several continuations, one of them right: shared by benchmarks and the cloze choice.
#pragma once

#include <string>
#include <vector>

#include "eval/task.h"

namespace helio::eval {

struct ChoiceItem {
  std::string id = {};
  // One for all choices, or one a choice; the number of choices is that of the longer list.
  std::vector<std::string> contexts = {}, continuations = {};
  std::vector<int64_t> lengths = {};  // of each choice in code points, without the delimiter
  size_t gold = 0;
  // Asked in a chat template: what is said before, and each context is the user's last message.
  std::vector<text::Message> messages = {};
  std::vector<uint8_t> right = {};  // labelled_choices: 1 for each true choice

  size_t size() const { return std::max(contexts.size(), continuations.size()); }
  const std::string& context(size_t choice) const {
    return contexts[contexts.size() == 1 ? 0 : choice];
  }
  const std::string& continuation(size_t choice) const {
    return continuations[continuations.size() == 1 ? 0 : choice];
  }
  Ask ask(size_t choice) const { return {context(choice), continuation(choice)}; }
};

class ChoiceTask : public Task {
 public:
  ChoiceTask(TaskSpec spec, std::vector<ChoiceItem> items, std::vector<Part> parts,
             std::string not_run, OrderedJson settings, Profile profile = find_profile("current"));

  std::vector<model::ScoreRequest> requests(int64_t item,
                                            const model::LanguageModel& model) const override;
  Judged judge(int64_t item, const std::vector<model::ScoreRequest>& asked,
               const std::vector<model::Score>& scores) const override;
  std::vector<Ask> asks(int64_t item) const override;
  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override;
  const ChoiceItem& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }

 private:
  std::vector<ChoiceItem> items_;
};

}  // namespace helio::eval
