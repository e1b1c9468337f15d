// Reading tokenizer.json into a BpeTokenizer.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/fs.h"
#include "text/tokenizer/bpe_tokenizer.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

const Json& part(const Json& json, const char* key) {
  static const Json null;
  if (!json.is_object()) throw malformed("a tokenizer.json must be an object");
  const auto found = json.find(key);
  return found == json.end() ? null : *found;
}

BpeModel read_model(const Json& json) {
  const Json& version = part(json, "version");
  if (!version.is_null() && version != "1.0")
    throw unsupported("tokenizer.json version",
                      version.is_string() ? version.get<std::string>() : version.dump(), "1.0");
  return BpeModel(member(json, "model", "tokenizer.json"));
}

IdTemplate read_template(const Json& json) {
  const std::string of = "TemplateProcessing";
  const Json& single = member(json, "single", of);
  const Json& specials = member(json, "special_tokens", of);
  if (!single.is_array()) throw malformed(of + ": 'single' must be a list");
  IdTemplate made;
  for (const auto& piece : single) {
    if (piece.is_object() && piece.contains("Sequence")) {
      const std::string which = text_member(piece["Sequence"], "id", of);
      if (which != "A") throw unsupported(of + "'s sequence in 'single'", which, "A");
      made.items.push_back(IdTemplate::kText);
      continue;
    }
    const std::string name = text_member(member(piece, "SpecialToken", of + "'s piece"), "id", of);
    const Json& ids = member(member(specials, name.c_str(), of + "'s special_tokens"), "ids", of);
    if (!ids.is_array()) throw malformed(of + ": 'ids' must be a list");
    for (const auto& id : ids) made.items.push_back(read_id(id, of));
  }
  // Twice would double the ids at every such step.
  if (std::count(made.items.begin(), made.items.end(), IdTemplate::kText) != 1)
    throw malformed(of + ": 'single' must have the sequence A once");
  return made;
}

}  // namespace

BpeTokenizer::BpeTokenizer(const Json& json)
    : model_(read_model(json)),
      normalizer_(part(json, "normalizer")),
      pre_tokenizer_(read_pre_tokenizer(part(json, "pre_tokenizer"))) {
  read_decoder(part(json, "decoder"));
  read_added_tokens(part(json, "added_tokens"));
  read_post_processor(part(json, "post_processor"));

  TokenId largest = model_.largest_id();
  for (const auto& token : added_) largest = std::max(largest, token.id);
  bytes_.resize(static_cast<size_t>(largest + 1));
  kinds_.assign(bytes_.size(), 0);
  const auto put = [&](TokenId id, const std::string& token) {
    const auto i = static_cast<size_t>(id);
    bytes_[i] = decoder_ == Decoder::none ? token : from_byte_letters(token).value_or(token);
    kinds_[i] = 1;
  };
  for (TokenId id = 0; id <= model_.largest_id(); ++id)
    if (const auto* token = model_.token(id)) put(id, *token);
  std::unordered_set<std::string> special;
  for (const auto& token : added_)
    if (token.special) special.insert(token.content);
  for (const auto& token : added_) {
    const std::string written = token.normalized ? normalizer_.apply(token.content) : token.content;
    put(token.id, written);
    if (special.contains(written)) kinds_[static_cast<size_t>(token.id)] = 2;
  }
  // A special token may also be an ordinary entry under another id.
  for (TokenId id = 0; id <= model_.largest_id(); ++id)
    if (const auto* token = model_.token(id); token && special.contains(*token))
      kinds_[static_cast<size_t>(id)] = 2;

  for (const auto& step : templates_)
    for (const TokenId id : step.items)
      if (id != IdTemplate::kText &&
          (static_cast<size_t>(id) >= kinds_.size() || kinds_[static_cast<size_t>(id)] == 0))
        throw malformed("TemplateProcessing adds id " + std::to_string(id) +
                        ", which no token has");
}

void BpeTokenizer::read_added_tokens(const Json& json) {
  if (json.is_null()) return;
  if (!json.is_array()) throw malformed("added_tokens must be a list");
  // HF does not take the file's ids: a token of the vocabulary keeps its id there, the others are
  // numbered on. A file that says otherwise would mean different ids to different readers.
  auto next = static_cast<TokenId>(model_.tokens());
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

void BpeTokenizer::read_post_processor(const Json& json) {
  if (json.is_null()) return;
  const std::string type = text_member(json, "type", "post_processor");
  if (type == "ByteLevel") return;  // it only trims offsets
  if (type == "TemplateProcessing") {
    templates_.push_back(read_template(json));
  } else if (type == "Sequence") {
    const Json& list = member(json, "processors", "Sequence");
    if (!list.is_array()) throw malformed("Sequence's processors must be a list");
    for (const auto& step : list) read_post_processor(step);
  } else {
    throw unsupported("post-processor", type, "ByteLevel, TemplateProcessing, Sequence, null");
  }
}

void BpeTokenizer::read_decoder(const Json& json) {
  constexpr const char* kSupported = "ByteLevel, Sequence (ByteLevel, then Fuse), null";
  decoder_ = Decoder::none;
  if (json.is_null()) return;
  const std::string type = text_member(json, "type", "decoder");
  decoder_ = Decoder::byte_level;
  if (type == "ByteLevel") return;
  if (type != "Sequence") throw unsupported("decoder", type, kSupported);
  const Json& list = member(json, "decoders", "Sequence");
  if (!list.is_array() || list.empty()) throw malformed("Sequence's decoders must be a list");
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string step = text_member(list[i], "type", "decoder");
    if (step != (i == 0 ? "ByteLevel" : "Fuse")) throw unsupported("decoder", step, kSupported);
  }
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& file_or_dir) {
  const fs::path file =
      fs::is_directory(file_or_dir) ? file_or_dir / "tokenizer.json" : file_or_dir;
  return in_context([&] { return "reading the tokenizer '" + file.string() + "'"; },
                    [&] { return parse_tokenizer(read_file(file), file.string()); });
}

std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, const std::string& source) {
  return std::make_unique<BpeTokenizer>(parse_json(json, source));
}

}  // namespace helio::text
