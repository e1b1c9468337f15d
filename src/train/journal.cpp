#include "train/journal.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "core/error.h"
#include "core/fs.h"

namespace helio::train {

void add_terms(std::vector<Term>& into, const std::vector<Term>& more) {
  for (const Term& term : more) {
    const auto same =
        std::find_if(into.begin(), into.end(), [&](const Term& t) { return t.name == term.name; });
    if (same == into.end()) {
      into.push_back(term);
    } else {
      same->sum += term.sum;
      same->weight += term.weight;
    }
  }
}

void log_line(const std::filesystem::path& run_dir, const std::string& line) {
  if (run_dir.empty()) return;
  make_dirs(run_dir);
  std::ofstream log(run_dir / "log.txt", std::ios::app);
  log << fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(std::time(nullptr)), line);
}

Journal::Journal(Options options, Monitor& monitor)
    : options_(std::move(options)), monitor_(monitor) {
  if (!options_.run_dir.empty()) metrics_.emplace(options_.run_dir, options_.resume_step);
  monitor_.begin(options_.title, options_.steps, "steps");
  if (options_.resume_step) monitor_.at(options_.resume_step);
}

Journal::~Journal() = default;

void Journal::step(const StepReport& report) {
  loss_sum_ += report.loss;
  seconds_ += report.seconds;
  tokens_ += report.tokens;
  ++count_;
  add_terms(terms_, report.terms);
  monitor_.at(
      report.step,
      fmt::format(
          "loss {:.4f}  {:.0f} tokens/s{}", report.loss,
          static_cast<double>(report.tokens) / std::max(report.seconds, 1e-9),
          report.utilisation > 0 ? fmt::format("  MFU {:.0f}%", 100 * report.utilisation) : ""));
  if (report.step % options_.log_every == 0 || report.step == options_.steps) write_line(report);
}

void Journal::write_line(const StepReport& last) {
  Scalars line = {{"loss", loss_sum_ / static_cast<double>(count_)},
                  {"grad_norm", last.grad_norm},
                  {"learning_rate", last.lr},
                  {"num_tokens", static_cast<double>(last.tokens_so_far)}};
  for (const Term& term : terms_)
    line.emplace_back(term.name, term.weight > 0 ? term.sum / term.weight : 0);
  line.emplace_back("epoch", last.epoch);
  line.emplace_back(kTimingMetric, static_cast<double>(tokens_) / std::max(seconds_, 1e-9));
  if (last.utilisation > 0) line.emplace_back(kUtilisationMetric, last.utilisation);
  if (metrics_) metrics_->write(last.step, line);
  loss_sum_ = seconds_ = 0;
  count_ = tokens_ = 0;
  terms_.clear();
}

void Journal::validation(int64_t step, double loss, const std::vector<Term>& terms) {
  Scalars line = {{"eval/loss", loss}};
  for (const Term& term : terms)
    line.emplace_back("eval/" + term.name, term.weight > 0 ? term.sum / term.weight : 0);
  if (metrics_) metrics_->write(step, line);
  log_line(options_.run_dir, fmt::format("step {}: held-out loss {:.6f}", step, loss));
}

void Journal::samples(int64_t step, const std::vector<TextSample>& samples) {
  if (metrics_ && !samples.empty()) metrics_->write(step, samples);
}

void Journal::note(const std::string& line) {
  log_line(options_.run_dir, line);
  monitor_.note(line);
}

void Journal::flush() {
  if (metrics_) metrics_->flush();
}

void Journal::end(const std::string& summary) {
  if (metrics_) metrics_->flush();
  log_line(options_.run_dir, summary);
  monitor_.end(summary);
}

OrderedJson Journal::window() const {
  OrderedJson terms = OrderedJson::array();
  for (const Term& term : terms_) terms.push_back({term.name, term.sum, term.weight});
  return {{"loss_sum", loss_sum_}, {"steps", count_}, {"tokens", tokens_}, {"terms", terms}};
}

void Journal::restore_window(const Json& window) {
  loss_sum_ = window.at("loss_sum").get<double>();
  count_ = window.at("steps").get<int64_t>();
  tokens_ = window.at("tokens").get<int64_t>();
  terms_.clear();
  for (const Json& term : window.at("terms"))
    terms_.push_back(
        {term.at(0).get<std::string>(), term.at(1).get<double>(), term.at(2).get<double>()});
}

}  // namespace helio::train
