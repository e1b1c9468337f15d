#include "engine/pairs/judge.h"

#include <charconv>

#include "core/error.h"
#include "core/manifest.h"
#include "model/decoder.h"
#include "nn/torch_error.h"
#include "text/preference_data.h"
#include "train/objective.h"

namespace helio::engine {
namespace {

constexpr int64_t kBatchTokens = 4096, kReplyTokens = 512;

constexpr const char* kSystem =
    "You rate answers of an assistant: how helpful, correct, harmless and to the point they are. "
    "Say briefly why, then end with the rating as a number from 1 (useless) to 10 (excellent) in "
    "double brackets, like [[6]].";

class EndpointJudge final : public PairJudge {
 public:
  EndpointJudge(const eval::EndpointOptions& options, const StopRequest& stop)
      : chat_(options, [&stop] { return stop.raised(); }), name_(options.model) {}

  std::vector<std::optional<double>> score(const Question& question) override {
    std::string conversation;
    for (const auto& message : question.prompt)
      conversation += "[" + message.role + "]\n" + message.content + "\n\n";
    std::vector<std::optional<double>> scores;
    for (const auto& answer : question.answers)
      scores.push_back(rating_of(
          chat_
              .ask(kSystem,
                   "The conversation:\n\n" + conversation + "The answer to rate:\n\n" + answer.text,
                   0, kReplyTokens)
              .text));
    return scores;
  }
  OrderedJson described() const override { return {{"judge", "endpoint"}, {"model", name_}}; }

 private:
  eval::OpenAiChat chat_;
  std::string name_;
};

// A model with its tokenizer and template.
struct Scorer {
  explicit Scorer(const std::string& dir)
      : model(model::Decoder::load(dir)),
        tokenizer(text::load_tokenizer(dir)),
        format(text::ChatFormat::load(dir, *tokenizer, "auto")),
        content(describe_input("judge", dir).content) {}

  struct Score {
    double sum = 0, tokens = 0;
  };
  std::vector<Score> score(const Question& question, int64_t max_length) const {
    std::vector<train::EncodedPreference> encoded;
    for (const auto& answer : question.answers)
      encoded.push_back(text::encode_preference(
          {.id = question.id, .prompt = question.prompt, .chosen = answer.text, .unpaired = true},
          format, max_length));
    const auto scores = nn::with_torch_errors(
        [] { return "scoring answers"; },
        [&] { return train::score_pairs(model, encoded, kBatchTokens, [](int64_t) {}); });
    std::vector<Score> out;
    for (size_t i = 0; i < scores.size(); ++i)
      out.push_back({scores[i].chosen, static_cast<double>(encoded[i].chosen.size())});
    return out;
  }

  model::Decoder model;
  std::unique_ptr<text::Tokenizer> tokenizer;
  text::ChatFormat format;
  std::string content;
};

class ModelJudge final : public PairJudge {
 public:
  ModelJudge(const std::string& dir, const std::string& reference, int64_t max_length)
      : policy_(dir), max_length_(max_length) {
    if (!reference.empty()) reference_ = std::make_unique<Scorer>(reference);
    const Scorer* scorers[] = {&policy_, reference_.get()};
    for (const Scorer* scorer : scorers)
      if (scorer != nullptr && scorer->model.config().longest_sequence() < max_length)
        throw Error(ErrorKind::invalid, "max_length " + std::to_string(max_length) +
                                            " is more than the judge's positions");
  }

  std::vector<std::optional<double>> score(const Question& question) override {
    const auto own = policy_.score(question, max_length_);
    std::vector<Scorer::Score> other;
    if (reference_) other = reference_->score(question, max_length_);
    std::vector<std::optional<double>> scores;
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i].tokens == 0) scores.emplace_back();
      else if (reference_) scores.emplace_back(own[i].sum - other[i].sum);
      else scores.emplace_back(own[i].sum / own[i].tokens);
    }
    return scores;
  }
  OrderedJson described() const override {
    OrderedJson told = {{"judge", reference_ ? "implicit reward" : "log-probability per token"},
                        {"content", policy_.content}};
    if (reference_) told["reference"] = reference_->content;
    return told;
  }

 private:
  Scorer policy_;
  std::unique_ptr<Scorer> reference_ = {};
  int64_t max_length_;
};

}  // namespace

std::optional<double> rating_of(const std::string& reply) {
  const size_t open = reply.rfind("[[");
  if (open == reply.npos) return {};
  const size_t close = reply.find("]]", open);
  if (close == reply.npos) return {};
  double value = 0;
  const char *begin = reply.data() + open + 2, *end = reply.data() + close;
  const auto [at, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc() || at != end || !(value >= 1 && value <= 10)) return {};
  return value;
}

std::unique_ptr<PairJudge> endpoint_judge(const eval::EndpointOptions& options,
                                          const StopRequest& stop) {
  return std::make_unique<EndpointJudge>(options, stop);
}

std::unique_ptr<PairJudge> model_judge(const std::string& dir, const std::string& reference,
                                       int64_t max_length) {
  return std::make_unique<ModelJudge>(dir, reference, max_length);
}

}  // namespace helio::engine
