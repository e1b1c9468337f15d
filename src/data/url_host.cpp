#include "data/url_host.h"

#include <algorithm>
#include <array>

#include "data/text_lines.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

bool is_address(std::string_view host) {
  return host.find_first_not_of("0123456789.") == host.npos || host.starts_with('[');
}

// The host without its first `labels` labels counted from the end.
std::string_view last_labels(std::string_view host, size_t labels) {
  size_t at = host.size();
  while (labels-- > 0) {
    if (at == 0) return {};
    const size_t dot = host.rfind('.', at - 1);
    if (dot == host.npos) return labels == 0 ? host : std::string_view();
    at = dot;
  }
  return host.substr(at + 1);
}

}  // namespace

std::string host_of(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  else if (url.starts_with("//")) url.remove_prefix(2);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const size_t user = url.rfind('@'); user != url.npos) url.remove_prefix(user + 1);
  if (!url.starts_with('[')) url = url.substr(0, url.find(':'));
  url = text::trim(url);
  while (url.ends_with('.')) url.remove_suffix(1);
  return text::to_lower(url);
}

PublicSuffixes::PublicSuffixes(std::string_view list) : listed_(true) {
  for_each_line(list, [&](std::string_view line) {
    line = text::trim(line);
    if (line.empty() || line.starts_with("//")) return;
    line = line.substr(0, line.find_first_of(" \t"));
    if (line.starts_with('!')) exceptions_.emplace(line.substr(1));
    else if (line.starts_with("*.")) wildcards_.emplace(line.substr(2));
    else rules_.emplace(line);
  });
}

size_t PublicSuffixes::suffix_labels(std::string_view host) const {
  if (!listed_) {
    static constexpr std::array<std::string_view, 14> kSecond = {
        "com", "co", "or", "org", "net", "ne", "ac", "edu", "go", "gov", "re", "pe", "hs", "mil"};
    const std::string_view two = last_labels(host, 2), top = last_labels(host, 1);
    const std::string_view second = two.substr(0, two.find('.'));
    const bool known = std::find(kSecond.begin(), kSecond.end(), second) != kSecond.end();
    return !two.empty() && top.size() == 2 && known ? 2 : 1;
  }
  size_t longest = 1;  // "*": a top level that no rule names
  for (size_t labels = 1;; ++labels) {
    const std::string name(last_labels(host, labels));
    if (name.empty()) return longest;
    if (exceptions_.contains(name)) return labels - 1;
    if (rules_.contains(name)) longest = std::max(longest, labels);
    if (wildcards_.contains(name) && !last_labels(host, labels + 1).empty())
      longest = std::max(longest, labels + 1);
  }
}

std::string_view PublicSuffixes::registered_domain(std::string_view host) const {
  if (host.empty() || is_address(host)) return {};
  return last_labels(host, suffix_labels(host) + 1);
}

}  // namespace helio::data
