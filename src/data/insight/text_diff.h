// What changed between two texts: lines that came or went, and in lines that were rewritten the
// words. Bounded work on any input: where two texts have too little in common, the whole part is
// shown as replaced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace helio::data {

enum class Edit : char { same = ' ', removed = '-', added = '+' };

struct DiffPart {
  Edit edit = Edit::same;  // within a removed or added line: same means it stands in both
  std::string text = {};
};
struct DiffLine {
  Edit edit = Edit::same;
  std::vector<DiffPart> parts = {};  // one after the other: the line
  std::string text() const;
};
struct DiffHunk {
  int64_t old_line = 1, new_line = 1;  // numbers of the first line, from 1
  std::vector<DiffLine> lines = {};
};

struct TextDiff {
  std::vector<DiffHunk> hunks = {};
  int64_t removed = 0, added = 0;  // lines
  bool empty() const { return hunks.empty(); }
  // "@@ -1,3 +1,2 @@" and lines with their sign in front.
  std::string unified() const;
  OrderedJson json() const;
};

struct DiffOptions {
  int64_t context = 2;  // unchanged lines round a change
};
TextDiff diff_texts(std::string_view before, std::string_view after,
                    const DiffOptions& options = {});

}  // namespace helio::data
