// Options of a finished dataset's steps, changed in thought: "filter.length.min_words=20".
#pragma once

#include <string>
#include <vector>

#include "data/insight/stored.h"

namespace helio::data {

struct LimitChange {
  std::string reason = {};
  double from = 0, to = 0;  // NaN: switched off
};

struct Setting {
  size_t step = 0;
  std::string option = {};
  OrderedJson from = {}, to = {};  // resolved
  std::vector<LimitChange> limits = {};
};

struct ChangedSteps {
  std::vector<Step> before = {}, after = {};
  std::vector<Setting> settings = {};
};

// Errors: {usage} for a setting that is none, an unknown step or option (with the nearest name), a
// step that is no filter, an option that changes what is measured rather than a limit; {invalid}
// for a value of the wrong type. That only limits changed is also tried out on stored texts.
ChangedSteps apply_settings(const StoredDataset& dataset, const std::vector<std::string>& settings);

}  // namespace helio::data
