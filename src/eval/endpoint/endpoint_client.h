// Requests to an OpenAI-compatible endpoint: where it is, its key, and asking again. Torch-free.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/fields.h"
#include "core/json.h"
#include "eval/endpoint/http_client.h"

namespace helio::eval {

struct EndpointOptions {
  // openai:URL#name, where URL is what stands before /chat/completions
  // ("http://localhost:8000/v1").
  std::string model = {};
  std::string key_variable = "OPENAI_API_KEY";  // of the environment; may be unset
  int64_t timeout_s = 300, retries = 5;
  double first_wait_s = 1;  // before the first retry; doubled for each further one, at most 60 s
  // How a judge is asked: the flags of the commands that have one.
  void describe_requests(Fields& f) {
    f("key_variable", key_variable, "Environment variable with the judge's key.");
    f("timeout", timeout_s, "Seconds to wait for an answer.", at_least(1));
    f("retries", retries, "Further tries of a request that failed.", at_least(0));
  }
};

// Is this a model behind an endpoint, and not a path?
bool is_endpoint(const std::string& model);

// {URL, name} of openai:URL#name; Error{usage} for anything else, and for a URL that holds a user
// or a password: it would stand in results.
std::pair<std::string, std::string> split_endpoint(const std::string& model);

// A request that failed for good. `status` is HTTP's, 0 when no reply came, 200 when the reply was
// not what the protocol says.
class EndpointError : public Error {
 public:
  EndpointError(int status, std::string message)
      : Error(ErrorKind::failed, std::move(message)), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

class EndpointClient {
 public:
  // Error{usage} when options.model is no openai:URL#name. `stopped` ends waits and requests, with
  // Error{interrupted}.
  EndpointClient(const EndpointOptions& options, std::function<bool()> stopped);

  // POSTs `body` to URL + path and gives the reply's JSON to `read`, which throws when it is not
  // what the protocol says. Asked again after 408, 429, 5xx, no reply, or a reply that is not JSON
  // or that `read` refuses, waiting as Retry-After asks (at most 10 minutes), else options' back-
  // off; any other refusal, or too many tries, is an EndpointError. The key stands in no message.
  // Returns how many times it was asked again.
  int64_t post(const std::string& path, const OrderedJson& body,
               const std::function<void(const Json&)>& read);
  // The same at the server's root: below the URL less its "/v1".
  int64_t post_at_root(const std::string& path, const OrderedJson& body,
                       const std::function<void(const Json&)>& read);

  // What GET, or POST of a body, gives at `path` below the server's root, or nothing. Asked once:
  // for what a server need not have.
  std::optional<Json> look(const std::string& path, const OrderedJson* body = nullptr);

  const std::string& url() const { return url_; }
  const std::string& name() const { return name_; }

 private:
  std::string root() const;
  int64_t ask(const std::string& url, const OrderedJson& body,
              const std::function<void(const Json&)>& read);
  void wait(std::chrono::duration<double> time) const;

  std::string url_ = {}, name_ = {}, key_ = {};
  EndpointOptions options_;
  std::function<bool()> stopped_;
  HttpClient client_;
};

}  // namespace helio::eval
