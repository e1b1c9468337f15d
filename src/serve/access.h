// Who may ask: keys, Host and Origin, checked in one place before any route.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "serve/http_server.h"

namespace helio::serve {

struct AccessOptions {
  std::vector<std::string> keys = {};     // any of these as a bearer token; none: no key asked for
  std::vector<std::string> hosts = {};    // names this server goes by, besides its own addresses
  std::vector<std::string> origins = {};  // web pages that may call it; "*": any
  bool loopback = true;                   // only this machine can reach it
};

// One key a line; empty lines and lines that begin with # are none. Error{invalid} for a key of
// fewer than 16 characters or a file without keys.
std::vector<std::string> read_keys(const std::filesystem::path& file);

class Access {
 public:
  explicit Access(AccessOptions options);
  // ApiError 401 or 403.
  void check(const HttpRequest& request) const;
  // CORS headers for an origin that may call.
  void add_headers(const HttpRequest& request, HttpHeaders& headers) const;

 private:
  bool host_is_ours(std::string_view host) const;
  bool origin_may_call(std::string_view origin) const;

  AccessOptions options_;
  std::vector<Sha256> keys_;  // hashes, so that comparing tells nothing by its time
};

}  // namespace helio::serve
