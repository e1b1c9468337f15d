// A model behind an OpenAI-compatible endpoint that answers in words. Torch-free.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "eval/endpoint/endpoint_client.h"
#include "eval/respondent.h"

namespace helio::eval {

class EndpointRespondent final : public Respondent {
 public:
  // `parallel`: requests at a time. Error{usage} when options.model is no openai:URL#name.
  EndpointRespondent(const EndpointOptions& options, int64_t parallel,
                     std::function<bool()> stopped);

  // Conversations go to /chat/completions, prompts to /completions; where a server has no
  // /completions (404, 405) a prompt is what the user says. Of the stop texts four are sent, as
  // many as every server takes. A message without content is an empty answer.
  void answer(const std::vector<Answerable>& asked,
              const std::function<void(size_t index, std::string text)>& done) override;

  bool prompts_as_chat() const { return prompts_as_chat_; }  // a prompt had to be sent so
  int64_t retries() const { return retries_; }

 private:
  std::string ask(EndpointClient& client, const Answerable& asked);
  std::string chat(EndpointClient& client, const Answerable& asked);

  EndpointOptions options_;
  int64_t parallel_;
  std::function<bool()> stopped_;
  std::atomic<bool> prompts_as_chat_ = false;
  std::atomic<int64_t> retries_ = 0;
};

}  // namespace helio::eval
