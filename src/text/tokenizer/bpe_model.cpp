#include "text/tokenizer/bpe_model.h"

#include "text/tokenizer/bpe_scratch.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr const char* kOf = "the BPE model";

void refuse_unless_empty(const Json& model, const char* key) {
  const auto found = model.find(key);
  if (found == model.end() || found->is_null() || *found == "") return;
  throw unsupported("the BPE model's option", key, "models without it");
}

// One merge rule: ["a", "b"], or "a b" as older files have it.
struct Rule {
  std::string left = {}, right = {};
};

Rule read_rule(const Json& json, size_t rank) {
  const auto bad = [&] {
    return malformed("merge " + std::to_string(rank) + " is no pair of tokens");
  };
  if (json.is_array()) {
    if (json.size() != 2 || !json[0].is_string() || !json[1].is_string()) throw bad();
    return {json[0].get<std::string>(), json[1].get<std::string>()};
  }
  if (!json.is_string()) throw bad();
  const auto& text = json.get_ref<const std::string&>();
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) throw bad();
  return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

void MergeTable::reserve(size_t merges) {
  size_t size = 16;
  int bits = 4;
  for (; size < merges * 2; size *= 2) ++bits;
  slots_.assign(size, Entry{});
  mask_ = size - 1;
  shift_ = 64 - bits;
}

void MergeTable::set(TokenId left, TokenId right, uint32_t rank, TokenId id) {
  const uint64_t pair = key(left, right);
  size_t i = place(pair);
  while (slots_[i].pair != kNone && slots_[i].pair != pair) i = (i + 1) & mask_;
  slots_[i] = {pair, rank, id};
}

BpeModel::BpeModel(const Json& json) {
  const std::string type = json.is_object() && json.contains("type")
                               ? text_member(json, "type", kOf)
                           : json.is_object() && json.contains("merges") ? "BPE"
                                                                         : "without type";
  if (type != "BPE") throw unsupported("model", type, "BPE");
  if (const auto dropout = json.find("dropout"); dropout != json.end() && !dropout->is_null())
    if (!dropout->is_number() || dropout->get<double>() != 0)
      throw unsupported("the BPE model's option", "dropout", "models without it");
  refuse_unless_empty(json, "continuing_subword_prefix");
  refuse_unless_empty(json, "end_of_word_suffix");
  if (flag_member(json, "byte_fallback", kOf, false))
    throw unsupported("the BPE model's option", "byte_fallback", "models without it");
  fuse_unknown_ = flag_member(json, "fuse_unk", kOf, false);
  read_vocabulary(json);
  read_merges(json);
  if (const auto unknown = json.find("unk_token"); unknown != json.end() && !unknown->is_null()) {
    const auto id = id_of(text_member(json, "unk_token", kOf));
    if (!id) throw malformed("the unknown token is not in the vocabulary");
    unknown_ = *id;
  }
}

BpeModel::~BpeModel() = default;

void BpeModel::read_vocabulary(const Json& json) {
  const Json& vocabulary = member(json, "vocab", kOf);
  if (!vocabulary.is_object())
    throw malformed("the vocabulary must be an object of tokens and ids");
  int64_t largest = -1;
  for (const auto& [token, id] : vocabulary.items())
    largest = std::max<int64_t>(largest, read_id(id, "token '" + token + "'"));
  // Tables are indexed by ids: a few far ones must not make them huge.
  const auto entries = static_cast<int64_t>(vocabulary.size());
  if (largest >= std::max<int64_t>(1 << 16, 16 * entries))
    throw malformed("the vocabulary has " + std::to_string(entries) + " tokens, but an id of " +
                    std::to_string(largest));
  tokens_.resize(static_cast<size_t>(largest + 1));
  ids_.reserve(vocabulary.size());
  for (const auto& [token, json_id] : vocabulary.items()) {
    const auto id = json_id.get<TokenId>();
    auto& place = tokens_[static_cast<size_t>(id)];
    if (place)
      throw malformed("tokens '" + *place + "' and '" + token + "' have the same id " +
                      std::to_string(id));
    place = token;
    ids_.emplace(*place, id);
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string letter;
    append_utf8(letter, byte_letters()[byte]);
    byte_ids_[byte] = id_of(letter).value_or(-1);
  }
  if (flag_member(json, "ignore_merges", kOf, false))
    for (const auto& [token, id] : ids_)
      if (auto bytes = from_byte_letters(token)) whole_words_.emplace(std::move(*bytes), id);
}

void BpeModel::read_merges(const Json& json) {
  const Json& list = member(json, "merges", kOf);
  if (!list.is_array()) throw malformed("the merges must be a list");
  merges_.reserve(list.size());
  uint32_t rank = 0;
  for (const auto& item : list) {
    if (item.is_string() && item.get_ref<const std::string&>().starts_with("#version")) continue;
    const Rule rule = read_rule(item, rank);
    const auto need = [&](const std::string& token) {
      const auto id = id_of(token);
      if (!id)
        throw malformed("merge " + std::to_string(rank) + " needs '" + token +
                        "', which is not in the vocabulary");
      return *id;
    };
    const TokenId left = need(rule.left), right = need(rule.right);
    merges_.set(left, right, rank, need(rule.left + rule.right));
    ++rank;
  }
}

std::optional<TokenId> BpeModel::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string* BpeModel::token(TokenId id) const {
  if (id < 0 || static_cast<size_t>(id) >= tokens_.size()) return nullptr;
  const auto& token = tokens_[static_cast<size_t>(id)];
  return token ? &*token : nullptr;
}

std::unique_ptr<BpeModel::Scratch> BpeModel::make_scratch() { return std::make_unique<Scratch>(); }

void BpeModel::encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const {
  if (piece.empty()) return;
  auto* const slot = scratch.cache.slot(piece);
  if (slot && slot->holds(piece)) {
    out.insert(out.end(), slot->ids, slot->ids + slot->count);
    return;
  }
  const auto whole =
      whole_words_.empty() ? whole_words_.end() : whole_words_.find(std::string(piece));
  if (whole != whole_words_.end()) {
    scratch.ids.assign(1, whole->second);
  } else {
    scratch.ids.clear();
    for (const char c : piece) {
      const TokenId id = byte_ids_[static_cast<uint8_t>(c)];
      if (id >= 0) scratch.ids.push_back(id);
      else if (unknown_ >= 0 && !(fuse_unknown_ && scratch.last_unknown))
        scratch.ids.push_back(unknown_);
      scratch.last_unknown = id < 0;
    }
    scratch.last_unknown = false;
    merge_all(merges_, scratch);
  }
  if (slot) slot->keep(piece, scratch.ids);
  out.insert(out.end(), scratch.ids.begin(), scratch.ids.end());
}

}  // namespace helio::text
