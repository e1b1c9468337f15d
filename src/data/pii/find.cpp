#include <algorithm>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "data/pii/scan.h"

namespace helio::data {
namespace {

using namespace pii;

constexpr std::array<std::string_view, kPiiKinds> kNames = {
    "email", "phone",   "hotline",  "rrn",       "frn",  "ssn",  "passport", "driver",
    "card",  "account", "business", "corporate", "ipv4", "ipv6", "address",  "secret"};
constexpr std::array<std::string_view, kPiiKinds> kTags = {
    "[EMAIL]",    "[PHONE]",  "[PHONE]",   "[RRN]",     "[FRN]",         "[SSN]",
    "[PASSPORT]", "[DRIVER]", "[CARD]",    "[ACCOUNT]", "[BUSINESS_NO]", "[CORPORATE_NO]",
    "[IP]",       "[IP]",     "[ADDRESS]", "[SECRET]"};

bool is_trigger(char c) { return is_digit(c) || c == '@'; }

// The next digit or '@' from `at` on.
size_t next_trigger(std::string_view text, size_t at) {
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    // Unsigned: below ten.
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero);
    const __m128i ats = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('@'));
    const int found = _mm_movemask_epi8(_mm_or_si128(digits, ats));
    if (found) return at + size_t(__builtin_ctz(unsigned(found)));
  }
#endif
  while (at < text.size() && !is_trigger(text[at])) ++at;
  return at;
}

class Finder {
 public:
  Finder(std::string_view text, const PiiSearch& search) : text_(text), search_(search) {}

  std::vector<PiiSpan> run() {
    for (size_t at = next_trigger(text_, 0); at < text_.size(); at = next_trigger(text_, at))
      at = text_[at] == '@' ? at_sign(at) : digit(at);
    return std::move(spans_);
  }

 private:
  size_t floor() const { return spans_.empty() ? 0 : spans_.back().end; }

  // The find is a span unless it is not wanted: then its place is passed over all the same, so that
  // no other kind takes part of it. Where to go on.
  size_t take(const Find& find) {
    if (search_.wants(find.kind)) {
      // "010-1234-5678@naver.com": what was found is part of a longer find.
      while (!spans_.empty() && spans_.back().end > find.begin) spans_.pop_back();
      spans_.push_back({find.kind, find.begin, find.end});
    }
    return find.end;
  }

  size_t at_sign(size_t at) {
    const size_t before =
        !spans_.empty() && (spans_.back().kind == Pii::email || spans_.back().kind == Pii::secret)
            ? spans_.back().end
            : 0;
    if (const auto login = login_round(text_, at, before)) return take(*login);
    if (const auto email = email_round(text_, at, before)) return take(*email);
    return at + 1;
  }

  // `at` is the first digit of a run.
  size_t digit(size_t at) {
    size_t end = at + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (at < floor()) return end;
    const char previous = char_before(text_, at);
    if (search_.wants(Pii::secret))
      if (const auto found = secrets_.round(text_, at)) return take(*found);
    if (const auto found = ipv6_round(text_, at, search_.addresses)) return take(*found);
    if (is_alnum(previous) || previous == '_') {
      if (end - at >= 2)
        if (const auto found = document_number_round(text_, at)) return take(*found);
      return end;
    }
    if (const auto found = number(at, previous)) return std::max(take(*found), end);
    if (search_.wants(Pii::address))
      if (const auto found = address_round(text_, at))
        if (found->begin >= floor()) return std::max(take(*found), end);
    return end;
  }

  MaybeFind number(size_t at, char previous) {
    if (previous == '+' && !is_alnum(char_before(text_, at - 1))) {
      if (const auto found = international_phone_at(text_, at - 1)) return found;
    }
    // "1.010-1234-5678", "A-010-1234-5678" are parts of something longer; "Tel.010-" is not.
    if (at > 1 && (previous == '-' || previous == '.' || previous == ',')) {
      const char behind = text_[at - 2];
      if (is_digit(behind) || (previous == '-' && is_alnum(behind))) return {};
    }
    const Digits run = digits_from(text_, at);
    if (run.count < 4) return {};
    if (run.count >= 8) {
      if (const auto found = registration_at(text_, at, run)) return found;
      if (const auto found = card_at(text_, at, run)) return found;
      if (const auto found = phone_at(text_, at, run)) return found;
      if (const auto found = account_at(text_, at, run)) return found;
    }
    if (run.group_count >= 4 && run.separated_by('.', 4) && run.groups[0] <= 3)
      return ipv4_at(text_, at, search_.addresses);
    return {};
  }

  std::string_view text_;
  const PiiSearch& search_;
  std::vector<PiiSpan> spans_ = {};
  SecretScan secrets_ = {};
};

}  // namespace

std::string_view name_of(Pii kind) { return kNames[size_t(kind)]; }
std::string_view tag_of(Pii kind) { return kTags[size_t(kind)]; }

std::vector<PiiSpan> find_pii(std::string_view text, const PiiSearch& search) {
  return Finder(text, search).run();
}

}  // namespace helio::data
