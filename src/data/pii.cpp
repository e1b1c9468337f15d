#include "data/pii.h"

#include <algorithm>
#include <array>
#include <optional>

namespace helio::data {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
int value(char c) { return c - '0'; }

bool is_local(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+/=?^_`{|}~.-").find(c) != std::string_view::npos;
}

// Round the '@' at `at`.
std::optional<PiiSpan> email_at(std::string_view text, size_t at, size_t floor) {
  size_t begin = at;
  while (begin > floor && is_local(text[begin - 1])) --begin;
  while (begin < at && !is_alnum(text[begin]) && text[begin] != '_')
    ++begin;  // quotes, "mailto=" ends
  if (begin == at || text[at - 1] == '.') return std::nullopt;
  size_t end = at + 1;
  size_t label = end, last_dot = 0;
  while (end < text.size() && (is_alnum(text[end]) || text[end] == '-' || text[end] == '.')) {
    if (text[end] == '.') {
      if (end == label) break;
      last_dot = end;
      label = end + 1;
    }
    ++end;
  }
  while (end > at + 1 && !is_alnum(text[end - 1])) --end;  // "a@b.org." ends a sentence
  if (last_dot >= end) last_dot = text.substr(0, end).rfind('.');
  if (last_dot == text.npos || last_dot <= at + 1 || end - last_dot < 3) return std::nullopt;
  for (size_t i = last_dot + 1; i < end; ++i)
    if (!is_alpha(text[i])) return std::nullopt;
  return PiiSpan{Pii::email, begin, end};
}

// Digits from `begin` on with at most one separator between two of them.
struct Digits {
  std::string digits = {};
  std::vector<size_t> ends = {};     // byte after each digit
  std::vector<size_t> groups = {1};  // digits between separators; the last one grows
  char separator = 0;                // the one kind between them
};

Digits digits_from(std::string_view text, size_t begin) {
  Digits found;
  for (size_t at = begin; at < text.size() && found.digits.size() < 24;) {
    if (is_digit(text[at])) {
      found.digits += text[at++];
      found.ends.push_back(at);
      if (found.digits.size() > 1) ++found.groups.back();
    } else if ((text[at] == '-' || text[at] == ' ' || text[at] == '.') && at + 1 < text.size() &&
               is_digit(text[at + 1])) {
      if (found.separator && found.separator != text[at]) break;  // another number begins
      found.separator = text[at];
      found.groups.push_back(0);
      ++at;
    } else {
      break;
    }
  }
  return found;
}

// The number may end after `count` digits: nothing of a longer number or name follows.
bool ends_after(std::string_view text, const Digits& found, size_t count) {
  if (found.digits.size() < count) return false;
  const size_t end = found.ends[count - 1];
  return end >= text.size() || !(is_alnum(text[end]) || text[end] == '_' || text[end] == '@');
}

// Whether groups are of the given sizes, at their beginning.
bool begins_with_groups(const Digits& found, std::initializer_list<size_t> sizes) {
  if (found.groups.size() < sizes.size()) return false;
  return std::equal(sizes.begin(), sizes.end(), found.groups.begin());
}

size_t sum(std::initializer_list<size_t> sizes) {
  size_t total = 0;
  for (const size_t size : sizes) total += size;
  return total;
}

using Groups = std::initializer_list<size_t>;

std::optional<size_t> rrn_end(std::string_view text, const Digits& found) {
  const bool shaped = begins_with_groups(found, {13}) ||
                      (found.separator != '.' && begins_with_groups(found, {6, 7}));
  if (!shaped || !ends_after(text, found, 13)) return std::nullopt;
  if (!is_rrn(std::string_view(found.digits).substr(0, 13))) return std::nullopt;
  return found.ends[12];
}

std::optional<size_t> card_end(std::string_view text, const Digits& found) {
  if (found.digits[0] < '3' || found.digits[0] > '6' || found.separator == '.') return std::nullopt;
  size_t count = 0;
  if (begins_with_groups(found, {4, 4, 4, 4})) count = 16;
  else if (begins_with_groups(found, {4, 6, 5})) count = 15;
  else if (found.groups[0] >= 13 && found.groups[0] <= 19) count = found.groups[0];
  if (count == 0 || !ends_after(text, found, count)) return std::nullopt;
  if (!passes_luhn(std::string_view(found.digits).substr(0, count))) return std::nullopt;
  return found.ends[count - 1];
}

std::optional<size_t> phone_end(std::string_view text, const Digits& found) {
  const std::string& d = found.digits;
  if (d[0] != '0' || d.size() < 9) return std::nullopt;
  const bool mobile = d[1] == '1' && (d[2] == '0' || d[2] == '1' || (d[2] >= '6' && d[2] <= '9'));
  const bool seoul = d[1] == '2';
  const bool land =
      (d[1] >= '3' && d[1] <= '6' && d[2] >= '1' && d[2] <= '5') || d.starts_with("070");
  const auto fits = [&](Groups groups) {
    return begins_with_groups(found, groups) && ends_after(text, found, sum(groups));
  };
  size_t count = 0;
  if (mobile || land) {
    if (fits({3, 4, 4})) count = 11;
    else if (fits({3, 3, 4})) count = 10;
    else if (mobile && (fits({11}) || (d[2] != '0' && fits({10})))) count = found.groups[0];
  } else if (seoul) {
    if (fits({2, 4, 4})) count = 10;
    else if (fits({2, 3, 4})) count = 9;
  }
  if (count == 0) return std::nullopt;
  return found.ends[count - 1];
}

// "+82-10-1234-5678", "+82 2 123 4567": after the country's number, without the 0.
std::optional<size_t> international_end(std::string_view text, size_t plus) {
  if (text.substr(plus, 3) != "+82") return std::nullopt;
  size_t at = plus + 3;
  if (at < text.size() && (text[at] == '-' || text[at] == ' ' || text[at] == '.')) ++at;
  if (at < text.size() && text[at] == '0') ++at;
  if (at >= text.size() || !is_digit(text[at])) return std::nullopt;
  Digits found = digits_from(text, at);
  found.digits.insert(found.digits.begin(), '0');
  found.ends.insert(found.ends.begin(), at);
  ++found.groups[0];
  return phone_end(text, found);
}

std::optional<size_t> ipv4_end(std::string_view text, size_t begin) {
  std::array<int, 4> parts = {};
  size_t at = begin;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (at >= text.size() || text[at] != '.') return std::nullopt;
      ++at;
    }
    size_t count = 0;
    while (at < text.size() && is_digit(text[at]) && count < 4)
      parts[i] = parts[i] * 10 + value(text[at++]), ++count;
    if (count == 0 || count > 3 || parts[i] > 255) return std::nullopt;
  }
  if (at < text.size() && (is_alnum(text[at]) || text[at] == '_')) return std::nullopt;
  if (at + 1 < text.size() && (text[at] == '.' || text[at] == '-') && is_alnum(text[at + 1]))
    return std::nullopt;  // a version or a longer number
  // "Section 6.3.2.1": numbers of sections and versions have the same form. What has no part above
  // 31 is taken for one of those, at the price of a few real addresses (8.8.8.8).
  if (*std::max_element(parts.begin(), parts.end()) < 32) return std::nullopt;
  const int a = parts[0], b = parts[1], c = parts[2];
  const bool local = a == 0 || a == 10 || a == 127 || a >= 224 || (a == 169 && b == 254) ||
                     (a == 172 && b >= 16 && b <= 31) || (a == 192 && b == 168) ||
                     (a == 100 && b >= 64 && b <= 127) || (a == 198 && (b == 18 || b == 19)) ||
                     (a == 192 && b == 0 && (c == 0 || c == 2)) ||
                     (a == 198 && b == 51 && c == 100) || (a == 203 && b == 0 && c == 113);
  if (local) return std::nullopt;
  return at;
}

bool is_date(int year, int month, int day) {
  static constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

}  // namespace

std::string_view name_of(Pii kind) {
  switch (kind) {
    case Pii::email:
      return "email";
    case Pii::rrn:
      return "rrn";
    case Pii::card:
      return "card";
    case Pii::phone:
      return "phone";
    case Pii::ipv4:
      return "ipv4";
  }
  return "email";
}

bool is_rrn(std::string_view d) {
  if (d.size() != 13 || !std::all_of(d.begin(), d.end(), is_digit)) return false;
  // The 7th digit: sex and century, for nationals and for foreigners.
  static constexpr int centuries[] = {1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800};
  const int kind = value(d[6]);
  const int year = centuries[kind] + value(d[0]) * 10 + value(d[1]);
  const int month = value(d[2]) * 10 + value(d[3]), day = value(d[4]) * 10 + value(d[5]);
  if (!is_date(year, month, day)) return false;
  if (year > 2020 || (year == 2020 && month >= 10)) return true;
  static constexpr int weights[] = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};
  int total = 0;
  for (int i = 0; i < 12; ++i) total += value(d[static_cast<size_t>(i)]) * weights[i];
  const bool foreigner = kind >= 5 && kind <= 8;
  const int check = foreigner ? (13 - total % 11) % 10 : (11 - total % 11) % 10;
  return check == value(d[12]);
}

bool passes_luhn(std::string_view digits) {
  int total = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = value(digits[digits.size() - 1 - i]);
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    total += digit;
  }
  return !digits.empty() && total % 10 == 0;
}

std::vector<PiiSpan> find_pii(std::string_view text) {
  std::vector<PiiSpan> spans;
  size_t floor = 0;  // the end of the span before
  const auto found = [&](Pii kind, size_t begin, size_t end) {
    while (!spans.empty() && spans.back().end > begin) spans.pop_back();  // part of an e-mail name
    spans.push_back({kind, begin, end});
    floor = end;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '@') {
      const size_t before = spans.empty()                     ? 0
                            : spans.back().kind == Pii::email ? spans.back().end
                                                              : 0;
      if (const auto email = email_at(text, at, before)) {
        found(Pii::email, email->begin, email->end);
        at = email->end - 1;
      }
      continue;
    }
    if (c != '+' && !is_digit(c)) continue;
    const char previous = at > 0 ? text[at - 1] : ' ';
    if (at < floor || is_alnum(previous) || previous == '_') continue;
    if (c == '+') {
      if (const auto end = international_end(text, at)) found(Pii::phone, at, *end), at = *end - 1;
      continue;
    }
    const bool joined = at > 1 && (previous == '-' || previous == '.') && is_alnum(text[at - 2]);
    if (joined) continue;
    const Digits digits = digits_from(text, at);
    std::optional<size_t> end;
    Pii kind = Pii::rrn;
    if ((end = rrn_end(text, digits))) kind = Pii::rrn;
    else if ((end = card_end(text, digits))) kind = Pii::card;
    else if ((end = phone_end(text, digits))) kind = Pii::phone;
    else if ((end = ipv4_end(text, at))) kind = Pii::ipv4;
    if (end) {
      found(kind, at, *end);
      at = *end - 1;
    } else {
      while (at + 1 < text.size() && is_digit(text[at + 1])) ++at;
    }
  }
  return spans;
}

}  // namespace helio::data
