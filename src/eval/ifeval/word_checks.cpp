// Checks of words, letters, case and language.
#include <algorithm>
#include <memory>

#include "core/error.h"
#include "eval/ifeval/checks.h"
#include "eval/ifeval/language_detector.h"
#include "eval/ifeval/punkt.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

using Counter = std::function<int64_t(std::string_view)>;

// How often a keyword stands there, whatever its case. Keywords are regular expressions.
Counter keyword_counter(const std::string& keyword) {
  if (!has_regex_syntax(keyword)) {
    return [finder = LiteralFinder(keyword, LiteralFinder::At::anywhere)](std::string_view text) {
      return finder.count(text);
    };
  }
  return [regex = std::make_shared<PythonRegex>(keyword, PythonRegex::kIgnoreCase)](
             std::string_view text) { return regex->count(text); };
}

Counter word_counter(const std::string& word) {
  if (!has_regex_syntax(word)) {
    return [finder = LiteralFinder(word, LiteralFinder::At::word)](std::string_view text) {
      return finder.count(text);
    };
  }
  return [regex = std::make_shared<PythonRegex>("\\b" + word + "\\b", PythonRegex::kIgnoreCase)](
             std::string_view text) { return regex->count(text); };
}

Check existence(const Arguments& arguments) {
  std::vector<Counter> counters;
  for (const auto& keyword : arguments.texts("keywords"))
    counters.push_back(keyword_counter(keyword));
  return [counters](std::string_view response) {
    return std::all_of(counters.begin(), counters.end(),
                       [&](const auto& count) { return count(response) > 0; });
  };
}

Check forbidden(const Arguments& arguments) {
  std::vector<Counter> counters;
  for (const auto& word : arguments.texts("forbidden_words"))
    counters.push_back(word_counter(word));
  return [counters](std::string_view response) {
    return std::none_of(counters.begin(), counters.end(),
                        [&](const auto& count) { return count(response) > 0; });
  };
}

Check frequency(const Arguments& arguments) {
  return [count = keyword_counter(std::string(text::trim(arguments.text("keyword")))),
          holds = arguments.relation("relation", "frequency")](std::string_view response) {
    return holds(count(response));
  };
}

// The published checks take a random letter in place of one that is none; here it is itself.
Check letter_frequency(const Arguments& arguments) {
  const std::u32string letter = text::to_code_points(python_lower(arguments.text("letter")));
  if (letter.size() != 1)
    throw Error(ErrorKind::invalid, "'letter' is '" + arguments.text("letter") + "', no character");
  return [c = letter[0],
          holds = arguments.relation("let_relation", "let_frequency")](std::string_view response) {
    int64_t n = 0;
    text::for_each_code_point(python_lower(response), [&](char32_t each, auto) { n += each == c; });
    return holds(n);
  };
}

Check capital_words(const Arguments& arguments) {
  return [holds = arguments.relation("capital_relation", "capital_frequency")](
             std::string_view response) {
    const auto words = word_tokenize(response);
    return holds(std::count_if(words.begin(), words.end(),
                               [](const std::string& word) { return python_isupper(word); }));
  };
}

// A text without features (langdetect raises) counts as being in the language asked for.
bool is_in(std::string_view response, const std::string& language) {
  const auto found = LanguageDetector::shared().detect(response);
  return !found || *found == language;
}

}  // namespace

Check make_word_check(const std::string& id, const Arguments& arguments) {
  if (id == "keywords:existence") return existence(arguments);
  if (id == "keywords:forbidden_words") return forbidden(arguments);
  if (id == "keywords:frequency") return frequency(arguments);
  if (id == "keywords:letter_frequency") return letter_frequency(arguments);
  if (id == "change_case:capital_word_frequency") return capital_words(arguments);
  if (id == "change_case:english_capital")
    return [](std::string_view r) { return python_isupper(r) && is_in(r, "en"); };
  if (id == "change_case:english_lowercase")
    return [](std::string_view r) { return python_islower(r) && is_in(r, "en"); };
  if (id == "language:response_language")
    return
        [language = arguments.text("language")](std::string_view r) { return is_in(r, language); };
  if (id == "punctuation:no_comma") return [](std::string_view r) { return r.find(',') == r.npos; };
  return {};
}

}  // namespace helio::eval::ifeval
