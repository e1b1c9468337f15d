// The character map that SentencePiece compiles into its models ("precompiled_charsmap").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/aligned_text.h"

namespace helio::text {

class Charsmap {
 public:
  // `base64` as a tokenizer.json has it. Error{invalid} when it is no charsmap.
  explicit Charsmap(std::string_view base64);

  // What the map makes of a text, and whether that is anything else than the text. An entry that
  // points out of the map is Error{invalid}.
  bool changes(std::string_view text, std::vector<Change>& out, size_t limit) const;

  // SentencePiece's own rule: the longest entry that `text` begins with, and what it becomes.
  struct Entry {
    size_t size = 0;
    std::string_view by = {};
  };
  std::optional<Entry> longest(std::string_view text) const;

 private:
  std::optional<std::string_view> look_up(std::string_view part) const;
  // Calls found(size, text) for each entry that `part` begins with, until it returns false.
  template <class Found>
  void walk(std::string_view part, Found&& found) const;

  std::vector<uint32_t> trie_ = {};  // a double array as the Darts library lays it out
  std::string texts_ = {};           // replacements, each ended by a zero byte
};

}  // namespace helio::text
