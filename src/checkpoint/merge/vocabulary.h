// What tokenizer_source: base asks for: that rows of the embeddings mean the same tokens.
#pragma once

#include <filesystem>
#include <string>

namespace helio::checkpoint {

// Compares the tokens of two tokenizer.json files, ids and all. Throws invalid naming the first
// token, by id, that they do not share, or a file that is missing.
void check_same_vocabulary(const std::filesystem::path& base, const std::filesystem::path& other);

}  // namespace helio::checkpoint
