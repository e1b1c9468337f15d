#include "serve/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <random>

#include "serve/api_error.h"
#include "serve/token_text.h"
#include "text/text_stream.h"

namespace helio::serve {
namespace {

const char* reason_of(model::Finish how, bool stop_string) {
  return how == model::Finish::length && !stop_string ? "length" : "stop";
}

}  // namespace

std::string fresh_id(const char* prefix) {
  static std::atomic<uint64_t> next = [] {
    std::random_device device;
    return (uint64_t(device()) << 32) | device();
  }();
  // Odd multiples of a counter never meet again.
  return fmt::format("{}-{:016x}", prefix, next.fetch_add(1) * 0x9E3779B97F4A7C15ull);
}

class Answer::Choice final : public model::GenerationSink {
 public:
  Choice(std::shared_ptr<Answer> answer, size_t index)
      : index(index), stream(answer->options_.stops), answer_(std::move(answer)) {}

  void prompt_scored(const std::vector<model::TokenScore>& scores) override {
    answer_->form_->add_prompt_scores(index, scores);
  }
  bool token(const model::TokenScore& score) override {
    answer_->token_came(*this, score);
    return !stream.stopped();
  }
  void finished(model::Finish how, const std::string& why) override {
    finish = how;
    error = why;
    const auto answer = std::move(answer_);  // the engine may keep the sink a little longer
    answer->choice_ended(*this);
  }

  size_t index;
  text::TextStream stream;
  std::string text = {}, unsent = {};
  int64_t tokens = 0;
  double log_prob = 0;
  Clock::time_point last = {};
  model::Finish finish = model::Finish::length;
  std::string error = {};

 private:
  std::shared_ptr<Answer> answer_;
};

Answer::Answer(ModelLease model, HttpReply reply, ServeMetrics& metrics,
               std::unique_ptr<AnswerForm> form, AnswerOptions options, size_t choices)
    : lease_(std::move(model)),
      model_(*lease_),
      reply_(std::move(reply)),
      metrics_(metrics),
      form_(std::move(form)),
      options_(std::move(options)),
      choices_(choices),
      id_(fresh_id(form_->id_prefix())),
      created_(static_cast<int64_t>(std::time(nullptr))),
      began_(Clock::now()),
      cancelled_(std::make_shared<std::atomic<bool>>(false)) {
  ++metrics_.answering;
}

Answer::~Answer() { --metrics_.answering; }

bool Answer::start(std::vector<model::GenerationRequest> requests) {
  open_ = requests.size();
  for (size_t i = 0; i < requests.size(); ++i) {
    choices_[i] = std::make_shared<Choice>(shared_from_this(), i);
    requests[i].sink = choices_[i];
    requests[i].cancelled = cancelled_;
  }
  // All or nothing: a half-accepted answer would hold slots for nobody.
  if (!model_.engine->submit(std::move(requests))) {
    choices_.clear();
    return false;
  }
  reply_.on_gone([cancelled = cancelled_, metrics = &metrics_] {
    *cancelled = true;
    ++metrics->disconnects;
  });
  return true;
}

void Answer::token_came(Choice& choice, const model::TokenScore& score) {
  const auto now = Clock::now();
  if (choice.tokens++ == 0) {
    metrics_.first_token.observe(seconds_between(began_, now));
    if (options_.delivery == AnswerOptions::Delivery::stream) {
      const auto& prefix = form_->prefix(choice.index);
      if (auto opening = form_->opening(choice.index); !opening.is_null())
        send_part(std::move(opening));
      choice.unsent = prefix;
    }
  } else {
    metrics_.between_tokens.observe(seconds_between(choice.last, now));
  }
  choice.last = now;
  choice.log_prob += score.log_prob;
  form_->add_score(choice.index, score);
  const auto& stops = options_.stop_ids;
  if (std::find(stops.begin(), stops.end(), score.id) != stops.end()) return;
  const auto& shown = options_.shown_ids;
  if (model_.is_special(score.id) && !options_.show_special &&
      std::find(shown.begin(), shown.end(), score.id) == shown.end())
    return;
  const std::string fresh = choice.stream.push(token_bytes(model_, score.id));
  choice.text += fresh;
  if (options_.delivery == AnswerOptions::Delivery::whole) return;
  choice.unsent += fresh;
  if (choice.unsent.empty()) return;
  send_part(form_->part(choice.index, std::exchange(choice.unsent, {}),
                        form_->take_scores(choice.index), nullptr));
}

void Answer::choice_ended(Choice& choice) {
  const bool stop_string = choice.stream.stopped();
  const std::string rest = choice.stream.finish();
  choice.text += rest;
  choice.unsent += rest;
  --open_;
  if (choice.finish == model::Finish::failed) fail(choice.error);
  if (choice.finish == model::Finish::cancelled && !reply_.gone())
    fail("the server is shutting down");
  if (!failed_ && options_.delivery == AnswerOptions::Delivery::stream) {
    if (choice.tokens == 0) {  // nothing but its end
      if (auto opening = form_->opening(choice.index); !opening.is_null())
        send_part(std::move(opening));
      choice.unsent = form_->prefix(choice.index) + choice.unsent;
    }
    send_part(form_->part(choice.index, std::exchange(choice.unsent, {}),
                          form_->take_scores(choice.index), reason_of(choice.finish, stop_string)));
  }
  if (open_ > 0 || failed_) return;
  metrics_.whole_answer.observe(seconds_between(began_, Clock::now()));
  if (options_.delivery == AnswerOptions::Delivery::whole) return send_whole();
  if (options_.include_usage) {
    auto last = envelope(OrderedJson::array());
    last["usage"] = usage();
    reply_.write("data: " + compact(last) + "\n\n");
  }
  reply_.write("data: [DONE]\n\n");
  reply_.end_stream();
}

void Answer::fail(const std::string& error) {
  if (std::exchange(failed_, true)) return;
  *cancelled_ = true;
  const ApiError problem(500, error);
  if (!streaming_) {
    reply_.send(error_response(problem));
  } else {
    reply_.write("data: " + error_json(problem) + "\n\n");
    reply_.end_stream();
  }
}

// Of each group of best_of choices the most probable ones, in the order they were made.
std::vector<size_t> Answer::kept() const {
  std::vector<size_t> out;
  for (size_t first = 0; first < choices_.size(); first += options_.best_of) {
    std::vector<size_t> group;
    for (size_t i = first; i < first + options_.best_of; ++i) group.push_back(i);
    const auto mean = [&](size_t i) {
      return choices_[i]->log_prob / static_cast<double>(std::max<int64_t>(1, choices_[i]->tokens));
    };
    std::stable_sort(group.begin(), group.end(),
                     [&](size_t a, size_t b) { return mean(a) > mean(b); });
    group.resize(options_.keep);
    std::sort(group.begin(), group.end());
    out.insert(out.end(), group.begin(), group.end());
  }
  return out;
}

void Answer::send_whole() {
  OrderedJson list = OrderedJson::array();
  for (const size_t i : kept()) {
    const Choice& choice = *choices_[i];
    auto one = form_->whole(i, form_->prefix(i) + choice.text, form_->take_scores(i),
                            reason_of(choice.finish, choice.stream.stopped()));
    one["index"] = list.size();
    list.push_back(std::move(one));
  }
  auto out = envelope(std::move(list));
  out["usage"] = usage();
  reply_.send({.body = compact(out)});
}

// Only with the first part: until then a failure still has its own status.
void Answer::begin_stream() {
  if (std::exchange(streaming_, true)) return;
  reply_.begin_stream({.type = "text/event-stream; charset=utf-8",
                       .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
}

void Answer::send_part(OrderedJson choice) {
  if (choice.is_null()) return;
  begin_stream();
  OrderedJson list = OrderedJson::array();
  list.push_back(std::move(choice));
  auto out = envelope(std::move(list));
  if (options_.include_usage) out["usage"] = nullptr;
  reply_.write("data: " + compact(out) + "\n\n");
}

OrderedJson Answer::envelope(OrderedJson choices) const {
  return {{"id", id_},
          {"object", form_->object(options_.delivery == AnswerOptions::Delivery::stream)},
          {"created", created_},
          {"model", model_.name},
          {"choices", std::move(choices)}};
}

OrderedJson Answer::usage() const {
  int64_t made = 0;
  for (const auto& choice : choices_) made += choice->tokens;
  return {{"prompt_tokens", options_.prompt_tokens},
          {"completion_tokens", made},
          {"total_tokens", options_.prompt_tokens + made}};
}

}  // namespace helio::serve
