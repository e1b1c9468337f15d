// What the page shows, read from a workspace into plain structs. Nothing here knows HTML. A piece
// that is not there is empty (shown as a dash); a file that is there and damaged is an Error that
// names it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/fs.h"
#include "core/json.h"
#include "core/manifest.h"

namespace helio::report {

using Count = std::optional<int64_t>;
using Number = std::optional<double>;
using Counts = std::vector<std::pair<std::string, int64_t>>;  // largest first

struct StageInfo {
  // up_to_date: done, and what it was made from is still what lies there. stale: done, but an input
  // has changed since. unfinished: was cut off. not_run: the recipe has it, the workspace not.
  enum class Status { up_to_date, stale, unfinished, not_run };
  std::string name = {}, kind = {};
  Status status = Status::not_run;
  Number seconds = {};
  Count peak_rss = {};
  std::string content = {};
  fs::path out = {}, run = {};    // run: telemetry of a training stage
  Json written = Json::object();  // options, by names
  std::vector<std::pair<std::string, std::string>> inputs = {};  // "tokens: corpus" and its content
  std::optional<Manifest> manifest = {};
};

struct DataStep {
  std::string name = {};
  Count in = {}, out = {}, dropped = {}, changed = {};
  Counts reasons = {};
};

struct LotAccount {
  std::string lot = {}, partner = {}, language = {}, licence = {};
  Count documents_in = {}, words_in = {}, documents_out = {}, words_out = {};
  Counts dropped = {};
};

struct Dataset {
  std::string stage = {};
  std::vector<DataStep> steps = {};
  std::vector<LotAccount> lots = {};
  Counts languages = {}, pii = {};
  struct Split {
    std::string name = {};
    Count documents = {}, words = {}, bytes = {};
  };
  std::vector<Split> splits = {};
  Count documents_in = {}, documents_out = {}, duplicate_clusters = {};
};

struct Sample {
  double step = 0, value = 0;
};
using Samples = std::vector<Sample>;

struct Interval {
  double low = 0, high = 0;
};

// One training run's figures, from its metrics.jsonl.
struct Run {
  std::string stage = {}, kind = {};
  std::string after =
      {};                 // training stage it goes on from; "" for one from scratch or from outside
  bool upscaled = false;  // a depth up-scaling lies between the two
  Samples loss = {}, heldout = {}, lr = {}, margins = {}, accuracies = {}, heldout_accuracies = {};
  Count tokens = {};
};

struct Upscaling {
  std::string stage = {}, base = {}, recovered = {};  // names of stages; "" when not there
  int64_t base_layers = 0, drop = 0, seam = 0;
  std::vector<int64_t> layer_map = {};   // new layer -> source layer
  std::vector<int64_t> layer_copy = {};  // which copy of the base it comes from, from 1
  std::vector<int64_t> identity = {};    // new layers that began as identities
  Count base_parameters = {}, parameters = {};
  Number base_loss = {}, after_loss = {}, recovered_loss = {};  // held out
  // SOLAR's way: a first copy from its beginning, a second to its end.
  bool two_copies() const;
};

struct AlignStep {
  int64_t number = 0;
  std::string start = {}, reference = {};
  Run run = {};
  Count pairs = {}, heldout_pairs = {};
  Number margin_before = {}, margin_after = {};  // mean over all pairs of the step
  Number heldout_margin = {};                    // mean over the held-out pairs, after
  Number heldout_accuracy = {};                  // held-out pairs with a positive margin
  std::optional<Interval> interval = {};         // 95%
  // Held-out pairs whose chosen answer the model alone, without a reference, finds likelier.
  Number preference_before = {}, preference = {};
  std::optional<Interval> preference_interval = {};
};

struct Alignment {
  std::string stage = {}, loss = {}, order = {};
  Number beta = {};
  std::vector<AlignStep> steps = {};
};

struct Score {
  Number value = {};
  Number stderr_of = {};
  std::optional<Interval> interval = {};  // 95%, when the evaluation states one
  Count items = {}, of = {};              // scored, and in the task as published
  std::string reason = {};                // why it did not run
  bool at_chance = false;
};

struct Task {
  std::string name = {}, about = {}, metric = {}, protocol = {};
  bool lower_is_better = false;
  Number chance = {};
  std::vector<Score> scores = {};  // one a model
};

struct Evaluation {
  std::string stage = {};
  std::vector<std::string> models = {};
  std::vector<Task> tasks = {};
};

struct PartnerRow {
  std::string partner = {};
  Count documents_in = {}, words_in = {}, documents_surviving = {}, words_surviving = {};
  Count tokens = {}, trained = {}, given = {}, received = {}, credited = {}, amount = {};
  Number share = {};
};

struct Statement {
  std::string stage = {}, currency = {};
  Count pool = {};
  std::vector<PartnerRow> partners = {};
  PartnerRow totals = {};
  bool adds_up = false;  // the amounts, added here, are the pool
};

struct Artefact {
  std::string kind = {}, name = {}, path = {}, content = {}, made_by = {};
  std::vector<ArtefactInput> inputs = {};
  uint64_t bytes = 0;
  Json facts = Json::object();
};

struct Report {
  std::string title = {}, about = {}, machine = {}, version = {};
  Number seconds = {};  // of all stages shown
  std::vector<StageInfo> stages = {};
  std::vector<Dataset> datasets = {};
  std::vector<Run> runs = {};
  std::vector<Upscaling> upscalings = {};
  std::vector<Alignment> alignments = {};
  std::vector<Evaluation> evaluations = {};
  std::vector<Statement> statements = {};
  std::vector<Artefact> artefacts = {};  // by place in the workspace
  const StageInfo* find(std::string_view stage) const;
  const Run* run_of(std::string_view stage) const;
};

struct ReadOptions {
  fs::path workspace = {};
  std::vector<std::string> stages = {};  // folders of what is shown; empty: everything
  std::string self = {};                 // name of the stage that makes the report: left out
};
Report read_report(const ReadOptions& options);

// The numbers on the page as one object. Nothing in it depends on the clock or the machine.
OrderedJson figures(const Report& report);

}  // namespace helio::report
