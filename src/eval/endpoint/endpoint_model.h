// A model behind an OpenAI-compatible endpoint as a LanguageModel: scores, by /v1/completions with
// echo. Answers in words are EndpointRespondent's. Torch-free.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/endpoint/endpoint_client.h"
#include "eval/endpoint/endpoint_probe.h"
#include "eval/endpoint/endpoint_run_options.h"
#include "model/language_model.h"

namespace helio::eval {

// One model's address with the options of the run.
EndpointOptions endpoint_options(const std::string& model, const EndpointRunOptions& options);

class EndpointModel final : public model::LanguageModel {
 public:
  // Asks the server for its tokenizer and positions unless the options have them. Error{usage} when
  // `model` is no openai:URL#name.
  EndpointModel(const std::string& model, const EndpointRunOptions& options,
                const std::function<bool()>& stopped);
  ~EndpointModel() override;

  // Why it cannot score, or empty: no tokenizer, or the probe's reason (endpoint_probe.h), which is
  // asked for at the first call.
  const std::string& refuses_scoring();
  bool has_tokenizer() const { return tokenizer_ != nullptr; }
  // For results.json: address, name, and what the probe found.
  OrderedJson about() const;
  int64_t retries() const { return retries_; }  // requests made beyond one, so far

  // Token ids in batches, several requests at a time. A prompt is cut on the left to what the
  // server has room for beside the one token that it must make: one less than max_positions() + 1
  // of a local model. A reply of the wrong shape or size is an EndpointError.
  std::vector<model::Score> score(const std::vector<model::ScoreRequest>& requests) override;
  // Error{usage}: see EndpointRespondent.
  std::vector<text::TokenId> generate(const model::GenerateRequest& request) override;
  // Error{not_found} when there is none.
  const text::Tokenizer& tokenizer() const override;
  const text::SpecialIds& special_ids() const override { return special_ids_; }
  int64_t max_positions() const override { return positions_; }
  std::string content() const override;  // of URL and name, and of the weights when the server says
  const text::ChatFormat& chat() const override;

 private:
  void find_tokenizer(const std::string& dir);
  void find_positions(const std::string& dir, int64_t told);

  EndpointOptions options_;
  std::function<bool()> stopped_;
  std::vector<std::unique_ptr<EndpointClient>> clients_;  // one a request at a time
  std::unique_ptr<text::Tokenizer> tokenizer_ = {};
  std::unique_ptr<text::ChatFormat> chat_ = {};
  text::SpecialIds special_ids_ = {};
  int64_t positions_ = 0, retries_ = 0;
  std::string served_content_ = {};
  std::optional<EndpointProbe> probe_ = {};
};

}  // namespace helio::eval
