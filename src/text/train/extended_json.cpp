#include "text/train/extended_json.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "text/tokenizer/json_tokenizer.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/train/json_splice.h"

namespace helio::text {
namespace {

std::string quoted(const std::string& text) { return OrderedJson(text).dump(); }

std::string replaced(std::string_view json, JsonSpan span, const std::vector<std::string>& more) {
  std::string out(json.substr(0, span.begin));
  out += with_elements(json.substr(span.begin, span.end - span.begin), more);
  return out += json.substr(span.end);
}

// Added tokens that have no entry in the model's vocabulary, by id.
std::vector<AddedToken> not_in_vocabulary(const JsonTokenizer& base) {
  std::vector<AddedToken> tokens;
  for (const auto& token : base.added_tokens())
    if (!base.model().id_of(token.content)) tokens.push_back(token);
  return tokens;
}

std::string extended_unigram(std::string_view json, const JsonTokenizer& base,
                             const Additions& additions, const Json& model) {
  double lowest = 0;
  for (const auto& piece : model.at("vocab")) lowest = std::min(lowest, piece.at(1).get<double>());
  std::vector<std::string> pieces;
  const auto put = [&](const std::string& piece, double score) {
    pieces.push_back(OrderedJson::array({piece, score}).dump());
  };
  auto next = static_cast<TokenId>(model.at("vocab").size());
  for (const auto& token : not_in_vocabulary(base)) {
    if (token.id != next++)
      throw malformed("no token has id " + std::to_string(next - 1) +
                      ", so the ids behind it would change");
    // Never chosen: the text of an added token is found before the model sees it.
    put(token.content, lowest - 10);
  }
  for (size_t i = 0; i < additions.tokens.size(); ++i)
    put(additions.tokens[i].token, additions.scores[i]);
  return replaced(json, find_json_value(json, {"model", "vocab"}), pieces);
}

std::string extended_bpe(std::string_view json, const JsonTokenizer& base,
                         const Additions& additions, const Json& model) {
  const JsonSpan vocabulary = find_json_value(json, {"model", "vocab"});
  const JsonSpan merges = find_json_value(json, {"model", "merges"});
  std::vector<std::string> tokens, rules;
  const auto put = [&](const std::string& token, TokenId id) {
    tokens.push_back(quoted(token) + ": " + std::to_string(id));
  };
  for (const auto& token : not_in_vocabulary(base)) put(token.content, token.id);
  for (const auto& token : additions.tokens) put(token.token, token.id);
  const Json& old = model.at("merges");
  const bool in_one = !old.empty() && old.back().is_string();  // "a b"
  for (const auto& [left, right] : additions.merges) {
    if (in_one && (left.find(' ') != std::string::npos || right.find(' ') != std::string::npos))
      throw malformed("a new token has a space, and the file writes merges as \"a b\"")
          .with_hint("save the tokenizer again with HF tokenizers 0.20 or newer");
    rules.push_back(in_one ? quoted(left + " " + right)
                           : "[" + quoted(left) + ", " + quoted(right) + "]");
  }
  if (vocabulary.begin < merges.begin)
    return replaced(replaced(json, merges, rules), vocabulary, tokens);
  return replaced(replaced(json, vocabulary, tokens), merges, rules);
}

constexpr const char* kCopied[] = {"tokenizer_config.json", "special_tokens_map.json",
                                   "added_tokens.json", "chat_template.jinja",
                                   "chat_template.json"};
constexpr const char* kStale[] = {"tokenizer.model",    "spiece.model", "sentencepiece.bpe.model",
                                  "tokenizer.model.v3", "tekken.json",  "vocab.txt"};

// GPT-2's older pair of files, from the new tokenizer.json.
void write_older_files(const fs::path& dir, const std::string& json) {
  const JsonSpan vocabulary = find_json_value(json, {"model", "vocab"});
  write_file_atomic(dir / "vocab.json",
                    json.substr(vocabulary.begin, vocabulary.end - vocabulary.begin));
  const JsonSpan merges = find_json_value(json, {"model", "merges"});
  std::string lines = "#version: 0.2\n";
  for (const auto& merge :
       parse_json(json.substr(merges.begin, merges.end - merges.begin), "the merges"))
    lines += (merge.is_string()
                  ? merge.get<std::string>()
                  : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>()) +
             "\n";
  write_file_atomic(dir / "merges.txt", lines);
}

}  // namespace

std::string extended_tokenizer_json(std::string_view json, const JsonTokenizer& base,
                                    const Additions& additions) {
  if (additions.tokens.empty() && additions.merges.empty()) return std::string(json);
  const JsonSpan span = find_json_value(json, {"model"});
  const Json model = parse_json(json.substr(span.begin, span.end - span.begin), "the model");
  return piece_model_type(model) == "Unigram" ? extended_unigram(json, base, additions, model)
                                              : extended_bpe(json, base, additions, model);
}

std::string extension_json(const ExtendedTokenizer& extended) {
  OrderedJson tokens = OrderedJson::array();
  for (const auto& token : extended.tokens)
    tokens.push_back({{"id", token.id}, {"token", token.token}, {"pieces", token.pieces}});
  return pretty({{"base_vocab_size", extended.base_vocab_size}, {"new_tokens", tokens}});
}

std::vector<std::string> write_extended_folder(const fs::path& dir, const fs::path& base,
                                               const ExtendedTokenizer& extended) {
  write_file_atomic(dir / "tokenizer.json", extended.json);
  write_file_atomic(dir / "extension.json", extension_json(extended));
  std::vector<std::string> left_out;
  if (!fs::is_directory(base)) return left_out;
  for (const char* name : kCopied)
    if (fs::exists(base / name)) write_file_atomic(dir / name, read_file(base / name));
  if (fs::is_directory(base / "additional_chat_templates"))
    fs::copy(base / "additional_chat_templates", dir / "additional_chat_templates",
             fs::copy_options::recursive);
  if (fs::exists(base / "vocab.json") && fs::exists(base / "merges.txt"))
    write_older_files(dir, extended.json);
  for (const char* name : kStale)
    if (fs::exists(base / name)) left_out.emplace_back(name);
  return left_out;
}

}  // namespace helio::text
