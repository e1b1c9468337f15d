// Checks of how many words, sentences and paragraphs there are.
#include <algorithm>

#include "core/error.h"
#include "eval/ifeval/checks.h"
#include "eval/ifeval/punkt.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

bool blank(std::string_view text) { return text::trim(text).empty(); }

Check paragraphs(const Arguments& arguments) {
  return [wanted = arguments.number("num_paragraphs")](std::string_view response) {
    static const PythonRegex divider(R"(\s?\*\*\*\s?)");
    const auto parts = divider.split(response);
    auto count = static_cast<int64_t>(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!blank(parts[i])) continue;
      if (i != 0 && i + 1 != parts.size()) return false;
      --count;
    }
    return count == wanted;
  };
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view divider) {
  std::vector<std::string_view> parts;
  for (size_t at = text.find(divider); at != text.npos; at = text.find(divider)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + divider.size());
  }
  parts.push_back(text);
  return parts;
}

// Up to the first punctuation, in lower case.
std::string first_word(std::string_view paragraph) {
  std::string_view word = text::split_words(paragraph).front();
  word = strip_left_of(strip_left_of(word, '\''), '"');
  std::string out;  // letter by letter: no sigma is the last of its word
  text::for_each_code_point(
      word.substr(0, word.find_first_of(".,?!'\"")),
      [&](char32_t, std::string_view letter) { out += python_lower(letter); });
  return out;
}

Check first_word_of_paragraph(const Arguments& arguments) {
  const int64_t wanted = arguments.number("num_paragraphs"),
                nth = arguments.number("nth_paragraph");
  if (nth > wanted)
    throw Error(ErrorKind::invalid, "'nth_paragraph' is more than 'num_paragraphs'")
        .with_hint("the reference would draw one at random, so that no two runs agree");
  return
      [wanted, nth, word = python_lower(arguments.text("first_word"))](std::string_view response) {
        const auto parts = split_at(response, "\n\n");
        const int64_t count = std::count_if(parts.begin(), parts.end(),
                                            [](std::string_view part) { return !blank(part); });
        // The nth counts blank ones too, but must not be more than those that are not.
        if (nth > count) return false;
        const std::string_view paragraph = text::trim(parts[static_cast<size_t>(nth - 1)]);
        return !paragraph.empty() && count == wanted && first_word(paragraph) == word;
      };
}

}  // namespace

Check make_length_check(const std::string& id, const Arguments& arguments) {
  if (id == "length_constraints:number_words")
    return [holds = arguments.relation("relation", "num_words")](std::string_view r) {
      static const PythonRegex word(R"(\w+)");
      return holds(word.count(r));
    };
  if (id == "length_constraints:number_sentences")
    return [holds = arguments.relation("relation", "num_sentences")](std::string_view r) {
      return holds(static_cast<int64_t>(Punkt::shared().sentences(r).size()));
    };
  if (id == "length_constraints:number_paragraphs") return paragraphs(arguments);
  if (id == "length_constraints:nth_paragraph_first_word")
    return first_word_of_paragraph(arguments);
  return {};
}

}  // namespace helio::eval::ifeval
