#include "eval/ifeval/python_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "eval/ifeval/python_case.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

constexpr std::string_view kSpaces =
    R"(\x09-\x0d\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

// \s and \S written out: PCRE2's are not Python's.
std::string translate(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's' && in_class) out += kSpaces;
      else if (next == 's') out.append("[").append(kSpaces).append("]");
      else if (next == 'S' && !in_class) out.append("[^").append(kSpaces).append("]");
      else out.append({c, next});
      continue;
    }
    if (in_class) in_class = c != ']';
    else if (c == '[') {
      in_class = true;
      out.push_back(c);
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out.push_back(pattern[++i]);
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out.push_back(pattern[++i]);
      continue;
    }
    out.push_back(c);
  }
  return out;
}

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

bool is_word(char32_t c) { return text::is_letter(c) || text::is_number(c) || c == '_'; }

}  // namespace

struct PythonRegex::Impl {
  pcre2_code* code = nullptr;
  pcre2_match_data* data = nullptr;
  ~Impl() {
    pcre2_match_data_free(data);
    pcre2_code_free(code);
  }
};

PythonRegex::PythonRegex(std::string_view pattern, Flags flags) : impl_(std::make_unique<Impl>()) {
  const std::string translated = translate(pattern);
  uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_ALT_CIRCUMFLEX;
  if (flags & kIgnoreCase) options |= PCRE2_CASELESS;
  if (flags & kMultiline) options |= PCRE2_MULTILINE;
  int error = 0;
  size_t offset = 0;
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  // Patterns come from outside too (keywords of a data file): text is checked, depth is bounded.
  if (text::is_valid_utf8(translated))
    impl_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                options, &error, &offset, context);
  pcre2_compile_context_free(context);
  if (!impl_->code)
    throw Error(ErrorKind::invalid, "the pattern '" + std::string(pattern) + "' is no regular " +
                                        "expression: " + message_of(error));
  pcre2_jit_compile(impl_->code, PCRE2_JIT_COMPLETE);  // where it can
  impl_->data = pcre2_match_data_create_from_pattern(impl_->code, nullptr);
}
PythonRegex::~PythonRegex() = default;
PythonRegex::PythonRegex(PythonRegex&&) noexcept = default;

void PythonRegex::for_each(std::string_view text,
                           const std::function<void(const std::vector<Span>&)>& visit) const {
  std::vector<Span> groups;
  uint32_t options = PCRE2_NO_UTF_CHECK;
  for (size_t at = 0; at <= text.size();) {
    const int found = pcre2_match(impl_->code, reinterpret_cast<PCRE2_SPTR>(text.data()),
                                  text.size(), at, options, impl_->data, nullptr);
    if (found == PCRE2_ERROR_NOMATCH) return;
    if (found < 0)
      throw Error(ErrorKind::invalid, "a pattern cannot be looked for in a text of " +
                                          std::to_string(text.size()) +
                                          " bytes: " + message_of(found));
    const size_t* ends = pcre2_get_ovector_pointer(impl_->data);
    groups.assign(pcre2_get_ovector_count(impl_->data), {});
    for (size_t i = 0; i < static_cast<size_t>(found); ++i)
      if (ends[2 * i] != PCRE2_UNSET) groups[i] = {ends[2 * i], ends[2 * i + 1]};
    visit(groups);
    // After an empty match Python looks for a longer one at the same place.
    at = groups[0].end;
    options = PCRE2_NO_UTF_CHECK | (groups[0].begin == at ? PCRE2_NOTEMPTY_ATSTART : 0);
  }
}

int64_t PythonRegex::count(std::string_view text) const {
  int64_t n = 0;
  for_each(text, [&](const auto&) { ++n; });
  return n;
}

bool PythonRegex::search(std::string_view text) const {
  const int found = pcre2_match(impl_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                0, PCRE2_NO_UTF_CHECK, impl_->data, nullptr);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH)
    throw Error(ErrorKind::invalid, "a pattern cannot be looked for: " + message_of(found));
  return found > 0;
}

std::vector<PythonRegex::Span> PythonRegex::match(std::string_view text) const {
  const int found = pcre2_match(impl_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                0, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, impl_->data, nullptr);
  if (found <= 0) return {};
  const size_t* ends = pcre2_get_ovector_pointer(impl_->data);
  std::vector<Span> groups(pcre2_get_ovector_count(impl_->data));
  for (size_t i = 0; i < static_cast<size_t>(found); ++i)
    if (ends[2 * i] != PCRE2_UNSET) groups[i] = {ends[2 * i], ends[2 * i + 1]};
  return groups;
}

std::vector<std::string_view> PythonRegex::split(std::string_view text) const {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for_each(text, [&](const auto& groups) {
    parts.push_back(text.substr(begin, groups[0].begin - begin));
    begin = groups[0].end;
  });
  parts.push_back(text.substr(begin));
  return parts;
}

std::string PythonRegex::sub(std::string_view text, std::string_view replacement) const {
  std::string out;
  size_t begin = 0;
  for_each(text, [&](const auto& groups) {
    out += text.substr(begin, groups[0].begin - begin);
    for (size_t i = 0; i < replacement.size(); ++i) {
      if (replacement[i] != '\\') {
        out.push_back(replacement[i]);
        continue;
      }
      size_t group = 0;
      if (replacement.substr(i).starts_with("\\g<0>")) i += 4;
      else group = static_cast<size_t>(replacement[++i] - '0');
      if (groups[group].matched()) out += groups[group].of(text);
    }
    begin = groups[0].end;
  });
  out += text.substr(begin);
  return out;
}

LiteralFinder::LiteralFinder(std::string_view word, At at) : at_(at) {
  text::for_each_code_point(word, [&](char32_t c, auto) { folded_.push_back(fold_case(c)); });
}

int64_t LiteralFinder::count(std::string_view text) const {
  const std::u32string points = text::to_code_points(text);
  std::u32string folded = points;
  for (auto& c : folded) c = fold_case(c);
  const auto border = [&](size_t at) {
    const bool before = at > 0 && is_word(points[at - 1]);
    return before != (at < points.size() && is_word(points[at]));
  };
  if (folded_.empty()) {  // an empty pattern is found everywhere
    int64_t n = 0;
    for (size_t at = 0; at <= points.size(); ++at) n += at_ == At::anywhere || border(at);
    return n;
  }
  int64_t n = 0;
  for (size_t at = folded.find(folded_); at != folded.npos;) {
    const bool here = at_ == At::anywhere || (border(at) && border(at + folded_.size()));
    n += here;
    at = folded.find(folded_, at + (here ? folded_.size() : 1));
  }
  return n;
}

bool has_regex_syntax(std::string_view pattern) {
  return pattern.find_first_of(R"(.^$*+?{}[]\|())") != std::string_view::npos;
}

}  // namespace helio::eval::ifeval
