// Reading tokenizer.json into a JsonTokenizer.
#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "core/fs.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/json_tokenizer.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

const Json& part(const Json& json, const char* key) {
  static const Json null;
  if (!json.is_object()) throw malformed("a tokenizer.json must be an object");
  const auto found = json.find(key);
  return found == json.end() ? null : *found;
}

const Json& read_model_json(const Json& json) {
  const Json& version = part(json, "version");
  if (!version.is_null() && version != "1.0")
    throw unsupported("tokenizer.json version",
                      version.is_string() ? version.get<std::string>() : version.dump(), "1.0");
  return member(json, "model", "tokenizer.json");
}

}  // namespace

// Byte-level BPE reads bytes: nothing is written in letters only to be looked up again.
Alphabet alphabet_of(const Json& json) {
  const Json& model = read_model_json(json);
  const auto empty = [&](const char* key) {
    return !model.contains(key) || model[key].is_null() || model[key] == "";
  };
  const bool bytes = piece_model_type(model) == "BPE" &&
                     ends_with_byte_level(part(json, "pre_tokenizer")) &&
                     empty("continuing_subword_prefix") && empty("end_of_word_suffix") &&
                     !flag_member(model, "byte_fallback", "the BPE model", false);
  return bytes ? Alphabet::bytes : Alphabet::characters;
}

JsonTokenizer::JsonTokenizer(const Json& json, const ModelLists* lists)
    : normalizer_(part(json, "normalizer")),
      pre_tokenizer_(read_pre_tokenizer(
          part(json, "pre_tokenizer"),
          normalizer_.does_nothing() ? TextBefore::as_written : TextBefore::normalized,
          alphabet_of(json) == Alphabet::bytes ? LastLetters::leave : LastLetters::write)),
      model_(read_piece_model(read_model_json(json), alphabet_of(json), lists)),
      post_processor_(part(json, "post_processor")),
      decoder_(part(json, "decoder")) {
  read_added_tokens(part(json, "added_tokens"));
  read_written();
  for (const TokenId id : post_processor_.added_ids())
    if (!written_.has(id))
      throw malformed("the post-processor adds id " + std::to_string(id) + ", which no token has");
}

void JsonTokenizer::read_written() {
  using Kind = TokenTexts::Kind;
  TokenId largest = model_->largest_id();
  for (const auto& token : added_) largest = std::max(largest, token.id);
  written_.resize(static_cast<size_t>(largest + 1));
  const auto put = [&](TokenId id, std::string_view token) {
    if (decoder_.kind() == TokenDecoder::Kind::joined_bytes) written_.put_letters(id, token);
    else written_.put(id, token);
    written_.set_kind(id, Kind::ordinary);
  };
  for (TokenId id = 0; id <= model_->largest_id(); ++id)
    if (const auto token = model_->token(id)) put(id, *token);
  std::unordered_set<std::string_view> special;
  for (const auto& token : added_)
    if (token.special) special.insert(token.content);
  std::vector<bool> is_added(written_.size());
  for (const auto& token : added_) {
    is_added[static_cast<size_t>(token.id)] = true;
    const std::string written = token.normalized ? normalizer_.apply(token.content) : token.content;
    put(token.id, written);
    if (special.contains(written)) written_.set_kind(token.id, Kind::special);
  }
  // A special token may also be an ordinary entry under another id.
  std::array<bool, 256> begins = {};
  size_t longest = 0;
  for (const auto content : special) {
    begins[static_cast<uint8_t>(content[0])] = true;  // none is empty
    longest = std::max(longest, content.size());
  }
  for (TokenId id = 0; id <= model_->largest_id(); ++id) {
    const auto token = model_->token(id);
    if (token && !token->empty() && token->size() <= longest &&
        begins[static_cast<uint8_t>((*token)[0])] && !is_added[static_cast<size_t>(id)] &&
        special.contains(*token))
      written_.set_kind(id, Kind::special);
  }
}

void JsonTokenizer::read_added_tokens(const Json& json) {
  if (json.is_null()) return;
  if (!json.is_array()) throw malformed("added_tokens must be a list");
  // HF does not take the file's ids: a token of the vocabulary keeps its id there, the others are
  // numbered on. A file that says otherwise would mean different ids to different readers.
  auto next = static_cast<TokenId>(model_->tokens());
  std::unordered_map<TokenId, size_t> places;
  for (const auto& item : json) {
    const std::string of = "an added token";
    AddedToken token{.id = read_id(member(item, "id", of), of),
                     .content = text_member(item, "content", of),
                     .special = flag_member(item, "special", of, false),
                     .lstrip = flag_member(item, "lstrip", of, false),
                     .rstrip = flag_member(item, "rstrip", of, false),
                     .single_word = flag_member(item, "single_word", of, false),
                     .normalized = flag_member(item, "normalized", of, true)};
    if (token.content.empty()) continue;
    const auto known = id_of(token.content);
    const TokenId id = known ? *known : next++;
    if (id != token.id)
      throw malformed("added token '" + token.content + "' has id " + std::to_string(token.id) +
                      ", but by the vocabulary it is " + std::to_string(id))
          .with_hint("save it again with the tool that made it");
    const auto [place, is_new] = places.emplace(id, added_.size());
    if (is_new) added_.push_back(token);
    else added_[place->second] = token;  // said twice: the last counts
    added_ids_[token.content] = id;
  }
  std::sort(added_.begin(), added_.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  std::vector<TokenPattern> written, normalized;
  for (const auto& token : added_) {
    TokenPattern pattern{token.content, token.lstrip, token.rstrip, token.single_word};
    if (token.normalized) {
      pattern.content = normalizer_.apply(token.content);
      normalized.push_back(std::move(pattern));
      normalized_ids_.push_back(token.id);
    } else {
      written.push_back(std::move(pattern));
      as_written_ids_.push_back(token.id);
    }
  }
  as_written_ = TokenFinder(std::move(written));
  normalized_ = TokenFinder(std::move(normalized));
}

}  // namespace helio::text
