// Items with several continuations, one of them right: shared by benchmarks and the cloze choice.
#pragma once

#include <string>
#include <vector>

#include "eval/task.h"

namespace helio::eval {

struct ChoiceItem {
  std::string id = {};
  std::vector<Ask> asks = {};         // one a choice
  std::vector<int64_t> lengths = {};  // of each choice in code points, without the delimiter
  size_t gold = 0;
};

class ChoiceTask : public Task {
 public:
  ChoiceTask(TaskSpec spec, std::vector<ChoiceItem> items, std::vector<Part> parts,
             std::string not_run, OrderedJson settings);

  std::vector<model::ScoreRequest> requests(int64_t item,
                                            const model::LanguageModel& model) const override;
  Judged judge(int64_t item, const std::vector<model::ScoreRequest>& asked,
               const std::vector<model::Score>& scores) const override;
  std::vector<Ask> asks(int64_t item) const override { return at(item).asks; }
  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override;
  const ChoiceItem& at(int64_t item) const { return items_[static_cast<size_t>(item)]; }

 private:
  std::vector<ChoiceItem> items_;
};

}  // namespace helio::eval
