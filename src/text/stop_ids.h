// The ids that end an answer.
#pragma once

#include <filesystem>
#include <vector>

#include "text/tokenizer.h"

namespace helio::text {

// All that generation_config.json names (Llama 3: end of text and of turn), and the tokenizer's end
// of text (load_special_ids of the same path), without repeats; of a single file the latter alone.
std::vector<TokenId> load_stop_ids(const std::filesystem::path& file_or_dir,
                                   const Tokenizer& tokenizer);

}  // namespace helio::text
