// helio upscale study: ways of depth up-scaling x seeds, each continued under one token budget,
// beside the base continued and models of the same size from scratch.
#pragma once

#include "core/monitor.h"
#include "core/node.h"
#include "train/options.h"
#include "train/study/study.h"

namespace helio::engine {

struct UpscaleStudyOptions {
  std::string title = "Depth up-scaling study", tokens = {}, tokenizer = {}, base = {}, out = {};
  std::string baseline = {};
  Node variants = {};
  std::vector<double> seeds = {1, 2, 3};
  int64_t threads = 0;
  bool keep_models = false;
  train::PretrainOptions pretrain = {};
  train::Optimisation recover = {.lr = 1e-3, .validate_every = 10};
  void describe(Fields& f);
};

// The matrix; nothing is trained. The monitor and the stop request must outlive it. Error{invalid,
// usage}: variants or options without meaning.
train::StudyPlan plan_upscale_study(const UpscaleStudyOptions& options, Monitor& monitor,
                                    const StopRequest& stop);

}  // namespace helio::engine
