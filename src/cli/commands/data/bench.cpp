// Measure operators on your own text: megabytes a second, documents dropped, memory.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "data/memory_size.h"
#include "data/op_timing.h"

namespace helio::cli {
namespace {

class DataBench final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"ops"},
        .required = {"in"},
        .examples = {"helio data bench --in corpus.jsonl.zst",
                     "helio data bench dedup.minhash filter.gopher_repetition --in news/*.jsonl "
                     "--json",
                     "helio data bench --in corpus.jsonl.zst --config steps.yaml"}};
  }

  void describe(Fields& f) override {
    f("ops", ops_, "Operators, with their defaults; none: all of them.");
    f("in", in_, "Files, folders or patterns to read the text from.");
    f.raw("steps", steps_, "Steps of a recipe to measure instead, with their options.");
    f("size", size_, "Text to measure on: 16M, 1G.");
    f("seconds", seconds_, "CPU time for each operator; the fastest round counts.",
      between(0.01, 3600));
  }

  int run(Context& context) override {
    Node inputs = Node::list({.source = "--in"});
    for (const std::string& path : in_) inputs.push_back(Node::scalar(path, {.source = "--in"}));
    const auto documents = data::read_sample(inputs, data::parse_memory(size_));
    std::vector<data::OpTiming> timings;
    if (!steps_.is_null()) {
      for (const data::Step& step : data::read_steps(steps_))
        timings.push_back(time(step, documents, context));
    } else {
      if (ops_.empty())
        for (const auto& [name, op] : data::ops()) ops_.push_back(name);
      for (const std::string& name : ops_) timings.push_back(time_op(name, documents, context));
    }
    if (context.json) print_json(context.out, timings);
    else print(context.out, timings);
    return 0;
  }

 private:
  data::OpTiming time(const data::Step& step, const std::vector<data::Document>& documents,
                      Context& context) const {
    context.monitor.begin(step.name, 0, "");
    const data::OpTiming timing = data::time_step(step, documents, seconds_, context.stop);
    context.monitor.end();
    return timing;
  }

  // One that needs options (a model, a list) cannot run without them; with one name that is an
  // error, among all of them it is told in its line.
  data::OpTiming time_op(const std::string& name, const std::vector<data::Document>& documents,
                         Context& context) const {
    data::find_op(name);
    Node steps = Node::list({.source = name});
    steps.push_back(Node::scalar(name, {.source = name}));
    std::vector<data::Step> made;
    try {
      made = data::read_steps(steps);
    } catch (const Error& error) {
      if (ops_.size() == 1) throw;
      return {.op = name, .skipped = error.message()};
    }
    return time(made.front(), documents, context);
  }

  static void print(std::ostream& out, const std::vector<data::OpTiming>& timings) {
    if (!timings.empty()) out << fmt::format("one thread, CPU time\n");
    out << fmt::format("{:<34}{:>10}{:>12}{:>10}{:>10}{:>9}\n", "operator", "MB/s", "documents/s",
                       "dropped", "memory", "rounds");
    for (const data::OpTiming& timing : timings) {
      if (!timing.skipped.empty()) {
        out << fmt::format("{:<34}not run: {}\n", timing.op, timing.skipped);
        continue;
      }
      out << fmt::format("{:<34}{:>10.1f}{:>12.0f}{:>10}{:>7.0f} MB{:>9}\n", timing.op,
                         timing.mb_per_second(), double(timing.documents) / timing.seconds,
                         timing.dropped, double(timing.memory) / 1e6, timing.rounds);
    }
  }

  static void print_json(std::ostream& out, const std::vector<data::OpTiming>& timings) {
    OrderedJson list = OrderedJson::array();
    for (const data::OpTiming& timing : timings) {
      if (!timing.skipped.empty()) {
        list.push_back({{"op", timing.op}, {"skipped", timing.skipped}});
        continue;
      }
      list.push_back({{"op", timing.op},
                      {"mb_per_second", timing.mb_per_second()},
                      {"cpu_seconds", timing.seconds},
                      {"bytes", timing.bytes},
                      {"documents", timing.documents},
                      {"dropped", timing.dropped},
                      {"memory", timing.memory},
                      {"rounds", timing.rounds}});
    }
    out << compact(list) << '\n';
  }

  std::vector<std::string> ops_, in_;
  Node steps_;
  std::string size_ = "16M";
  double seconds_ = 1;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataBench)
