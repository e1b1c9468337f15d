// What a tokenizer is, and how it cuts a text.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "text/formats/tokenizer_file.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace helio::cli {
namespace {

// A token as a person can read it: its text, or bytes in hex when it is part of a character.
std::string shown(const std::string& bytes) {
  if (text::is_valid_utf8(bytes)) {
    const std::string quoted = OrderedJson(bytes).dump();
    return quoted;
  }
  std::string out;
  for (const char byte : bytes) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
  return out;
}

class TokenizerInfo final : public Command {
 public:
  Card card() const override {
    return {.positional = {"tokenizer"},
            .required = {"tokenizer"},
            .examples = {"helio tokenizer info tokenizers/mine",
                         "helio tokenizer info models/solar --text \"안녕하세요\""}};
  }

  void describe(Fields& f) override {
    f.input("tokenizer", tokenizer_,
            "Tokenizer file (tokenizer.json, SentencePiece, ...) or a folder that has one.");
    f("text", text_, "A text to show the tokens of.");
  }

  int run(Context& context) override {
    const auto file = text::read_tokenizer_file(tokenizer_);
    const auto tokenizer = text::make_tokenizer(file.document);
    const auto roles = load_special_ids(tokenizer_, *tokenizer);
    OrderedJson special = OrderedJson::array(), role_ids = OrderedJson::object();
    for (const auto& token : tokenizer->added_tokens())
      special.push_back({{"id", token.id}, {"content", token.content}, {"special", token.special}});
    for (const auto& [name, id] : {std::pair{"bos", roles.bos}, std::pair{"eos", roles.eos},
                                   std::pair{"pad", roles.pad}, std::pair{"unk", roles.unk}})
      role_ids[name] = id ? OrderedJson(*id) : OrderedJson();
    const auto input = describe_input("tokenizer", tokenizer_);
    const auto ids = text_.empty() ? std::vector<text::TokenId>() : tokenizer->encode(text_);
    if (context.json) {
      context.out << compact({{"tokenizer", tokenizer_},
                              {"format", file.format},
                              {"made_of", file.made_of},
                              {"content", input.content},
                              {"vocab_size", tokenizer->vocab_size()},
                              {"roles", role_ids},
                              {"added_tokens", special},
                              {"ids", ids}})
                  << "\n";
      return 0;
    }
    context.out << fmt::format(
        "{}\n  format      {} ({})\n  vocabulary  {} ids\n  content     {}\n", tokenizer_,
        file.format, file.made_of, fmt::group_digits(tokenizer->vocab_size()), input.content);
    for (const auto& [name, id] : role_ids.items())
      if (!id.is_null())
        context.out << fmt::format("  {:<11} {} {}\n", name, id.get<int64_t>(),
                                   shown(tokenizer->token_bytes(id.get<text::TokenId>())));
    context.out << fmt::format("  added       {} tokens\n", tokenizer->added_tokens().size());
    if (!text_.empty()) {
      context.out << fmt::format("\n{} characters, {} tokens:\n", text::count_code_points(text_),
                                 ids.size());
      for (const auto id : ids)
        context.out << fmt::format("  {:>8}  {}\n", id, shown(tokenizer->token_bytes(id)));
    }
    return 0;
  }

 private:
  std::string tokenizer_ = {}, text_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerInfo)
