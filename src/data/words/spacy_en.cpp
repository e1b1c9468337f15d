#include "data/words/spacy_en.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "core/hash.h"
#include "data/punctuation.h"
#include "data/words/spacy_classes.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

using Chars = std::u32string_view;

bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_ascii_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A chunk of text as characters, and where each begins.
struct Chunk {
  std::u32string chars = {};
  std::vector<uint32_t> at = {};  // one more than there are characters
  std::string_view text = {};

  void read(std::string_view bytes) {
    text = bytes;
    chars.clear();
    at.clear();
    for (size_t i = 0; i < bytes.size();) {
      const auto point = text::decode_utf8(bytes, i);
      chars += point.value;
      at.push_back(uint32_t(i));
      i += point.size;
    }
    at.push_back(uint32_t(bytes.size()));
  }
  std::string_view bytes(size_t begin, size_t end) const {
    return text.substr(at[begin], at[end] - at[begin]);
  }
};

// The longest of some words that stands at the end of `chars`, in characters.
struct Endings {
  std::vector<std::u32string> words = {};
  std::array<bool, 256> last = {};  // low bytes of the words' last characters

  void add(const char* word) {
    words.push_back(text::to_code_points(word));
    last[words.back().back() & 255] = true;
  }
  size_t longest(Chars chars) const {
    if (!last[chars.back() & 255]) return 0;
    size_t best = 0;
    for (const std::u32string& word : words) {
      if (word.size() > best && chars.ends_with(word) && chars.size() > word.size() &&
          is_ascii_digit(chars[chars.size() - word.size() - 1]))
        best = word.size();
    }
    return best;
  }
};

}  // namespace

struct SpacyEnglish::Rules {
  std::unordered_map<std::string_view, std::vector<std::string_view>> exceptions = {};
  std::vector<std::string> storage = {};  // what the exceptions' views look at
  size_t longest_exception = 0;
  Endings amounts = {};  // units and currencies
  // Sequences of tokens that spell an exception, as a tree: (node, token) -> node.
  std::unordered_map<uint64_t, uint32_t> next = {};
  std::vector<bool> spells = {false};
  size_t longest_first = 0;
  std::array<bool, 256> first_bytes = {};

  const std::vector<std::string_view>* exception(std::string_view chunk) const {
    if (chunk.size() > longest_exception) return nullptr;
    const auto found = exceptions.find(chunk);
    return found == exceptions.end() ? nullptr : &found->second;
  }
  // (XXH3's seed is no good for this: on a few bytes, seed and input cancel out.)
  static uint64_t edge(uint32_t node, std::string_view token) {
    return (xxh3_64(token) ^ node) * 0x9E3779B97F4A7C15ull + node;
  }

  size_t prefix(Chars s) const;
  size_t suffix(Chars s) const;
  size_t infix(Chars s, size_t at) const;
  enum class Exceptions { used, unused };
  void split(Chunk& chunk, Exceptions use, std::vector<SpacyToken>& tokens) const;
  void middle(const Chunk& chunk, size_t begin, size_t end, Exceptions use,
              std::vector<SpacyToken>& tokens) const;
  void join(std::string_view text, std::vector<SpacyToken>& tokens) const;
};

size_t SpacyEnglish::Rules::prefix(Chars s) const {
  if (s.empty()) return 0;
  const char32_t c = s[0];
  if (is_spacy(c, kSpacyPrefix)) return 1;
  if (c == '+') return s.size() == 1 || !is_ascii_digit(s[1]) ? 1 : 0;
  if (c == '.') {
    const size_t end = std::min(s.find_first_not_of(U'.'), s.size());
    return end >= 2 ? end : 0;
  }
  if (s.starts_with(U"US$")) return 3;
  if (s.starts_with(U"C$") || s.starts_with(U"A$")) return 2;
  return 0;
}

// spaCy's pattern finds the leftmost of all endings: the longest.
size_t SpacyEnglish::Rules::suffix(Chars s) const {
  if (s.empty()) return 0;
  const size_t n = s.size();
  const char32_t c = s[n - 1], before = n > 1 ? s[n - 2] : 0;
  size_t best = is_spacy(c, kSpacySuffix) ? 1 : 0;
  if (c == '.' && before == '.') {
    const size_t word = s.find_last_not_of(U'.');
    return word == s.npos ? n : n - word - 1;
  }
  if (c == 0x2026 && before == 0x2026) best = 2;
  if ((c == 's' || c == 'S') && (before == '\'' || before == 0x2019)) best = 2;
  if (n > 1 && best == 0) {
    if (c == '+' && is_ascii_digit(before)) best = 1;
    if (c == '.' && (is_spacy(before, kSpacyBeforePeriod) ||
                     (n > 2 && is_spacy(before, kSpacyUpper) && is_spacy(s[n - 3], kSpacyUpper)) ||
                     (n > 2 && s[n - 3] == 0xB0 &&
                      (before == 'F' || before == 'f' || before == 'C' || before == 'c' ||
                       before == 'K' || before == 'k'))))
      best = 1;
  }
  return std::max(best, amounts.longest(s));
}

// Length of the infix that begins at `at`, or 0.
size_t SpacyEnglish::Rules::infix(Chars s, size_t at) const {
  const char32_t c = s[at];
  const char32_t before = at > 0 ? s[at - 1] : 0;
  const auto after = [&](size_t n) { return at + n < s.size() ? s[at + n] : char32_t(0); };
  const auto alpha = [](char32_t c) { return is_spacy(c, kSpacyAlpha); };
  if (c == '.') {
    const size_t end = std::min(s.find_first_not_of(U'.', at), s.size());
    if (end - at >= 2) return end - at;
    return is_spacy(before, kSpacyLower | kSpacyQuote) &&
                   is_spacy(after(1), kSpacyUpper | kSpacyQuote)
               ? 1
               : 0;
  }
  if (c >= 0x80 && (c == 0x2026 || is_spacy(c, kSpacyIcon))) return 1;
  if (c == '+' || c == '-' || c == '*' || c == '^')
    if (is_ascii_digit(before) && (is_ascii_digit(after(1)) || after(1) == '-')) return 1;
  if (c == ',') return alpha(before) && alpha(after(1)) ? 1 : 0;
  const bool word_before = alpha(before) || is_ascii_digit(before);
  if (!word_before) return 0;
  if (c == '-' || c == '~' || c == 0x2013 || c == 0x2014) {
    if (alpha(after(1))) return 1;
    if (c == '-' && after(1) == '-')
      return alpha(after(2)) ? 2 : after(2) == '-' && alpha(after(3)) ? 3 : 0;
    if (c == 0x2014 && after(1) == 0x2014 && alpha(after(2))) return 2;
    return 0;
  }
  if (c == ':' || c == '<' || c == '>' || c == '=' || c == '/') return alpha(after(1)) ? 1 : 0;
  return 0;
}

void SpacyEnglish::Rules::middle(const Chunk& chunk, size_t begin, size_t end, Exceptions use,
                                 std::vector<SpacyToken>& tokens) const {
  if (begin == end) return;
  const std::string_view bytes = chunk.bytes(begin, end);
  if (use == Exceptions::used)
    if (const auto* exception = this->exception(bytes)) {
      size_t at = 0;
      for (const std::string_view token : *exception) {
        tokens.push_back({bytes.substr(at, token.size())});
        at += token.size();
      }
      return;
    }
  const Chars s = Chars(chunk.chars).substr(begin, end - begin);
  if (is_spacy_url(s)) {
    tokens.push_back({bytes});
    return;
  }
  size_t start = 0;
  for (size_t at = 0; at < s.size();) {
    const size_t length = infix(s, at);
    if (length == 0) {
      ++at;
      continue;
    }
    if (at > 0) {  // spaCy leaves an infix at the very beginning where it is
      if (at > start) tokens.push_back({chunk.bytes(begin + start, begin + at)});
      tokens.push_back({chunk.bytes(begin + at, begin + at + length)});
      start = at + length;
    }
    at += length;
  }
  if (start < s.size()) tokens.push_back({chunk.bytes(begin + start, end)});
}

void SpacyEnglish::Rules::split(Chunk& chunk, Exceptions use,
                                std::vector<SpacyToken>& tokens) const {
  size_t begin = 0, end = chunk.chars.size();
  std::vector<SpacyToken> suffixes;
  const auto is_exception = [&](size_t from, size_t to) {
    return use == Exceptions::used && from < to && exception(chunk.bytes(from, to)) != nullptr;
  };
  const auto cut_front = [&](size_t n) {
    tokens.push_back({chunk.bytes(begin, begin + n)});
    begin += n;
  };
  const auto cut_back = [&](size_t n) {
    suffixes.push_back({chunk.bytes(end - n, end)});
    end -= n;
  };
  while (begin < end && !is_exception(begin, end)) {
    const Chars s = Chars(chunk.chars).substr(begin, end - begin);
    const size_t front = prefix(s);
    if (front > 0 && is_exception(begin + front, end)) {
      cut_front(front);
      break;
    }
    const size_t back = suffix(s.substr(front));
    if (back > 0 && is_exception(begin, end - back)) {
      cut_back(back);
      break;
    }
    if (front == 0 && back == 0) break;
    if (front > 0) cut_front(front);
    if (back > 0) cut_back(back);
  }
  middle(chunk, begin, end, use, tokens);
  tokens.insert(tokens.end(), suffixes.rbegin(), suffixes.rend());
}

// spaCy's last pass: wherever tokens in a row spell an exception, the exception's own take their
// place; of overlapping ones the longest, and of equally long ones the first. Sequences with white
// space between their tokens spell nothing, but stand in the way of others all the same.
void SpacyEnglish::Rules::join(std::string_view text, std::vector<SpacyToken>& tokens) const {
  struct Span {
    size_t begin, end;
  };
  std::vector<Span> spans;
  for (size_t begin = 0; begin < tokens.size(); ++begin) {
    const std::string_view first = tokens[begin].text;
    if (first.size() > longest_first || !first_bytes[uint8_t(first[0])]) continue;
    uint32_t node = 0;
    for (size_t at = begin; at < tokens.size(); ++at) {
      const auto found = next.find(edge(node, tokens[at].text));
      if (found == next.end()) break;
      node = found->second;
      if (spells[node]) spans.push_back({begin, at + 1});
    }
  }
  if (spans.empty()) return;
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return a.end - a.begin != b.end - b.begin ? a.end - a.begin > b.end - b.begin
                                              : a.begin < b.begin;
  });
  std::vector<bool> taken(tokens.size());
  std::vector<Span> chosen;
  for (const Span& span : spans) {
    if (!taken[span.begin] && !taken[span.end - 1]) chosen.push_back(span);
    std::fill(taken.begin() + ptrdiff_t(span.begin), taken.begin() + ptrdiff_t(span.end), true);
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<SpacyToken> joined;
  joined.reserve(tokens.size());
  size_t done = 0;
  for (const Span& span : chosen) {
    const auto offset = [&](const char* p) { return size_t(p - text.data()); };
    const size_t from = offset(tokens[span.begin].text.data());
    const SpacyToken& last = tokens[span.end - 1];
    const std::string_view bytes =
        text.substr(from, offset(last.text.data() + last.text.size()) - from);
    const auto* exception = this->exception(bytes);
    if (exception == nullptr) continue;
    joined.insert(joined.end(), tokens.begin() + ptrdiff_t(done),
                  tokens.begin() + ptrdiff_t(span.begin));
    size_t at = 0;
    for (const std::string_view token : *exception) {
      joined.push_back({bytes.substr(at, token.size())});
      at += token.size();
    }
    done = span.end;
  }
  joined.insert(joined.end(), tokens.begin() + ptrdiff_t(done), tokens.end());
  tokens.swap(joined);
}

SpacyEnglish::SpacyEnglish() {
  auto rules = std::make_unique<Rules>();
  const auto written = spacy_exceptions();
  rules->storage.reserve(written.size());
  for (const char* tokens : written) {
    std::string& text = rules->storage.emplace_back();
    std::vector<size_t> ends;
    for (const char* c = tokens; *c != 0; ++c)
      if (*c == 1) ends.push_back(text.size());
      else text += *c;
    ends.push_back(text.size());
    std::vector<std::string_view> views;
    for (size_t i = 0; i < ends.size(); ++i) {
      const size_t begin = i == 0 ? 0 : ends[i - 1];
      views.push_back(std::string_view(text).substr(begin, ends[i] - begin));
    }
    rules->longest_exception = std::max(rules->longest_exception, text.size());
    rules->exceptions.emplace(text, std::move(views));
  }
  for (const char* unit : spacy_units()) rules->amounts.add(unit);
  for (const char* currency : spacy_currencies()) rules->amounts.add(currency);
  // Only exceptions that the affix rules would take apart can turn up in pieces.
  Chunk chunk;
  std::vector<SpacyToken> tokens;
  for (const std::string& text : rules->storage) {
    chunk.read(text);
    bool apart = rules->prefix(chunk.chars) > 0 || rules->suffix(chunk.chars) > 0;
    for (size_t at = 0; at < chunk.chars.size(); ++at)
      apart = apart || rules->infix(chunk.chars, at) > 0;
    if (!apart) continue;
    tokens.clear();
    rules->split(chunk, Rules::Exceptions::unused, tokens);
    uint32_t node = 0;
    for (const SpacyToken& token : tokens) {
      const auto [entry, added] =
          rules->next.emplace(Rules::edge(node, token.text), uint32_t(rules->spells.size()));
      if (added) rules->spells.push_back(false);
      node = entry->second;
    }
    rules->spells[node] = true;
    rules->longest_first = std::max(rules->longest_first, tokens[0].text.size());
    rules->first_bytes[uint8_t(tokens[0].text[0])] = true;
  }
  rules_ = std::move(rules);
}

SpacyEnglish::~SpacyEnglish() = default;

const SpacyEnglish& SpacyEnglish::shared() {
  static const SpacyEnglish one;
  return one;
}

void SpacyEnglish::tokenize(std::string_view text, std::vector<SpacyToken>& tokens) const {
  tokens.clear();
  Chunk chunk;
  const auto word = [&](std::string_view bytes) {
    // Nothing is split off ASCII letters but by an exception.
    if (std::all_of(bytes.begin(), bytes.end(), is_ascii_alpha) &&
        rules_->exception(bytes) == nullptr) {
      tokens.push_back({bytes});
      return;
    }
    chunk.read(bytes);
    rules_->split(chunk, Rules::Exceptions::used, tokens);
  };
  size_t begin = 0;
  bool in_space = false;
  for (size_t at = 0; at <= text.size();) {
    const bool end = at == text.size();
    const auto point = end ? text::CodePoint{} : text::decode_utf8(text, at);
    const bool space = !end && text::is_python_space(point.value);
    if (at == 0) in_space = space;
    if (end || space != in_space) {
      if (begin < at) {
        const std::string_view bytes = text.substr(begin, at - begin);
        if (in_space) tokens.push_back({bytes, SpacyToken::Kind::space});
        else word(bytes);
      }
      // One space after a word is part of neither token.
      begin = !end && point.value == ' ' ? at + 1 : at;
      in_space = space;
    }
    if (end) break;
    at += point.size;
  }
  rules_->join(text, tokens);
}

std::vector<size_t> spacy_sentence_starts(const std::vector<SpacyToken>& tokens) {
  std::vector<size_t> starts;
  bool ended = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i].text;
    const auto first = text::decode_utf8(token, 0);
    if (first.size == token.size() && ends_spacy_sentence(first.value)) {
      ended = true;
    } else if (ended) {
      bool punctuation = true;
      for (size_t at = 0; punctuation && at < token.size();) {
        const auto point = text::decode_utf8(token, at);
        punctuation = text::is_punctuation(point.value);
        at += point.size;
      }
      if (punctuation) continue;
      starts.push_back(i);
      ended = false;
    }
  }
  return starts;
}

}  // namespace helio::data
