#include "data/op_timing.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/fs.h"
#include "data/feed.h"
#include "data/memory_survey.h"

namespace helio::data {
namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

// "VmHWM", "VmRSS" in bytes; 0 where there is no /proc.
uint64_t memory_of_process(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1)) << 10;
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << '5'; }

struct Scratch {
  fs::path path = fs::temp_directory_path() / fmt::format("helio-bench-{}", getpid());
  Scratch() { fs::create_directories(path); }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

int64_t run_round(const Step& step, std::vector<Document>& documents, Counters& counters,
                  const StopRequest& stop) {
  int64_t dropped = 0;
  if (const auto* map = std::get_if<std::unique_ptr<Map>>(&step.run)) {
    for (Document& document : documents) dropped += !(*map)->apply(document, counters).kept;
  } else if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&step.run)) {
    std::vector<double> values((*filter)->checks().size());
    for (const Document& document : documents) {
      Figures figures((*filter)->checks(), values, Figures::Until::dropped);
      (*filter)->measure(document, figures);
      dropped += !figures.verdict().kept;
    }
  } else {
    const Scratch scratch;
    SilentMonitor monitor;
    const auto run = std::get<std::unique_ptr<Stage>>(step.run)->start();
    std::string surveyed;
    for (const Document& document : documents) run->survey(document, surveyed);
    MemorySurvey survey(surveyed, documents.size());
    StageContext context{
        .scratch = scratch.path, .monitor = monitor, .stop = stop, .counters = counters};
    run->settle(survey, context);
    for (Document& document : documents) dropped += !run->apply(document, counters).kept;
  }
  return dropped;
}

}  // namespace

std::vector<Document> read_sample(const Node& inputs, uint64_t bytes) {
  std::vector<Document> sample;
  uint64_t held = 0;
  for (const InputOptions& input : read_inputs(inputs)) {
    const auto feed = open_input_feed(input);
    ReadTally tally;
    for (Piece piece; held < bytes && feed->next(piece, size_t(1) << 20);)
      for (Document& document : feed->parse(piece, tally)) {
        if (held >= bytes) break;
        held += document.text.size();
        document.order = sample.size();
        sample.push_back(std::move(document));
      }
  }
  if (sample.empty()) throw Error(ErrorKind::invalid, "there are no documents to measure on");
  return sample;
}

OpTiming time_step(const Step& step, const std::vector<Document>& documents, double seconds,
                   const StopRequest& stop) {
  OpTiming timing{.op = step.name, .documents = int64_t(documents.size())};
  for (const Document& document : documents) timing.bytes += document.text.size();
  timing.seconds = std::numeric_limits<double>::infinity();
  for (double spent = 0; timing.rounds < 2 || spent < seconds; ++timing.rounds) {
    stop.check();
    std::vector<Document> round = documents;
    Counters counters;
    forget_peak();
    const uint64_t before = memory_of_process("VmRSS");
    const double start = cpu_seconds();
    timing.dropped = run_round(step, round, counters, stop);
    const double took = cpu_seconds() - start;
    const uint64_t peak = memory_of_process("VmHWM");
    timing.memory = std::max(timing.memory, peak > before ? peak - before : 0);
    timing.seconds = std::min(timing.seconds, took);
    spent += took;
  }
  return timing;
}

}  // namespace helio::data
