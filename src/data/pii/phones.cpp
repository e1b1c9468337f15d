// Telephone numbers: Korean ones by their prefixes, others by their country code, North American
// ones by their form.
#include <algorithm>

#include "data/pii/scan.h"

namespace helio::data::pii {
namespace {

using Words = std::initializer_list<std::string_view>;

bool is_named(std::string_view text, size_t begin, size_t end) {
  return is_near(text, begin, end,
                 {"전화", "연락", "문의", "팩스", "휴대폰", "핸드폰", "상담", "☎", "☏", "📞", "tel",
                  "phone", "fax", "call", "mobile", "대표번호", "고객센터", "콜센터"},
                 {.before = 48, .after = 12});
}

enum class Line { none, mobile, seoul, area, internet, personal };

Line line_of(const Digits& run) {
  if (run.count < 9 || run.digits[0] != '0') return Line::none;
  const char b = run.digits[1], c = run.digits[2];
  if (b == '1' && (c == '0' || c == '1' || (c >= '6' && c <= '9'))) return Line::mobile;
  if (b == '2') return Line::seoul;
  if (b >= '3' && b <= '6' && c >= '1' && c <= '5') return Line::area;
  if (b == '7' && c == '0') return Line::internet;
  if (b == '5' && c == '0') return Line::personal;  // 0502 to 0508: a number that follows a person
  return Line::none;
}

// Points only between all groups; behind the first group the separator may be another one.
bool well_separated(const Digits& run, size_t groups) {
  for (size_t i = 2; i < groups; ++i)
    if (run.separators[i] == ')') return false;
  const bool points = std::count(run.separators + 1, run.separators + groups, '.') > 0;
  if (!points) return true;
  return run.separated_by('.', groups) || (run.separators[1] == ')' && groups == 3);
}

// Behind how many digits a Korean number ends; 0 for none. No exchange begins with 0: those are
// what surrogates look like.
size_t korean_digits(std::string_view text, size_t at, const Digits& run) {
  const Line line = line_of(run);
  if (line == Line::none) return 0;
  const auto whole = [&](std::initializer_list<size_t> sizes, size_t exchange) -> size_t {
    const size_t count = run.fits(sizes);
    if (count == 0 || !may_end(text, run.ends[count - 1])) return 0;
    if (run.digits[exchange] == '0' || !well_separated(run, sizes.size())) return 0;
    return count;
  };
  const auto any = [](std::initializer_list<size_t> counts) { return std::max(counts); };
  size_t count = 0;
  switch (line) {
    case Line::mobile: {
      count = any({whole({3, 4, 4}, 3), whole({3, 3, 4}, 3), whole({3, 8}, 3), whole({11}, 3)});
      if (count == 0 && run.digits[2] != '0') count = whole({10}, 3);
      if (run.digits[2] == '0' && count == 10) count = 0;  // 010 has eight digits behind it
      break;
    }
    case Line::seoul:
      count = any({whole({2, 4, 4}, 2), whole({2, 3, 4}, 2)});
      if (count > 0 && run.separated_by(' ', 3) && !is_named(text, at, run.ends[count - 1]))
        count = 0;
      break;
    case Line::area:
    case Line::internet:
      count = any({whole({3, 4, 4}, 3), whole({3, 3, 4}, 3)});
      break;
    case Line::personal:
      count = any({whole({4, 4, 4}, 4), whole({4, 3, 4}, 4)});
      break;
    case Line::none:
      break;
  }
  if (count > 0 || line == Line::mobile) return count;
  // Land lines without any separator, where something says that they are.
  const size_t plain = run.groups[0];
  if (plain < 9 || plain > 11 || !may_end(text, run.ends[plain - 1])) return 0;
  if (run.digits[line == Line::seoul ? 2 : 3] < '2') return 0;
  return is_named(text, at, run.ends[plain - 1]) ? plain : 0;
}

// "1588-1234", "080-123-4567": a company answers.
size_t hotline_digits(std::string_view text, size_t at, const Digits& run) {
  if (run.fits({3, 3, 4}) && run.begins_with("080") && may_end(text, run.ends[9])) return 10;
  for (const std::string_view toll_free : {"800", "888", "877", "866"})
    if (run.fits({3, 3, 4}) && run.begins_with(toll_free) && !run.separated_by(' ', 3) &&
        may_end(text, run.ends[9]))
      return 10;
  if (!run.fits({4, 4}) || run.separators[1] != '-' || !may_end(text, run.ends[7])) return 0;
  static constexpr std::array<std::string_view, 20> prefixes = {
      "1522", "1533", "1544", "1566", "1577", "1588", "1599", "1600", "1644", "1660",
      "1661", "1666", "1668", "1670", "1688", "1800", "1811", "1833", "1855", "1899"};
  if (!std::binary_search(prefixes.begin(), prefixes.end(), run.first(4))) return 0;
  // "1592-1598" are the years of a war.
  const std::string_view second(run.digits + 4, 4);
  if (second > "1500" && second < "2100" && !is_named(text, at, run.ends[7])) return 0;
  return 8;
}

// (415) 555-2671, 415-555-2671, 415.555.2671, 1-415-555-2671
size_t american_digits(std::string_view text, const Digits& run) {
  const size_t lead = run.fits({1, 3, 3, 4}) && run.digits[0] == '1' ? 1 : 0;
  if (lead == 0 && !run.fits({3, 3, 4})) return 0;
  const size_t count = lead + 10, groups = lead + 3;
  if (!may_end(text, run.ends[count - 1])) return 0;
  const char* d = run.digits + lead;
  if (d[0] < '2' || d[3] < '2' || (d[1] == '1' && d[2] == '1')) return 0;
  const char first = run.separators[lead + 1], second = run.separators[lead + 2];
  const bool shaped = (first == ')' && (second == '-' || second == ' ')) ||
                      (first == second && (first == '-' || first == '.')) ||
                      (first == ' ' && second == '-');
  if (!shaped || (lead && run.separators[1] == ')')) return 0;
  return run.separated_by('.', groups) && lead ? 0 : count;
}

bool is_country(std::string_view code) {
  static constexpr std::array<std::string_view, 45> short_ones = {
      "1",  "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45",
      "46", "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62",
      "63", "64", "65", "66", "7",  "81", "84", "86", "90", "91", "92", "93", "94", "95", "98"};
  if (std::binary_search(short_ones.begin(), short_ones.end(), code)) return true;
  if (code.size() != 3) return false;
  const std::string_view two = code.substr(0, 2);
  for (const std::string_view family : {"21", "22", "23", "24", "25", "26", "29", "35", "37", "38",
                                        "42", "50", "59", "67", "68", "85", "88", "96", "97", "99"})
    if (two == family) return true;
  return false;
}

// The number behind "+82", with or without the 0 of its prefix.
MaybeFind korean_abroad(std::string_view text, size_t begin, size_t at) {
  while (at < text.size() && (text[at] == '-' || text[at] == ' ' || text[at] == '.')) ++at;
  if (text.substr(at).starts_with("(0)")) {
    at += 3;
    if (char_at(text, at) == '-' || char_at(text, at) == ' ') ++at;
  } else if (char_at(text, at) == '(') {
    ++at;
  }
  if (char_at(text, at) == '0') ++at;
  if (!is_digit(char_at(text, at))) return {};
  Digits run = digits_from(text, at);
  if (run.count == Digits::kMost) --run.count;
  std::copy_backward(run.digits, run.digits + run.count, run.digits + run.count + 1);
  std::copy_backward(run.ends, run.ends + run.count, run.ends + run.count + 1);
  run.digits[0] = '0';
  run.ends[0] = at;
  ++run.count;
  ++run.groups[0];
  const size_t count = korean_digits(text, at, run);
  if (count > 0) return Find{Pii::phone, begin, run.ends[count - 1]};
  // The country's number is proof enough for "+82 2 312 4567".
  if (const size_t seoul = std::max(run.fits({2, 3, 4}), run.fits({2, 4, 4}));
      seoul > 0 && run.begins_with("02") && may_end(text, run.ends[seoul - 1]))
    return Find{Pii::phone, begin, run.ends[seoul - 1]};
  const size_t plain = run.groups[0];  // "+82212345678"
  if (line_of(run) != Line::none && plain >= 9 && plain <= 11 && may_end(text, run.ends[plain - 1]))
    return Find{Pii::phone, begin, run.ends[plain - 1]};
  return {};
}

}  // namespace

MaybeFind phone_at(std::string_view text, size_t at, const Digits& run) {
  if (run.count < 8) return {};
  // "(02) 123-4567": the bracket belongs to it.
  const bool bracket =
      run.group_count > 1 && run.separators[1] == ')' && char_before(text, at) == '(';
  const size_t begin = bracket ? at - 1 : at;
  if (const size_t count = korean_digits(text, at, run))
    return Find{Pii::phone, begin, run.ends[count - 1]};
  if (const size_t count = hotline_digits(text, at, run))
    return Find{Pii::hotline, begin, run.ends[count - 1]};
  if (const size_t count = american_digits(text, run))
    return Find{Pii::phone, begin, run.ends[count - 1]};
  // "82-10-1234-5678", "0082-10-1234-5678"
  const bool plain_code = run.fits({2, 2, 4, 4}) && run.begins_with("8210");
  const bool dialled = run.begins_with("0082") && run.group_count > 1 && run.groups[0] == 4;
  if (plain_code || dialled) return korean_abroad(text, at, run.ends[dialled ? 3 : 1]);
  return {};
}

MaybeFind international_phone_at(std::string_view text, size_t plus) {
  const size_t begin = char_before(text, plus) == '(' ? plus - 1 : plus;
  size_t at = plus + 1;
  if (text.substr(at, 2) == "82") {
    size_t next = at + 2;
    if (char_at(text, next) == ')') ++next;
    return korean_abroad(text, next > at + 2 ? begin : plus, next);
  }
  if (char_at(text, at) == '0') return {};
  std::string digits;
  size_t groups = 1, end = at;
  bool gap = false;
  for (; at < text.size() && digits.size() < 16; ++at) {
    const char c = text[at];
    if (is_digit(c)) {
      if (gap && digits.size() > 0) ++groups;
      gap = false;
      digits += c;
      end = at + 1;
    } else if ((c == ' ' || c == '-' || c == '.' || c == '(' || c == ')') && at - end < 2) {
      gap = true;
    } else {
      break;
    }
  }
  if (digits.size() < 9 || digits.size() > 15 || !may_end(text, end)) return {};
  if (groups == 1 && digits.size() < 10) return {};
  bool country = false;
  for (size_t size = 1; size <= 3; ++size)
    country = country || is_country(std::string_view(digits).substr(0, size));
  return country ? MaybeFind(Find{Pii::phone, plus, end}) : std::nullopt;
}

}  // namespace helio::data::pii
