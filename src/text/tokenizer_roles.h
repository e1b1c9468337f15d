// What a tokenizer folder says beside tokenizer.json, so that transformers loads it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace helio::text {

// `eos` is also bos; `pad` may be empty. Both are special tokens.
struct TokenizerRoles {
  std::string eos = "<|endoftext|>", pad = "<|pad|>";
  int64_t model_max_length = 2048;
};

// Writes tokenizer_config.json, special_tokens_map.json and chat_template.jinja. The special tokens
// have ids from `first_id` on; `unk` may be empty. Error{invalid} for a role without its token.
void write_tokenizer_roles(const std::filesystem::path& dir, const TokenizerRoles& roles,
                           const std::vector<std::string>& special_tokens, int64_t first_id,
                           const std::string& unk);

}  // namespace helio::text
