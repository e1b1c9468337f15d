#include "text/tokenizer/bpe_model.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/syllables.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr const char* kOf = "the BPE model";
constexpr char32_t kWordMark = 0x2581;  // SentencePiece's mark of a word's beginning

std::string affix(const Json& model, const char* key) {
  const auto found = model.find(key);
  if (found == model.end() || found->is_null()) return "";
  return text_member(model, key, kOf);
}

// One merge by its ids.
struct Found {
  TokenId left = 0, right = 0, both = 0;
};

}  // namespace

BpeModel::BpeModel(const Json& json, Alphabet alphabet, const ModelLists* lists)
    : alphabet_(alphabet) {
  if (const auto dropout = json.find("dropout"); dropout != json.end() && !dropout->is_null())
    if (!dropout->is_number() || dropout->get<double>() != 0)
      throw unsupported("the BPE model's option", "dropout", "models without it");
  prefix_ = affix(json, "continuing_subword_prefix");
  suffix_ = affix(json, "end_of_word_suffix");
  byte_fallback_ = flag_member(json, "byte_fallback", kOf, false);
  fuse_unknown_ = flag_member(json, "fuse_unk", kOf, false);
  ignore_merges_ = flag_member(json, "ignore_merges", kOf, false);
  if (const auto unknown = json.find("unk_token"); unknown != json.end() && !unknown->is_null())
    unknown_ = text_member(json, "unk_token", kOf);
  // Bytes that spell an affix or a character have no letter.
  if (!prefix_.empty() || !suffix_.empty() || byte_fallback_) alphabet_ = Alphabet::characters;
  if (lists) vocabulary_.set(lists->tokens);
  else vocabulary_.read(member(json, "vocab", kOf));
  if (alphabet_ == Alphabet::bytes) find_byte_ids();
  read_merges(lists ? lists->merges : read_merge_entries(member(json, "merges", kOf)), json);
  if (alphabet_ == Alphabet::characters) prepare_characters();
  pairs_ = {};
}

BpeModel::~BpeModel() = default;

void BpeModel::find_byte_ids() {
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string letter;
    append_utf8(letter, byte_letters()[byte]);
    byte_ids_[byte] = id_of(letter).value_or(-1);
  }
}

// `pairs`: at least all merges of two letters.
void BpeModel::find_byte_pairs(const std::vector<std::pair<TokenId, TokenId>>& pairs) {
  byte_pair_ranks_.assign(1 << 16, MergeTable::kNone);
  std::unordered_map<TokenId, size_t> byte_of;
  for (size_t byte = 0; byte < 256; ++byte) byte_of.emplace(byte_ids_[byte], byte);
  for (const auto& [left, right] : pairs) {
    const auto first = byte_of.find(left), second = byte_of.find(right);
    if (first != byte_of.end() && second != byte_of.end())
      byte_pair_ranks_[(first->second << 8) | second->second] = merges_.rank(left, right);
  }
}

void BpeModel::prepare_characters() {
  byte_tokens_ = vocabulary_.byte_tokens();
  if (prefix_.empty() && suffix_.empty()) {
    vocabulary_.for_each([&](std::string_view token, TokenId id) {
      if (token.empty()) return;
      const auto point = decode_utf8(token, 0);
      if (point.size != token.size()) return;
      if (character_ids_.size() <= point.value) character_ids_.resize(point.value + 1, -1);
      character_ids_[point.value] = id;
    });
    if (!ignore_merges_) find_cuts();
  }
}

// A merge over a place of the text joins a token that ends in the character before it to one that
// begins with the character behind it. Where no rule does that, both sides may be merged alone.
void BpeModel::find_cuts() {
  cuts_ = character_ids_.size() > kWordMark && character_ids_[kWordMark] >= 0;
  const auto unknown = unknown_ ? id_of(*unknown_) : std::nullopt;
  for (const auto& [left, right] : pairs_) {
    const std::string_view before = *token(left), behind = *token(right);
    if (behind.empty() || decode_utf8(behind, 0).value != kWordMark) continue;
    // These stand for other text than their own.
    if (before.empty() || left == unknown || byte_of_token(before)) cuts_ = false;
    if (!cuts_) return;
    size_t last = before.size() - 1;
    while (last > 0 && (static_cast<uint8_t>(before[last]) & 0xC0) == 0x80) --last;
    joined_.push_back(decode_utf8(before, last).value);
  }
  std::sort(joined_.begin(), joined_.end());
  joined_.erase(std::unique(joined_.begin(), joined_.end()), joined_.end());
}

void BpeModel::read_merges(const MergeEntries& entries, const Json& json) {
  // HF gives each merge a rank of its own. With "one_rank" all merges that stand together and make
  // one token share one: so it is in formats that say tokens and not merges. With "ranks" it is
  // said for each merge, and equal ranks may make different tokens (SentencePiece's equal scores).
  const bool one_rank = flag_member(json, "one_rank", kOf, false);
  const auto ranks = json.find("ranks");
  if (ranks != json.end() && (!ranks->is_array() || ranks->size() != entries.size()))
    throw malformed("'ranks' must be a list with a number for each merge");
  const auto shares_rank = [&](size_t i, TokenId both, TokenId last) {
    if (i == 0) return false;
    return ranks != json.end() ? (*ranks)[i] == (*ranks)[i - 1] : one_rank && both == last;
  };
  std::vector<Found> tied;  // the merges of the present rank
  bool by_pair = false;     // they make several tokens
  if (entries.size() > MergeTable::kMostMerges)
    throw malformed("the model has more than " + std::to_string(MergeTable::kMostMerges) +
                    " merges");
  merges_.reserve(entries.size());
  pairs_.reserve(entries.size());
  // In steps: the tables' lines are fetched for some merges at once before they are read.
  constexpr size_t kStep = 32;
  struct Pending {
    uint64_t left = 0, right = 0;  // hashes
    TokenId left_id = -1, right_id = -1;
  };
  std::array<Pending, kStep> pending;
  std::array<Found, kStep> found;
  std::vector<std::pair<TokenId, TokenId>> letters;  // merges of two, and a few others
  std::string becomes;
  TokenId last = -1;
  for (size_t begin = 0; begin < entries.size(); begin += kStep) {
    const size_t count = std::min(kStep, entries.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      const auto& [left, right] = entries[begin + i];
      if (right.size() < prefix_.size())
        throw malformed("merge " + std::to_string(begin + i) + ": '" + std::string(right) +
                        "' lacks the prefix of tokens that continue a word");
      pending[i] = {hash_text(left), hash_text(right)};
      vocabulary_.prefetch_slot(pending[i].left);
      vocabulary_.prefetch_slot(pending[i].right);
    }
    for (size_t i = 0; i < count; ++i) {
      auto& next = pending[i];
      vocabulary_.prefetch_token(next.left_id = vocabulary_.probable(next.left));
      vocabulary_.prefetch_token(next.right_id = vocabulary_.probable(next.right));
    }
    for (size_t i = 0; i < count; ++i) {
      vocabulary_.prefetch_text(pending[i].left_id);
      vocabulary_.prefetch_text(pending[i].right_id);
    }
    for (size_t i = 0; i < count; ++i) {
      const auto need = [&](std::string_view token, uint64_t hash, TokenId probable) {
        const TokenId id =
            vocabulary_.is(probable, token) ? probable : vocabulary_.find(token, hash);
        if (id < 0)
          throw malformed("merge " + std::to_string(begin + i) + " needs '" + std::string(token) +
                          "', which is not in the vocabulary");
        return id;
      };
      const auto& next = pending[i];
      const auto& [left, right] = entries[begin + i];
      found[i] = {need(left, next.left, next.left_id), need(right, next.right, next.right_id)};
      // Most files tell merges in the order of what they make, often in several ways.
      const std::string_view behind = right.substr(prefix_.size());
      if (vocabulary_.is(last + 1, left, behind)) {
        ++last;
      } else if (!vocabulary_.is(last, left, behind)) {
        becomes.assign(left).append(behind);
        last = need(becomes, hash_text(becomes), -1);
      }
      found[i].both = last;
      merges_.prefetch(found[i].left, found[i].right);
      if (left.size() <= 2 && right.size() <= 2)
        letters.emplace_back(found[i].left, found[i].right);
    }
    for (size_t i = 0; i < count; ++i) {
      const auto& [left, right, both] = found[i];
      const bool shares = shares_rank(begin + i, both, tied.empty() ? -1 : tied.back().both);
      if (!shares) {
        tied.clear();
        by_pair = false;
        merges_.add(left, right, both);
      }
      tied.push_back(found[i]);
      if (shares && !by_pair && both == tied.front().both) {
        merges_.add_way(left, right);
      } else if (shares) {
        const size_t from = by_pair ? tied.size() - 1 : 0;
        for (const auto& one : std::span(tied).subspan(from))
          merges_.add_by_pair(one.left, one.right, one.both);
        by_pair = true;
      }
      if (alphabet_ == Alphabet::characters) pairs_.emplace_back(found[i].left, found[i].right);
    }
  }
  if (alphabet_ == Alphabet::bytes) find_byte_pairs(letters);
}

}  // namespace helio::text
