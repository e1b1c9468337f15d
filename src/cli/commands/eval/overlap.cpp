// How much of a benchmark stands in a training dataset: runs of words that its items share with it.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "data/dedup/benchmark_overlap.h"
#include "data/read/source.h"
#include "eval/task.h"
#include "eval/task_selection.h"

namespace helio::cli {
namespace {

class EvalOverlap final : public Command {
 public:
  Card card() const override {
    return {.positional = {"task", "dataset"},
            .required = {"task", "dataset", "benchmarks"},
            .examples = {"helio eval overlap mmlu datasets/corpus --benchmarks benchmarks --out "
                         "overlap-mmlu.json",
                         "helio eval overlap gsm8k 'crawl/*.parquet' --text-column content "
                         "--benchmarks benchmarks --ngram 8 --json"}};
  }
  void describe(Fields& f) override {
    f("task", task_, "A task, or the path of a .task.yaml.");
    f.input("dataset", source_.path,
            "Dataset folder, or files of any format that helio data run reads.");
    f.input("benchmarks", sources_.benchmarks, "Folder of benchmark data.");
    f("ngram", ngram_, "Words in a run: 13 as in GPT-3 and lm-evaluation-harness.", between(1, 64));
    f("text_column", source_.text_column, "Rows: the column that holds the text.");
    f("limit", sources_.limit, "Items; 0: all.", at_least(0));
    f("examples", examples_, "Items shown, the most covered first; --json has all.", at_least(0));
    f("out", out_, "File for the result, as helio eval report --overlap reads it.");
  }

  int run(Context& context) override {
    const auto selection = eval::select_tasks({task_});
    if (selection.tasks.size() != 1)
      throw Error(ErrorKind::usage, "'" + task_ + "' is a group").with_hint("name one task");
    sources_.shots = 0;
    const auto task = eval::make_task(selection.tasks[0].spec, sources_);
    if (!task->not_run().empty())
      throw Error(ErrorKind::not_found,
                  "'" + task->spec().name + "' cannot be compared: " + task->not_run());
    const auto items = items_of(*task);
    data::BenchmarkOverlap overlap(items, static_cast<size_t>(ngram_));
    const int64_t documents = read_dataset(overlap, context);
    const OrderedJson result = result_json(*task, items, overlap.items(), documents);
    if (!out_.empty()) write_file_atomic(out_, pretty(result));
    if (context.json) context.out << compact(result) << "\n";
    else show(result, context);
    return 0;
  }

 private:
  // What the items ask, without examples, and without what a task puts before all of a part.
  static std::vector<data::OverlapItem> items_of(const eval::Task& task) {
    std::vector<data::OverlapItem> out;
    for (const auto& part : task.parts()) {
      std::vector<data::OverlapItem> items;
      for (int64_t i = part.begin; i < part.end; ++i) {
        data::OverlapItem item{.id = task.item_id(i)};
        if (const auto question = task.question(i, {})) {
          if (question->messages.empty()) item.texts.push_back(question->prompt);
          for (const auto& message : question->messages) item.texts.push_back(message.content);
        } else
          for (const auto& ask : task.asks(i)) item.texts.push_back(ask.context + ask.continuation);
        if (item.texts.empty())
          throw Error(ErrorKind::usage,
                      "what '" + task.spec().name + "' asks depends on the model's tokenizer");
        items.push_back(std::move(item));
      }
      data::drop_common_beginning(items);
      std::move(items.begin(), items.end(), std::back_inserter(out));
    }
    return out;
  }

  int64_t read_dataset(data::BenchmarkOverlap& overlap, Context& context) {
    const fs::path path = source_.path;
    dataset_ = (path.filename().empty() ? path.parent_path() : path).filename().string();
    context.monitor.begin("comparing", 0, "documents");
    const int64_t read = fs::is_directory(path) && has_manifest(path)
                             ? read_ours(path, overlap, context)
                             : read_files(overlap, context);
    context.monitor.end();
    return read;
  }

  // A dataset of ours: what is held out was not trained on.
  static int64_t read_ours(const fs::path& folder, data::BenchmarkOverlap& overlap,
                           Context& context) {
    int64_t read = 0, files = 0;
    for (const auto& file : list_files(folder, {".jsonl", ".jsonl.gz", ".jsonl.zst"})) {
      if (file.parent_path() != folder || !file.filename().string().starts_with("part-")) continue;
      ++files;
      read_jsonl(file, [&](const Json& row, int64_t line) {
        context.stop.check();
        for (const char* key : {"id", "text"})
          if (!row.is_object() || !row.contains(key) || !row[key].is_string())
            throw Error(ErrorKind::invalid,
                        file.string() + ":" + std::to_string(line) + ": no '" + key + "'");
        if (row.contains("split") && row["split"] == "heldout") return;
        overlap.add(row["id"], row["text"].get_ref<const std::string&>());
        context.monitor.at(++read);
      });
    }
    if (files == 0)
      throw Error(ErrorKind::invalid, "'" + folder.string() + "' has no part-*.jsonl files")
          .with_hint("name the folder that helio data run wrote, or files of text");
    return read;
  }

  int64_t read_files(data::BenchmarkOverlap& overlap, Context& context) {
    constexpr size_t kPiece = size_t(1) << 20;
    const auto source = data::open_source(source_, dataset_);
    data::ReadTally tally;
    data::Block block;
    int64_t read = 0;
    for (std::vector<data::Document> documents; source->next(block, kPiece); documents.clear()) {
      context.stop.check();
      source->parse(block, documents, tally);
      for (const auto& document : documents) overlap.add(document.id, document.text);
      read += static_cast<int64_t>(documents.size());
      context.monitor.at(read);
    }
    return read;
  }

  OrderedJson result_json(const eval::Task& task, const std::vector<data::OverlapItem>& items,
                          const std::vector<data::ItemOverlap>& found, int64_t documents) const {
    OrderedJson list = OrderedJson::array();
    int64_t short_ones = 0, whole = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      short_ones += found[i].words < ngram_;
      whole += found[i].share >= 1;
      if (found[i].runs)
        list.push_back({{"doc", items[i].id},
                        {"share", found[i].share},
                        {"runs", found[i].runs},
                        {"document", found[i].document},
                        {"text", found[i].text}});
    }
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
      return a.at("share").template get<double>() > b.at("share").template get<double>();
    });
    const auto count = static_cast<int64_t>(items.size());
    const auto contaminated = static_cast<int64_t>(list.size());
    return {{"format", 1},
            {"task", task.spec().name},
            {"dataset", dataset_},
            {"ngram", ngram_},
            {"documents", documents},
            {"items", count},
            {"too_short", short_ones},
            {"contaminated", contaminated},
            {"share", count > short_ones ? OrderedJson(static_cast<double>(contaminated) /
                                                       static_cast<double>(count - short_ones))
                                         : OrderedJson()},
            {"covered_whole", whole},
            {"data", task.settings().contains("data") ? task.settings().at("data") : OrderedJson()},
            {"overlaps", std::move(list)}};
  }

  void show(const OrderedJson& result, Context& context) const {
    const auto number = [&](const char* key) { return result.at(key).get<int64_t>(); };
    context.out << fmt::format(
        "{} in {}: {} of {} items share a run of {} words with {} documents{}\n",
        result.at("task").get<std::string>(), dataset_, number("contaminated"),
        number("items") - number("too_short"), ngram_, number("documents"),
        number("too_short") ? fmt::format("; {} items are shorter", number("too_short")) : "");
    for (int64_t i = 0; i < std::min<int64_t>(examples_, number("contaminated")); ++i) {
      const auto& one = result.at("overlaps").at(static_cast<size_t>(i));
      context.out << fmt::format(
          "  {:<28} {:5.1f}%  in {}\n      {}\n", one.at("doc").get<std::string>(),
          100 * one.at("share").get<double>(), one.at("document").get<std::string>(),
          one.at("text").get<std::string>());
    }
    if (!out_.empty()) context.out << "Written to " << out_ << "\n";
  }

  std::string task_ = {}, out_ = {}, dataset_ = {};
  eval::Sources sources_ = {};
  data::SourceOptions source_ = {};
  int64_t ngram_ = 13, examples_ = 5;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalOverlap)
