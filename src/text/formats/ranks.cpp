#include "text/formats/ranks.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "text/formats/document.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/piece_cuts.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Tokens = std::vector<std::pair<std::string, TokenId>>;

struct Merge {
  std::string_view left = {}, right = {};
  uint32_t rank = 0;
  TokenId left_id = 0, right_id = 0;
};

// Every way to make each token out of two others, by rank; HF's order among equals.
std::vector<Merge> merges_of(const Tokens& tokens,
                             const std::unordered_map<std::string_view, TokenId>& ids) {
  std::vector<std::string_view> texts;
  texts.reserve(tokens.size());
  for (const auto& [bytes, id] : tokens) texts.push_back(bytes);
  const PieceCuts cuts(texts);
  std::vector<Merge> merges;
  std::vector<bool> begins, ends;
  for (size_t rank = 0; rank < texts.size(); ++rank) {
    const std::string_view token = texts[rank];
    cuts.mark(token, begins, ends);
    const size_t first = merges.size();
    for (size_t cut = 1; cut < token.size(); ++cut) {
      if (!begins[cut] || !ends[cut]) continue;
      const auto left = token.substr(0, cut), right = token.substr(cut);
      merges.push_back({left, right, static_cast<uint32_t>(rank), ids.at(left), ids.at(right)});
    }
    std::sort(merges.begin() + static_cast<std::ptrdiff_t>(first), merges.end(),
              [](const Merge& a, const Merge& b) {
                return std::pair(a.left_id, a.right_id) < std::pair(b.left_id, b.right_id);
              });
  }
  return merges;
}

void check(const RankedVocabulary& vocabulary, std::unordered_map<std::string_view, TokenId>& ids) {
  ids.reserve(vocabulary.tokens.size());
  for (const auto& [bytes, id] : vocabulary.tokens) {
    if (bytes.empty()) throw malformed("the token of id " + std::to_string(id) + " is empty");
    if (!ids.emplace(bytes, id).second)
      throw malformed("the token of id " + std::to_string(id) + " is there twice");
  }
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (!ids.contains(std::string_view(&c, 1)))
      throw malformed("byte " + std::to_string(byte) + " is no token")
          .with_hint("every single byte must be one");
  }
}

}  // namespace

OrderedJson ranked_document(const RankedVocabulary& vocabulary) {
  std::unordered_map<std::string_view, TokenId> ids;
  check(vocabulary, ids);
  std::vector<std::pair<std::string, TokenId>> entries;  // by id
  for (const auto& [bytes, id] : vocabulary.tokens)
    entries.emplace_back(to_byte_letters(bytes), id);
  OrderedJson document = empty_document();
  auto specials = vocabulary.specials;
  std::sort(specials.begin(), specials.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  for (const auto& [content, id] : specials) {
    if (!is_valid_utf8(content)) throw malformed("a special token is no UTF-8");
    entries.emplace_back(content, id);
    document["added_tokens"].push_back(added_token(id, content, Special::yes));
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  std::unordered_set<std::string_view> names;
  OrderedJson object = OrderedJson::object(), merges = OrderedJson::array();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0 && entries[i].second == entries[i - 1].second)
      throw malformed("tokens '" + entries[i - 1].first + "' and '" + entries[i].first +
                      "' have the same id " + std::to_string(entries[i].second));
    if (!names.insert(entries[i].first).second)
      throw malformed("'" + entries[i].first + "' is a token and a special token");
    append_member(object, entries[i].first, json_id(entries[i].second));
  }
  for (const auto& merge : merges_of(vocabulary.tokens, ids)) {
    merges.push_back({to_byte_letters(merge.left), to_byte_letters(merge.right)});
  }
  if (!vocabulary.normal_form.empty()) document["normalizer"] = {{"type", vocabulary.normal_form}};
  const auto byte_level = [](bool trim, bool regex) -> OrderedJson {
    return {{"type", "ByteLevel"},
            {"add_prefix_space", false},
            {"trim_offsets", trim},
            {"use_regex", regex}};
  };
  document["pre_tokenizer"] = {{"type", "Sequence"},
                               {"pretokenizers",
                                {{{"type", "Split"},
                                  {"pattern", {{"Regex", vocabulary.pattern}}},
                                  {"behavior", "Isolated"},
                                  {"invert", false}},
                                 byte_level(true, false)}}};
  document["post_processor"] = byte_level(false, true);
  document["decoder"] = byte_level(true, true);
  document["model"] = {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", true},
                       {"vocab", std::move(object)},
                       {"merges", std::move(merges)},
                       {"one_rank", true}};
  return document;
}

OrderedJson without_ranks(OrderedJson document) {
  document["model"].erase("one_rank");
  return document;
}

std::string from_base64(std::string_view text, const std::string& of) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  size_t padding = 0;
  const auto bad = [&] { return malformed(of + " is no base64"); };
  if (text.size() % 4 != 0) throw bad();
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z') value = static_cast<uint32_t>(c - 'a') + 26;
    else if (c >= '0' && c <= '9') value = static_cast<uint32_t>(c - '0') + 52;
    else if (c == '+') value = 62;
    else if (c == '/') value = 63;
    else if (c == '=' && padding < 2) {
      ++padding;
      continue;
    } else throw bad();
    if (padding > 0) throw bad();
    bits = (bits << 6) | value;
    if ((held += 6) >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((bits >> held) & 0xFF));
    }
  }
  return out;
}

TokenizerFile read_tekken(const Json& json) {
  const Json& config = member(json, "config", "tekken.json");
  const Json& vocab = member(json, "vocab", "tekken.json");
  if (!vocab.is_array()) throw malformed("tekken.json: 'vocab' must be a list");
  const auto count = [&](const char* key, size_t missing) -> size_t {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) return missing;
    return static_cast<size_t>(read_id(*found, std::string("tekken.json: ") + key));
  };
  RankedVocabulary vocabulary;
  vocabulary.pattern = text_member(config, "pattern", "tekken.json's config");

  std::vector<std::string> specials;
  if (const auto list = json.find("special_tokens"); list != json.end() && !list->is_null()) {
    if (!list->is_array()) throw malformed("tekken.json: 'special_tokens' must be a list");
    specials.resize(list->size());
    for (const auto& item : *list) {
      const auto rank =
          static_cast<size_t>(read_id(member(item, "rank", "a special token"), "rank"));
      if (rank >= specials.size() || !specials[rank].empty())
        throw malformed("tekken.json: ranks of special tokens must be 0, 1, 2 ...");
      specials[rank] = text_member(item, "token_str", "a special token");
    }
  } else {
    // Files before "special_tokens": mistral-common's list of that time.
    specials = {"<unk>",
                "<s>",
                "</s>",
                "[INST]",
                "[/INST]",
                "[AVAILABLE_TOOLS]",
                "[/AVAILABLE_TOOLS]",
                "[TOOL_RESULTS]",
                "[/TOOL_RESULTS]",
                "[TOOL_CALLS]",
                "[IMG]",
                "<pad>",
                "[IMG_BREAK]",
                "[IMG_END]",
                "[PREFIX]",
                "[MIDDLE]",
                "[SUFFIX]",
                "[SYSTEM_PROMPT]",
                "[/SYSTEM_PROMPT]",
                "[TOOL_CONTENT]"};
  }
  const size_t reserved = count("default_num_special_tokens", specials.size());
  if (reserved < specials.size())
    throw malformed("tekken.json has more special tokens than default_num_special_tokens says");
  const size_t size = count("default_vocab_size", reserved + vocab.size());
  if (size < reserved || size - reserved > vocab.size() || size > static_cast<size_t>(kLargestId))
    throw malformed("tekken.json's default_vocab_size does not fit its tokens");
  for (size_t i = specials.size(); i < reserved; ++i)
    specials.push_back("<SPECIAL_" + std::to_string(i) + ">");
  for (size_t i = 0; i < specials.size(); ++i)
    vocabulary.specials.emplace_back(specials[i], static_cast<TokenId>(i));
  for (size_t rank = 0; rank < size - reserved; ++rank) {
    const std::string of = "token " + std::to_string(rank);
    if (static_cast<size_t>(read_id(member(vocab[rank], "rank", of), of)) != rank)
      throw malformed("tekken.json: ranks must be 0, 1, 2 ... in order");
    vocabulary.tokens.emplace_back(from_base64(text_member(vocab[rank], "token_bytes", of), of),
                                   static_cast<TokenId>(reserved + rank));
  }
  TokenizerFile out{.format = "tekken"};
  out.made_of = std::to_string(vocabulary.tokens.size()) + " tokens, " + std::to_string(reserved) +
                " special";
  out.document = ranked_document(vocabulary);
  const auto role = [&](const char* name) -> std::optional<TokenId> {
    const auto found = std::find(specials.begin(), specials.end(), name);
    if (found == specials.end()) return std::nullopt;
    return static_cast<TokenId>(found - specials.begin());
  };
  out.roles = {.bos = role("<s>"), .eos = role("</s>"), .pad = role("<pad>"), .unk = role("<unk>")};
  return out;
}

}  // namespace helio::text
