#include "text/formats/legacy_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "text/formats/document.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// Tokens by id, and what tokenizer_config.json says of them.
class Folder {
 public:
  explicit Folder(const fs::path& dir) : dir_(dir) {
    config_ = load_if_there("tokenizer_config.json");
    if (const auto name = config_.find("tokenizer_class");
        name != config_.end() && name->is_string())
      class_ = name->get<std::string>();
    if (class_.ends_with("Fast")) class_.resize(class_.size() - 4);
  }

  const std::string& kind() const { return class_; }
  bool is(std::initializer_list<std::string_view> classes) const {
    return std::find(classes.begin(), classes.end(), class_) != classes.end();
  }
  bool flag(const char* key, bool missing) const {
    return flag_member(config_, key, "tokenizer_config.json", missing);
  }
  OrderedJson flag_or_null(const char* key) const {
    const auto found = config_.find(key);
    if (found == config_.end() || found->is_null()) return nullptr;
    return flag(key, false);
  }

  void set_vocabulary(std::map<TokenId, std::string> tokens) {
    for (const auto& [id, token] : tokens) ids_[token] = id;
    tokens_ = std::move(tokens);
  }
  std::optional<TokenId> id_of(const std::string& token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
  }

  // The token of a role: what the folder says, or the class's own; it becomes a special token.
  std::optional<NamedId> role(const std::string& key, const char* missing, bool lstrip = false) {
    std::string token = missing ? missing : "";
    if (const auto found = config_.find(key); found != config_.end()) {
      if (found->is_string()) token = found->get<std::string>();
      else if (found->is_object()) {
        token = text_member(*found, "content", key);
        lstrip = flag_member(*found, "lstrip", key, lstrip);
      } else if (found->is_null()) token.clear();
    }
    if (token.empty()) return std::nullopt;
    const TokenId id = add(token);
    OrderedJson entry = added_token(id, token, Special::yes);
    entry["lstrip"] = lstrip;
    if (unmarked_.contains(id)) added_[id] = std::move(entry);
    else added_.try_emplace(id, std::move(entry));
    return NamedId{token, id};
  }

  void read_added() {
    if (const auto list = config_.find("added_tokens_decoder");
        list != config_.end() && list->is_object()) {
      std::map<TokenId, const Json*> sorted;
      for (const auto& [text, item] : list->items()) {
        const bool digits = !text.empty() && text.size() < 8 &&
                            text.find_first_not_of("0123456789") == std::string::npos;
        if (!digits) throw malformed("added_tokens_decoder: '" + text + "' is no id");
        sorted[static_cast<TokenId>(std::stol(text))] = &item;
      }
      for (const auto& [id, item] : sorted) {
        const std::string of = "added_tokens_decoder's " + std::to_string(id);
        const std::string content = text_member(*item, "content", of);
        expect(content, id);
        OrderedJson token = added_token(
            id, content, flag_member(*item, "special", of, false) ? Special::yes : Special::no);
        for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"})
          token[flag] = flag_member(*item, flag, of, false);
        added_[id] = std::move(token);
      }
    }
    const Json older = load_if_there("added_tokens.json");
    std::map<TokenId, std::string> sorted;
    for (const auto& [content, id] : older.items())
      sorted[read_id(id, "added_tokens.json")] = content;
    for (const auto& [id, content] : sorted) {
      expect(content, id);
      OrderedJson token = added_token(id, content, Special::no);
      token["normalized"] = true;
      if (added_.try_emplace(id, std::move(token)).second) unmarked_.insert(id);
    }
  }

  OrderedJson added() const {
    OrderedJson list = OrderedJson::array();
    for (const auto& [id, token] : added_) list.push_back(token);
    return list;
  }
  OrderedJson vocabulary() const {
    OrderedJson out = OrderedJson::object();
    for (const auto& [id, token] : tokens_) append_member(out, token, json_id(id));
    return out;
  }
  size_t size() const { return tokens_.size(); }
  std::string chat_template() const {
    if (fs::exists(dir_ / "chat_template.jinja")) return read_file(dir_ / "chat_template.jinja");
    const auto found = config_.find("chat_template");
    return found != config_.end() && found->is_string() ? found->get<std::string>() : "";
  }
  std::string file(const char* name) const { return read_file(dir_ / name); }
  std::string path(const char* name) const { return (dir_ / name).string(); }

 private:
  Json load_if_there(const char* name) const {
    if (!fs::exists(dir_ / name)) return Json::object();
    Json json = load_json(dir_ / name);
    if (!json.is_object()) throw malformed(std::string(name) + " must be an object");
    return json;
  }
  TokenId next() const {
    return static_cast<TokenId>(
        tokens_.size() +
        static_cast<size_t>(std::count_if(added_.begin(), added_.end(), [&](const auto& entry) {
          return !tokens_.contains(entry.first);
        })));
  }
  TokenId add(const std::string& token) {
    if (const auto known = id_of(token)) return *known;
    for (const auto& [id, entry] : added_)
      if (entry.at("content") == token) return id;
    return next();
  }
  void expect(const std::string& token, TokenId id) const {
    const auto known = id_of(token);
    if (known && *known != id)
      throw malformed(
          fmt::format("added token '{}' has id {}, but in the vocabulary {}", token, id, *known));
  }

  fs::path dir_;
  Json config_ = {};
  std::string class_ = {};
  std::map<TokenId, std::string> tokens_ = {};
  std::map<std::string, TokenId, std::less<>> ids_ = {};
  std::map<TokenId, OrderedJson> added_ = {};
  std::set<TokenId> unmarked_ = {};  // of added_tokens.json, which has no flags
};

std::optional<TokenId> id_of(const std::optional<NamedId>& role) {
  if (!role) return std::nullopt;
  return role->id;
}

OrderedJson byte_level(bool prefix, bool trim, bool regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", prefix},
          {"trim_offsets", trim},
          {"use_regex", regex}};
}

OrderedJson read_merges(const std::string& text) {
  OrderedJson merges = OrderedJson::array();
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || !is_valid_utf8(line))
      throw malformed("merges.txt:" + std::to_string(number) + " is no pair of tokens");
    merges.push_back({line.substr(0, space), line.substr(space + 1)});
  }
  return merges;
}

}  // namespace

TokenizerFile read_gpt2_folder(const fs::path& dir) {
  Folder folder(dir);
  const bool roberta = folder.is(
      {"RobertaTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer", "MvpTokenizer"});
  const bool qwen = folder.is({"Qwen2Tokenizer"});
  if (!roberta && !qwen &&
      !folder.is({"", "GPT2Tokenizer", "CodeGenTokenizer", "PreTrainedTokenizer"}))
    throw unsupported("beside vocab.json, the tokenizer class", folder.kind(),
                      "GPT2Tokenizer, CodeGenTokenizer, RobertaTokenizer, BartTokenizer, "
                      "LEDTokenizer, LongformerTokenizer, MvpTokenizer, Qwen2Tokenizer");
  const Json vocabulary = load_json(dir / "vocab.json");
  if (!vocabulary.is_object()) throw malformed("vocab.json must be an object of tokens and ids");
  std::map<TokenId, std::string> tokens;
  for (const auto& [token, id] : vocabulary.items())
    if (!tokens.emplace(read_id(id, "token '" + token + "'"), token).second)
      throw malformed("vocab.json: two tokens have the id " + id.dump());
  folder.set_vocabulary(std::move(tokens));
  folder.read_added();

  TokenizerFile out{.format = "vocab.json + merges.txt", .path = dir / "vocab.json"};
  out.document = empty_document();
  const bool prefix = folder.flag("add_prefix_space", false);
  const char* end = roberta ? "</s>" : "<|endoftext|>";
  const auto bos = folder.role("bos_token", roberta ? "<s>" : qwen ? nullptr : end);
  const auto eos = folder.role("eos_token", end);
  const auto unk = folder.role("unk_token", roberta ? "<unk>" : end);
  const auto pad = folder.role("pad_token", roberta ? "<pad>" : qwen ? end : nullptr);
  if (qwen) {
    out.document["normalizer"] = {{"type", "NFC"}};
    out.document["pre_tokenizer"] = {{"type", "Sequence"},
                                     {"pretokenizers",
                                      {{{"type", "Split"},
                                        {"pattern", {{"Regex", kQwen2Pattern}}},
                                        {"behavior", "Isolated"},
                                        {"invert", false}},
                                       byte_level(prefix, true, false)}}};
  } else {
    out.document["pre_tokenizer"] = byte_level(prefix, true, true);
  }
  if (roberta) {
    const auto cls = folder.role("cls_token", "<s>"), sep = folder.role("sep_token", "</s>");
    folder.role("mask_token", "<mask>", true);
    if (!cls || !sep) throw malformed("there is no cls_token or sep_token");
    out.document["post_processor"] = {{"type", "RobertaProcessing"},
                                      {"sep", {sep->token, json_id(sep->id)}},
                                      {"cls", {cls->token, json_id(cls->id)}},
                                      {"trim_offsets", true},
                                      {"add_prefix_space", prefix}};
  } else if (bos && folder.flag("add_bos_token", false)) {
    out.document["post_processor"] = template_processor({*bos}, {});
  } else {
    out.document["post_processor"] = byte_level(true, false, true);
  }
  out.document["decoder"] = byte_level(true, true, true);
  out.document["added_tokens"] = folder.added();
  out.document["model"] = {{"type", "BPE"},
                           {"dropout", nullptr},
                           {"unk_token", nullptr},
                           {"continuing_subword_prefix", ""},
                           {"end_of_word_suffix", ""},
                           {"fuse_unk", false},
                           {"byte_fallback", false},
                           {"ignore_merges", false},
                           {"vocab", folder.vocabulary()},
                           {"merges", read_merges(folder.file("merges.txt"))}};
  out.made_of = fmt::format("byte-level BPE, {} tokens{}", folder.size(),
                            folder.kind().empty() ? "" : ", " + folder.kind());
  out.roles = {.bos = id_of(bos), .eos = id_of(eos), .pad = id_of(pad), .unk = id_of(unk)};
  out.chat_template = folder.chat_template();
  return out;
}

TokenizerFile read_bert_folder(const fs::path& dir) {
  Folder folder(dir);
  if (!folder.is({"", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer",
                  "ConvBertTokenizer", "MobileBertTokenizer", "LxmertTokenizer",
                  "SqueezeBertTokenizer", "PreTrainedTokenizer"}))
    throw unsupported("beside vocab.txt, the tokenizer class", folder.kind(),
                      "BertTokenizer, DistilBertTokenizer, ElectraTokenizer, ConvBertTokenizer, "
                      "MobileBertTokenizer, LxmertTokenizer, SqueezeBertTokenizer");
  const std::string text = folder.file("vocab.txt");
  if (!is_valid_utf8(text)) throw malformed("vocab.txt is no UTF-8");
  std::map<TokenId, std::string> tokens;
  std::map<std::string, TokenId, std::less<>> last;
  TokenId id = 0;
  for (size_t at = 0; at < text.size(); ++id) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (id > kLargestId) throw malformed("vocab.txt has too many tokens");
    if (line.ends_with('\r')) line.pop_back();
    // Said twice: the last counts, as in transformers.
    if (const auto [place, is_new] = last.try_emplace(line, id); !is_new) {
      tokens.erase(place->second);
      place->second = id;
    }
    tokens[id] = std::move(line);
  }
  if (tokens.empty()) throw malformed("vocab.txt has no tokens");
  folder.set_vocabulary(std::move(tokens));
  folder.read_added();
  TokenizerFile out{.format = "vocab.txt", .path = dir / "vocab.txt"};
  out.document = empty_document();
  const auto unk = folder.role("unk_token", "[UNK]"), sep = folder.role("sep_token", "[SEP]"),
             pad = folder.role("pad_token", "[PAD]"), cls = folder.role("cls_token", "[CLS]");
  folder.role("mask_token", "[MASK]");
  if (!unk || !cls || !sep) throw malformed("there is no unk_token, cls_token or sep_token");
  out.document["normalizer"] = {
      {"type", "BertNormalizer"},
      {"clean_text", true},
      {"handle_chinese_chars", folder.flag("tokenize_chinese_chars", true)},
      {"strip_accents", folder.flag_or_null("strip_accents")},
      {"lowercase", folder.flag("do_lower_case", true)}};
  out.document["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  out.document["post_processor"] = template_processor({*cls}, {*sep});
  out.document["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  out.document["added_tokens"] = folder.added();
  out.document["model"] = {{"type", "WordPiece"},
                           {"unk_token", unk->token},
                           {"continuing_subword_prefix", "##"},
                           {"max_input_chars_per_word", 100},
                           {"vocab", folder.vocabulary()}};
  out.made_of = fmt::format("WordPiece, {} tokens", folder.size());
  out.roles = {.pad = id_of(pad), .unk = unk->id};
  out.chat_template = folder.chat_template();
  return out;
}

}  // namespace helio::text
