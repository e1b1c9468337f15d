// Personal data in a text: where it stands and what it is. Hand-written scanners, because most of
// what they accept is checked (dates, check digits, issuers, ranges) and not only looked at, so
// that plain numbers stay. docs/data-pii.md has what each kind takes and its measured precision.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data {

enum class Pii : uint8_t {
  email,
  phone,    // Korean mobile and land lines, +CC, North American
  hotline,  // 15xx-xxxx, 080: a company's number, not a person's
  rrn,      // Korean resident registration number
  frn,      // the same of foreigners
  ssn,      // United States social security number
  passport,
  driver,  // Korean driving licence
  card,
  account,    // bank account beside a bank's name or the word for account
  business,   // Korean business registration number
  corporate,  // Korean corporate registration number
  ipv4,
  ipv6,
  address,  // Korean by road or by lot, United States
  secret,   // passwords and keys in URLs, well-known API keys
};
inline constexpr size_t kPiiKinds = size_t(Pii::secret) + 1;
inline constexpr std::array<Pii, kPiiKinds> kAllPii = [] {
  std::array<Pii, kPiiKinds> all = {};
  for (size_t i = 0; i < kPiiKinds; ++i) all[i] = Pii(i);
  return all;
}();

std::string_view name_of(Pii kind);  // "email", ...
std::string_view tag_of(Pii kind);   // "[EMAIL]", ...

struct PiiSpan {
  Pii kind = Pii::email;
  size_t begin = 0, end = 0;  // bytes
  bool operator==(const PiiSpan&) const = default;
};

enum class Addresses { routed, all };  // of the internet: those on it, or private ones too

struct PiiSearch {
  std::array<bool, kPiiKinds> wanted = {};  // by kind
  Addresses addresses = Addresses::routed;

  PiiSearch() { wanted.fill(true); }
  bool wants(Pii kind) const { return wanted[size_t(kind)]; }
};

// In order, without overlaps; time is linear in the text. Every kind begins with a digit, holds one
// or holds '@', so text without them is passed over sixteen bytes at a time.
std::vector<PiiSpan> find_pii(std::string_view text, const PiiSearch& search = {});

}  // namespace helio::data
