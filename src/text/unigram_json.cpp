// The files of a trained Unigram tokenizer, laid out as HF tokenizers and transformers write them.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/fs.h"
#include "core/json.h"
#include "text/unigram_train.h"

namespace helio::text {
namespace {

OrderedJson metaspace() {
  return {
      {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
}

// The shortest decimal that reads back as the same number, always with a point or an exponent.
std::string number(double value) {
  std::array<char, 32> digits = {};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

OrderedJson normalizer_json(UnigramNormalizer normalizer) {
  if (normalizer == UnigramNormalizer::none) return nullptr;
  return {{"type", normalizer == UnigramNormalizer::nfc ? "NFC" : "NFKC"}};
}

// Where the special tokens begin: behind the unknown token, when that is none of them.
int64_t first_special(const TrainedUnigram& trained, const UnigramTrainOptions& options) {
  const auto& special = options.special_tokens;
  const bool behind = trained.unk_id && std::find(special.begin(), special.end(),
                                                  options.settings.unk) == special.end();
  return behind ? 1 : 0;
}

}  // namespace

WordCutter word_cutter(const UnigramTrainOptions& options) {
  // HF trains on the special tokens of a text as on any words.
  UnigramTrainOptions without = options;
  without.special_tokens.clear();
  TrainedUnigram nothing{.vocabulary = {{"<unk>", 0.0}}, .unk_id = 0};
  return WordCutter(parse_json(tokenizer_json(nothing, without), "the settings"));
}

std::string tokenizer_json(const TrainedUnigram& trained, const UnigramTrainOptions& options) {
  OrderedJson added = OrderedJson::array();
  for (const auto& token : options.special_tokens)
    added.push_back({{"id", first_special(trained, options) + static_cast<int64_t>(added.size())},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  constexpr std::string_view kHere = "\"vocabulary goes here\"";
  const OrderedJson json = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", normalizer_json(options.normalizer)},
      {"pre_tokenizer", metaspace()},
      {"post_processor", nullptr},
      {"decoder", metaspace()},
      {"model",
       {{"type", "Unigram"},
        {"unk_id", trained.unk_id ? OrderedJson(*trained.unk_id) : OrderedJson(nullptr)},
        {"vocab", "vocabulary goes here"},
        {"byte_fallback", false}}}};
  std::string text = pretty(json);
  text.pop_back();  // HF's file has no final newline
  std::string vocabulary = "[";
  for (const auto& [piece, score] : trained.vocabulary) {
    vocabulary += vocabulary.size() > 1 ? ",\n      [\n        " : "\n      [\n        ";
    vocabulary += compact(OrderedJson(piece));
    vocabulary += ",\n        " + number(score) + "\n      ]";
  }
  vocabulary += "\n    ]";
  return text.replace(text.rfind(kHere), kHere.size(), vocabulary);
}

void write_tokenizer_folder(const std::filesystem::path& dir, const TrainedUnigram& trained,
                            const UnigramTrainOptions& options, const TokenizerRoles& roles) {
  write_tokenizer_roles(dir, roles, options.special_tokens, first_special(trained, options),
                        options.settings.unk);
  write_file_atomic(dir / "tokenizer.json", tokenizer_json(trained, options));
}

}  // namespace helio::text
