// What the detectors share. Each looks at one place of the text and says where its find ends, or
// nothing; none looks further than a fixed distance, so that the whole is linear.
#pragma once

#include <initializer_list>
#include <optional>

#include "data/pii/pii.h"

namespace helio::data::pii {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alpha(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr int value(char c) { return c - '0'; }
constexpr char lower(char c) { return is_upper(c) ? char(c | 0x20) : c; }

// The character at `at`, or a line end beyond the ends.
inline char char_at(std::string_view text, size_t at) { return at < text.size() ? text[at] : '\n'; }
inline char char_before(std::string_view text, size_t at) { return at > 0 ? text[at - 1] : '\n'; }

// A run of digits in groups. Between two of them stands at most one separator: '-' (any dash, with
// a space on either side or not), ' ', '.' or ')' (with a space or dash behind it, or not).
struct Digits {
  static constexpr size_t kMost = 24;
  char digits[kMost] = {};
  size_t ends[kMost] = {};  // byte behind each digit
  size_t count = 0;
  size_t groups[kMost] = {};
  char separators[kMost] = {};  // separators[i] stands before group i; [0] is unused
  size_t group_count = 0;

  std::string_view first(size_t n) const { return {digits, n < count ? n : count}; }
  bool begins_with(std::string_view prefix) const { return first(prefix.size()) == prefix; }
  // Whether its first groups have these sizes, and how many digits that is.
  size_t fits(std::initializer_list<size_t> sizes) const;
  // Whether all separators of the first `n` groups are `c`.
  bool separated_by(char c, size_t n) const;
};
Digits digits_from(std::string_view text, size_t begin);

// The number may end behind `end`: no letter, digit, or dash or point with a digit, follows.
bool may_end(std::string_view text, size_t end);

// Whether one of the words stands within `before` bytes before `begin` or `after` bytes behind
// `end`. Words are lower case; ASCII capitals in the text are taken for small letters.
struct Reach {
  size_t before = 60, after = 24;
};
bool is_near(std::string_view text, size_t begin, size_t end,
             std::initializer_list<std::string_view> words, Reach reach = {});

struct Find {
  Pii kind = Pii::email;
  size_t begin = 0, end = 0;
};
using MaybeFind = std::optional<Find>;

// Numbers that begin with the digit at `at`.
MaybeFind registration_at(std::string_view text, size_t at, const Digits& run);
MaybeFind card_at(std::string_view text, size_t at, const Digits& run);
MaybeFind phone_at(std::string_view text, size_t at, const Digits& run);
MaybeFind international_phone_at(std::string_view text, size_t plus);
MaybeFind account_at(std::string_view text, size_t at, const Digits& run);
MaybeFind ipv4_at(std::string_view text, size_t at, Addresses which);

// Finds round a digit at `at`, which is the first of its run; they may begin before it.
MaybeFind ipv6_round(std::string_view text, size_t at, Addresses which);
MaybeFind document_number_round(std::string_view text, size_t at);  // passport, IBAN
MaybeFind address_round(std::string_view text, size_t at);

// The e-mail address round the '@' at `at`; nothing of it lies before `floor`.
MaybeFind email_round(std::string_view text, size_t at, size_t floor);
// user:password in the URL whose '@' is at `at`.
MaybeFind login_round(std::string_view text, size_t at, size_t floor);

// Secrets are looked for once in each run of letters, digits, '_' and '-'.
class SecretScan {
 public:
  MaybeFind round(std::string_view text, size_t at);

 private:
  size_t seen_ = 0;  // end of the last run
};

}  // namespace helio::data::pii
