// The host of a URL and the domain somebody registered.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace helio::data {

// In lower case, without user, port and the dot at the end; empty when there is none.
std::string host_of(std::string_view url);

class PublicSuffixes {
 public:
  // Country codes with the second-level domains most of them use: com, co, or, ac, go, ...
  PublicSuffixes() = default;
  // The text of public_suffix_list.dat; its private section counts too only if it is left in.
  explicit PublicSuffixes(std::string_view list);

  // "example.co.kr" of "www.example.co.kr"; empty for an address or a bare suffix. A view into
  // host.
  std::string_view registered_domain(std::string_view host) const;

 private:
  size_t suffix_labels(std::string_view host) const;

  bool listed_ = false;
  std::unordered_set<std::string> rules_ = {}, wildcards_ = {}, exceptions_ = {};
};

}  // namespace helio::data
