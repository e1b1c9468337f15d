// What a stage that finds duplicates knows once it is settled, and how it tells a document.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/op.h"

namespace helio::data {

class Duplicates {
 public:
  // `other` goes, because `stays` is there.
  void add(uint64_t other, uint64_t stays, double similarity) {
    stays_.push_back(stays);
    goes_.emplace(other, Goes{stays, similarity});
  }

  void finish(Counters& counters) {
    std::sort(stays_.begin(), stays_.end());
    stays_.erase(std::unique(stays_.begin(), stays_.end()), stays_.end());
    counters["duplicate_clusters"] += int64_t(stays_.size());
  }

  const std::vector<uint64_t>& clusters() const { return stays_; }

  Verdict tell(Document& document, const char* reason) const {
    if (const auto found = goes_.find(document.order); found != goes_.end()) {
      document.cluster = int64_t(found->second.stays);
      return drop(reason, found->second.similarity);
    }
    if (std::binary_search(stays_.begin(), stays_.end(), document.order))
      document.cluster = int64_t(document.order);
    return keep();
  }

 private:
  struct Goes {
    uint64_t stays;
    double similarity;
  };
  std::vector<uint64_t> stays_ = {};
  std::unordered_map<uint64_t, Goes> goes_ = {};
};

}  // namespace helio::data
