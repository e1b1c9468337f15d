// Train a fastText classifier (quality, toxicity, ...) on labelled documents, and measure it.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/parallel.h"
#include "data/fasttext/model.h"
#include "data/fasttext/train.h"

namespace helio::cli {
namespace {

using data::fasttext::Example;

class TrainClassifier final : public Command {
 public:
  Card card() const override {
    return {.positional = {"data"},
            .required = {"out"},
            .examples = {"helio data train-classifier labelled.jsonl --out quality.bin",
                         "helio data train-classifier --positive good.jsonl --negative "
                         "crawl.jsonl.zst --out quality.bin"}};
  }

  void describe(Fields& f) override {
    f("data", data_, "JSONL files (.gz and .zst too), or folders of them, with text and label.");
    f("positive", positive_, "JSONL files of good examples, instead of labels.");
    f("negative", negative_, "JSONL files of bad examples.");
    f("positive_label", positive_label_, "Label of the good examples.");
    f("negative_label", negative_label_, "Label of the bad examples.");
    f("text_field", text_field_, "Key that holds the text.");
    f("label_field", label_field_, "Key that holds the label.");
    f("holdout", holdout_, "Share of examples held out to measure with, chosen by their text.",
      between(0, 0.9));
    f("out", out_, "The model to write, in fastText's .bin format.");
    f("threads", threads_, "Threads; 0 takes one a core. The model is the same for any number.",
      at_least(0));
    f("dry_run", dry_run_, "Read and count the examples, train nothing.");
    options_.describe(f);
  }

  int run(Context& context) override {
    if (data_.empty() == (positive_.empty() && negative_.empty()))
      throw Error(ErrorKind::usage, "give labelled files, or --positive and --negative ones");
    if (positive_.empty() != negative_.empty())
      throw Error(ErrorKind::usage, "--positive and --negative go together");
    for (const std::string& path : data_) read(path, "", context.stop);
    for (const std::string& path : positive_) read(path, positive_label_, context.stop);
    for (const std::string& path : negative_) read(path, negative_label_, context.stop);
    const int threads = threads_ > 0 ? int(threads_) : hardware_threads();
    OrderedJson report = {{"train", train_.size()}, {"held_out", held_.size()}};
    if (dry_run_) {
      print(context, report);
      return 0;
    }
    const std::string bytes =
        data::fasttext::train(train_, options_, threads, context.monitor, context.stop);
    const data::fasttext::Model model(bytes, out_);
    if (!held_.empty()) add_scores(report, data::fasttext::evaluate(model, held_, threads));
    write_file_atomic(out_, bytes);
    report["model"] = out_;
    report["bytes"] = bytes.size();
    print(context, report);
    return 0;
  }

 private:
  void read(const fs::path& path, const std::string& label, const StopRequest& stop) {
    if (fs::is_directory(path)) {
      for (const fs::path& file : list_files(path, {".jsonl", ".jsonl.gz", ".jsonl.zst"}))
        read(file, label, stop);
      return;
    }
    read_jsonl(path, [&](const Json& row, int64_t line) {
      if (line % 1024 == 0) stop.check();
      const auto field = [&](const std::string& name) -> const Json& {
        const auto at = row.is_object() ? row.find(name) : row.end();
        if (!row.is_object() || at == row.end())
          throw Error(ErrorKind::invalid,
                      fmt::format("{}:{}: the row has no '{}'", path.string(), line, name));
        return *at;
      };
      const Json& text = field(text_field_);
      if (!text.is_string())
        throw Error(ErrorKind::invalid,
                    fmt::format("{}:{}: '{}' is not a string", path.string(), line, text_field_));
      Example example{.text = text.get<std::string>(), .label = label};
      if (label.empty()) {
        const Json& given = field(label_field_);
        example.label = given.is_string() ? given.get<std::string>() : given.dump();
        if (example.label.starts_with("__label__")) example.label.erase(0, 9);
      }
      const bool held = data::fasttext::held_out(example.text, holdout_, options_.seed);
      (held ? held_ : train_).push_back(std::move(example));
    });
  }

  static void add_scores(OrderedJson& report, const data::fasttext::Evaluation& scores) {
    report["accuracy"] = scores.accuracy();
    OrderedJson labels = OrderedJson::object();
    for (const auto& one : scores.labels)
      labels[one.label] = {{"examples", one.examples},
                           {"precision", one.precision()},
                           {"recall", one.recall()},
                           {"f1", one.f1()}};
    report["labels"] = labels;
  }

  static void print(Context& context, const OrderedJson& report) {
    if (context.json) {
      context.out << compact(report) << '\n';
      return;
    }
    context.out << fmt::format("{} examples to train on, {} held out\n",
                               report["train"].get<int64_t>(), report["held_out"].get<int64_t>());
    if (report.contains("labels")) {
      context.out << fmt::format("{:<24}{:>9}{:>11}{:>9}{:>9}\n", "label", "held out", "precision",
                                 "recall", "F1");
      for (const auto& [label, one] : report["labels"].items())
        context.out << fmt::format("{:<24}{:>9}{:>11.4f}{:>9.4f}{:>9.4f}\n", label,
                                   one["examples"].get<int64_t>(), one["precision"].get<double>(),
                                   one["recall"].get<double>(), one["f1"].get<double>());
      context.out << fmt::format("accuracy {:.4f}\n", report["accuracy"].get<double>());
    }
    if (report.contains("model"))
      context.out << fmt::format("{} ({:.1f} MB)\n", report["model"].get<std::string>(),
                                 report["bytes"].get<double>() / 1e6);
  }

  data::fasttext::TrainOptions options_ = {};
  std::vector<std::string> data_ = {}, positive_ = {}, negative_ = {};
  std::string positive_label_ = "good", negative_label_ = "bad", text_field_ = "text",
              label_field_ = "label", out_ = {};
  double holdout_ = 0.1;
  int64_t threads_ = 0;
  bool dry_run_ = false;
  std::vector<Example> train_ = {}, held_ = {};
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::TrainClassifier)
