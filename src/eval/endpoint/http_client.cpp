#include "eval/endpoint/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>
#include <mutex>

#include "core/error.h"

namespace helio::eval {
namespace {

constexpr size_t kLargestBody = size_t(64) << 20;

// Seconds, or a date.
std::optional<std::chrono::seconds> wait_of(std::string value) {
  value.erase(0, value.find_first_not_of(" \t"));
  value.erase(value.find_last_not_of(" \t\r\n") + 1);
  long seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc() && end == value.data() + value.size() && seconds >= 0)
    return std::chrono::seconds(seconds);
  const time_t at = curl_getdate(value.c_str(), nullptr);
  if (at < 0) return std::nullopt;
  return std::chrono::seconds(std::max<time_t>(0, at - std::time(nullptr)));
}

size_t take_body(char* bytes, size_t, size_t count, void* reply) {
  auto& body = static_cast<HttpReply*>(reply)->body;
  if (body.size() + count > kLargestBody) return 0;  // ends the transfer
  body.append(bytes, count);
  return count;
}

size_t take_header(char* bytes, size_t, size_t count, void* reply) {
  constexpr std::string_view kName = "retry-after:";
  std::string line(bytes, count);
  std::string name = line.substr(0, kName.size());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == kName)
    static_cast<HttpReply*>(reply)->retry_after = wait_of(line.substr(kName.size()));
  return count;
}

int ask_stopped(void* stopped, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<std::function<bool()>*>(stopped))() ? 1 : 0;
}

}  // namespace

struct HttpClient::Impl {
  CURL* curl = nullptr;
  std::function<bool()> stopped = {};
};

HttpClient::HttpClient(std::chrono::seconds timeout, std::function<bool()> stopped)
    : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_->curl = curl_easy_init();
  impl_->stopped = std::move(stopped);
  HELIO_CHECK(impl_->curl, "libcurl gives no handle");
  CURL* curl = impl_->curl;
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_stopped);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &impl_->stopped);
}

HttpClient::~HttpClient() { curl_easy_cleanup(impl_->curl); }

HttpReply HttpClient::post(const std::string& url, const std::string& body,
                           const std::string& key) {
  curl_easy_setopt(impl_->curl, CURLOPT_POST, 1L);
  curl_easy_setopt(impl_->curl, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(impl_->curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  return perform(url, key);
}

HttpReply HttpClient::get(const std::string& url, const std::string& key) {
  curl_easy_setopt(impl_->curl, CURLOPT_HTTPGET, 1L);
  return perform(url, key);
}

HttpReply HttpClient::perform(const std::string& url, const std::string& key) {
  CURL* curl = impl_->curl;
  HttpReply reply;
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!key.empty()) headers = curl_slist_append(headers, ("Authorization: Bearer " + key).c_str());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);
  curl_slist_free_all(headers);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) reply.status = static_cast<int>(status);
  else reply.problem = curl_easy_strerror(code);
  return reply;
}

}  // namespace helio::eval
