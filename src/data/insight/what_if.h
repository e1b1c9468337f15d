// A dataset decided again with other limits, from the figures that were stored beside it. Only
// documents that a changed limit lets through, and whose further figures were not stored, are
// measured again, from the text they were dropped with.
//
// Exact up to the next stage: what a stage (duplicates, a mix) makes of documents that now reach
// it, or no longer do, needs all documents and is said to be open.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/insight/settings.h"

namespace helio::data {

struct WhatIfOptions {
  enum class Measure { texts, figures_only };
  std::vector<std::string> settings = {};  // "STEP.OPTION=VALUE"
  Measure measure = Measure::texts;        // figures_only: what they leave open stays so
  size_t examples = 5;
};

struct Decided {
  int64_t in = 0, dropped = 0;
  int64_t open = 0;  // let through here, and not measured further
  std::map<std::string, int64_t> reasons = {};
  bool operator==(const Decided&) const = default;
};

struct ChangedAmount {
  int64_t documents = 0, words = 0;  // words of the stored texts
};

struct WhatIfStep {
  std::string step = {};
  Decided was = {}, now = {};
  bool follows = false;  // it comes after a stage whose documents may be others now
};

struct WhatIf {
  std::vector<Setting> settings = {};
  std::vector<WhatIfStep> steps = {};
  int64_t kept_was = 0;
  // Documents by what became of them, in the whole dataset and by lot.
  //   "lost"            was kept, is dropped now
  //   "gained"          was dropped, is kept now
  //   "reaches_stage"   was dropped, now comes to the stage that follows: what it says is open
  //   "dropped_before"  a later step dropped it anyway
  //   "other_reason"    dropped then and now
  //   "open"            let through, and not measured further
  std::map<std::string, ChangedAmount> changes = {};
  std::map<std::string, std::map<std::string, ChangedAmount>> lots = {};
  std::map<std::string, std::vector<std::string>> examples = {};  // ids
  bool exact = true;  // kept_was - lost + gained is what a run would keep

  OrderedJson json() const;
};

// Errors: see apply_settings; {invalid} when the figures are not there (figures: none) or do not
// agree with the rows.
WhatIf what_if(const std::filesystem::path& dataset, const WhatIfOptions& options);

}  // namespace helio::data
