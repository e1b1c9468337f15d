// Scores of a tokenizer.json are read as HF reads them, to the last bit: it decides between ways to
// cut a word whose scores have the same sum.
#include <gtest/gtest.h>

#include "text/tokenizer.h"

namespace helio::text {
namespace {

TEST(UnigramScores, TiesFallAsWithHfsReader) {
  // XLM-RoBERTa's scores; what HF tokenizers 0.23.3 makes of them.
  const auto tokenizer = parse_tokenizer(R"({"version": "1.0", "added_tokens": [], "model": {
      "type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["^", -11.668845176696777],
      ["-", -5.404437065124512], ["----", -13.457259178161621]]}})",
                                         "test");
  EXPECT_EQ(tokenizer->encode("^-----", SpecialTokens::skip), (std::vector<TokenId>{1, 3, 2}));
  EXPECT_EQ(tokenizer->encode("-----", SpecialTokens::skip), (std::vector<TokenId>{2, 3}));
}

}  // namespace
}  // namespace helio::text
