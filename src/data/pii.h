// Personal data in a text: where it stands and what it is. Hand-written scanners: what they accept
// is checked (dates and checksums of registration numbers, Luhn for cards), so that plain numbers
// stay.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data {

enum class Pii { email, rrn, card, phone, ipv4 };
std::string_view name_of(Pii kind);  // "email", ...

struct PiiSpan {
  Pii kind = Pii::email;
  size_t begin = 0, end = 0;  // bytes
};

// In order, without overlaps.
//   email  a local part, @, a domain with a dot and a top level of letters
//   rrn    Korean resident registration number: a date of the century its 7th digit says, and, for
//          those born before October 2020, its checksum (later ones have none)
//   card   13 to 19 digits beginning with 3 to 6, in groups or not, that pass Luhn
//   phone  Korean: 010 and the older mobile prefixes, 02 and 0xx land lines, +82
//   ipv4   four bytes, one of them above 31 (or it is the number of a section), of the addresses
//   that
//          are routed on the internet
std::vector<PiiSpan> find_pii(std::string_view text);

bool is_rrn(std::string_view digits);  // 13 digits
bool passes_luhn(std::string_view digits);

}  // namespace helio::data
