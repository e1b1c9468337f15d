// The "post_processor" of a tokenizer.json: ids put around those of the text, and spaces taken out
// of offsets.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"

namespace helio::text {

// How much white space a token has at its ends.
struct TokenSpaces {
  uint32_t leading = 0, trailing = 0;
};
// Of a token as written (in byte letters or not).
TokenSpaces spaces_of(std::string_view token);

class PostProcessor {
 public:
  // Error{invalid} when it is none of HF's or broken.
  explicit PostProcessor(const Json& json) { read(json); }

  // All ids it adds.
  std::vector<TokenId> added_ids() const;
  // Puts ids around `ids`, and around `offsets` (of as many items) if they are given.
  void wrap(std::vector<TokenId>& ids, std::vector<Offset>* offsets) const;

  bool trims() const { return !trims_.empty(); }
  void trim(std::vector<Offset>& offsets, const std::vector<TokenSpaces>& spaces) const;

 private:
  enum class PrefixSpace { absent, added };
  // What is made of the ids of a text: ids before and behind them.
  struct Template {
    std::vector<TokenId> before = {}, behind = {};
  };
  void read(const Json& json);
  Template read_template(const Json& json) const;

  std::vector<Template> templates_ = {};
  std::vector<PrefixSpace> trims_ = {};
};

}  // namespace helio::text
