// The files of a tokenizer folder, laid out as HF tokenizers and transformers write them.
#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "text/bpe_train.h"
#include "text/chat.h"
#include "text/tokenizer/split_known.h"

namespace helio::text {
namespace {

OrderedJson byte_level(bool add_prefix_space, bool trim_offsets, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", trim_offsets},
          {"use_regex", use_regex}};
}

OrderedJson normalizer(const BpeTrainOptions& options) {
  if (options.form == TextForm::as_written) return nullptr;
  return {{"type", "NFC"}};
}

OrderedJson pre_tokenizer(const BpeTrainOptions& options) {
  std::string_view pattern;
  switch (options.pattern) {
    case Pattern::gpt2:
      return byte_level(false, true, true);
    case Pattern::llama3:
      pattern = kLlama3Pattern;
      break;
    case Pattern::qwen2:
      pattern = kQwen2Pattern;
      break;
    case Pattern::regex:
      pattern = options.split_regex;
      break;
  }
  const OrderedJson split = {{"type", "Split"},
                             {"pattern", {{"Regex", pattern}}},
                             {"behavior", "Isolated"},
                             {"invert", false}};
  return {{"type", "Sequence"},
          {"pretokenizers", OrderedJson::array({split, byte_level(false, true, false)})}};
}

OrderedJson token_flags(const std::string& content) {
  return {{"content", content}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false},    {"normalized", false},  {"special", true}};
}

}  // namespace

WordCutter word_cutter(const BpeTrainOptions& options) {
  // HF trains on the special tokens of a text as on any words.
  BpeTrainOptions without = options;
  without.special_tokens.clear();
  return WordCutter(parse_json(tokenizer_json({}, without), "the settings"));
}

std::string tokenizer_json(const TrainedBpe& trained, const BpeTrainOptions& options) {
  OrderedJson added = OrderedJson::array();
  for (size_t id = 0; id < options.special_tokens.size(); ++id) {
    OrderedJson token = {{"id", id},
                         {"content", options.special_tokens[id]},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", true}};
    added.push_back(std::move(token));
  }
  OrderedJson vocabulary = OrderedJson::object(), merges = OrderedJson::array();
  // push_back on the underlying vector: ordered_json looks every key up otherwise.
  auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
  entries.reserve(trained.tokens.size());
  for (size_t id = 0; id < trained.tokens.size(); ++id)
    static_cast<std::vector<OrderedJson::object_t::value_type>&>(entries).emplace_back(
        trained.tokens[id], id);
  for (const auto& [left, right] : trained.merges) merges.push_back({left, right});
  const OrderedJson json = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", added},
                            {"normalizer", normalizer(options)},
                            {"pre_tokenizer", pre_tokenizer(options)},
                            {"post_processor", byte_level(true, false, true)},
                            {"decoder", byte_level(true, true, true)},
                            {"model",
                             {{"type", "BPE"},
                              {"dropout", nullptr},
                              {"unk_token", nullptr},
                              {"continuing_subword_prefix", nullptr},
                              {"end_of_word_suffix", nullptr},
                              {"fuse_unk", false},
                              {"byte_fallback", false},
                              {"ignore_merges", false},
                              {"vocab", std::move(vocabulary)},
                              {"merges", std::move(merges)}}}};
  std::string text = pretty(json);
  text.pop_back();  // HF's file has no final newline
  return text;
}

void write_tokenizer_folder(const std::filesystem::path& dir, const TrainedBpe& trained,
                            const BpeTrainOptions& options, const TokenizerRoles& roles) {
  write_tokenizer_roles(dir, roles, options.special_tokens, 0, "");
  write_file_atomic(dir / "tokenizer.json", tokenizer_json(trained, options));
}

void write_tokenizer_roles(const std::filesystem::path& dir, const TokenizerRoles& roles,
                           const std::vector<std::string>& special_tokens, int64_t first_id,
                           const std::string& unk) {
  const auto require = [&](const std::string& role, const std::string& token) {
    if (std::find(special_tokens.begin(), special_tokens.end(), token) == special_tokens.end())
      throw Error(ErrorKind::invalid, "the " + role + " token '" + token + "' is no special token")
          .with_hint("add it to special_tokens");
  };
  require("eos", roles.eos);
  if (!roles.pad.empty()) require("pad", roles.pad);

  OrderedJson decoder = OrderedJson::object();
  for (size_t i = 0; i < special_tokens.size(); ++i)
    decoder[std::to_string(first_id + static_cast<int64_t>(i))] = token_flags(special_tokens[i]);
  OrderedJson config = {{"added_tokens_decoder", decoder},
                        {"bos_token", roles.eos},
                        {"clean_up_tokenization_spaces", false},
                        {"eos_token", roles.eos},
                        {"model_max_length", roles.model_max_length},
                        {"tokenizer_class", "PreTrainedTokenizerFast"},
                        {"chat_template", solar_template_jinja()}};
  OrderedJson map = {{"bos_token", roles.eos}, {"eos_token", roles.eos}};
  if (!roles.pad.empty()) config["pad_token"] = map["pad_token"] = roles.pad;
  if (!unk.empty()) config["unk_token"] = map["unk_token"] = unk;
  write_file_atomic(dir / "tokenizer_config.json", pretty(config));
  write_file_atomic(dir / "special_tokens_map.json", pretty(map));
  write_file_atomic(dir / "chat_template.jinja", solar_template_jinja());
}

}  // namespace helio::text
