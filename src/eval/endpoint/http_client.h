// One connection to an HTTP server, for requests with a JSON body (libcurl). Torch-free.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace helio::eval {

struct HttpReply {
  int status = 0;  // 0: no reply came; `problem` says why
  std::string body = {}, problem = {};
  std::optional<std::chrono::seconds> retry_after = {};  // what a Retry-After header asks for
};

class HttpClient {
 public:
  // `stopped` is asked about once a second while a request runs; true ends it.
  HttpClient(std::chrono::seconds timeout, std::function<bool()> stopped);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // http:// and https:// only; certificates are checked, redirects are not followed (the key would
  // go along). `key` is sent as a bearer token when it is not empty. A body of more than 64 MiB, a
  // timeout or a cut connection is a reply with status 0.
  HttpReply post(const std::string& url, const std::string& body, const std::string& key);
  HttpReply get(const std::string& url, const std::string& key);  // the same without a body

 private:
  HttpReply perform(const std::string& url, const std::string& key);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helio::eval
