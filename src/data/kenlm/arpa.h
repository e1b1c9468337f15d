// ARPA files, plain, .gz or .zst: text that every n-gram toolkit writes.
#pragma once

#include <filesystem>
#include <string>

#include "data/kenlm/format.h"

namespace helio::data::kenlm {

// The model's bytes as KenLM's build_binary lays them out, without header and words.
struct Built {
  std::string bytes = {};
  Sections parts = {};
  uint64_t words = 0;
  Tables tables() const { return tables_at(bytes.data(), parts, words); }
};

// Error{invalid} with file and line. What KenLM refuses is refused: a context that is no n-gram, a
// word that is no unigram, counts that are not the n-grams' number, <s> or </s> missing. A model
// without <unk> gives unknown words the log10 probability -100, as there.
Built read_arpa(const std::filesystem::path& path);

}  // namespace helio::data::kenlm
