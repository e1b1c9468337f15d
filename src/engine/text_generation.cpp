#include "engine/text_generation.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/error.h"
#include "serve/token_text.h"
#include "text/text_stream.h"

namespace helio::engine {
namespace {

struct Ended {  // told by the engine's thread, waited for by the caller's
  std::mutex mutex = {};
  std::condition_variable changed = {};
};

class TextSink final : public model::GenerationSink {
 public:
  TextSink(const serve::ServedModel& model, const TextRequest& request, Ended& ended)
      : model_(model),
        stop_ids_(request.request.stop_ids),
        on_text_(request.on_text),
        stream_(request.stops),
        ended_(ended) {}

  bool token(const model::TokenScore& score) override {
    answer.log_prob += score.log_prob;
    ++answer.scored;
    if (std::find(stop_ids_.begin(), stop_ids_.end(), score.id) != stop_ids_.end()) return true;
    answer.tokens.push_back(score);
    if (!model_.is_special(score.id)) show(stream_.push(serve::token_bytes(model_, score.id)));
    return !stream_.stopped();
  }
  void drafted(int64_t proposed, int64_t accepted) override {
    answer.proposed = proposed;
    answer.accepted = accepted;
  }
  void finished(model::Finish how, const std::string& why) override {
    const bool stopped = stream_.stopped();
    show(stream_.finish());
    answer.ended_by = stopped                         ? "stop"
                      : how == model::Finish::length  ? "length"
                      : how == model::Finish::stopped ? "grammar"
                                                      : "eos";
    const std::lock_guard lock(ended_.mutex);
    finish = how;
    error = why;
    done = true;
    ended_.changed.notify_all();
  }

  TextAnswer answer = {};
  model::Finish finish = model::Finish::failed;
  std::string error = {};
  bool done = false;  // under ended.mutex

 private:
  void show(const std::string& part) {
    if (part.empty()) return;
    answer.text += part;
    if (on_text_) on_text_(part);
  }

  const serve::ServedModel& model_;
  std::vector<text::TokenId> stop_ids_;
  std::function<void(const std::string&)> on_text_;
  text::TextStream stream_;
  Ended& ended_;
};

}  // namespace

void generate_texts(const serve::ServedModel& model, std::vector<TextRequest> requests,
                    const std::function<bool()>& keep_on,
                    const std::function<void(size_t, TextAnswer)>& answered) {
  Ended ended;
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  std::vector<std::shared_ptr<TextSink>> sinks;
  std::vector<model::GenerationRequest> given;
  for (auto& one : requests) {
    sinks.push_back(std::make_shared<TextSink>(model, one, ended));
    given.push_back(std::move(one.request));
    given.back().sink = sinks.back();
    given.back().cancelled = cancelled;
  }
  const bool taken = model.engine->submit(std::move(given));
  HELIO_CHECK(taken, "an idle engine takes all");
  // Whatever happens, no sink may outlive this call: they are told of here.
  const auto wait_for = [&](TextSink& sink) {
    std::unique_lock lock(ended.mutex);
    while (
        !ended.changed.wait_for(lock, std::chrono::milliseconds(30), [&] { return sink.done; })) {
      lock.unlock();
      if (!keep_on()) *cancelled = true;
      lock.lock();
    }
  };
  std::string failure;
  for (size_t i = 0; i < sinks.size(); ++i) {
    wait_for(*sinks[i]);
    if (sinks[i]->finish == model::Finish::failed && failure.empty()) {
      failure = sinks[i]->error;
      *cancelled = true;
    }
    if (*cancelled || !failure.empty()) continue;
    try {
      answered(i, std::move(sinks[i]->answer));
    } catch (...) {
      *cancelled = true;
      for (auto& other : sinks) wait_for(*other);
      throw;
    }
  }
  if (!failure.empty()) throw Error(ErrorKind::failed, failure);
}

}  // namespace helio::engine
