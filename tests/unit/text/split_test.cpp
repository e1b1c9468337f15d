// Cutting text into pieces: the hand-written matchers against the patterns they stand for, and
// Split's behaviours.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/split_classes.h"
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

Pieces by_hand(KnownSplit split, std::string_view text) {
  std::vector<std::string_view> pieces;
  split_all(split, text, pieces);
  return {pieces.begin(), pieces.end()};
}

// Characters that PCRE2's Unicode (14) and our tables (16) take for the same.
const std::vector<char32_t>& agreed_characters() {
  static const std::vector<char32_t> agreed = [] {
    const std::vector<std::pair<std::unique_ptr<SplitRegex>, FineClass>> classes = [] {
      std::vector<std::pair<std::unique_ptr<SplitRegex>, FineClass>> made;
      for (const auto& [pattern, fine] :
           {std::pair{"[\\p{Lu}\\p{Lt}]", FineClass::letter_upper},
            std::pair{"\\p{Ll}", FineClass::letter_lower},
            std::pair{"[\\p{Lm}\\p{Lo}]", FineClass::letter_caseless},
            std::pair{"\\p{N}", FineClass::number}, std::pair{"\\s", FineClass::space},
            std::pair{"\\p{M}", FineClass::mark}, std::pair{"[\\p{P}\\p{S}]", FineClass::sign}})
        made.emplace_back(std::make_unique<SplitRegex>(pattern), fine);
      return made;
    }();
    std::vector<char32_t> out;
    Rng rng(3);
    for (int i = 0; i < 6000; ++i) {
      const auto below = rng.below(4) == 0 ? 0x20000 : rng.below(2) == 0 ? 0x3200 : 0x600;
      const auto code = static_cast<char32_t>(rng.below(static_cast<uint64_t>(below)));
      if (code >= 0xD800 && code < 0xE000) continue;
      std::string character;
      append_utf8(character, code);
      FineClass theirs = FineClass::other;
      for (const auto& [regex, fine] : classes)
        regex->for_each_match(character, [&, fine = fine](Match) { theirs = fine; });
      if (theirs == split_classes()[code]) out.push_back(code);
    }
    return out;
  }();
  return agreed;
}

// Texts made of what the patterns look at; \p{L} is the same in both engines for these.
std::string random_text(Rng& rng) {
  static const std::vector<std::string> parts = {
      "a",      "Z",          "é",      "한",     "ㅋ",     "漢",     "1",
      "9",      "Ⅷ",          "½",      "１",     " ",      "  ",     "\n",
      "\r",     "\r\n",       "\t",     "\u00A0", "\u3000", "\u2003", "\u0085",
      "\u180E", "\u200B",     ".",      "!",      "_",      "'",      "'s",
      "'S",     "'ll",        "'LL",    "'re",    "'Ve",    "'d",     "'\u017F",
      "\u0301", "\U0001F600", "\u200D", "\uFE0F", "«",      "\u01C5", "\u02B0",
      "A",      "BC",         "def",    "/",      "//\n",   "\u0001", "\u00AD",
      "\u30FB", "\u3099",     "\u309B", "カナ",   "\u3007", "龥龦",   std::string("\0", 1)};
  std::string out;
  const auto& characters = agreed_characters();
  for (uint64_t n = rng.below(14); n > 0; --n) {
    if (rng.below(4) == 0) append_utf8(out, characters[rng.below(characters.size())]);
    else out += parts[rng.below(parts.size())];
  }
  return out;
}

TEST(KnownSplits, CutAsTheirPatternsDo) {
  EXPECT_GT(agreed_characters().size(), 4000u);
  for (const auto pattern :
       {kGpt2Pattern, kLlama3Pattern, kQwen2Pattern, kO200kPattern, kTekkenPattern}) {
    const KnownSplit split = known_split(pattern);
    ASSERT_NE(split, nullptr);
    Rng rng(1);
    for (int i = 0; i < 6000; ++i) {
      const std::string text = random_text(rng);
      ASSERT_EQ(by_hand(split, text), by_pattern(pattern, text)) << pattern << "\n" << text;
    }
  }
}

TEST(KnownSplits, CutAsTheStepsTheyStandForDo) {
  const auto isolated = [](std::string_view pattern) {
    return Json{{"type", "Split"},
                {"pattern", {{"Regex", std::string(pattern)}}},
                {"behavior", "Isolated"},
                {"invert", false}};
  };
  const auto byte_level = [](bool use_regex) {
    return Json{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", use_regex}};
  };
  const Json deepseek = {isolated(kDeepSeekNumbers), isolated(kDeepSeekHan),
                         isolated(kDeepSeekPattern), byte_level(false)};
  const Json smollm2 = {{{"type", "Digits"}, {"individual_digits", true}}, byte_level(true)};
  for (const auto& [steps, split] : {std::pair{deepseek, KnownSplit(next_of_deepseek)},
                                     std::pair{smollm2, KnownSplit(next_of_digits_gpt2)}}) {
    const auto read = read_pre_tokenizer({{"type", "Sequence"}, {"pretokenizers", steps}},
                                         TextBefore::as_written, LastLetters::leave);
    EXPECT_EQ(read.whole, split);
    Rng rng(2);
    for (int i = 0; i < 8000; ++i) {
      const std::string text = random_text(rng);
      PieceBuffers buffers;
      buffers.pieces = {text};
      read.steps->split(buffers);
      const Pieces by_steps(buffers.pieces.begin(), buffers.pieces.end());
      ASSERT_EQ(by_hand(read.whole, text), by_steps) << text;
    }
  }
}

TEST(KnownSplits, AreAsGpt2AndLlama3Cut) {
  EXPECT_EQ(by_hand(next_of_gpt2, "It's 2023!!  한국어\n\n끝  "),
            (Pieces{"It", "'s", " 2023", "!!", " ", " 한국어", "\n", "\n", "끝", "  "}));
  EXPECT_EQ(by_hand(next_of_llama3, "It'S 12345!!\r\n  x"),
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

// Characters of Unicode 15 to 16, as HF's expressions have them; PCRE2 knows Unicode 14.
TEST(SplitRegex, PropertiesKnowYoungerCharacters) {
  const std::string letter = "\U000105D9", han = "\U0002EBF0", digit = "\U00010D40",
                    mark = "\U00010EFD", sign = "\U0001FADF";
  const auto matches = [](const char* pattern, const std::string& text) {
    Pieces out;
    SplitRegex(pattern).for_each_match(text, [&](Match match) {
      out.push_back(text.substr(match.begin, match.end - match.begin));
    });
    return out;
  };
  const auto whole = [&](const char* pattern, const std::string& text) {
    return matches(pattern, text) == Pieces{text};
  };
  EXPECT_TRUE(whole(R"([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)", " a" + letter + mark + han));
  EXPECT_TRUE(whole(R"(\p{L}+)", "a" + letter + han));
  EXPECT_TRUE(whole(R"(\pL\p{Lo}\p{^N})", "a" + han + letter));
  EXPECT_TRUE(whole(R"([\p{N}\p{Mn}]+|\p{So})", "1" + digit + mark));
  EXPECT_TRUE(whole(R"(\d+\D\w{3})", digit + "1" + letter + "a" + letter + digit));
  EXPECT_TRUE(whole(R"(\p{Han}+\p{So})", "\u6f22" + han + sign));
  EXPECT_TRUE(matches(R"(\P{L}|[^\p{L}]|\W)", letter + han).empty());
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
