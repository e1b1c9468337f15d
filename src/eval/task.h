// A task made ready: its items, what to ask the model for each, and how to judge the answers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "eval/benchmark_data.h"
#include "eval/profile.h"
#include "eval/respondent.h"
#include "eval/task_spec.h"
#include "model/language_model.h"

namespace helio::eval {

// A part of a task with a figure of its own: a subject, a language. A task without parts has one,
// without a name.
struct Part {
  std::string name = {};
  int64_t total = 0;           // items there are
  int64_t begin = 0, end = 0;  // items used: [begin, end) of the task's
  std::string not_run = {};    // why there are none
  std::string group = {};      // the group of parts it belongs to
};

// One context and one continuation, as text.
struct Ask {
  std::string context = {}, continuation = {};
};

// What one item adds to each metric: sum of value over sum of weight.
struct Judged {
  struct Value {
    double value = 0, weight = 1;  // weight 0: the item is left out of the metric
  };
  std::vector<Value> metrics = {};    // in the order of TaskSpec::metrics
  int64_t gold = 0, predicted = 0;    // choices, for metrics over all items (f1)
  std::optional<double> margin = {};  // of the choice taken over the next, in the main metric
  OrderedJson sample = {};            // a line of samples/
};

class Task {
 public:
  virtual ~Task() = default;

  const TaskSpec& spec() const { return spec_; }
  const std::vector<Part>& parts() const { return parts_; }
  int64_t items() const { return parts_.empty() ? 0 : parts_.back().end; }
  int64_t total() const;
  const std::string& not_run() const {
    return not_run_;
  }  // why the whole task is not run, or empty
  const OrderedJson& settings() const { return settings_; }
  const Profile& profile() const { return profile_; }

  // Why this model cannot be asked, or empty.
  virtual std::string refuses(const model::LanguageModel&) const { return {}; }
  // What to ask for an item. Empty: the item cannot be asked of this model; it is counted.
  virtual std::vector<model::ScoreRequest> requests(int64_t item,
                                                    const model::LanguageModel& model) const = 0;
  virtual Judged judge(int64_t item, const std::vector<model::ScoreRequest>& asked,
                       const std::vector<model::Score>& scores) const = 0;
  // What every question is written in from now on (Sources::apply_chat_template); null: none. It
  // must outlive its use.
  void write_in(const text::ChatFormat* chat) { chat_ = chat; }
  // The item's questions as text where they are text; for `helio eval requests`.
  virtual std::vector<Ask> asks(int64_t) const { return {}; }
  // Is it answered in the model's own words? Such a task asks questions and judges answers.
  virtual bool in_words() const { return false; }
  // What is asked next, after the item's answers so far; nothing when they are all.
  virtual std::optional<Answerable> question(int64_t, const std::vector<std::string>&) const {
    return std::nullopt;
  }
  virtual Judged judge_answers(int64_t item, const std::vector<std::string>& answers) const;
  // The item's answers of a model as a row that `helio eval score` (or `judge`) reads.
  virtual OrderedJson answer_row(int64_t, const std::vector<std::string>&,
                                 const std::string&) const {
    return {};
  }
  // Adds to one model's result what is no mean over items, or says that there is no result.
  // `items` are those that were asked.
  virtual void complete(const std::vector<const Judged*>&, OrderedJson&) const {}
  virtual std::string item_id(int64_t item) const = 0;
  // Bytes of text to run: what progress is counted in, since items differ a hundredfold.
  virtual int64_t cost(int64_t item) const = 0;

 protected:
  explicit Task(TaskSpec spec) : spec_(std::move(spec)) {}
  TaskSpec spec_;
  Profile profile_ = find_profile("current");
  std::vector<Part> parts_ = {};
  std::string not_run_ = {};
  OrderedJson settings_ = OrderedJson::object();
  const text::ChatFormat* chat_ = nullptr;
};

struct Sources {
  std::string benchmarks = {}, dataset = {}, pairs = {}, profile = "current";
  double heldout = 0.1;
  int64_t limit = 0, limit_per_subject = 0, shots = -1, seed = 1234;
  std::string chat_template = "auto", apply_chat_template = "no";  // as EvalOptions
};

// Reads the task's data. Missing data gives a task that says why it is not run; damaged data an
// Error.
std::unique_ptr<Task> make_task(const TaskSpec& spec, const Sources& sources);

// Used of `available` items in part `index` of `parts`: limit_per_subject, else the task's limit
// shared out evenly (the first parts get one more), else all.
int64_t share_of_limit(const Sources& sources, int64_t index, int64_t parts, int64_t available);

// (context, continuation) as ids, the way lm-evaluation-harness splits: whitespace at the context's
// end moves to the continuation, and the ids of both together are cut at the length of the
// context's own. `special` says whether the tokenizer may add its own. With an empty context the
// model's BOS (or EOS) stands for it. The result's continuation is empty when the split leaves
// nothing to score.
model::ScoreRequest encode_pair(const std::string& context, const std::string& continuation,
                                const model::LanguageModel& model,
                                text::SpecialTokens special = text::SpecialTokens::add);
// A conversation up to where the assistant begins, without its system message where the template
// refuses one.
std::string conversation_text(const std::vector<text::Message>& messages,
                              const text::ChatFormat& chat);
// BOS, or EOS when there is none; an Error when there is neither.
text::TokenId start_token(const model::LanguageModel& model);

// Index of the largest; the first of equals, as numpy.argmax.
size_t argmax(const std::vector<double>& values);

// The one file of each mode.
std::unique_ptr<Task> make_choice_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_generation_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_conversation_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_bits_per_byte_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_cloze_task(const TaskSpec& spec, const Sources& sources);
std::unique_ptr<Task> make_preference_task(const TaskSpec& spec, const Sources& sources);

}  // namespace helio::eval
