// helio align study: variants of alignment (SFT, DPO, sDPO in several orders, ...) x seeds, from
// one start model on the same pairs, measured on the same held-out pairs and benchmarks.
#pragma once

#include "core/monitor.h"
#include "core/node.h"
#include "train/options.h"
#include "train/study/study.h"

namespace helio::engine {

struct AlignStudyOptions {
  std::string title = "Alignment study", model = {}, heldout = {}, out = {};
  std::string dataset = {}, benchmarks = {}, baseline = "dpo";
  Node sources = {}, variants = {};
  std::vector<double> seeds = {1, 2, 3};
  std::vector<std::string> tasks = {};
  int64_t pairs_per_source = 0, heldout_pairs = 0, limit = 0, threads = 0;
  bool keep_models = false;
  train::AlignOptions align = {};
  train::SftOptions sft = {};
  // Held-out pairs are apart, and answers are not sampled, unless the recipe asks for it.
  AlignStudyOptions() {
    align.heldout = sft.heldout = 0;
    align.samples = 0;
  }
  void describe(Fields& f);
};

// The matrix. Data are read and written into `data` (heldout.jsonl, pairs-S.jsonl, chats-S.jsonl);
// nothing is trained. The monitor and the stop request must outlive it. Error{invalid, usage}:
// variants, sources or options without meaning.
train::StudyPlan plan_align_study(const AlignStudyOptions& options,
                                  const std::filesystem::path& data, Monitor& monitor,
                                  const StopRequest& stop);

}  // namespace helio::engine
