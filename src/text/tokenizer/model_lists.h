// The long lists of a BPE model, as they stand in the file.
#pragma once

#include <string_view>

#include "core/json.h"
#include "text/tokenizer.h"
#include "text/tokenizer/big_pages.h"

namespace helio::text {

struct TokenEntry {
  std::string_view text = {};
  TokenId id = 0;
};

struct MergeEntry {
  std::string_view left = {}, right = {};
};

using TokenEntries = BigVector<TokenEntry>;
using MergeEntries = BigVector<MergeEntry>;

struct ModelLists {
  TokenEntries tokens = {};
  MergeEntries merges = {};
};

// An object of tokens and ids; the texts are those of `object`.
TokenEntries read_token_entries(const Json& object);
// A list of ["a", "b"], or of "a b" as older files have it.
MergeEntries read_merge_entries(const Json& list);
// The two tokens of "a b", or nothing when it is no such pair (left without data).
MergeEntry split_merge(std::string_view text);

}  // namespace helio::text
