#include "serve/access.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "serve/api_error.h"
#include "serve/http_text.h"

namespace helio::serve {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// "localhost:8000" and "[::1]:8000" without the port.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback_name(std::string_view name) {
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

}  // namespace

std::vector<std::string> read_keys(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  std::vector<std::string> keys;
  size_t number = 0;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (line.size() < 16)
      throw Error(ErrorKind::invalid, file.string() + ":" + std::to_string(number) +
                                          ": a key needs 16 characters or more")
          .with_hint("openssl rand -hex 24 makes one");
    keys.emplace_back(line);
  }
  if (keys.empty())
    throw Error(ErrorKind::invalid, file.string() + " has no keys")
        .with_hint("one key a line; openssl rand -hex 24 makes one");
  return keys;
}

Access::Access(AccessOptions options) : options_(std::move(options)) {
  for (const auto& key : options_.keys) keys_.push_back(sha256(key));
}

bool Access::host_is_ours(std::string_view host) const {
  const auto name = without_port(host);
  if (std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end())
    return true;
  // Elsewhere a key is asked for, which a page that rebinds its name does not have.
  return options_.loopback ? is_loopback_name(name) : options_.hosts.empty();
}

bool Access::origin_may_call(std::string_view origin) const {
  for (const auto& one : options_.origins)
    if (one == "*" || one == origin) return true;
  const size_t scheme = origin.find("://");
  return options_.loopback && scheme != origin.npos &&
         is_loopback_name(without_port(origin.substr(scheme + 3)));
}

void Access::check(const HttpRequest& request) const {
  const auto host = request.header("host");
  if (!host_is_ours(host))
    throw ApiError(403, "this server does not go by the name '" + std::string(host) +
                            "' (--allow-host adds one)",
                   "", "host_not_allowed");
  const auto origin = request.header("origin");
  if (!origin.empty() && !origin_may_call(origin))
    throw ApiError(403, "pages of '" + std::string(origin) +
                            "' may not call this server (--allow-origin adds one)",
                   "", "origin_not_allowed");
  if (keys_.empty() || request.method == "OPTIONS") return;
  const auto header = request.header("authorization");
  const bool bearer = header.size() > 7 && lower_case(header.substr(0, 7)) == "bearer ";
  if (!bearer)
    throw ApiError(401, "an API key is needed: Authorization: Bearer KEY", "", "missing_api_key");
  const Sha256 given = sha256(trimmed(header.substr(7)));
  bool known = false;
  for (const auto& key : keys_) known |= key == given;
  if (!known) throw ApiError(401, "this API key is not known", "", "invalid_api_key");
}

void Access::add_headers(const HttpRequest& request, HttpHeaders& headers) const {
  const auto origin = request.header("origin");
  if (origin.empty() || !origin_may_call(origin)) return;
  headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  headers.emplace_back("Vary", "Origin");
}

}  // namespace helio::serve
