// Texts that share a run of words with an item of an evaluation benchmark: what
// decontaminate.ngrams finds in documents (data/ops/decontaminate/ngrams.cpp), asked of single
// texts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/op.h"

namespace helio::engine {

class Contamination {
 public:
  // `benchmarks`: files of JSON lines, or folders of them; none: nothing is contaminated. A run has
  // `n_grams` words. Errors as the operator's.
  Contamination(const std::vector<std::string>& benchmarks, int64_t n_grams);

  // Whether the text shares a run of words with an item; which one is counted.
  bool holds(const std::string& text);
  const std::map<std::string, int64_t, std::less<>>& items() const { return items_; }

 private:
  data::AnyOp op_ = {};
  std::map<std::string, int64_t, std::less<>> items_ = {};  // "gsm8k/test.jsonl.gz:12" -> texts
};

}  // namespace helio::engine
