// The held-out documents of a dataset folder, by language, in an order that is theirs alone.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace helio::eval {

struct HeldoutDocument {
  std::string id = {}, text = {};
};

struct HeldoutDocuments {
  std::map<std::string, std::vector<HeldoutDocument>> by_language = {};
  std::string content = {};  // of the dataset
};

// Reads part-*.jsonl(.zst, .gz) and keeps rows with split "heldout". Each language's documents are
// ordered by a seeded hash of their id: the first N are a sample that does not depend on how lots
// or parts were ordered.
HeldoutDocuments load_heldout(const std::string& dataset, int64_t seed);

}  // namespace helio::eval
