#include "text/formats/ranks_write.h"

#include <algorithm>
#include <unordered_set>

#include "text/formats/document.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

Error no_word(const std::string& what) {
  return malformed("a file of tiktoken ranks cannot say: " + what);
}

bool is_byte_level(const OrderedJson& step, bool regex) {
  return step.value("type", "") == "ByteLevel" && step.value("use_regex", true) == regex &&
         !step.value("add_prefix_space", true);
}

std::string pattern_of(const OrderedJson& json) {
  if (json.is_object() && is_byte_level(json, true)) return std::string(kGpt2Pattern);
  if (json.is_object() && json.value("type", "") == "Sequence") {
    const auto& steps = json.at("pretokenizers");
    if (steps.size() == 2 && is_byte_level(steps[1], false)) {
      const auto& split = steps[0];
      if (split.value("type", "") == "Split" && split.value("behavior", "") == "Isolated" &&
          !split.value("invert", false) && split.at("pattern").contains("Regex"))
        return split.at("pattern").at("Regex").get<std::string>();
    }
  }
  throw no_word("the pre-tokenizer " + compact(json));
}

}  // namespace

RankedVocabulary ranks_of(const OrderedJson& document) {
  RankedVocabulary out;
  const OrderedJson& model = document.at("model");
  if (model.value("type", "") != "BPE") throw no_word("a " + model.value("type", "") + " model");
  if (const auto normalizer = document.value("normalizer", OrderedJson()); !normalizer.is_null())
    throw no_word("the normaliser " + compact(normalizer));
  out.pattern = pattern_of(document.value("pre_tokenizer", OrderedJson()));
  std::unordered_set<std::string> added;
  for (const auto& token : document.value("added_tokens", OrderedJson::array())) {
    const std::string content = token.at("content");
    for (const char* flag : {"lstrip", "rstrip", "single_word"})
      if (token.value(flag, false)) throw no_word("added token '" + content + "' with " + flag);
    added.insert(content);
    out.specials.emplace_back(content, token.at("id").get<TokenId>());
  }
  for (const auto& [token, id] : model.at("vocab").items()) {
    if (added.contains(token)) continue;
    const auto bytes = from_byte_letters(token);
    if (!bytes) throw no_word("token '" + token + "', which is not written in byte letters");
    out.tokens.emplace_back(*bytes, id.get<TokenId>());
  }
  std::sort(out.tokens.begin(), out.tokens.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  return out;
}

std::string write_ranks(const RankedVocabulary& vocabulary) {
  std::string out;
  for (const auto& [bytes, rank] : vocabulary.tokens)
    out += to_base64(bytes) + " " + std::to_string(rank) + "\n";
  return out;
}

OrderedJson encoding_json(const RankedVocabulary& vocabulary) {
  auto sorted = vocabulary.specials;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  OrderedJson specials = OrderedJson::object();
  for (const auto& [token, id] : sorted) append_member(specials, token, json_id(id));
  return {{"pat_str", vocabulary.pattern}, {"special_tokens", std::move(specials)}};
}

}  // namespace helio::text
