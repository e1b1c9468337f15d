// Run one operator over files: every step of a data recipe is also a command of its own.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/options.h"
#include "data/pipeline.h"
#include "data/read/source_options.h"

namespace helio::cli {
namespace {

class DataOp final : public Command {
 public:
  // Which operator it is decides which flags there are.
  void prepare(const std::vector<std::string>& words) override {
    const auto is_flag = [](const std::string& word) { return word.starts_with('-'); };
    if (words.empty() || is_flag(words[0])) return;
    const data::Op& op = data::find_op(words[0]);
    op_options_ = op.options();
  }

  Card card() const override {
    return {
        .positional = {"name"},
        .required = {"name", "in", "out"},
        .examples = {"helio data op filter.length --in corpus.jsonl.zst --out long --min-words 20",
                     "helio data op dedup.minhash --in a.jsonl b.parquet --out unique",
                     "helio data op dedup.minhash --help"}};
  }

  void describe(Fields& f) override {
    f("name", name_, "The operator; helio data ops lists them.");
    f("in", in_, "Files, folders or patterns to read.");
    f("out", pipeline_.out, "Folder of the dataset that is written.");
    f("memory", pipeline_.memory, "Memory for sorting and chunks: 512M, 2G.");
    f("threads", threads_, "Threads; 0 takes one a core.", at_least(0));
    f("for", languages_, "Only documents in these languages.");
    f.section("read", read_, "How the files are read.");
    if (op_options_) op_options_->describe(f);
  }

  int run(Context& context) override {
    Node inputs = Node::list({.source = "--in"});
    for (const std::string& path : in_) {
      data::SourceOptions read = read_;
      read.path = path;
      inputs.push_back(parse_yaml(compact(options_json(helio::describe(read))), "--read"));
    }
    Node step = parse_yaml(compact(options_json([&](Fields& f) { op_options_->describe(f); })),
                           "the command line");
    step.set("op", {.source = name_}, Node::scalar(name_, {.source = name_}));
    if (!languages_.empty()) {
      Node list = Node::list({.source = "--for"});
      for (const std::string& language : languages_)
        list.push_back(Node::scalar(language, {.source = "--for"}));
      step.set("for", {.source = "--for"}, std::move(list));
    }
    pipeline_.inputs = std::move(inputs);
    pipeline_.steps = Node::list({.source = "the command line"});
    pipeline_.steps.push_back(std::move(step));
    pipeline_.work = "remove";
    const data::Account account =
        data::run_pipeline(pipeline_, int(threads_), context.monitor, context.stop);
    const OrderedJson json = account.json();
    if (context.json) {
      context.out << compact(json) << '\n';
      return 0;
    }
    const data::StepAccount& done = account.steps.front();
    context.out << fmt::format("{}: {} in, {} out, {} changed\n", name_, done.in, done.out,
                               done.changed);
    for (const auto& [reason, count] : done.reasons)
      context.out << fmt::format("  dropped {:<32}{:>9}\n", reason, count);
    for (const auto& [counter, count] : account.counters)
      context.out << fmt::format("  counted {:<32}{:>9}\n", counter, count);
    return 0;
  }

 private:
  std::string name_;
  std::vector<std::string> in_, languages_;
  data::SourceOptions read_;
  data::PipelineOptions pipeline_;
  std::unique_ptr<Described> op_options_;
  int64_t threads_ = 0;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataOp)
