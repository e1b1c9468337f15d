#include "text/formats/folder_settings.h"

#include <algorithm>
#include <map>

#include "text/formats/document.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

Json load_if_there(const fs::path& path) {
  return fs::exists(path) ? load_json(path) : Json::object();
}

std::string class_of(const Json& config) {
  const auto found = config.find("tokenizer_class");
  if (found == config.end() || !found->is_string()) return "";
  std::string name = found->get<std::string>();
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

// Pieces by id, and ids by piece.
class Known {
 public:
  explicit Known(const OrderedJson& document) {
    for (const auto& piece : document.at("model").at("pieces"))
      ids_.emplace(piece[0].get<std::string>(), static_cast<TokenId>(ids_.size()));
    for (const auto& token : document.at("added_tokens")) added_[token["id"]] = token;
    next_ = static_cast<TokenId>(document.at("model").at("pieces").size());
  }

  // A token at an id of its own: a piece that becomes a token, or a new one behind the others.
  void add(TokenId id, const OrderedJson& token) {
    const std::string content = token.at("content");
    const auto found = ids_.find(content);
    if (found != ids_.end() ? found->second != id : id < next_)
      throw malformed("added token '" + content + "' has id " + std::to_string(id) +
                      ", but by the pieces it is " +
                      (found != ids_.end() ? std::to_string(found->second) : "none of theirs"));
    added_[id] = token;
  }
  std::optional<TokenId> id_of(const std::string& text) const {
    const auto found = ids_.find(text);
    if (found != ids_.end()) return found->second;
    for (const auto& [id, token] : added_)
      if (token.at("content") == text) return id;
    return std::nullopt;
  }
  TokenId next() const {
    return added_.empty() ? next_ : std::max(next_, added_.rbegin()->first + 1);
  }
  OrderedJson list() const {
    OrderedJson out = OrderedJson::array();
    for (const auto& [id, token] : added_) out.push_back(token);
    return out;
  }

 private:
  std::map<std::string, TokenId, std::less<>> ids_ = {};
  std::map<TokenId, OrderedJson> added_ = {};
  TokenId next_ = 0;
};

void read_added(const Json& config, const Json& older, Known& known) {
  const auto id_of = [](const std::string& text) {
    const bool digits =
        !text.empty() && text.size() < 8 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) throw malformed("added_tokens_decoder: '" + text + "' is no id");
    return static_cast<TokenId>(std::stol(text));
  };
  if (const auto list = config.find("added_tokens_decoder");
      list != config.end() && list->is_object()) {
    std::map<TokenId, const Json*> sorted;
    for (const auto& [id, token] : list->items()) sorted[id_of(id)] = &token;
    for (const auto& [id, item] : sorted) {
      const std::string of = "added_tokens_decoder's " + std::to_string(id);
      OrderedJson token =
          added_token(id, text_member(*item, "content", of),
                      flag_member(*item, "special", of, false) ? Special::yes : Special::no);
      for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"})
        token[flag] = flag_member(*item, flag, of, false);
      known.add(id, token);
    }
    return;
  }
  std::map<TokenId, std::string> sorted;
  for (const auto& [content, id] : older.items())
    sorted[read_id(id, "added_tokens.json")] = content;
  for (const auto& [id, content] : sorted) known.add(id, added_token(id, content, Special::no));
}

}  // namespace

void apply_folder(const fs::path& dir, TokenizerFile& tokenizer) {
  const Json config = load_if_there(dir / "tokenizer_config.json"),
             older = load_if_there(dir / "added_tokens.json");
  if (!config.is_object() || !older.is_object())
    throw malformed("tokenizer_config.json and added_tokens.json must be objects");
  const std::string kind = class_of(config);
  bool bos = false, eos = false;
  Known known(tokenizer.document);
  if (kind == "LlamaTokenizer" || kind == "CodeLlamaTokenizer" || kind == "GemmaTokenizer") {
    bos = true;
  } else if (kind == "T5Tokenizer") {
    eos = true;
  } else if (!kind.empty() && !kind.starts_with("PreTrainedTokenizer") &&
             kind != "TokenizersBackend") {
    throw unsupported("beside a SentencePiece model, the tokenizer class", kind,
                      "LlamaTokenizer, CodeLlamaTokenizer, GemmaTokenizer, T5Tokenizer, "
                      "PreTrainedTokenizerFast")
        .with_hint(
            "its ids are not those of the pieces; save it with transformers as tokenizer.json");
  }
  bos = flag_member(config, "add_bos_token", "tokenizer_config.json", bos);
  eos = flag_member(config, "add_eos_token", "tokenizer_config.json", eos);
  read_added(config, older, known);
  if (kind == "T5Tokenizer" && !known.id_of("<extra_id_0>")) {
    const Json count = config.value("extra_ids", Json(100));
    for (int64_t i = read_id(count, "extra_ids"); i-- > 0;) {
      const TokenId id = known.next();
      known.add(id, added_token(id, "<extra_id_" + std::to_string(i) + ">", Special::yes));
    }
  }
  const auto role = [&](const char* key, std::optional<TokenId>& id) {
    const auto found = config.find(key);
    if (found == config.end()) return;
    const Json& text = found->is_object() ? found->value("content", Json()) : *found;
    if (!text.is_string()) return;
    if (const auto named = known.id_of(text.get<std::string>())) id = named;
  };
  role("bos_token", tokenizer.roles.bos);
  role("eos_token", tokenizer.roles.eos);
  role("pad_token", tokenizer.roles.pad);
  role("unk_token", tokenizer.roles.unk);
  tokenizer.document["added_tokens"] = known.list();
  const auto& pieces = tokenizer.document.at("model").at("pieces");
  const auto named = [&](bool wanted, std::optional<TokenId> id, const char* what) {
    std::vector<NamedId> out;
    if (!wanted) return out;
    if (!id) throw malformed(std::string("a ") + what + " is to be added, but there is none");
    for (const auto& token : tokenizer.document["added_tokens"])
      if (token["id"] == *id) out.push_back({token["content"], *id});
    if (out.empty()) out.push_back({pieces.at(static_cast<size_t>(*id))[0], *id});
    return out;
  };
  tokenizer.document["post_processor"] = template_processor(named(bos, tokenizer.roles.bos, "BOS"),
                                                            named(eos, tokenizer.roles.eos, "EOS"));
  if (const auto chat = config.find("chat_template"); chat != config.end() && chat->is_string())
    tokenizer.chat_template = chat->get<std::string>();
}

}  // namespace helio::text
