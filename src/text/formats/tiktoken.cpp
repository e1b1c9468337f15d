// tiktoken's files of ranks, and the encodings that are known by name. Patterns and special tokens:
// tiktoken 0.14 (openai_public), Meta's llama3 and llama-models, Qwen's first tokenizer.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/hash.h"
#include "text/formats/ranks.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

using Specials = std::vector<std::pair<std::string, TokenId>>;

// tiktoken's cl100k takes white space at the end of a text as one piece, unlike Llama 3's.
constexpr const char* kCl100k =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\s|\S)|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

Specials numbered(TokenId first, const std::vector<std::string>& tokens) {
  Specials out;
  for (const auto& token : tokens) out.emplace_back(token, first++);
  return out;
}

void reserve(std::vector<std::string>& tokens, const char* pattern, int from, int to) {
  for (int i = from; i <= to; ++i) tokens.push_back(fmt::format(fmt::runtime(pattern), i));
}

Specials o200k(std::string_view name) {
  if (name == "o200k_base") return {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}};
  std::vector<std::string> tokens = {"<|startoftext|>", "<|endoftext|>"};
  reserve(tokens, "<|reserved_{}|>", 200000, 200001);
  tokens.insert(tokens.end(), {"<|return|>", "<|constrain|>", "<|reserved_200004|>", "<|channel|>",
                               "<|start|>", "<|end|>", "<|message|>"});
  reserve(tokens, "<|reserved_{}|>", 200009, 200011);
  tokens.push_back("<|call|>");
  reserve(tokens, "<|reserved_{}|>", 200013, 201087);
  // o200k_base's <|endofprompt|> and <|reserved_200018|> have the same id in tiktoken; a vocabulary
  // has one token of an id.
  tokens[200018 - 199998] = "<|endofprompt|>";
  return numbered(199998, tokens);
}

Specials llama3(std::string_view name) {
  constexpr const char* kReserved = "<|reserved_special_token_{}|>";
  std::vector<std::string> tokens = {"<|begin_of_text|>", "<|end_of_text|>"};
  if (name == "llama3") {
    reserve(tokens, kReserved, 0, 3);
    tokens.insert(tokens.end(), {"<|start_header_id|>", "<|end_header_id|>",
                                 "<|reserved_special_token_4|>", "<|eot_id|>"});
    reserve(tokens, kReserved, 5, 250);
  } else {
    reserve(tokens, kReserved, 0, 1);
    tokens.insert(tokens.end(), {"<|finetune_right_pad_id|>", "<|reserved_special_token_2|>",
                                 "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>",
                                 "<|eot_id|>", "<|python_tag|>"});
    reserve(tokens, kReserved, 3, 247);
  }
  return numbered(128000, tokens);
}

Specials qwen() {
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  reserve(tokens, "<|extra_{}|>", 0, 204);
  return numbered(151643, tokens);
}

struct Known {
  const char* name;
  const char* sha256;  // of the file of ranks; null: not recognised by it
  std::string_view pattern;
};
// Of names with one file the first is recognised.
constexpr Known kEncodings[] = {
    {"r50k_base", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", kGpt2Pattern},
    {"gpt2", nullptr, kGpt2Pattern},
    {"p50k_base", "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069", kGpt2Pattern},
    {"p50k_edit", nullptr, kGpt2Pattern},
    {"cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", kCl100k},
    {"o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", kO200k},
    {"o200k_harmony", nullptr, kO200k},
    {"llama3", nullptr, kLlama3Pattern},
    {"llama3.1", nullptr, kLlama3Pattern},
    {"qwen", nullptr, kQwen2Pattern}};

Specials specials_of(std::string_view name) {
  if (name == "gpt2" || name == "r50k_base" || name == "p50k_base")
    return {{"<|endoftext|>", 50256}};
  if (name == "p50k_edit")
    return {{"<|endoftext|>", 50256},
            {"<|fim_prefix|>", 50281},
            {"<|fim_middle|>", 50282},
            {"<|fim_suffix|>", 50283}};
  if (name == "cl100k_base")
    return {{"<|endoftext|>", 100257},
            {"<|fim_prefix|>", 100258},
            {"<|fim_middle|>", 100259},
            {"<|fim_suffix|>", 100260},
            {"<|endofprompt|>", 100276}};
  if (name.starts_with("o200k")) return o200k(name);
  if (name.starts_with("llama3")) return llama3(name);
  return qwen();
}

std::optional<std::pair<std::string_view, TokenId>> read_line(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) return std::nullopt;
  TokenId rank = 0;
  const char* end = line.data() + line.size();
  const auto [stop, problem] = std::from_chars(line.data() + space + 1, end, rank);
  if (problem != std::errc() || stop != end || rank < 0) return std::nullopt;
  return std::pair{line.substr(0, space), rank};
}

std::string_view take_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

const std::vector<std::string>& tiktoken_encodings() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& known : kEncodings) out.emplace_back(known.name);
    return out;
  }();
  return names;
}

bool looks_like_tiktoken(std::string_view bytes) {
  std::string_view rest = bytes.substr(0, 4096);
  const auto line = read_line(take_line(rest));
  return line && line->first.size() % 4 == 0 &&
         line->first.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789+/=") == std::string_view::npos;
}

namespace {

TokenizerFile read_lines(std::string_view bytes, RankedVocabulary vocabulary,
                         const std::string& name) {
  int64_t number = 0;
  for (std::string_view rest = bytes; !rest.empty();) {
    ++number;
    const std::string_view line = take_line(rest);
    if (line.empty()) continue;
    const auto entry = read_line(line);
    const std::string of = "line " + std::to_string(number);
    if (!entry) throw malformed(of + " is no token in base64 and its rank");
    if (entry->second > kLargestId)
      throw malformed(of + ": rank " + std::to_string(entry->second) + " is too large");
    vocabulary.tokens.emplace_back(from_base64(entry->first, of), entry->second);
  }
  std::stable_sort(vocabulary.tokens.begin(), vocabulary.tokens.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  TokenizerFile out{.format = "tiktoken"};
  out.made_of = fmt::format("{}: {} tokens, {} special", name, vocabulary.tokens.size(),
                            vocabulary.specials.size());
  out.document = ranked_document(vocabulary);
  for (const auto& [token, id] : vocabulary.specials)
    if (token == "<|endoftext|>" || token == "<|end_of_text|>") out.roles.eos = id;
    else if (token == "<|begin_of_text|>" || token == "<|startoftext|>") out.roles.bos = id;
  return out;
}

}  // namespace

TokenizerFile read_tiktoken(std::string_view bytes, const Json& encoding) {
  const char* of = "encoding.json";
  RankedVocabulary vocabulary{.pattern = text_member(encoding, "pat_str", of)};
  const Json& specials = member(encoding, "special_tokens", of);
  if (!specials.is_object())
    throw malformed(std::string(of) + ": 'special_tokens' must be an object");
  for (const auto& [token, id] : specials.items())
    vocabulary.specials.emplace_back(token, read_id(id, of));
  return read_lines(bytes, std::move(vocabulary), of);
}

TokenizerFile read_tiktoken(std::string_view bytes, const std::string& encoding) {
  const std::string names = fmt::format("{}", fmt::join(tiktoken_encodings(), ", "));
  const Known* found = nullptr;
  const std::string hash = encoding.empty() ? sha256_hex(bytes) : "";
  for (const auto& known : kEncodings)
    if (encoding.empty() ? known.sha256 && hash == known.sha256 : encoding == known.name)
      found = found ? found : &known;
  if (!found && !encoding.empty())
    throw Error(ErrorKind::invalid, "'" + encoding + "' is no encoding known here")
        .with_hint("known: " + names);
  if (!found)
    throw Error(
        ErrorKind::invalid,
        "a file of ranks does not say its split pattern and special tokens, and this one is "
        "none of OpenAI's")
        .with_hint("helio tokenizer convert FILE --encoding NAME --out DIR; names: " + names);
  RankedVocabulary vocabulary{.specials = specials_of(found->name),
                              .pattern = std::string(found->pattern)};
  if (std::string_view(found->name) == "qwen") vocabulary.normal_form = "NFC";
  return read_lines(bytes, std::move(vocabulary), found->name);
}

}  // namespace helio::text
