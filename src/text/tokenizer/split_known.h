// Hand-written matchers for the split patterns most byte-level tokenizers use, several times faster
// than a regex engine. They cut a text into the same pieces as the patterns do.
#pragma once

#include <string_view>
#include <vector>

namespace helio::text {

// GPT-2's pattern, the one inside ByteLevel(use_regex=true).
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// Llama 3's pattern: numbers in threes. Qwen 2's is the same with numbers one by one.
inline constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// `text` must be valid UTF-8. Every byte goes into exactly one piece, appended to `pieces`.
void split_gpt2(std::string_view text, std::vector<std::string_view>& pieces);
void split_llama3(std::string_view text, std::vector<std::string_view>& pieces);
void split_qwen2(std::string_view text, std::vector<std::string_view>& pieces);

}  // namespace helio::text
