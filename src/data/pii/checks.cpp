#include "data/pii/checks.h"

#include <algorithm>
#include <cstddef>

namespace helio::data {
namespace {

int value(char c) { return c - '0'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text, size_t count) {
  return text.size() == count && std::all_of(text.begin(), text.end(), is_digit);
}

int number(std::string_view digits) {
  int result = 0;
  for (const char c : digits) result = result * 10 + value(c);
  return result;
}

// The 7th digit: sex and century, for nationals and for foreigners.
int birth_year(std::string_view d) {
  static constexpr int centuries[] = {1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800};
  return centuries[value(d[6])] + number(d.substr(0, 2));
}

}  // namespace

bool is_date(int year, int month, int day) {
  static constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

Registered registered_as(std::string_view d, CheckDigit check) {
  if (!all_digits(d, 13)) return Registered::no;
  if (!is_date(birth_year(d), number(d.substr(2, 2)), number(d.substr(4, 2))))
    return Registered::no;
  const bool foreigner = d[6] >= '5' && d[6] <= '8';
  const Registered kind = foreigner ? Registered::foreigner : Registered::national;
  if (check == CheckDigit::ignored || rrn_without_check_digit(d)) return kind;
  static constexpr int weights[] = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};
  int total = 0;
  for (size_t i = 0; i < 12; ++i) total += value(d[i]) * weights[i];
  const int expected = foreigner ? (13 - total % 11) % 10 : (11 - total % 11) % 10;
  return expected == value(d[12]) ? kind : Registered::no;
}

bool is_rrn(std::string_view digits) { return registered_as(digits) != Registered::no; }

bool rrn_without_check_digit(std::string_view d) {
  if (!all_digits(d, 13)) return false;
  const int year = birth_year(d);
  return year > 2020 || (year == 2020 && number(d.substr(2, 2)) >= 10);
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

bool is_card_issuer(std::string_view d) {
  if (d.size() < 13 || d.size() > 19) return false;
  const int two = number(d.substr(0, 2)), three = number(d.substr(0, 3)),
            four = number(d.substr(0, 4));
  const size_t n = d.size();
  if (d[0] == '4') return n == 13 || n == 16 || n == 19;                           // Visa
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return n == 16;  // Mastercard
  if (two == 34 || two == 37) return n == 15;                                    // American Express
  if (two == 36 || two == 38 || (three >= 300 && three <= 305)) return n == 14;  // Diners
  if (four >= 3528 && four <= 3589) return n == 16;                              // JCB
  if (two == 62) return n >= 16;                                                 // UnionPay
  if (four == 6011 || two == 65 || (three >= 644 && three <= 649)) return n == 16;  // Discover
  return d[0] == '9' && n == 16;  // cards for use in Korea alone
}

bool is_business_number(std::string_view d) {
  if (!all_digits(d, 10) || d[0] == '0') return false;
  static constexpr int weights[] = {1, 3, 7, 1, 3, 7, 1, 3, 5};
  int total = value(d[8]) * 5 / 10;
  for (size_t i = 0; i < 9; ++i) total += value(d[i]) * weights[i];
  return (10 - total % 10) % 10 == value(d[9]);
}

bool is_corporate_number(std::string_view d) {
  if (!all_digits(d, 13)) return false;
  int total = 0;
  for (size_t i = 0; i < 12; ++i) total += value(d[i]) * (i % 2 == 0 ? 1 : 2);
  return (10 - total % 10) % 10 == value(d[12]);
}

bool is_corporate_class(std::string_view d) {
  if (d.size() < 6) return false;
  const int kind = number(d.substr(4, 2));
  return (kind >= 11 && kind <= 15) || kind == 21 || kind == 22 || (kind >= 31 && kind <= 53) ||
         kind == 71 || kind == 81;
}

bool is_public_ipv4(const std::array<int, 4>& parts) {
  const int a = parts[0], b = parts[1], c = parts[2];
  return !(a == 0 || a == 10 || a == 127 || a >= 224 || (a == 169 && b == 254) ||
           (a == 172 && b >= 16 && b <= 31) || (a == 192 && b == 168) ||
           (a == 100 && b >= 64 && b <= 127) || (a == 198 && (b == 18 || b == 19)) ||
           (a == 192 && b == 0 && (c == 0 || c == 2)) || (a == 198 && b == 51 && c == 100) ||
           (a == 203 && b == 0 && c == 113));
}

bool is_public_ipv6(const std::array<int, 8>& groups) {
  const bool global = groups[0] >= 0x2000 && groups[0] <= 0x3FFF;
  const bool documentation = groups[0] == 0x2001 && groups[1] == 0xDB8;
  return global && !documentation;
}

}  // namespace helio::data
