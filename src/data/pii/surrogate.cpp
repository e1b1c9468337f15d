#include "data/pii/surrogate.h"

#include <cstring>

#include "core/hash.h"
#include "core/rng.h"
#include "data/pii/checks.h"
#include "data/pii/scan.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

using namespace pii;

Rng rng_of(Pii kind, std::string_view value, std::string_view key) {
  // What only separates does not count: 010-1234-5678 and 01012345678 are one number.
  const bool letters_count = kind == Pii::secret;
  std::string canonical;
  for (const char c : value)
    if (is_alnum(c) || static_cast<unsigned char>(c) >= 0x80 || kind == Pii::email)
      canonical += letters_count ? c : lower(c);
  const Sha256 digest = Sha256Stream()
                            .update(std::to_string(key.size()) + ":")
                            .update(key)
                            .update(name_of(kind))
                            .update(":")
                            .update(canonical)
                            .digest();
  uint64_t seed = 0;
  for (size_t i = 0; i < 8; ++i) seed |= uint64_t(digest[i]) << (8 * i);
  return Rng(seed);
}

char digit_of(uint64_t n) { return char('0' + n % 10); }

// Every digit and letter another of its class.
std::string shuffled(std::string_view value, Rng& rng) {
  std::string out(value);
  for (char& c : out) {
    if (is_digit(c)) c = digit_of(rng.below(10));
    else if (is_upper(c)) c = char('A' + rng.below(26));
    else if (is_alpha(c)) c = char('a' + rng.below(26));
  }
  return out;
}

std::string digits_in(std::string_view value) {
  std::string digits;
  for (const char c : value)
    if (is_digit(c)) digits += c;
  return digits;
}

// The digits of `value` replaced one by one, separators kept.
std::string with_digits(std::string_view value, std::string_view digits) {
  std::string out(value);
  size_t next = 0;
  for (char& c : out)
    if (is_digit(c) && next < digits.size()) c = digits[next++];
  return out;
}

std::string random_digits(std::string digits, size_t from, Rng& rng) {
  for (size_t i = from; i < digits.size(); ++i) digits[i] = digit_of(rng.below(10));
  return digits;
}

void next_digit(char& c) { c = c == '9' ? '0' : char(c + 1); }

std::string two(uint64_t n) { return std::string{char('0' + n / 10), char('0' + n % 10)}; }

// A date between 1950 and 2009 in the same form; the check digit is wrong.
std::string resident(std::string digits, Rng& rng) {
  const bool foreigner = digits[6] >= '5' && digits[6] <= '8';
  const uint64_t year = 1950 + rng.below(60);
  digits.replace(0, 6, two(year % 100) + two(1 + rng.below(12)) + two(1 + rng.below(28)));
  const int kind = int(rng.below(2)) + (year >= 2000 ? 3 : 1) + (foreigner ? 4 : 0);
  digits[6] = char('0' + kind);
  digits = random_digits(std::move(digits), 7, rng);
  while (is_rrn(digits) || is_corporate_number(digits)) next_digit(digits[12]);
  return digits;
}

std::string card(std::string digits, Rng& rng) {
  digits = random_digits(std::move(digits), 6, rng);  // the issuer stays
  if (passes_luhn(digits)) next_digit(digits.back());
  return digits;
}

std::string business(std::string digits, Rng& rng) {
  digits = random_digits(std::move(digits), 0, rng);
  if (digits[0] == '0') digits[0] = '1';
  if (is_business_number(digits)) next_digit(digits.back());
  return digits;
}

std::string corporate(std::string digits, Rng& rng) {
  digits = random_digits(std::move(digits), 6, rng);  // court and class stay
  digits[6] = '0';  // or it might read as the number of a person born lately
  while (is_rrn(digits) || is_corporate_number(digits)) next_digit(digits[12]);
  return digits;
}

// Its prefix stays; the exchange begins with 0, which none does.
std::string phone(std::string_view value, Rng& rng) {
  const std::string digits = digits_in(value);
  size_t prefix = 3;
  if (digits.starts_with("82") && value.find('+') != value.npos)
    prefix = digits.starts_with("822") ? 3 : digits.starts_with("820") ? 5 : 4;
  else if (digits.starts_with("8210")) prefix = 4;
  else if (digits.starts_with("0082")) prefix = 6;
  else if (digits.starts_with("02")) prefix = 2;
  else if (digits.starts_with("050")) prefix = 4;
  else if (digits.starts_with("1") && digits.size() == 11) prefix = 4;  // 1-415-
  else if (digits.size() == 8) prefix = 4;                              // 1588-
  prefix = std::min(prefix, digits.size() - 4);
  std::string out = random_digits(digits, prefix, rng);
  out[prefix] = '0';
  return with_digits(value, out);
}

std::string email(std::string_view value, Rng& rng) {
  static constexpr std::string_view domains[] = {"example.com", "example.net", "example.org"};
  return shuffled(value.substr(0, value.find('@')), rng) + "@" + std::string(domains[rng.below(3)]);
}

std::string ipv4(Rng& rng) {
  static constexpr std::string_view nets[] = {"192.0.2.", "198.51.100.", "203.0.113."};
  return std::string(nets[rng.below(3)]) + std::to_string(1 + rng.below(254));
}

std::string ipv6(Rng& rng) {
  std::string out = "2001:db8";
  for (int group = 0; group < 6; ++group) {
    out += ':';
    for (int i = 0; i < 4; ++i)
      out += "0123456789abcdef"[i == 0 ? 1 + rng.below(15) : rng.below(16)];
  }
  return out;
}

std::string driver(std::string digits, Rng& rng) {
  digits = random_digits(std::move(digits), 2, rng);
  digits[0] = '9';  // regions are 11 to 28
  digits[1] = digit_of(rng.below(10));
  return digits;
}

std::string ssn(std::string digits, Rng& rng) {
  digits = random_digits(std::move(digits), 0, rng);
  return digits.replace(0, 3, "000");  // an area that was never given out
}

std::string passport(std::string_view value, Rng& rng) {
  std::string out = shuffled(value, rng);
  out[0] = 'X';  // no kind of passport
  return out;
}

std::string account(std::string_view value, Rng& rng) {
  if (!is_digit(value[0])) {  // IBAN: its check digits are 00, which none has
    std::string out = std::string(value.substr(0, 2)) + shuffled(value.substr(2), rng);
    return out.replace(2, 2, "00");
  }
  std::string digits = random_digits(digits_in(value), 0, rng);
  return with_digits(value, digits.replace(0, 3, "000"));
}

// Province and district stay, the road or quarter is an invented one, the numbers are others.
std::string address(std::string_view value, Rng& rng) {
  static constexpr std::string_view korean[] = {"가온누리", "늘푸른솔", "다솜마루", "미리내별",
                                                "새라온길", "아라찬들", "온새미빛", "해오름터"};
  static constexpr std::string_view english[] = {"Larkmere", "Fenhollow", "Ostwick", "Brinmoor",
                                                 "Thornby",  "Quillan",   "Merrow",  "Haldon"};
  const bool hangul = static_cast<unsigned char>(value[0]) >= 0x80;
  const uint64_t name = rng.below(8);
  std::string out;
  size_t first_digit = value.find_first_of("0123456789");
  if (!hangul) {
    const size_t words = value.find(' ', first_digit);
    const size_t kind = value.find(' ', words == value.npos ? 0 : words + 1);
    if (words == value.npos || kind == value.npos) return shuffled(value, rng);
    return std::to_string(1 + rng.below(9998)) + " " + std::string(english[name]) +
           with_digits(value.substr(kind), random_digits(digits_in(value.substr(kind)), 0, rng));
  }
  if (first_digit == value.npos) return starred(value);
  size_t end = first_digit;
  while (end > 0 && value[end - 1] == ' ') --end;
  const size_t space = value.substr(0, end).rfind(' ');
  const size_t begin = space == value.npos ? 0 : space + 1;
  const std::string_view kind = value.substr(end - std::min<size_t>(end, 3), 3);
  out = std::string(value.substr(0, begin)) + std::string(korean[name]) + std::string(kind) +
        std::string(value.substr(end, first_digit - end));
  std::string numbers = digits_in(value.substr(first_digit));
  numbers = random_digits(std::move(numbers), 0, rng);
  std::string rest = with_digits(value.substr(first_digit), numbers);
  for (size_t i = 0; i < rest.size(); ++i)  // no number begins with 0
    if (rest[i] == '0' && (i == 0 || !is_digit(rest[i - 1]))) rest[i] = '7';
  return out + rest;
}

}  // namespace

std::string surrogate(Pii kind, std::string_view value, std::string_view key) {
  Rng rng = rng_of(kind, value, key);
  switch (kind) {
    case Pii::email:
      return email(value, rng);
    case Pii::phone:
    case Pii::hotline:
      return phone(value, rng);
    case Pii::rrn:
    case Pii::frn:
      return with_digits(value, resident(digits_in(value), rng));
    case Pii::ssn:
      return with_digits(value, ssn(digits_in(value), rng));
    case Pii::passport:
      return passport(value, rng);
    case Pii::driver:
      return with_digits(value, driver(digits_in(value), rng));
    case Pii::card:
      return with_digits(value, card(digits_in(value), rng));
    case Pii::account:
      return account(value, rng);
    case Pii::business:
      return with_digits(value, business(digits_in(value), rng));
    case Pii::corporate:
      return with_digits(value, corporate(digits_in(value), rng));
    case Pii::ipv4:
      return ipv4(rng);
    case Pii::ipv6:
      return ipv6(rng);
    case Pii::address:
      return address(value, rng);
    case Pii::secret:
      return shuffled(value, rng);
  }
  return starred(value);
}

std::string starred(std::string_view value, size_t keep_last) {
  const auto counts = [](char32_t c) {
    return c < 0x80 ? is_alnum(char(c)) : text::is_letter(c) || text::is_number(c);
  };
  size_t total = 0;
  text::for_each_code_point(value, [&](char32_t c, std::string_view) { total += counts(c); });
  std::string out;
  size_t seen = 0;
  text::for_each_code_point(value, [&](char32_t c, std::string_view bytes) {
    const bool star = counts(c) && seen++ + keep_last < total;
    if (star) out += '*';
    else out += bytes;
  });
  return out;
}

}  // namespace helio::data
