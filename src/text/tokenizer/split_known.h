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
// GPT-4o's and gpt-oss's (o200k): words begin anew where a small letter is followed by a capital.
inline constexpr std::string_view kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Mistral's tekken: the same without contractions, numbers one by one.
inline constexpr std::string_view kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// DeepSeek V3's three patterns, one after the other: numbers, Han and kana, the rest.
inline constexpr std::string_view kDeepSeekNumbers = R"(\p{N}{1,3})";
inline constexpr std::string_view kDeepSeekHan = "[一-龥\u3040-ゟ゠-ヿ]+";
inline constexpr std::string_view kDeepSeekPattern =
    "[!\"#$%&'()*+,\\-./"
    ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

// Writes the next pieces of `text` (valid UTF-8) from byte `at` on, at most `room` of them, moves
// `at` behind them and returns their number: 0 at the end. Every byte goes into exactly one piece.
using KnownSplit = size_t (*)(std::string_view text, size_t& at, std::string_view* pieces,
                              size_t room);
size_t next_of_gpt2(std::string_view text, size_t& at, std::string_view* pieces, size_t room);
size_t next_of_llama3(std::string_view text, size_t& at, std::string_view* pieces, size_t room);
size_t next_of_qwen2(std::string_view text, size_t& at, std::string_view* pieces, size_t room);
size_t next_of_o200k(std::string_view text, size_t& at, std::string_view* pieces, size_t room);
size_t next_of_tekken(std::string_view text, size_t& at, std::string_view* pieces, size_t room);
size_t next_of_deepseek(std::string_view text, size_t& at, std::string_view* pieces, size_t room);
// Digits one by one first, then GPT-2's pattern in what is between them (SmolLM 2, StarCoder).
size_t next_of_digits_gpt2(std::string_view text, size_t& at, std::string_view* pieces,
                           size_t room);

// The matcher of a pattern, or null.
KnownSplit known_split(std::string_view pattern);

// All pieces of a text, appended to `pieces`.
void split_all(KnownSplit split, std::string_view text, std::vector<std::string_view>& pieces);
void split_gpt2(std::string_view text, std::vector<std::string_view>& pieces);
void split_llama3(std::string_view text, std::vector<std::string_view>& pieces);
void split_qwen2(std::string_view text, std::vector<std::string_view>& pieces);

}  // namespace helio::text
