#include "text/formats/sentencepiece_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "text/formats/document.h"
#include "text/tokenizer/sentencepiece_model.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Type = SentencePiece::Type;
constexpr const char* kMark = "\u2581";

// Spaces at both ends, with look-around for the ends of the text: $ and ^ are those of lines.
constexpr const char* kTrim = R"((?<!\s|\S) +| +(?!\s|\S))";
constexpr const char* kTrimMarked = "(?<!\\s|\\S) +|[ \u2581]+(?!\\s|\\S)";

OrderedJson replace(const char* what, OrderedJson pattern, const char* by) {
  return {{"type", "Replace"}, {"pattern", {{what, std::move(pattern)}}}, {"content", by}};
}

OrderedJson decoder(const SentencePieceFile& file) {
  OrderedJson steps = OrderedJson::array();
  if (file.normalizer.escape_whitespaces) steps.push_back(replace("String", kMark, " "));
  if (file.byte_fallback) steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  // Where the library takes spaces away at the beginning it does so however many there are.
  const bool all = file.normalizer.remove_extra_whitespaces;
  if (all || file.normalizer.add_dummy_prefix)
    steps.push_back(
        {{"type", "Strip"}, {"content", " "}, {"start", all ? 1 << 20 : 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

std::optional<TokenId> role(const SentencePieceFile& file, int64_t id) {
  if (id < 0 || static_cast<size_t>(id) >= file.pieces.size()) return std::nullopt;
  const Type type = file.pieces[static_cast<size_t>(id)].type;
  if (type != Type::control && type != Type::unknown && type != Type::user_defined)
    return std::nullopt;
  return static_cast<TokenId>(id);
}

struct Pieces {
  struct Piece {
    std::string text = {};
    float score = 0;
    Type type = Type::normal;
  };
  std::vector<Piece> all = {};
  std::vector<std::string> texts = {};
  size_t unknown = 0;

  explicit Pieces(const OrderedJson& model) {
    for (const auto& item : model.at("pieces")) {
      all.push_back({item[0], item[1].get<float>(), static_cast<Type>(item[2].get<int>())});
      texts.push_back(all.back().text);
      if (all.back().type == Type::unknown) unknown = all.size() - 1;
    }
  }
  std::vector<ScoredPiece> scored() const {
    std::vector<ScoredPiece> out;
    for (const auto& piece : all)
      if (piece.type == Type::normal) out.push_back({piece.text, piece.score});
    return out;
  }
};

OrderedJson standard_unigram(const Pieces& pieces, bool byte_fallback) {
  OrderedJson vocabulary = OrderedJson::array();
  for (const auto& piece : pieces.all) vocabulary.push_back({piece.text, piece.score});
  return {{"type", "Unigram"},
          {"unk_id", pieces.unknown},
          {"vocab", std::move(vocabulary)},
          {"byte_fallback", byte_fallback}};
}

OrderedJson standard_bpe(const Pieces& pieces, bool byte_fallback, bool merged) {
  OrderedJson merges = OrderedJson::array();
  if (merged) {
    const std::unordered_set<std::string_view> known(pieces.texts.begin(), pieces.texts.end());
    const auto scored = pieces.scored();
    auto rules = merges_by_score(scored);
    // Equal scores: the longer left side first, then the longer right side, as transformers'
    // converter has them. For runs of spaces that gives SentencePiece's cuts; where it does not,
    // the comparison after writing says so.
    std::stable_sort(rules.begin(), rules.end(), [](const ScoredMerge& a, const ScoredMerge& b) {
      if (score_before(a.score, b.score) || score_before(b.score, a.score))
        return score_before(b.score, a.score);
      const auto size = [](std::string_view text) { return count_code_points(text); };
      return std::pair(size(a.left), size(a.right)) > std::pair(size(b.left), size(b.right));
    });
    for (const auto& [left, right, score] : rules) {
      for (const auto side : {left, right})
        if (!known.contains(side))
          throw malformed(
              fmt::format("piece '{}{}' is made of '{}', which is no piece", left, right, side))
              .with_hint("tokenizer.json has no such merges");
      merges.push_back({left, right});
    }
  }
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", pieces.all[pieces.unknown].text},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", true},
          {"byte_fallback", byte_fallback},
          {"ignore_merges", false},
          {"vocab", vocabulary_object(pieces.texts)},
          {"merges", std::move(merges)}};
}

OrderedJson standard_normalizer(const OrderedJson& own) {
  OrderedJson steps = OrderedJson::array();
  if (!own.at("precompiled_charsmap").is_null())
    steps.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", own.at("precompiled_charsmap")}});
  const bool trims = own.at("remove_extra_whitespaces"), prefix = own.at("add_dummy_prefix"),
             marks = own.at("escape_whitespaces");
  if (trims) {
    steps.push_back(replace("Regex", marks ? kTrimMarked : kTrim, ""));
    steps.push_back(replace("Regex", " {2,}", " "));
  }
  if (prefix) steps.push_back({{"type", "Prepend"}, {"prepend", marks ? kMark : " "}});
  if (marks) steps.push_back(replace("String", " ", kMark));
  if (steps.empty()) return nullptr;
  return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

}  // namespace

TokenizerFile sentencepiece_document(const SentencePieceFile& file) {
  TokenizerFile out{.format = "SentencePiece"};
  out.document = empty_document();
  OrderedJson pieces = OrderedJson::array(), user_defined = OrderedJson::array();
  for (size_t id = 0; id < file.pieces.size(); ++id) {
    const auto& [text, score, type] = file.pieces[id];
    pieces.push_back({text, score, static_cast<unsigned>(type)});
    if (type == Type::user_defined) user_defined.push_back(text);
    if (type == Type::control || type == Type::unknown)
      out.document["added_tokens"].push_back(
          added_token(static_cast<TokenId>(id), text, Special::yes));
  }
  const auto& spec = file.normalizer;
  out.made_of = fmt::format("{} model, {} pieces, {} user-defined, {}{}", name_of(file.algorithm),
                            file.pieces.size(), user_defined.size(),
                            spec.charsmap.empty() ? "no normalisation"
                            : spec.name.empty()   ? "own normalisation"
                                                  : "normalisation " + spec.name,
                            file.byte_fallback ? ", byte fallback" : "");
  out.document["normalizer"] = {
      {"type", "SentencePiece"},
      {"precompiled_charsmap",
       spec.charsmap.empty() ? OrderedJson() : OrderedJson(to_base64(spec.charsmap))},
      {"add_dummy_prefix", spec.add_dummy_prefix},
      {"remove_extra_whitespaces", spec.remove_extra_whitespaces},
      {"escape_whitespaces", spec.escape_whitespaces},
      {"user_defined", std::move(user_defined)}};
  out.document["decoder"] = decoder(file);
  out.document["model"] = {{"type", "SentencePiece"},
                           {"algorithm", name_of(file.algorithm)},
                           {"byte_fallback", file.byte_fallback},
                           {"pieces", std::move(pieces)}};
  out.roles = {.bos = role(file, file.bos),
               .eos = role(file, file.eos),
               .pad = role(file, file.pad),
               .unk = static_cast<TokenId>(file.unknown_id())};
  return out;
}

OrderedJson standard_sentencepiece(const OrderedJson& document) {
  OrderedJson out = document;
  const OrderedJson& model = document.at("model");
  const Pieces pieces(model);
  const std::string algorithm = model.at("algorithm");
  const bool byte_fallback = model.at("byte_fallback");
  if (algorithm == "word")
    throw unsupported("as tokenizer.json, SentencePiece's model type", algorithm,
                      "unigram, bpe and char models");
  out["normalizer"] = standard_normalizer(document.at("normalizer"));
  // Symbols defined by users are found in the text that was normalised.
  for (size_t id = 0; id < pieces.all.size(); ++id) {
    if (pieces.all[id].type != Type::user_defined) continue;
    if (document.at("normalizer").at("add_dummy_prefix"))
      throw malformed("the model puts a space before a text and has the user-defined symbol '" +
                      pieces.texts[id] + "'")
          .with_hint("in a tokenizer.json the space would stand behind each such symbol");
    auto token = added_token(static_cast<TokenId>(id), pieces.texts[id], Special::no);
    token["normalized"] = true;
    out["added_tokens"].push_back(std::move(token));
  }
  std::sort(out["added_tokens"].begin(), out["added_tokens"].end(),
            [](const auto& a, const auto& b) { return a["id"] < b["id"]; });
  out["model"] = algorithm == "unigram" ? standard_unigram(pieces, byte_fallback)
                                        : standard_bpe(pieces, byte_fallback, algorithm == "bpe");
  return out;
}

}  // namespace helio::text
