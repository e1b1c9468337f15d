// Finds that are no plain runs of digits: addresses of the internet, passports, IBANs, secrets.
#include <algorithm>

#include "data/pii/checks.h"
#include "data/pii/scan.h"

namespace helio::data::pii {
namespace {

bool is_local(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+/=?^_`{|}~.-").find(c) != std::string_view::npos;
}

bool is_word(char c) { return is_alnum(c) || c == '_' || c == '-'; }

int hex_value(char c) { return is_digit(c) ? c - '0' : lower(c) - 'a' + 10; }

// "photo@2x.png" is a file, "vue@3.x.js" a version of one.
bool is_file_ending(std::string_view label) {
  for (const std::string_view ending : {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js",
                                        "ts", "html", "json", "md", "py", "exe", "dll", "txt"})
    if (label == ending) return true;
  return false;
}

}  // namespace

MaybeFind email_round(std::string_view text, size_t at, size_t floor) {
  size_t begin = at;
  while (begin > floor && at - begin < 64 && is_local(text[begin - 1])) --begin;
  while (begin < at && !is_alnum(text[begin]) && text[begin] != '_')
    ++begin;  // quotes, "mailto=" ends
  if (begin == at || text[at - 1] == '.') return {};
  if (text.substr(begin, at - begin).find("***") != text.npos) return {};  // masked already
  if (const size_t equals = text.substr(begin, at - begin).rfind('=');
      equals != text.npos && begin + equals + 1 < at)
    begin += equals + 1;  // "?to=a@b.org"
  size_t end = at + 1, label = end;
  while (end < text.size() && end - at < 256 &&
         (is_alnum(text[end]) || text[end] == '-' || text[end] == '.')) {
    if (text[end] == '.') {
      if (end == label) break;
      label = end + 1;
    }
    ++end;
  }
  while (end > at + 1 && !is_alnum(text[end - 1])) --end;  // "a@b.org." ends a sentence
  const std::string_view domain = text.substr(at + 1, end - at - 1);
  const size_t last_dot = domain.rfind('.');
  if (last_dot == domain.npos || last_dot == 0) return {};
  const std::string_view top = domain.substr(last_dot + 1);
  if (top.size() < 2) return {};
  if (!std::all_of(top.begin(), top.end(), is_alpha) || is_file_ending(top)) return {};
  return Find{Pii::email, begin, end};
}

MaybeFind login_round(std::string_view text, size_t at, size_t floor) {
  size_t begin = at;
  while (begin > floor && at - begin < 128 && static_cast<unsigned char>(text[begin - 1]) > ' ' &&
         text[begin - 1] != '/')
    --begin;
  if (begin < 3 || text.substr(begin - 3, 3) != "://") return {};
  const std::string_view login = text.substr(begin, at - begin);
  const size_t colon = login.find(':');
  if (colon == login.npos || colon == 0 || colon + 1 == login.size()) return {};
  if (!is_alnum(char_at(text, at + 1))) return {};
  return Find{Pii::secret, begin, at};
}

MaybeFind ipv4_at(std::string_view text, size_t begin, Addresses which) {
  std::array<int, 4> parts = {};
  size_t at = begin;
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) {
      if (char_at(text, at) != '.') return {};
      ++at;
    }
    size_t count = 0;
    while (at < text.size() && is_digit(text[at]) && count < 4)
      parts[i] = parts[i] * 10 + value(text[at++]), ++count;
    if (count == 0 || count > 3 || parts[i] > 255) return {};
    if (count > 1 && text[at - count] == '0') return {};
  }
  if (is_alnum(char_at(text, at)) || char_at(text, at) == '_') return {};
  // A version, a longer number, or a name that begins with numbers goes on.
  if ((char_at(text, at) == '.' || char_at(text, at) == '-') && is_alnum(char_at(text, at + 1)))
    return {};
  // Numbers of sections and versions have the same form. What has no part above 31 is taken for one
  // of those, at the price of a few real addresses (8.8.8.8).
  if (*std::max_element(parts.begin(), parts.end()) < 32 && !(parts[0] == 10 && parts[1] == 0))
    return {};
  if (is_near(text, begin, at, {"version", "ver.", "버전", "버젼", "release", "build"},
              {.before = 20, .after = 0}))
    return {};
  if (which == Addresses::routed && !is_public_ipv4(parts)) return {};
  return Find{Pii::ipv4, begin, at};
}

MaybeFind ipv6_round(std::string_view text, size_t at, Addresses which) {
  // Cheaply: the group round the digit touches a colon.
  size_t begin = at, behind = at;
  while (begin > 0 && at - begin < 4 && is_hex(text[begin - 1])) --begin;
  while (behind < text.size() && behind - at < 4 && is_hex(text[behind])) ++behind;
  if (char_before(text, begin) != ':' && char_at(text, behind) != ':') return {};
  while (begin > 0 && at - begin < 40 && (is_hex(text[begin - 1]) || text[begin - 1] == ':'))
    --begin;
  if (const char c = char_before(text, begin); is_alnum(c) || c == '_' || c == '.') return {};
  std::array<int, 8> front = {}, back = {};
  size_t front_count = 0, back_count = 0, end = begin;
  bool gap = false;
  if (text.substr(begin, 2) == "::") gap = true, end += 2;
  while (end < text.size() && is_hex(text[end])) {
    int group = 0;
    const size_t start = end;
    while (end < text.size() && is_hex(text[end]) && end - start < 5)
      group = group * 16 + hex_value(text[end++]);
    if (end - start > 4 || front_count + back_count == 8) return {};
    if (gap) back[back_count++] = group;
    else front[front_count++] = group;
    if (char_at(text, end) != ':') break;
    if (char_at(text, end + 1) == ':') {
      if (gap) return {};
      gap = true;
      end += 2;
    } else if (is_hex(char_at(text, end + 1))) {
      ++end;
    } else {
      break;
    }
  }
  const size_t count = front_count + back_count;
  if (gap ? count < 2 || count > 7 : count != 8) return {};
  if (const char c = char_at(text, end); is_alnum(c) || c == '_') return {};
  if (end <= at) return {};
  std::array<int, 8> groups = {};
  std::copy_n(front.begin(), front_count, groups.begin());
  std::copy_n(back.begin(), back_count, groups.begin() + ptrdiff_t(8 - back_count));
  if (which == Addresses::routed && !is_public_ipv6(groups)) return {};
  if (gap && groups[0] < 0x100) return {};  // "1::2" is more often code
  return Find{Pii::ipv6, begin, end};
}

namespace {

MaybeFind iban_at(std::string_view text, size_t begin) {
  std::string account;
  size_t end = begin;
  for (size_t at = begin; at < text.size() && account.size() < 34; ++at) {
    const char c = text[at];
    if (is_digit(c) || is_upper(c)) {
      account += c;
      end = at + 1;
    } else if (c != ' ' || at != end || account.size() % 4 != 0) {
      break;
    }
  }
  // The last groups may be words of the sentence: the longest beginning that checks is it.
  for (; account.size() >= 15; account.pop_back(), --end) {
    while (end > begin && text[end - 1] == ' ') --end;
    if (is_alnum(char_at(text, end))) continue;
    int rest = 0;
    for (size_t i = 0; i < account.size(); ++i) {
      const char c = account[(i + 4) % account.size()];
      rest = is_digit(c) ? (rest * 10 + value(c)) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
    }
    if (rest == 1) return Find{Pii::account, begin, end};
  }
  return {};
}

}  // namespace

MaybeFind document_number_round(std::string_view text, size_t at) {
  if (!is_upper(char_before(text, at))) return {};
  size_t letters = 1;
  while (letters < 3 && at > letters && is_alnum(text[at - letters - 1])) ++letters;
  if (letters > 2) return {};
  const size_t begin = at - letters;
  if (const char c = char_before(text, begin); c == '_' || c == '-' || c == '/') return {};
  if (letters == 2 && !is_upper(text[begin])) return {};
  size_t digits = 0;
  while (digits < 10 && is_digit(char_at(text, at + digits))) ++digits;
  if (letters == 2 && digits >= 2)
    if (const auto iban = iban_at(text, begin)) return iban;
  const auto is_passport_kind = [](char c) {
    return c == 'M' || c == 'S' || c == 'R' || c == 'G' || c == 'D' || c == 'T' || c == 'P';
  };
  // Since December 2021: M123A4567.
  if (letters == 1 && digits == 3 && is_upper(char_at(text, at + 3))) {
    size_t tail = 0;
    while (tail < 5 && is_digit(char_at(text, at + 4 + tail))) ++tail;
    const size_t end = at + 8;
    if (tail == 4 && is_passport_kind(text[begin]) && may_end(text, end))
      return Find{Pii::passport, begin, end};
    return {};
  }
  const size_t end = at + digits;
  const bool shaped =
      (letters == 1 && (digits == 8 || digits == 7)) || (letters == 2 && digits == 7);
  if (!shaped || !may_end(text, end)) return {};
  if (!is_near(text, begin, end, {"여권", "passport"}, {.before = 48, .after = 16})) return {};
  return Find{Pii::passport, begin, end};
}

MaybeFind SecretScan::round(std::string_view text, size_t at) {
  if (at < seen_) return {};
  size_t begin = at, end = at;
  while (begin > seen_ && at - begin < 64 && is_word(text[begin - 1])) --begin;
  while (end < text.size() && is_word(text[end])) ++end;
  seen_ = end;
  const std::string_view token = text.substr(begin, end - begin);
  if (token.size() < 8) return {};
  const auto is_key = [&](std::string_view prefix, size_t at_least) {
    return token.starts_with(prefix) && token.size() >= prefix.size() + at_least;
  };
  if (is_key("ghp_", 30) || is_key("gho_", 30) || is_key("ghs_", 30) || is_key("github_pat_", 30) ||
      is_key("sk-", 20) || is_key("AIza", 30) || is_key("xoxb-", 20) || is_key("xoxp-", 20) ||
      is_key("glpat-", 16) || is_key("hf_", 30) || (is_key("AKIA", 16) && token.size() == 20))
    return Find{Pii::secret, begin, end};
  // "?api_key=...": what stands behind such a name.
  if (char_before(text, begin) != '=' || token.size() < 12) return {};
  const size_t name_end = begin - 1;
  size_t name_begin = name_end;
  while (name_begin > 0 && name_end - name_begin < 24 &&
         (is_word(text[name_begin - 1]) || text[name_begin - 1] == '.'))
    --name_begin;
  std::string name;
  for (size_t i = name_begin; i < name_end; ++i)
    if (text[i] != '_' && text[i] != '-') name += lower(text[i]);
  const char before = char_before(text, name_begin);
  if (before != '?' && before != '&') return {};
  for (const std::string_view known :
       {"apikey", "accesstoken", "token", "secret", "clientsecret", "password", "passwd", "pwd",
        "servicekey", "authkey", "sessionid", "signature"})
    if (name == known) return Find{Pii::secret, begin, end};
  return {};
}

}  // namespace helio::data::pii
