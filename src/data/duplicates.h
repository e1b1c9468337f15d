// What the two duplicate finders share: who stays, and the record of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/op.h"

namespace helio::data {

inline constexpr const char* kDuplicatesName = "duplicates.jsonl";

// `first[i]` is the index of the first document of i's cluster. The first by manifest order stays,
// the others are dropped with `reason` and their similarity to it; each cluster is a line of
// duplicates.jsonl: {"step","first","members":[{"id","lot","partner","similarity"}]}.
std::vector<Verdict> keep_first(std::vector<Document>& documents, const std::vector<size_t>& first,
                                const std::string& step, const std::string& reason,
                                const std::function<double(size_t, size_t)>& similarity,
                                StageContext& context);

}  // namespace helio::data
