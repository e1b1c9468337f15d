// Print what a task asks, without a model: one JSON line a continuation, in order.
#include <memory>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "eval/task.h"
#include "eval/task_selection.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace helio::cli {
namespace {

class EvalRequests final : public Command {
 public:
  Card card() const override {
    return {.positional = {"task"},
            .required = {"task"},
            .examples = {
                "helio eval requests hellaswag --benchmarks benchmarks --limit 3",
                "helio eval requests h6 --profile evalverse --benchmarks benchmarks",
                "helio eval requests mmlu --benchmarks benchmarks --shots 5 --limit-per-subject 1",
                "helio eval requests gsm8k --benchmarks benchmarks --tokenizer models/chat "
                "--apply-chat-template multi_turn --limit 1",
                "helio eval requests cloze --dataset datasets/corpus --limit 2"}};
  }
  void describe(Fields& f) override {
    f("task", task_, "A task or group, NAME@SHOTS, or the path of a .task.yaml.");
    f.input("benchmarks", sources_.benchmarks, "Folder of benchmark data.");
    f.input("dataset", sources_.dataset, "Dataset, for tasks made from held-out documents.");
    f("profile", sources_.profile, "Whose requests: the version of lm-evaluation-harness.",
      one_of({"openllm-v1", "evalverse", "current"}));
    f("limit", sources_.limit, "Items; 0: all.", at_least(0));
    f("limit_per_subject", sources_.limit_per_subject, "Items of each subject; 0: as limit says.",
      at_least(0));
    f("shots", sources_.shots, "Few-shot examples; -1: as the task says.", at_least(-1));
    f("seed", sources_.seed, "Seed of draws; 1234: the profile's own.", at_least(0));
    f("tokenizer", tokenizer_,
      "Folder of a model: conversations are printed in its chat template. Empty: as messages.");
    f("chat_template", sources_.chat_template,
      "With tokenizer: auto (the folder's), solar, chatml, or a Jinja file.");
    f("apply_chat_template", sources_.apply_chat_template,
      "With tokenizer: benchmarks with few-shot examples in the chat template too, as in eval run.",
      one_of({"no", "multi_turn", "single_turn"}));
  }

  int run(Context& context) override {
    load_chat();
    const auto selection = eval::select_tasks({task_});
    size_t shown = 0;
    std::string missing;
    for (const auto& selected : selection.tasks) {
      eval::Sources sources = sources_;
      if (sources.shots < 0) sources.shots = selected.shots;
      const auto task = eval::make_task(selected.spec, sources);
      if (!task->not_run().empty()) {
        missing = "'" + selected.spec.name + "' cannot be shown: " + task->not_run();
        if (selection.tasks.size() > 1) context.monitor.note(missing);
        continue;
      }
      ++shown;
      if (sources_.apply_chat_template != "no") task->write_in(chat_.get());
      print(*task, context);
    }
    if (shown == 0) throw Error(ErrorKind::not_found, missing);
    return 0;
  }

 private:
  void load_chat() {
    if (tokenizer_.empty()) {
      if (sources_.apply_chat_template == "no") return;
      throw Error(ErrorKind::usage, "--apply-chat-template needs a chat template")
          .with_hint("--tokenizer FOLDER of the model whose template it is");
    }
    if (sources_.apply_chat_template != "no" && sources_.profile != "current")
      throw Error(ErrorKind::usage, "--apply-chat-template is for profile current")
          .with_hint("earlier versions of lm-evaluation-harness asked as text");
    vocabulary_ = text::load_tokenizer(tokenizer_);
    chat_ = std::make_unique<text::ChatFormat>(
        text::ChatFormat::load(tokenizer_, *vocabulary_, sources_.chat_template));
  }

  // A conversation: its text in the template where there is one.
  std::string asked(const eval::Answerable& question) const {
    if (question.messages.empty()) return "\"context\":" + compact(question.prompt);
    if (chat_) return "\"context\":" + compact(eval::conversation_text(question.messages, *chat_));
    return "\"messages\":" + compact(text::message_list(question.messages));
  }

  void print(const eval::Task& task, Context& context) const {
    const std::string name = compact(task.spec().name);
    for (int64_t item = 0; item < task.items(); ++item) {
      context.stop.check();
      std::string lines;
      const std::string begin =
          "{\"task\":" + name + ",\"doc\":" + compact(task.item_id(item)) + ",";
      if (const auto question = task.question(item, {})) {
        lines = begin + asked(*question) + ",\"until\":" + compact(question->stops) +
                ",\"max_tokens\":" + std::to_string(question->max_tokens) + "}\n";
      } else {
        lines = choices(task, item, begin);
      }
      context.out << lines;
    }
  }

  static std::string choices(const eval::Task& task, int64_t item, const std::string& begin) {
    const auto asks = task.asks(item);
    if (asks.empty())
      throw Error(ErrorKind::usage,
                  "what '" + task.spec().name + "' asks depends on the model's tokenizer")
          .with_hint("`helio eval run` writes each item's scores to samples/");
    std::string lines, context;  // the context as JSON: most items have one for all choices
    for (size_t i = 0; i < asks.size(); ++i) {
      if (i == 0 || asks[i].context != asks[i - 1].context) context = compact(asks[i].context);
      lines += begin + "\"choice\":" + std::to_string(i) + ",\"context\":" + context +
               ",\"continuation\":" + compact(asks[i].continuation) + "}\n";
    }
    return lines;
  }

  std::string task_ = {}, tokenizer_ = {};
  eval::Sources sources_ = {};
  std::unique_ptr<text::Tokenizer> vocabulary_ = {};
  std::unique_ptr<text::ChatFormat> chat_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalRequests)
