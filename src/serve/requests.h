// What the generating routes read alike from a body.
#pragma once

#include <optional>
#include <vector>

#include "serve/answer.h"
#include "serve/routes.h"

namespace helio::serve {

struct Generating {
  AnswerOptions answer = {};
  model::GenerationRequest request = {};  // without prompt, seed and sink
  std::optional<uint64_t> seed = {};
  int64_t n = 1;
};

// Sampling, stops, n, seed, streaming, the answer's form. Unknown keys are passed over, as OpenAI's
// clients expect of other servers; known ones that are not served here (a suffix) are errors.
Generating read_generating(const Call& call, int64_t default_max_tokens);
// Requests for each prompt and choice: prompt p's choices stand together, seeds differ by choice.
std::vector<model::GenerationRequest> spread(
    const Generating& generating, const std::vector<std::vector<text::TokenId>>& prompts);
// Ids given by a client, checked.
std::vector<text::TokenId> read_ids(const ServedModel& model, const Json& list, const char* key);
// The body's messages through the model's chat template, with `given` as the answer's beginning.
std::vector<text::TokenId> chat_ids(const Call& call, const std::string& given = {});
void submit(const Call& call, std::shared_ptr<Answer> answer,
            std::vector<model::GenerationRequest> requests);

}  // namespace helio::serve
