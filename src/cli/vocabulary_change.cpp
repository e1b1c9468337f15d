#include "cli/vocabulary_change.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace helio::cli {
namespace {

using text::TokenId;
using text::Tokenizer;

constexpr const char* kExtension = "extension.json";

struct Extension {
  int64_t base = 0;
  std::map<int64_t, std::vector<int64_t>> pieces = {};
};

// {"base_vocab_size": n, "new_tokens": [{"id": i, "token": "...", "pieces": [ids]}, ...]}
Extension read_extension(const fs::path& path) {
  const Json json = load_json(path);
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::invalid, path.string() + ": " + what)
        .with_hint("`helio tokenizer extend` writes it beside the tokenizer");
  };
  const auto id = [&](const Json& value, const std::string& what) {
    if (!value.is_number_integer() || value < 0 || value > int64_t(1) << 31)
      throw fail(what + " is not an id");
    return value.get<int64_t>();
  };
  if (!json.is_object() || !json.contains("base_vocab_size") || !json.contains("new_tokens") ||
      !json["new_tokens"].is_array())
    throw fail("no \"base_vocab_size\" and list of \"new_tokens\"");
  Extension out{.base = id(json["base_vocab_size"], "'base_vocab_size'")};
  for (size_t i = 0; i < json["new_tokens"].size(); ++i) {
    const Json& token = json["new_tokens"][i];
    const std::string where = fmt::format("new_tokens[{}]", i);
    if (!token.is_object() || !token.contains("id") || !token.contains("pieces") ||
        !token["pieces"].is_array())
      throw fail(where + " has no \"id\" and list of \"pieces\"");
    auto [at, fresh] = out.pieces.try_emplace(id(token["id"], where + ".id"));
    if (!fresh) throw fail(where + " has an id that is there twice");
    for (const auto& piece : token["pieces"]) at->second.push_back(id(piece, where + ": a piece"));
  }
  return out;
}

// Nothing for an id that no token has.
std::optional<std::string> bytes_of(const Tokenizer& tokenizer, int64_t id) {
  try {
    return tokenizer.token_bytes(static_cast<TokenId>(id));
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_continues(const Tokenizer& old, const Tokenizer& now) {
  const int64_t both = std::min(old.vocab_size(), now.vocab_size());
  for (int64_t id = 0; id < both; ++id) {
    const auto before = bytes_of(old, id), after = bytes_of(now, id);
    if (!before || before == after) continue;
    throw Error(ErrorKind::invalid,
                fmt::format("the tokenizer does not continue the model's: id {} was {} and is {}",
                            id, compact(*before), after ? compact(*after) : "nothing"))
        .with_hint(
            "old ids must keep their tokens; `helio tokenizer extend` adds new ones at the end");
  }
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto point = text::decode_utf8(text, at);
    if (point.status == text::Utf8::invalid) return false;
    at += point.size;
  }
  return true;
}

// Ids of the old tokenizer whose bytes are those of a text inside a sentence. Tokenizers may put a
// space before a text, and take some off: cuts that do not have the text's own bytes are not taken.
class OldPieces {
 public:
  explicit OldPieces(const Tokenizer& old) : old_(old) {}

  std::vector<int64_t> of(const std::string& text) const {
    if (text.empty()) return {};
    if (is_utf8(text)) {
      if (auto ids = matching(old_.encode(text, text::SpecialTokens::skip), text); !ids.empty())
        return ids;
      if (text[0] == ' ')
        if (auto ids = matching(old_.encode(text.substr(1), text::SpecialTokens::skip), text);
            !ids.empty())
          return ids;
      // Behind another text nothing is put before it; the other's own ids are taken off again.
      for (const std::string before : {"\n", "a", "."})
        if (auto ids = behind(before, text); !ids.empty()) return ids;
    }
    return single_bytes(text);
  }

 private:
  std::vector<int64_t> matching(const std::vector<TokenId>& ids, std::string_view text) const {
    std::string joined;
    for (const TokenId id : ids) joined += bytes_of(old_, id).value_or("");
    if (joined != text) return {};
    return {ids.begin(), ids.end()};
  }

  std::vector<int64_t> behind(const std::string& before, const std::string& text) const {
    const auto alone = old_.encode(before, text::SpecialTokens::skip);
    const auto both = old_.encode(before + text, text::SpecialTokens::skip);
    if (both.size() <= alone.size() || !std::equal(alone.begin(), alone.end(), both.begin()))
      return {};
    return matching({both.begin() + static_cast<ptrdiff_t>(alone.size()), both.end()}, text);
  }

  // A part of a character: byte by byte, as byte-level and byte-fallback vocabularies spell them.
  std::vector<int64_t> single_bytes(const std::string& text) const {
    if (bytes_.empty())
      for (int64_t id = old_.vocab_size() - 1; id >= 0; --id)
        if (const auto bytes = bytes_of(old_, id); bytes && bytes->size() == 1)
          bytes_[(*bytes)[0]] = id;
    std::vector<int64_t> ids;
    for (const char byte : text) {
      const auto found = bytes_.find(byte);
      if (found == bytes_.end()) return {};
      ids.push_back(found->second);
    }
    return ids;
  }

  const Tokenizer& old_;
  mutable std::map<char, int64_t> bytes_ = {};
};

}  // namespace

TokenizerChange find_tokenizer_change(const fs::path& model, const fs::path& tokenizer,
                                      Monitor& monitor) {
  const fs::path folder = fs::is_directory(tokenizer) ? tokenizer : tokenizer.parent_path();
  const auto now = text::load_tokenizer(tokenizer);
  std::unique_ptr<Tokenizer> old;
  if (fs::is_regular_file(model / "tokenizer.json")) old = text::load_tokenizer(model);
  std::optional<Extension> extension;
  if (fs::is_regular_file(folder / kExtension)) extension = read_extension(folder / kExtension);

  TokenizerChange out{.vocabulary = {.tokens = now->vocab_size()}, .pieces_from = "nothing"};
  auto& vocabulary = out.vocabulary;
  if (old) {
    check_continues(*old, *now);
    vocabulary.base_tokens = old->vocab_size();
    if (extension && extension->base != old->vocab_size())
      throw Error(ErrorKind::invalid,
                  fmt::format("{} continues a vocabulary of {} tokens, and the model's has {}",
                              (folder / kExtension).string(), extension->base, old->vocab_size()))
          .with_hint("the tokenizer was extended from another one than this model's");
  } else if (extension) {
    vocabulary.base_tokens = extension->base;
  }
  if (extension) {
    vocabulary.pieces = std::move(extension->pieces);
    out.pieces_from = kExtension;
  } else if (old && now->vocab_size() > old->vocab_size()) {
    const OldPieces pieces(*old);
    const auto& added = now->added_tokens();
    for (int64_t id = old->vocab_size(); id < now->vocab_size(); ++id) {
      const auto found = std::find_if(added.begin(), added.end(),
                                      [&](const auto& token) { return token.id == id; });
      const auto text = found == added.end() ? bytes_of(*now, id) : found->content;
      if (text) vocabulary.pieces[id] = pieces.of(*text);
    }
    out.pieces_from = "the model's tokenizer";
  }
  if (!vocabulary.base_tokens)
    monitor.warn("the model has no tokenizer.json to compare with: all its rows count as used");
  return out;
}

}  // namespace helio::cli
