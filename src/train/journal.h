// What a training run says of itself: metrics.jsonl and TensorBoard events, log.txt, progress.
// Torch-free.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/metrics.h"
#include "core/monitor.h"

namespace helio::train {

// A figure beside the loss: shown as sum / weight over what is reported together.
struct Term {
  std::string name = {};
  double sum = 0, weight = 0;
};

struct StepReport {
  int64_t step = 0;
  double loss = 0, lr = 0, grad_norm = 0, epoch = 0;
  int64_t tokens = 0, tokens_so_far = 0;  // inputs the model read
  double seconds = 0;
  double utilisation =
      0;  // share of the machine's rate of products that the step reached; 0: unknown
  std::vector<Term> terms = {};
};

// The scalars that tell clock time; everything else in metrics.jsonl repeats to the bit.
inline constexpr const char* kTimingMetric = "tokens_per_s";
inline constexpr const char* kUtilisationMetric = "throughput/mfu";

// Names are TRL's: loss, grad_norm, learning_rate, num_tokens, epoch, rewards/...; held-out figures
// begin with eval/. loss and terms are means over the steps since the last line; learning_rate and
// grad_norm are the last step's.
class Journal {
 public:
  struct Options {
    std::filesystem::path run_dir = {};  // empty: writes nothing
    int64_t log_every = 1, steps = 0, resume_step = 0;
    std::string title = {};  // of the progress line
  };
  Journal(Options options, Monitor& monitor);
  ~Journal();

  void step(const StepReport& report);
  void validation(int64_t step, double loss, const std::vector<Term>& terms);
  void samples(int64_t step, const std::vector<TextSample>& samples);
  void note(const std::string& line);  // to log.txt and the monitor
  void flush();
  void end(const std::string& summary);

  // What has been gathered since the last line, to be kept in a checkpoint.
  OrderedJson window() const;
  void restore_window(const Json& window);

 private:
  void write_line(const StepReport& last);

  Options options_;
  Monitor& monitor_;
  std::optional<MetricsWriter> metrics_;
  double loss_sum_ = 0, seconds_ = 0;
  int64_t count_ = 0, tokens_ = 0;
  std::vector<Term> terms_ = {};
};

// Adds up terms of the same name.
void add_terms(std::vector<Term>& into, const std::vector<Term>& more);

// Appends a line with the time of day to run_dir/log.txt; nowhere when run_dir is empty.
void log_line(const std::filesystem::path& run_dir, const std::string& line);

}  // namespace helio::train
