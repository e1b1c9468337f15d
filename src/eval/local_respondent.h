// A model on this machine as a Respondent: many answers at once on a generation engine, each ended
// at its first stop text and replaced at once.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "eval/respondent.h"
#include "model/generation.h"
#include "model/language_model.h"

namespace helio::eval {

struct LocalRespondentOptions {
  // An engine on the model with room for sequences of `longest` tokens; made for each call of
  // answer() and let go after it.
  std::function<std::unique_ptr<model::GenerationEngine>(int64_t longest)> engine = {};
  const text::ChatFormat* chat = nullptr;    // null: only texts are answered
  std::vector<text::TokenId> stop_ids = {};  // what ends an answer
  std::function<bool()> stopped = [] { return false; };
};

class LocalRespondent final : public Respondent {
 public:
  // `model` gives tokenizer and positions; it must outlive the respondent, as must options.chat.
  LocalRespondent(const model::LanguageModel& model, LocalRespondentOptions options)
      : model_(model), options_(std::move(options)) {}

  // A prompt too long for the model and its answer loses its beginning.
  void answer(const std::vector<Answerable>& asked,
              const std::function<void(size_t index, std::string text)>& done) override;

 private:
  model::GenerationRequest request_of(const Answerable& asked) const;
  std::vector<text::TokenId> prompt_of(const Answerable& asked) const;

  const model::LanguageModel& model_;
  LocalRespondentOptions options_;
};

}  // namespace helio::eval
