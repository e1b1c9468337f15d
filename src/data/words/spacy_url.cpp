// spaCy's url_match, by hand: with backtracking its pattern is quadratic on hostile input.
#include <algorithm>

#include "data/words/spacy_classes.h"
#include "data/words/spacy_en.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

using Chunk = std::u32string_view;

bool is_digit(char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : text::is_decimal_digit(c); }
bool begins_path(char32_t c) { return c == '/' || c == '?' || c == '#'; }

// [A-Za-z0-9\u00a1-\uffff], what a label begins and ends with.
bool in_label(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c >= 0xA1 && c <= 0xFFFF);
}

// What follows a host: an optional port of 2 to 5 digits and an optional path.
bool is_port_and_path(Chunk rest) {
  if (rest.empty() || begins_path(rest[0])) return true;
  if (rest[0] != ':') return false;
  size_t digits = 0;
  while (1 + digits < rest.size() && is_digit(rest[1 + digits])) ++digits;
  if (digits < 2 || digits > 5) return false;
  rest.remove_prefix(1 + digits);
  return rest.empty() || begins_path(rest[0]);
}

// label.label.tld, each label 1 to 64 characters, the last part 2 to 63 lower-case letters.
bool is_domain(Chunk chunk) {
  bool labels = false;
  for (;;) {
    size_t end = 0;
    while (end < chunk.size() && (in_label(chunk[end]) || chunk[end] == '-' || chunk[end] == '_'))
      ++end;
    if (end < chunk.size() && chunk[end] == '.') {
      if (end == 0 || end > 64 || !in_label(chunk[0]) || !in_label(chunk[end - 1])) return false;
      chunk.remove_prefix(end + 1);
      labels = true;
      continue;
    }
    size_t tld = 0;
    while (tld < chunk.size() && is_spacy(chunk[tld], kSpacyLower)) ++tld;
    return labels && tld >= 2 && tld <= 63 && is_port_and_path(chunk.substr(tld));
  }
}

// The number a part spells in at most three decimal digits, or -1.
int octet(Chunk part) {
  if (part.empty() || part.size() > 3) return -1;
  int value = 0;
  for (const char32_t c : part) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + int(c - '0');
  }
  return value;
}

// A dotted address that is not private, loopback or reserved. (The pattern's \d takes the digits of
// any script; an address in others than ASCII's is not taken for one here.)
bool is_address(Chunk chunk) {
  int parts[4];
  for (int i = 0; i < 4; ++i) {
    size_t end = 0;
    while (end < chunk.size() && is_digit(chunk[end])) ++end;
    const Chunk part = chunk.substr(0, end);
    parts[i] = octet(part);
    const bool leading_zero = part.size() > 1 && part[0] == '0';
    if (parts[i] < 0 || parts[i] > 255) return false;
    if ((i == 0 || i == 3) && (leading_zero || parts[i] == 0)) return false;
    // "2[0-4]\d|25[0-5]|1?\d{1,2}": three digits do not begin with 0.
    if (leading_zero && part.size() == 3) return false;
    chunk.remove_prefix(end);
    if (i < 3) {
      if (chunk.empty() || chunk[0] != '.') return false;
      chunk.remove_prefix(1);
    }
  }
  if (parts[0] > 223 || parts[3] > 254) return false;
  if (parts[0] == 10 || parts[0] == 127) return false;
  if (parts[0] == 169 && parts[1] == 254) return false;
  if (parts[0] == 192 && parts[1] == 168) return false;
  if (parts[0] == 172 && parts[1] >= 16 && parts[1] <= 31) return false;
  return is_port_and_path(chunk);
}

bool is_host(Chunk chunk) { return is_domain(chunk) || is_address(chunk); }

// Begins with the host, or with anything up to an '@'.
bool is_host_with_user(Chunk chunk) {
  if (is_host(chunk)) return true;
  for (size_t at = 1; at < chunk.size(); ++at)
    if (chunk[at] == '@' && is_host(chunk.substr(at + 1))) return true;
  return false;
}

}  // namespace

bool is_spacy_url(Chunk chunk) {
  if (chunk.find(U'.') == chunk.npos) return false;
  if (is_host_with_user(chunk)) return true;
  // scheme://
  const size_t scheme = chunk.find(U"://");
  if (scheme == chunk.npos || scheme < 2) return false;
  const auto in_scheme = [](char32_t c) {
    return c == '_' || c == '+' || c == '-' || c == '.' || text::is_letter(c) || text::is_number(c);
  };
  return std::all_of(chunk.begin(), chunk.begin() + ptrdiff_t(scheme), in_scheme) &&
         is_host_with_user(chunk.substr(scheme + 3));
}

}  // namespace helio::data
