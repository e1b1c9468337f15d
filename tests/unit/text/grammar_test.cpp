// Grammars through a vocabulary; beside jsonschema: tests/peers/test_json_schema.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "../../fuzz/grammar_fuzz.h"
#include "../support/mutate.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/rng.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/json_schema.h"
#include "text/grammar/token_grammar.h"

namespace helio::text {
namespace {

// Every byte, then some longer tokens; one special.
class Vocabulary final : public Tokenizer {
 public:
  explicit Vocabulary(std::vector<std::string> more) : more_(std::move(more)) {}
  std::vector<TokenId> encode(std::string_view, SpecialTokens) const override { return {}; }
  std::string decode(const std::vector<TokenId>&, SpecialTokens) const override { return {}; }
  std::string token_bytes(TokenId id) const override {
    if (id < 256) return std::string(1, static_cast<char>(id));
    if (id == 256) return "<end>";
    return more_[static_cast<size_t>(id) - 257];
  }
  int64_t vocab_size() const override { return 257 + static_cast<int64_t>(more_.size()); }
  std::optional<TokenId> id_of(std::string_view) const override { return std::nullopt; }
  const std::vector<AddedToken>& added_tokens() const override { return added_; }

 private:
  std::vector<std::string> more_;
  std::vector<AddedToken> added_ = {{.id = 256, .content = "<end>", .special = true}};
};

const std::vector<std::string> kMore = {
    "{\"", "\": ", "\"}", "ab", "abc", "b\"", "한", "\xED\x95", "\x9C\xEA\xB8\x80",
    "12",  "}]",   "ab"};

std::shared_ptr<TokenGrammar> over_vocabulary(Grammar grammar, TokenGrammar::Limits limits = {}) {
  return std::make_shared<TokenGrammar>(std::make_shared<Grammar>(std::move(grammar)),
                                        std::make_shared<TokenTree>(Vocabulary(kMore)), limits);
}

// What the tree says must be what trying each token says.
void expect_mask_is_exact(GrammarMatcher& matcher) {
  const Vocabulary vocabulary(kMore);
  const auto mask = matcher.allowed();
  for (TokenId id = 0; id < vocabulary.vocab_size(); ++id) {
    GrammarMatcher copy(matcher);
    ASSERT_EQ(mask->has(id), copy.accept(id)) << id;
  }
}

TEST(Grammar, AllowsTheTokensThatGoOn) {
  const auto grammar = over_vocabulary(parse_gbnf(R"(root ::= "ab" [가-힣]* ("1" | "12")?)", "g"));
  GrammarMatcher matcher(grammar);
  expect_mask_is_exact(matcher);
  EXPECT_FALSE(matcher.complete());
  EXPECT_FALSE(matcher.accept(256));  // a special token is no text
  EXPECT_TRUE(matcher.allowed()->has(257 + 3) && matcher.allowed()->has(257 + 11));  // both "ab"
  ASSERT_TRUE(matcher.accept(257 + 3));
  EXPECT_TRUE(matcher.complete() && !matcher.at_end());
  expect_mask_is_exact(matcher);
  ASSERT_TRUE(matcher.accept(257 + 7));  // the first two bytes of 한
  EXPECT_FALSE(matcher.complete());
  expect_mask_is_exact(matcher);
  ASSERT_TRUE(matcher.accept(257 + 8));  // its last, and 글
  EXPECT_FALSE(matcher.accept('x'));
  EXPECT_TRUE(matcher.complete());  // what was refused changed nothing
  ASSERT_TRUE(matcher.accept('1'));
  ASSERT_TRUE(matcher.accept('2'));
  EXPECT_TRUE(matcher.at_end());
  EXPECT_TRUE(matcher.allowed()->empty());
}

// Bounded memory: what is known is thrown away under the matchers' feet, and nothing changes.
TEST(Grammar, ForgetsAndGoesOn) {
  const auto schema = OrderedJson::parse(R"({"type": "array", "items": {"type": "object"}})");
  const auto small = over_vocabulary(json_schema_grammar(schema), {.states = 4, .stack_cells = 8});
  const auto large = over_vocabulary(json_schema_grammar(schema));
  std::vector<std::unique_ptr<GrammarMatcher>> a, b;
  for (int i = 0; i < 4; ++i) {
    a.push_back(std::make_unique<GrammarMatcher>(small));
    b.push_back(std::make_unique<GrammarMatcher>(large));
  }
  Rng rng(5);
  const Vocabulary vocabulary(kMore);
  for (int step = 0; step < 200; ++step) {
    const size_t i = rng.below(a.size());
    const auto allowed = a[i]->allowed(), also = b[i]->allowed();
    std::vector<TokenId> choices;
    for (TokenId id = 0; id < vocabulary.vocab_size(); ++id) {
      ASSERT_EQ(allowed->has(id), also->has(id));
      if (allowed->has(id)) choices.push_back(id);
    }
    if (choices.empty()) continue;
    const TokenId chosen = choices[rng.below(choices.size())];
    ASSERT_TRUE(a[i]->accept(chosen) && b[i]->accept(chosen));
    ASSERT_EQ(a[i]->complete(), b[i]->complete());
  }
}

TEST(Grammar, RepetitionsDoNotGrowTheStack) {
  const auto grammar =
      over_vocabulary(parse_gbnf("root ::= item*\nitem ::= \"(\" root \")\" | [a-z]", "g"));
  GrammarMatcher matcher(grammar);
  const std::string many(100000, 'a');
  ASSERT_TRUE(matcher.accept(many));
  EXPECT_TRUE(matcher.accept("((a)b)") && matcher.complete());
}

TEST(Grammar, HostileGrammarsAreErrors) {
  const auto refused = [](const std::string& text) {
    try {
      const auto grammar = over_vocabulary(parse_gbnf(text, "g"));
      GrammarMatcher matcher(grammar);
      for (int i = 0; i < 60; ++i) {
        matcher.allowed();
        if (!matcher.accept("a")) break;
      }
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::invalid;
    }
  };
  EXPECT_TRUE(
      refused("root ::= a\na ::= b \"x\" | \"y\"\nb ::= \"\" a"));  // left recursion, hidden
  EXPECT_TRUE(refused("root ::= root"));
  EXPECT_TRUE(refused("root ::= (\"a\"{999999}){999999}"));
  EXPECT_TRUE(refused("root ::= \"a\"{2000000000}"));
  EXPECT_TRUE(refused("root ::= [\\uD800]"));
  EXPECT_FALSE(refused("root ::= ((\"a\"*)*)* ((\"a\"?)+)*"));  // empty circles
}

TEST(Grammar, MutatedOnesAreReadOrRefused) {
  constexpr std::array<std::string_view, 22> kPieces = {
      "(",          ")",         "|",          "*",  "{2,}",  "[^a]", "\"a\"", "root",
      "::=",        "\n",        "{",          "}",  "[",     "]",    ",",     "\"$ref\":\"#\",",
      "\"allOf\":", "\"type\":", "\"string\"", "-1", "1e300", "null"};
  Rng rng(11);
  for (const auto& file : list_files(fs::path(HELIO_SOURCE_DIR) / "tests/fuzz/corpus/grammar")) {
    const std::string text = read_file(file);
    ASSERT_NO_THROW(fuzz::try_grammar(text));
    for (int i = 0; i < 1500; ++i) {
      const std::string changed = mutate(text, kPieces, rng);
      try {
        fuzz::try_grammar(changed);
      } catch (const std::exception& error) {
        FAIL() << error.what() << " from " << changed;
      }
    }
  }
}

}  // namespace
}  // namespace helio::text
