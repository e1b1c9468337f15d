// Which of several answers is better: a model behind an endpoint that is asked for a rating, or the
// log-probabilities of a model on this machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "engine/pairs/questions.h"
#include "eval/endpoint/openai_chat.h"

namespace helio::engine {

class PairJudge {
 public:
  virtual ~PairJudge() = default;
  // A score for each answer, higher is better; nothing for one it could not score.
  virtual std::vector<std::optional<double>> score(const Question& question) = 0;
  // What it is, for provenance: {"judge", "content" or "endpoint", ...}.
  virtual OrderedJson described() const = 0;
};

// The rating of a judge's reply: the number in its last "[[n]]", from 1 to 10; nothing else counts.
std::optional<double> rating_of(const std::string& reply);

// Asks for "[[n]]" from 1 to 10, an answer at a time, at temperature 0. `stop` ends waits.
std::unique_ptr<PairJudge> endpoint_judge(const eval::EndpointOptions& options,
                                          const StopRequest& stop);

// log p(answer | prompt) per token under the model in `dir`; with a reference, DPO's implicit
// reward without its beta: log p(answer) - log p_reference(answer), summed. Answers are written in
// the model's chat template; prompt and answer together have at most `max_length` tokens.
std::unique_ptr<PairJudge> model_judge(const std::string& dir, const std::string& reference,
                                       int64_t max_length);

}  // namespace helio::engine
