// Cutting text into pieces: the hand-written matchers against the patterns they stand for, and
// Split's behaviours.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/split_regex.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces by_pattern(std::string_view pattern, std::string_view text) {
  const SplitRegex regex{std::string(pattern)};
  Pieces out;
  size_t done = 0;
  regex.for_each_match(text, [&](Match match) {
    EXPECT_EQ(match.begin, done) << "the known patterns leave nothing between matches";
    out.emplace_back(text.substr(match.begin, match.end - match.begin));
    done = match.end;
  });
  EXPECT_EQ(done, text.size());
  return out;
}

Pieces by_hand(void (*split)(std::string_view, std::vector<std::string_view>&),
               std::string_view text) {
  std::vector<std::string_view> pieces;
  split(text, pieces);
  return {pieces.begin(), pieces.end()};
}

// Texts made of what the patterns look at; \p{L} is the same in both engines for these.
std::string random_text(Rng& rng) {
  static const std::vector<std::string> parts = {"a",
                                                 "Z",
                                                 "é",
                                                 "한",
                                                 "ㅋ",
                                                 "漢",
                                                 "1",
                                                 "9",
                                                 "Ⅷ",
                                                 "½",
                                                 "１",
                                                 " ",
                                                 "  ",
                                                 "\n",
                                                 "\r",
                                                 "\r\n",
                                                 "\t",
                                                 "\u00A0",
                                                 "\u3000",
                                                 "\u2003",
                                                 "\u0085",
                                                 "\u180E",
                                                 "\u200B",
                                                 ".",
                                                 "!",
                                                 "_",
                                                 "'",
                                                 "'s",
                                                 "'S",
                                                 "'ll",
                                                 "'LL",
                                                 "'re",
                                                 "'Ve",
                                                 "'d",
                                                 "'\u017F",
                                                 "\u0301",
                                                 "\U0001F600",
                                                 "\u200D",
                                                 "\uFE0F",
                                                 "«",
                                                 std::string("\0", 1)};
  std::string out;
  for (uint64_t n = rng.below(14); n > 0; --n) out += parts[rng.below(parts.size())];
  return out;
}

TEST(KnownSplits, CutAsTheirPatternsDo) {
  struct Known {
    std::string_view pattern;
    void (*split)(std::string_view, std::vector<std::string_view>&);
  };
  for (const auto& known : {Known{kGpt2Pattern, split_gpt2}, Known{kLlama3Pattern, split_llama3},
                            Known{kQwen2Pattern, split_qwen2}}) {
    Rng rng(1);
    for (int i = 0; i < 4000; ++i) {
      const std::string text = random_text(rng);
      ASSERT_EQ(by_hand(known.split, text), by_pattern(known.pattern, text))
          << known.pattern << "\n"
          << text;
    }
  }
}

TEST(KnownSplits, AreAsGpt2AndLlama3Cut) {
  EXPECT_EQ(by_hand(split_gpt2, "It's 2023!!  한국어\n\n끝  "),
            (Pieces{"It", "'s", " 2023", "!!", " ", " 한국어", "\n", "\n", "끝", "  "}));
  EXPECT_EQ(by_hand(split_llama3, "It'S 12345!!\r\n  x"),
            (Pieces{"It", "'S", " ", "123", "45", "!!\r\n", " ", " x"}));
}

Pieces pieces_of(const char* json, const std::string& text) {
  const auto pre_tokenizer =
      read_pre_tokenizer(
          Json::parse(
              std::string(R"({"type":"Sequence","pretokenizers":[)") + json +
              R"(,{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})"),
          TextBefore::as_written, LastLetters::leave)
          .steps;
  PieceBuffers buffers;
  buffers.pieces = {text};
  pre_tokenizer->split(buffers);
  return {buffers.pieces.begin(), buffers.pieces.end()};
}

std::string split(const char* behaviour, const char* invert,
                  const char* pattern = R"({"String":"-"})") {
  return std::string(R"({"type":"Split","pattern":)") + pattern + R"(,"behavior":")" + behaviour +
         R"(","invert":)" + invert + "}";
}

TEST(Split, HasFiveBehaviours) {
  const std::string text = "-a--b-";  // expectations from HF tokenizers 0.23.3
  EXPECT_EQ(pieces_of(split("Removed", "false").c_str(), text), (Pieces{"a", "b"}));
  EXPECT_EQ(pieces_of(split("Isolated", "false").c_str(), text),
            (Pieces{"-", "a", "-", "-", "b", "-"}));
  EXPECT_EQ(pieces_of(split("MergedWithPrevious", "false").c_str(), text),
            (Pieces{"-", "a-", "-", "b-"}));
  EXPECT_EQ(pieces_of(split("MergedWithNext", "false").c_str(), text),
            (Pieces{"-a", "-", "-b", "-"}));
  EXPECT_EQ(pieces_of(split("Contiguous", "false").c_str(), text),
            (Pieces{"-", "a", "--", "b", "-"}));
  EXPECT_EQ(pieces_of(split("Removed", "true").c_str(), text), (Pieces{"-", "-", "-", "-"}));
}

TEST(Split, DigitsStandAloneOrTogether) {
  EXPECT_EQ(pieces_of(R"({"type":"Digits","individual_digits":true})", "a12 ½b"),
            (Pieces{"a", "1", "2", " ", "½", "b"}));
  EXPECT_EQ(pieces_of(R"({"type":"Digits","individual_digits":false})", "a12 ½b"),
            (Pieces{"a", "12", " ", "½", "b"}));
}

TEST(SplitRegex, EmptyMatchesAdvance) {
  Pieces out;
  const SplitRegex regex("b*");
  regex.for_each_match("한bb", [&](Match m) {
    out.push_back(std::to_string(m.begin) + "-" + std::to_string(m.end));
  });
  EXPECT_EQ(out, (Pieces{"0-0", "3-5"}));
}

}  // namespace
}  // namespace helio::text
