// A model behind an OpenAI-compatible endpoint, asked in chat form. Torch-free.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "eval/endpoint/endpoint_client.h"

namespace helio::eval {

// choices[0].message.content of a reply; throws where there is none.
std::string chat_content_of(const Json& reply);

class OpenAiChat {
 public:
  // As EndpointClient.
  OpenAiChat(const EndpointOptions& options, std::function<bool()> stopped)
      : client_(options, std::move(stopped)) {}

  struct Answer {
    std::string text = {};
    int64_t retries = 0;  // requests made beyond one
  };
  // One answer to a system and a user message. Asked again, and refused, as EndpointClient::post.
  Answer ask(const std::string& system, const std::string& user, double temperature,
             int64_t max_tokens);

  const std::string& name() const { return client_.name(); }

 private:
  EndpointClient client_;
};

}  // namespace helio::eval
