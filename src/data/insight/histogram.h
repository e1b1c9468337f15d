// How a check's figures are spread, beside its limit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/insight/stored.h"

namespace helio::data {

struct CheckLimit {
  Check check = {};
  int64_t documents = 0, fails = 0;  // measured, and beyond the limit
};

// Checks of one step that measure the same (fewest and most words) share one.
struct CheckHistogram {
  enum class Scale { linear, log };  // log: equal parts of log10(1 + figure)
  std::string step = {};
  std::vector<CheckLimit> limits = {};
  int64_t documents = 0;  // measured
  double lowest = 0, highest = 0, median = 0;
  Scale scale = Scale::linear;
  double low = 0, high = 0;  // of the bins; the first and last take what lies beyond
  std::vector<int64_t> bins = {};

  OrderedJson json() const;
};

// One for each check of the dataset's stored figures that measured something. Goes over the files
// twice and holds no document.
std::vector<CheckHistogram> check_histograms(const StoredDataset& dataset);

}  // namespace helio::data
