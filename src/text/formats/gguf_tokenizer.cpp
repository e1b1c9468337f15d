#include "text/formats/gguf_tokenizer.h"

#include <fmt/format.h>

#include <unordered_set>

#include "core/error.h"
#include "text/formats/document.h"
#include "text/formats/sentencepiece_document.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Type = SentencePiece::Type;

const std::string kPrefix = "tokenizer.ggml.";

class Reader {
 public:
  explicit Reader(const GgufHeader& header) : header_(header) {
    const GgufValue* list = find("tokens");
    if (!list) throw malformed("the GGUF file has no " + kPrefix + "tokens");
    std::unordered_set<std::string_view> seen;
    for (const auto token : list->strings()) {
      // Where llama.cpp finds an empty token it names it so.
      tokens_.push_back(token.empty() ? fmt::format("[EMPTY_{}]", tokens_.size())
                                      : std::string(token));
      if (!is_valid_utf8(tokens_.back()))
        throw malformed(fmt::format("{}tokens: token {} is no UTF-8", kPrefix, tokens_.size() - 1));
    }
    if (tokens_.empty() || tokens_.size() > static_cast<size_t>(kLargestId))
      throw malformed(fmt::format("{}tokens has {} tokens", kPrefix, tokens_.size()));
    for (const auto& token : tokens_)
      if (!seen.insert(token).second)
        throw malformed("token '" + token + "' is there twice in " + kPrefix + "tokens");
    types_.assign(tokens_.size(), Type::normal);
    if (const GgufValue* types = find("token_type")) {
      const auto numbers = types->integers();
      if (numbers.size() != tokens_.size())
        throw malformed(kPrefix + "token_type does not have a type for each token");
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] < 1 || numbers[i] > 6)
          throw malformed(fmt::format("{}token_type: {} is no type", kPrefix, numbers[i]));
        types_[i] = static_cast<Type>(numbers[i]);
      }
    }
    out_.format = "GGUF";
    out_.roles = {.bos = id("bos_token_id"),
                  .eos = id("eos_token_id"),
                  .pad = id("padding_token_id"),
                  .unk = id("unknown_token_id")};
  }

  TokenizerFile run() {
    const std::string model = text("model", "");
    if (model == "gpt2") read_bpe();
    else if (model == "llama") read_sentencepiece(SentencePieceFile::Algorithm::bpe);
    else if (model == "t5") read_sentencepiece(SentencePieceFile::Algorithm::unigram);
    else if (model == "bert") read_bert();
    else throw unsupported("tokenizer.ggml.model", model, "gpt2, llama, t5, bert");
    if (const GgufValue* chat = header_.find("tokenizer.chat_template"))
      out_.chat_template = chat->string();
    return std::move(out_);
  }

 private:
  const GgufValue* find(const char* key) const { return header_.find(kPrefix + key); }
  std::string text(const char* key, const char* missing) const {
    const GgufValue* value = find(key);
    return value ? std::string(value->string()) : missing;
  }
  bool flag(const char* key, bool missing) const {
    const GgufValue* value = find(key);
    return value ? value->boolean() : missing;
  }
  std::optional<TokenId> id(const char* key) const {
    const GgufValue* value = find(key);
    if (!value) return std::nullopt;
    const int64_t number = value->integer();
    // llama.cpp takes an id of 2^32-1 and the like for none.
    if (number < 0 || static_cast<size_t>(number) >= tokens_.size()) return std::nullopt;
    return static_cast<TokenId>(number);
  }
  std::vector<NamedId> named(bool wanted, std::optional<TokenId> id) const {
    if (!wanted || !id) return {};
    return {{tokens_[static_cast<size_t>(*id)], *id}};
  }
  void add_tokens() {
    OrderedJson added = OrderedJson::array();
    for (size_t i = 0; i < tokens_.size(); ++i)
      if (types_[i] == Type::control || types_[i] == Type::user_defined ||
          types_[i] == Type::unknown)
        added.push_back(added_token(static_cast<TokenId>(i), tokens_[i],
                                    types_[i] == Type::user_defined ? Special::no : Special::yes));
    out_.document["added_tokens"] = std::move(added);
  }

  void read_bpe() {
    const std::string pre = text("pre", "default");
    const GgufSplit split = gguf_split(pre);
    OrderedJson merges = OrderedJson::array(), steps = OrderedJson::array();
    const GgufValue* list = find("merges");
    if (!list) throw malformed("the GGUF file has no " + kPrefix + "merges");
    for (const auto merge : list->strings()) {
      const size_t space = merge.find(' ', 1);
      if (space == std::string_view::npos || space + 1 == merge.size())
        throw malformed(fmt::format("{}merges: merge {} is no pair", kPrefix, merges.size()));
      merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
    }
    out_.document = empty_document();
    add_tokens();
    for (const auto& pattern : split.patterns)
      steps.push_back({{"type", "Split"},
                       {"pattern", {{"Regex", pattern}}},
                       {"behavior", "Isolated"},
                       {"invert", false}});
    const auto byte_level = [](bool trim, bool regex) -> OrderedJson {
      return {{"type", "ByteLevel"},
              {"add_prefix_space", false},
              {"trim_offsets", trim},
              {"use_regex", regex}};
    };
    steps.push_back(byte_level(true, false));
    out_.document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
    out_.document["decoder"] = byte_level(true, true);
    const bool sep = flag("add_sep_token", split.add_sep);
    const auto bos = split.add_sep && id("cls_token_id") ? id("cls_token_id") : out_.roles.bos,
               eos = sep && id("seperator_token_id") ? id("seperator_token_id") : out_.roles.eos;
    out_.document["post_processor"] =
        template_processor(named(flag("add_bos_token", split.add_bos || split.add_sep), bos),
                           named(sep || flag("add_eos_token", false), eos));
    out_.document["model"] = {{"type", "BPE"},
                              {"dropout", nullptr},
                              {"unk_token", nullptr},
                              {"continuing_subword_prefix", nullptr},
                              {"end_of_word_suffix", nullptr},
                              {"fuse_unk", false},
                              {"byte_fallback", false},
                              {"ignore_merges", split.ignore_merges},
                              {"vocab", vocabulary_object(tokens_)},
                              {"merges", std::move(merges)}};
    out_.made_of = fmt::format("gpt2 model, {} tokens, pre '{}'", tokens_.size(), pre);
  }

  void read_sentencepiece(SentencePieceFile::Algorithm algorithm) {
    SentencePieceFile file;
    file.algorithm = algorithm;
    std::vector<double> scores(tokens_.size(), 0);
    if (const GgufValue* value = find("scores")) scores = value->numbers();
    if (scores.size() != tokens_.size())
      throw malformed(kPrefix + "scores does not have a score for each token");
    size_t bytes = 0, unknown = 0;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      // Unused tokens fill a vocabulary up; no text is cut into them.
      const Type type = types_[i] == Type::unused ? Type::control : types_[i];
      file.pieces.push_back({tokens_[i], static_cast<float>(scores[i]), type});
      bytes += type == Type::byte;
      unknown += type == Type::unknown;
    }
    if (unknown == 0 && out_.roles.unk)
      file.pieces[static_cast<size_t>(*out_.roles.unk)].type = Type::unknown;
    file.byte_fallback = bytes == 256;
    auto& spec = file.normalizer;
    spec.add_dummy_prefix = flag("add_space_prefix", true);
    spec.remove_extra_whitespaces = flag("remove_extra_whitespaces", false);
    if (const GgufValue* map = find("precompiled_charsmap"))
      for (const int64_t byte : map->integers()) spec.charsmap += static_cast<char>(byte);
    const SpecialIds roles = out_.roles;
    out_ = sentencepiece_document(file);
    out_.format = "GGUF";
    out_.roles = roles;
    if (!out_.roles.unk) out_.roles.unk = static_cast<TokenId>(file.unknown_id());
    const bool llama = algorithm == SentencePieceFile::Algorithm::bpe;
    out_.document["post_processor"] =
        template_processor(named(flag("add_bos_token", llama), roles.bos),
                           named(flag("add_eos_token", !llama), roles.eos));
  }

  void read_bert() {
    // llama.cpp marks beginnings of words where WordPiece marks what continues them.
    constexpr std::string_view kMark = "\u2581";
    std::vector<std::string> tokens;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const auto& token = tokens_[i];
      if (types_[i] != Type::normal) tokens.push_back(token);
      else if (token.starts_with(kMark)) tokens.push_back(token.substr(kMark.size()));
      else if (token.starts_with("[unused") && token.ends_with(']')) tokens.push_back(token);
      else tokens.push_back("##" + token);
    }
    std::unordered_set<std::string_view> seen;
    for (const auto& token : tokens)
      if (!seen.insert(token).second) throw malformed("token '" + token + "' is there twice");
    if (!out_.roles.unk) throw malformed("the GGUF file has no " + kPrefix + "unknown_token_id");
    tokens_ = tokens;
    out_.document = empty_document();
    add_tokens();
    out_.document["normalizer"] = {{"type", "BertNormalizer"},
                                   {"clean_text", true},
                                   {"handle_chinese_chars", true},
                                   {"strip_accents", nullptr},
                                   {"lowercase", flag("normalizer.lowercase", true)}};
    out_.document["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    out_.document["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    const auto cls = id("cls_token_id") ? id("cls_token_id") : out_.roles.bos,
               sep = id("seperator_token_id") ? id("seperator_token_id") : out_.roles.eos;
    out_.document["post_processor"] = template_processor(named(flag("add_bos_token", true), cls),
                                                         named(flag("add_sep_token", true), sep));
    out_.document["model"] = {{"type", "WordPiece"},
                              {"unk_token", tokens_[static_cast<size_t>(*out_.roles.unk)]},
                              {"continuing_subword_prefix", "##"},
                              {"max_input_chars_per_word", 100},
                              {"vocab", vocabulary_object(tokens_)}};
    out_.made_of = fmt::format("bert model, {} tokens", tokens_.size());
  }

  const GgufHeader& header_;
  std::vector<std::string> tokens_ = {};
  std::vector<Type> types_ = {};
  TokenizerFile out_ = {};
};

}  // namespace

TokenizerFile read_gguf_tokenizer(const GgufHeader& header) { return Reader(header).run(); }

}  // namespace helio::text
