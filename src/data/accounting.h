// What came in, what was dropped and why, what survived: by step, lot, language and split. The
// figures add up, and balance() checks that they do.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "club/lot.h"
#include "core/json.h"
#include "data/op.h"

namespace helio::data {

struct Amount {
  int64_t documents = 0, words = 0, bytes = 0;
  Amount& operator+=(const Amount& other);
  bool operator==(const Amount&) const = default;
};

struct StepAccount {
  std::string step = {};
  int64_t in = 0, out = 0, dropped = 0, changed = 0;
  std::map<std::string, int64_t> reasons = {};  // of the dropped
};

struct LotAccount {
  club::LotInfo info = {};
  // In: documents and bytes as given; words once the document is text (a page's tags are no words).
  Amount in = {}, out = {};
  std::map<std::string, int64_t> dropped = {};  // reason -> documents
};

struct Account {
  std::vector<StepAccount> steps = {};
  std::vector<LotAccount> lots = {};
  std::map<std::string, Amount> languages = {};  // of the survivors
  std::map<std::string, Amount> splits = {};
  Counters counters = {};
  OrderedJson figures = OrderedJson::array();  // where the filters' figures are (data/figures.h)

  // Throws an internal error naming the first sum that does not hold.
  void balance() const;
  OrderedJson json() const;
};

}  // namespace helio::data
