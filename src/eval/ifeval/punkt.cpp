#include "eval/ifeval/punkt.h"

#include <charconv>
#include <optional>

#include "eval/ifeval/embedded.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

// Where a word was seen while training: at a sentence's beginning, inside, or unknown; by case.
constexpr int kBeginUpper = 2, kInsideUpper = 4, kUnknownUpper = 8, kBeginLower = 16,
              kInsideLower = 32, kUnknownLower = 64;
constexpr int kUpper = kBeginUpper | kInsideUpper | kUnknownUpper,
              kLower = kBeginLower | kInsideLower | kUnknownLower;

// The pieces of NLTK's PunktLanguageVars.
const std::string kNonWord = R"re((?:[)";}\]*:@'({\[?!]))re",
                  kMulti = R"((?:-{2,}|\.{2,}|(?:\.\s){2,}\.))";

const PythonRegex& period_context() {
  static const PythonRegex regex(R"re([.?!](?=()re" + kNonWord + R"re(|\s+(\S+))))re");
  return regex;
}
const PythonRegex& word() {
  static const PythonRegex regex(kMulti + R"re(|(?=[^("`{\[:;&#*@)}\]\-,])\S+?(?=\s|$|)re" +
                                 kNonWord + "|" + kMulti + R"re(|,(?=$|\s|)re" + kNonWord + "|" +
                                 kMulti + R"re())|\S)re");
  return regex;
}

char32_t first_of(std::string_view text) { return text::decode_utf8(text, 0).value; }

}  // namespace

struct Punkt::Token {
  std::string text, type;
  bool ends_with_period = false, breaks = false, abbreviation = false, ellipsis = false,
       initial = false;

  explicit Token(std::string_view token) : text(token) {
    static const PythonRegex number(R"(^-?[\.,]?\d[\d,\.-]*\.?$)");
    static const PythonRegex one_letter(R"([^\W\d]\.$)");
    type = number.sub(python_lower(token), "##number##");
    ends_with_period = token.ends_with('.');
    initial = !one_letter.match(token).empty();
  }
  std::string type_without_period() const {
    return type.size() > 1 && type.ends_with('.') ? type.substr(0, type.size() - 1) : type;
  }
  std::string type_in_sentence() const { return breaks ? type_without_period() : type; }
};

Punkt::Punkt() {
  const std::string all = punkt_text();
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    const size_t tab = line.find('\t');
    const std::string_view kind = line.substr(0, tab), value = line.substr(tab + 1);
    const size_t second = value.find('\t');
    if (kind == "abbreviation") {
      abbreviations_.emplace(value);
    } else if (kind == "starter") {
      starters_.emplace(value);
    } else if (kind == "collocation") {
      collocations_.emplace(value.substr(0, second), value.substr(second + 1));
    } else {
      int flags = 0;
      std::from_chars(value.data(), value.data() + second, flags);
      contexts_.emplace(value.substr(second + 1), flags);
    }
  }
}

const Punkt& Punkt::shared() {
  static const Punkt punkt;
  return punkt;
}

int Punkt::context_of(const std::string& type) const {
  const auto found = contexts_.find(type);
  return found == contexts_.end() ? 0 : found->second;
}

std::vector<Punkt::Token> Punkt::tokens_of(std::string_view text) const {
  std::vector<Token> tokens;
  while (true) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!text::trim(line).empty())
      word().for_each(line, [&](const auto& groups) { tokens.emplace_back(groups[0].of(line)); });
    if (end == text.npos) return tokens;
    text.remove_prefix(end + 1);
  }
}

// What a token's own look says.
void Punkt::mark_alone(Token& token) const {
  if (token.text == "." || token.text == "?" || token.text == "!") {
    token.breaks = true;
  } else if (token.text.starts_with("..") &&
             token.text.find_first_not_of('.') == std::string::npos) {
    token.ellipsis = true;
  } else if (token.ends_with_period && !token.text.ends_with("..")) {
    const std::string bare = python_lower(token.text.substr(0, token.text.size() - 1));
    const size_t dash = bare.rfind('-');
    const bool known = abbreviations_.contains(bare) ||
                       (dash != bare.npos && abbreviations_.contains(bare.substr(dash + 1)));
    if (known) token.abbreviation = true;
    else token.breaks = true;
  }
}

Punkt::Starts Punkt::starts_sentence(const Token& token) const {
  if (token.text.size() == 1 &&
      std::string_view(";:,.!?").find(token.text[0]) != std::string_view::npos)
    return Starts::no;
  const int seen = context_of(token.type_in_sentence());
  const char32_t first = first_of(token.text);
  if (is_uppercase(first) && (seen & kLower) && !(seen & kInsideUpper)) return Starts::yes;
  if (is_lowercase(first) && ((seen & kUpper) || !(seen & kBeginLower))) return Starts::no;
  return Starts::unknown;
}

// What the token after it adds.
void Punkt::mark_beside(Token& token, const Token& next) const {
  if (!token.ends_with_period) return;
  const std::string type = token.type_without_period(), next_type = next.type_in_sentence();
  if (collocations_.contains({type, next_type})) {
    token.breaks = false;
    token.abbreviation = true;
    return;
  }
  const bool next_upper = is_uppercase(first_of(next.text));
  if ((token.abbreviation || token.ellipsis) && !token.initial) {
    if (starts_sentence(next) == Starts::yes || (next_upper && starters_.contains(next_type))) {
      token.breaks = true;
      return;
    }
  }
  if (token.initial || type == "##number##") {
    const Starts starts = starts_sentence(next);
    if (starts == Starts::no || (starts == Starts::unknown && token.initial && next_upper &&
                                 !(context_of(next_type) & kLower))) {
      token.breaks = false;
      token.abbreviation = true;
    }
  }
}

bool Punkt::has_break(std::string_view context) const {
  auto tokens = tokens_of(context);
  for (auto& token : tokens) mark_alone(token);
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    mark_beside(tokens[i], tokens[i + 1]);
    if (tokens[i].breaks) return true;
  }
  return false;
}

// Cuts after each sign that ends a sentence: it and its surroundings are looked at together.
std::vector<Punkt::Part> Punkt::parts(std::string_view text) const {
  struct Candidate {
    size_t word = 0, sign = 0, end = 0;  // the word before it, the sign, what follows
    std::optional<size_t> next = {};     // the next word, if space is between
  };
  std::vector<Part> out;
  size_t last = 0;
  const auto decide = [&](const Candidate& at) {
    if (!has_break(text.substr(at.word, at.end - at.word))) return;
    out.push_back({last, at.sign + 1});
    last = at.next.value_or(at.sign + 1);
  };
  std::optional<Candidate> previous;
  size_t slice_begin = 0, slice_end = 0;
  period_context().for_each(text, [&](const auto& groups) {
    const size_t sign = groups[0].begin;
    const size_t space = text.substr(slice_end, sign - slice_end).find_last_of(" \t\n\r\v\f");
    const size_t word = space == text.npos || space == 0 ? slice_begin : slice_end + space + 1;
    if (previous && slice_end <= word) decide(*previous);
    slice_begin = word;
    slice_end = sign;
    previous = {word, sign, groups[1].end, {}};
    if (groups[2].matched()) previous->next = groups[2].begin;
  });
  if (previous) decide(*previous);
  const std::string_view all = text;
  const size_t lead = static_cast<size_t>(text::trim(all).data() - all.data());
  const size_t stop = text::trim(all).empty() ? 0 : lead + text::trim(all).size();
  out.push_back({last, stop});
  return out;
}

std::vector<std::string_view> Punkt::sentences(std::string_view text) const {
  // Closing quotes and brackets go to the sentence before them.
  static const PythonRegex closing(R"re(["')\]}]+?(?:\s+|(?=--)|$))re", PythonRegex::kMultiline);
  const auto cut = [&](Part part) {
    return part.begin < part.end ? text.substr(part.begin, part.end - part.begin)
                                 : std::string_view();
  };
  std::vector<std::string_view> out;
  const auto all = parts(text);
  size_t shift = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    Part part = {all[i].begin + shift, all[i].end};
    if (i + 1 == all.size()) {
      if (!cut(part).empty()) out.push_back(cut(part));
      break;
    }
    const auto found = closing.match(cut(all[i + 1]));
    shift = 0;
    if (!found.empty()) {
      const std::string_view signs = found[0].of(cut(all[i + 1]));
      // rstrip(): the signs themselves are no space.
      size_t kept = signs.find_last_of("\"')]}") + 1;
      part.end = all[i + 1].begin + kept;
      shift = found[0].end;
      out.push_back(cut(part));
    } else if (!cut(part).empty()) {
      out.push_back(cut(part));
    }
  }
  return out;
}

}  // namespace helio::eval::ifeval
