// NLTK 3.9's NLTKWordTokenizer: rewritings in order, then a split at white space.
#include "eval/ifeval/punkt.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

struct Rewriting {
  PythonRegex pattern;
  std::string_view replacement;
};

std::vector<Rewriting> before_padding() {
  std::vector<Rewriting> all;
  const auto add = [&](std::string_view pattern, std::string_view replacement) {
    all.push_back({PythonRegex(pattern), replacement});
  };
  // quotes that open
  add("([«“‘„]|[`]+)", R"( \1 )");
  add("^\"", "``");
  add("(``)", R"( \1 )");
  add(R"re(([ (\[{<])("|'{2}))re", R"(\1 `` )");
  add(R"((?i)(')(?!re|ve|ll|m|t|s|d|n)(\w)\b)", R"(\1 \2)");
  // punctuation
  add(R"re(([^\.])(\.)([\]\)}>"'»”’ ]*)\s*$)re", R"(\1 \2 \3 )");
  add(R"(([:,])([^\d]))", R"( \1 \2)");
  add(R"(([:,])$)", R"( \1 )");
  add(R"(\.{2,})", R"( \g<0> )");
  add("[;@#$%&]", R"( \g<0> )");
  add(R"re(([^\.])(\.)([\]\)}>"']*)\s*$)re", R"(\1 \2\3 )");
  add("[?!]", R"( \g<0> )");
  add("([^'])' ", R"(\1 ' )");
  add("[*]", R"( \g<0> )");
  add(R"([\]\[\(\)\{\}\<\>])", R"( \g<0> )");
  add("--", " -- ");
  return all;
}

std::vector<Rewriting> after_padding() {
  std::vector<Rewriting> all;
  const auto add = [&](std::string_view pattern, std::string_view replacement) {
    all.push_back({PythonRegex(pattern), replacement});
  };
  // quotes that close
  add("([»”’])", R"( \1 )");
  add("''", " '' ");
  add("\"", " '' ");
  add(R"(\s+)", " ");
  add("([^' ])('[sS]|'[mM]|'[dD]|') ", R"(\1 \2 )");
  add("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", R"(\1 \2 )");
  // contractions
  for (const char* pattern :
       {R"((?i)\b(can)(not)\b)", R"((?i)\b(d)('ye)\b)", R"((?i)\b(gim)(me)\b)",
        R"((?i)\b(gon)(na)\b)", R"((?i)\b(got)(ta)\b)", R"((?i)\b(lem)(me)\b)",
        R"((?i)\b(more)('n)\b)", R"((?i)\b(wan)(na)(?=\s))", R"((?i) ('t)(is)\b)",
        R"((?i) ('t)(was)\b)"})
    add(pattern, R"( \1 \2 )");
  return all;
}

}  // namespace

std::vector<std::string> word_tokenize(std::string_view text) {
  static const std::vector<Rewriting> first = before_padding(), second = after_padding();
  std::vector<std::string> words;
  for (const std::string_view sentence : Punkt::shared().sentences(text)) {
    std::string line(sentence);
    for (const auto& each : first) line = each.pattern.sub(line, each.replacement);
    line = " " + line + " ";
    for (const auto& each : second) line = each.pattern.sub(line, each.replacement);
    text::for_each_word(line, [&](std::string_view word) { words.emplace_back(word); });
  }
  return words;
}

}  // namespace helio::eval::ifeval
