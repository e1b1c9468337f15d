#include "text/formats/convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "text/fertility.h"
#include "text/formats/document.h"
#include "text/formats/ranks_write.h"
#include "text/formats/sentencepiece_write.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// Names of transformers' classes that read a tokenizer.json whatever it holds.
constexpr const char* kClass = "PreTrainedTokenizerFast";

OrderedJson config_of(const TokenizerFile& tokenizer, OrderedJson& map) {
  OrderedJson decoder = OrderedJson::object();
  for (const auto& token : tokenizer.document.at("added_tokens")) {
    OrderedJson flags = token;
    flags.erase("id");
    append_member(decoder, std::to_string(token.at("id").get<TokenId>()), std::move(flags));
  }
  OrderedJson config = {{"added_tokens_decoder", std::move(decoder)},
                        {"clean_up_tokenization_spaces", false}};
  const auto made = make_tokenizer(tokenizer.document);
  const auto role = [&](const char* key, std::optional<TokenId> id) {
    if (!id) return;
    for (const auto& token : made->added_tokens())
      if (token.id == *id) config[key] = map[key] = token.content;
  };
  role("bos_token", tokenizer.roles.bos);
  role("eos_token", tokenizer.roles.eos);
  role("pad_token", tokenizer.roles.pad);
  role("unk_token", tokenizer.roles.unk);
  // What transformers takes for "no limit is known".
  config["model_max_length"] = 1000000000000000019884624838656.0;
  config["tokenizer_class"] = kClass;
  return config;
}

void write_folder(const fs::path& dir, const TokenizerFile& tokenizer) {
  std::string json = pretty(standard_document(tokenizer.document));
  json.pop_back();  // HF's file has no final newline
  write_file_atomic(dir / "tokenizer.json", json);
  if (tokenizer.format == "tokenizer.json") {
    // What stood beside it says all that there is to say.
    for (const char* name :
         {"tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"})
      if (const fs::path file = tokenizer.path.parent_path() / name; fs::exists(file))
        write_file_atomic(dir / name, read_file(file));
    if (fs::exists(dir / "tokenizer_config.json")) return;
  }
  OrderedJson map = OrderedJson::object();
  OrderedJson config = config_of(tokenizer, map);
  if (!tokenizer.chat_template.empty()) {
    config["chat_template"] = tokenizer.chat_template;
    write_file_atomic(dir / "chat_template.jinja", tokenizer.chat_template);
  }
  write_file_atomic(dir / "tokenizer_config.json", pretty(config));
  write_file_atomic(dir / "special_tokens_map.json", pretty(map));
}

constexpr const char* kHard[] = {
    "",
    " ",
    "  leading and trailing  ",
    "a",
    "\n",
    "\t\ttabs\r\nand lines\n\n\n  indented\n   ",
    "x  =  1.5e-3;  // 12345 67890 3,141,592",
    "don't we'll I'm it's they've YOU'RE HE'D",
    "é e\u0301 ﬁ Ⅷ ½ ① Å ẞ İ ǆ",
    "한국어 문장과 띄어쓰기, ㅋㅋㅋ 각 \u1112\u1161\u11ab",
    "日本語の文章、カタカナー。漢字かな交じり文",
    "العربية والعدد ٣ हिन्दी भाषा ไทย Ελληνικά Русский язык",
    "😀👩\u200d👩\u200d👧🇰🇷 ✓ ∑ → ≠",
    "▁ ▁▁word▁",
    "\u00a0\u3000\u2028\u200b\ufeff mixed spaces",
    "aaaaaaaaaaaaaaaaaaaaaaaa!!!!!!!!!!!!----------======",
    "<html><body class=\"x\">&amp;</body></html>",
    "camelCaseWords snake_case_words SCREAMING_CASE kebab-case",
};

std::string shown(std::string_view text) {
  std::string out = OrderedJson(std::string(first_code_points(text, 60))).dump();
  if (count_code_points(text) > 60) out += "...";
  return out;
}

}  // namespace

fs::path write_tokenizer(const fs::path& dir, const TokenizerFile& tokenizer,
                         TokenizerTarget target) {
  if (target == TokenizerTarget::sentencepiece) {
    const fs::path file = dir / "tokenizer.model";
    write_file_atomic(file,
                      write_sentencepiece(sentencepiece_of(tokenizer.document), tokenizer.roles));
    return file;
  }
  if (target == TokenizerTarget::tiktoken) {
    const auto ranks = ranks_of(tokenizer.document);
    write_file_atomic(dir / "ranks.tiktoken", write_ranks(ranks));
    write_file_atomic(dir / "encoding.json", pretty(encoding_json(ranks)));
    return dir / "ranks.tiktoken";
  }
  write_folder(dir, tokenizer);
  return dir / "tokenizer.json";
}

std::vector<std::string> check_texts(const Tokenizer& tokenizer) {
  std::vector<std::string> texts(std::begin(kHard), std::end(kHard));
  for (const auto& sample : fertility_samples()) texts.emplace_back(sample.text);
  // Each token alone, and some of them one behind the other.
  std::string joined;
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    std::string bytes;
    try {
      bytes = tokenizer.token_bytes(id);
    } catch (const Error&) {  // an id that no token has
      continue;
    }
    if (bytes.empty() || !is_valid_utf8(bytes)) continue;
    joined += bytes;
    if (joined.size() > 2000) {
      texts.push_back(joined);
      joined.clear();
    }
    texts.push_back(std::move(bytes));
  }
  texts.push_back(std::move(joined));
  return texts;
}

std::optional<std::string> difference(const Tokenizer& before, const Tokenizer& after,
                                      const std::string& text, SpecialTokens special) {
  const auto a = before.encode(text, special), b = after.encode(text, special);
  if (a == b) return std::nullopt;
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto id = [](auto at, auto end) { return at == end ? "none" : std::to_string(*at); };
  return fmt::format("the tokenizers differ on {}: token {} is {} in the one and {} in the other",
                     shown(text), left - a.begin(), id(left, a.end()), id(right, b.end()));
}

}  // namespace helio::text
