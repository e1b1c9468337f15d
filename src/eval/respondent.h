// Whoever answers in words: a model on this machine, or one behind an endpoint. Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "text/chat.h"
#include "text/tokenizer.h"

namespace helio::eval {

// One thing to answer.
struct Answerable {
  std::string prompt = {};  // text as it stands; used when there are no messages
  // A conversation that the answer goes on with: "system" (first, if at all), "user", "assistant".
  // Where a model's chat template has no place for a system message, it is left out.
  std::vector<text::Message> messages = {};
  // The answer may end at the first of these. What a respondent gives may hold one or go on behind
  // it: whoever asks cuts (cut_at_stops, answering.h).
  std::vector<std::string> stops = {};
  int64_t max_tokens = 0;  // of the answer, at least 1
  double temperature = 0;  // 0: greedy
  uint64_t seed = 0;       // of the draws, with a temperature
  // May the tokenizer add its own to `prompt`? An endpoint does as it does.
  text::SpecialTokens special = text::SpecialTokens::add;
};

class Respondent {
 public:
  virtual ~Respondent() = default;
  // Answers all of them. `done` is called on the caller's thread as each answer ends, in any order,
  // with its place in `asked`; what it throws ends the rest and comes out of here. An Error when
  // one cannot be answered, Error{interrupted} when the run is to stop.
  virtual void answer(const std::vector<Answerable>& asked,
                      const std::function<void(size_t index, std::string text)>& done) = 0;
};

}  // namespace helio::eval
