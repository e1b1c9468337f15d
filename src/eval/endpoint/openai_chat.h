// A model behind an OpenAI-compatible endpoint, asked in chat form. Torch-free.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

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
};

class OpenAiChat {
 public:
  // Error{usage} when `model` is no openai:URL#name. `stopped` ends waits and requests.
  OpenAiChat(const EndpointOptions& options, std::function<bool()> stopped);

  struct Answer {
    std::string text = {};
    int64_t retries = 0;  // requests made beyond one
  };
  // One answer to a system and a user message. Asked again after 408, 429, 5xx, no reply, or a
  // reply that is not what the protocol says, waiting as Retry-After asks (at most 10 minutes); any
  // other refusal, or too many tries, is an Error{failed}. The key stands in no message.
  Answer ask(const std::string& system, const std::string& user, double temperature,
             int64_t max_tokens);

  const std::string& name() const { return name_; }

 private:
  void wait(std::chrono::duration<double> time) const;

  std::string url_ = {}, name_ = {}, key_ = {};
  EndpointOptions options_;
  std::function<bool()> stopped_;
  HttpClient client_;
};

// {URL, name} of openai:URL#name; Error{usage} for anything else.
std::pair<std::string, std::string> split_endpoint(const std::string& model);

}  // namespace helio::eval
