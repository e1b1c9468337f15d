#include "eval/local_respondent.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "core/error.h"
#include "eval/task.h"

namespace helio::eval {
namespace {

// Requests that the engine is given ahead of those that run: enough that no slot waits.
constexpr size_t kAhead = 64;

// What the engine's thread hands to the caller's.
struct Answered {
  size_t index = 0;
  std::string text = {}, error = {};
};
class Mailbox {
 public:
  void put(Answered answered) {
    {
      const std::lock_guard lock(mutex_);
      answered_.push_back(std::move(answered));
    }
    there_.notify_one();
  }
  // The next one, or nothing within a tenth of a second.
  std::optional<Answered> take() {
    std::unique_lock lock(mutex_);
    if (!there_.wait_for(lock, std::chrono::milliseconds(100), [&] { return !answered_.empty(); }))
      return std::nullopt;
    Answered first = std::move(answered_.front());
    answered_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_ = {};
  std::condition_variable there_ = {};
  std::deque<Answered> answered_ = {};
};

// One answer while it grows.
class Growing final : public model::GenerationSink {
 public:
  Growing(size_t index, const Answerable& asked, const std::vector<text::TokenId>& stop_ids,
          const text::Tokenizer& tokenizer, std::shared_ptr<Mailbox> mailbox)
      : index_(index),
        stops_(asked.stops),
        stop_ids_(stop_ids),
        stream_(tokenizer, text::SpecialTokens::skip),
        mailbox_(std::move(mailbox)) {
    for (const auto& stop : stops_) longest_stop_ = std::max(longest_stop_, stop.size());
  }

  bool token(const model::TokenScore& token) override {
    if (std::find(stop_ids_.begin(), stop_ids_.end(), token.id) != stop_ids_.end()) return true;
    // Only what is new, and what a stop text could have begun in.
    const size_t from = text_.size() - std::min(text_.size(), longest_stop_);
    text_ += stream_.step(token.id);
    return std::none_of(stops_.begin(), stops_.end(),
                        [&](const auto& stop) { return text_.find(stop, from) != text_.npos; });
  }
  void finished(model::Finish how, const std::string& error) override {
    text_ += stream_.finish();
    const bool failed = how == model::Finish::failed || how == model::Finish::cancelled;
    mailbox_->put({.index = index_,
                   .text = std::move(text_),
                   .error = !failed         ? ""
                            : error.empty() ? "the generation was cancelled"
                                            : error});
  }

 private:
  size_t index_;
  std::vector<std::string> stops_;
  std::vector<text::TokenId> stop_ids_;
  text::DecodeStream stream_;
  std::shared_ptr<Mailbox> mailbox_;
  std::string text_ = {};
  size_t longest_stop_ = 0;
};

}  // namespace

std::vector<text::TokenId> LocalRespondent::prompt_of(const Answerable& asked) const {
  if (asked.messages.empty()) {
    auto ids = model_.tokenizer().encode(asked.prompt, asked.special);
    if (ids.empty()) ids = {start_token(model_)};
    return ids;
  }
  if (!options_.chat) throw Error(ErrorKind::usage, "a conversation needs a chat template");
  return model_.tokenizer().encode(conversation_text(asked.messages, *options_.chat),
                                   text::SpecialTokens::skip);
}

model::GenerationRequest LocalRespondent::request_of(const Answerable& asked) const {
  const int64_t positions = model_.max_positions();
  model::GenerationRequest request{.prompt = prompt_of(asked),
                                   .max_new_tokens = std::min(asked.max_tokens, positions - 1),
                                   .seed = asked.seed,
                                   .stop_ids = options_.stop_ids};
  request.sampler.temperature = asked.temperature;
  const auto room = static_cast<size_t>(positions - request.max_new_tokens);
  if (request.prompt.size() > room)
    request.prompt.erase(request.prompt.begin(),
                         request.prompt.end() - static_cast<ptrdiff_t>(room));
  return request;
}

void LocalRespondent::answer(const std::vector<Answerable>& asked,
                             const std::function<void(size_t, std::string)>& done) {
  if (asked.empty()) return;
  std::vector<model::GenerationRequest> requests;
  int64_t longest = 0;
  for (const Answerable& one : asked) {
    requests.push_back(request_of(one));
    const auto& request = requests.back();
    longest =
        std::max(longest, static_cast<int64_t>(request.prompt.size()) + request.max_new_tokens);
  }
  const auto mailbox = std::make_shared<Mailbox>();
  const auto engine = options_.engine(longest);
  size_t given = 0;
  for (size_t ended = 0; ended < asked.size();) {
    while (given < asked.size() && given - ended < kAhead) {
      auto& request = requests[given];
      request.sink = std::make_shared<Growing>(given, asked[given], options_.stop_ids,
                                               model_.tokenizer(), mailbox);
      ++given;
      if (!engine->submit({std::move(request)}))
        throw Error(ErrorKind::internal, "the generation engine takes no more");
    }
    if (options_.stopped()) throw Error(ErrorKind::interrupted, "stopped while answering");
    auto answered = mailbox->take();
    if (!answered) continue;
    if (!answered->error.empty()) throw Error(ErrorKind::failed, answered->error);
    ++ended;
    done(answered->index, std::move(answered->text));
  }
}

}  // namespace helio::eval
