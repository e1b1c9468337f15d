// A survey whose bytes lie in memory: what a stage settles by when its documents are all there.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "data/op.h"

namespace helio::data {

class MemorySurvey final : public Survey {
 public:
  // `bytes` must live as long as this.
  MemorySurvey(std::string_view bytes, uint64_t documents) : bytes_(bytes), documents_(documents) {}
  uint64_t documents() const override { return documents_; }
  uint64_t bytes() const override { return bytes_.size(); }
  bool next(std::string_view& bytes) override {
    bytes = bytes_;
    return !std::exchange(read_, true);
  }
  void rewind() override { read_ = false; }

 private:
  std::string_view bytes_;
  uint64_t documents_;
  bool read_ = false;
};

}  // namespace helio::data
