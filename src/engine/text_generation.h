// Answers as text from a model on this machine: what `helio generate` and `helio chat` share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "model/generation.h"
#include "serve/served_model.h"

namespace helio::engine {

struct TextRequest {
  model::GenerationRequest request = {};  // without its sink
  std::vector<std::string> stops = {};
  // New text as soon as it can be shown, on the engine's thread.
  std::function<void(const std::string&)> on_text = {};
};

struct TextAnswer {
  std::string text = {};
  std::vector<model::TokenScore> tokens = {};  // a stop id not among them
  double log_prob = 0;                         // of all tokens, the stop id too
  int64_t scored = 0;                          // how many those are
  // Of a draft model, where one runs: tokens it proposed and those that stood.
  int64_t proposed = 0, accepted = 0;
  const char* ended_by = "";  // "stop" (a stop text), "eos", "length", "grammar"
  double mean_log_prob() const { return scored > 0 ? log_prob / static_cast<double>(scored) : 0; }
};

// Generates all, many at once, and calls `answered` in the requests' order. `keep_on` is asked ten
// times a second or more; when it says no, what runs is given up: answers not yet whole are lost.
// Throws when a generation failed.
void generate_texts(const serve::ServedModel& model, std::vector<TextRequest> requests,
                    const std::function<bool()>& keep_on,
                    const std::function<void(size_t, TextAnswer)>& answered);

}  // namespace helio::engine
