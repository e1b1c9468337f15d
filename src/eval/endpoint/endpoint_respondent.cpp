#include "eval/endpoint/endpoint_respondent.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace helio::eval {
namespace {

constexpr size_t kStops = 4;

OrderedJson settings_of(const EndpointClient& client, const Answerable& asked) {
  OrderedJson out = {{"model", client.name()},
                     {"max_tokens", asked.max_tokens},
                     {"temperature", asked.temperature}};
  if (asked.temperature > 0) out["seed"] = asked.seed & 0x7fffffff;  // int32 for some servers
  if (!asked.stops.empty())
    out["stop"] = std::vector<std::string>(
        asked.stops.begin(),
        asked.stops.begin() + static_cast<ptrdiff_t>(std::min(kStops, asked.stops.size())));
  return out;
}

std::string content_of(const Json& reply) {
  try {
    const Json& message = reply.at("choices").at(0).at("message");
    const Json& content = message.at("content");
    return content.is_null() ? std::string() : content.get<std::string>();
  } catch (const std::exception&) {
    throw Error(ErrorKind::invalid, "the reply holds no choices[0].message.content");
  }
}

std::string text_of(const Json& reply) {
  try {
    return reply.at("choices").at(0).at("text").get<std::string>();
  } catch (const std::exception&) {
    throw Error(ErrorKind::invalid, "the reply holds no choices[0].text");
  }
}

// Answers on their way from the threads that ask to the one that waits.
struct Answers {
  std::mutex mutex = {};
  std::condition_variable some = {};
  std::deque<std::pair<size_t, std::string>> ready = {};
  std::exception_ptr failure = {};
  size_t working = 0;
};

}  // namespace

EndpointRespondent::EndpointRespondent(const EndpointOptions& options, int64_t parallel,
                                       std::function<bool()> stopped)
    : options_(options), parallel_(std::max<int64_t>(1, parallel)), stopped_(std::move(stopped)) {
  split_endpoint(options.model);
}

std::string EndpointRespondent::chat(EndpointClient& client, const Answerable& asked) {
  OrderedJson body = settings_of(client, asked), messages = OrderedJson::array();
  for (const auto& message : asked.messages)
    messages.push_back({{"role", message.role}, {"content", message.content}});
  if (messages.empty()) messages.push_back({{"role", "user"}, {"content", asked.prompt}});
  body["messages"] = std::move(messages);
  std::string text;
  retries_ +=
      client.post("/chat/completions", body, [&](const Json& reply) { text = content_of(reply); });
  return text;
}

std::string EndpointRespondent::ask(EndpointClient& client, const Answerable& asked) {
  if (!asked.messages.empty() || prompts_as_chat_) return chat(client, asked);
  OrderedJson body = settings_of(client, asked);
  body["prompt"] = asked.prompt;
  try {
    std::string text;
    retries_ +=
        client.post("/completions", body, [&](const Json& reply) { text = text_of(reply); });
    return text;
  } catch (const EndpointError& error) {
    if (error.status() != 404 && error.status() != 405) throw;
  }
  const std::string text = chat(client, asked);
  prompts_as_chat_ = true;
  return text;
}

void EndpointRespondent::answer(const std::vector<Answerable>& asked,
                                const std::function<void(size_t index, std::string text)>& done) {
  Answers answers;
  std::atomic<size_t> next = 0;
  std::atomic<bool> broken = false;
  const auto work = [&] {
    try {
      EndpointClient client(options_, [&] { return stopped_() || broken.load(); });
      for (size_t i = next++; i < asked.size() && !broken; i = next++) {
        std::string text = ask(client, asked[i]);
        const std::lock_guard lock(answers.mutex);
        answers.ready.emplace_back(i, std::move(text));
        answers.some.notify_one();
      }
    } catch (...) {
      const std::lock_guard lock(answers.mutex);
      if (!answers.failure) answers.failure = std::current_exception();
      broken = true;
    }
    const std::lock_guard lock(answers.mutex);
    --answers.working;
    answers.some.notify_one();
  };
  answers.working = std::min(static_cast<size_t>(parallel_), asked.size());
  std::vector<std::thread> threads;
  for (size_t i = 0, count = answers.working; i < count; ++i) threads.emplace_back(work);
  std::exception_ptr thrown;
  for (std::unique_lock lock(answers.mutex);;) {
    answers.some.wait(lock, [&] { return !answers.ready.empty() || answers.working == 0; });
    if (answers.ready.empty()) break;
    auto [index, text] = std::move(answers.ready.front());
    answers.ready.pop_front();
    if (thrown) continue;
    lock.unlock();
    try {
      done(index, std::move(text));
    } catch (...) {
      thrown = std::current_exception();
      broken = true;
    }
    lock.lock();
  }
  for (auto& thread : threads) thread.join();
  if (thrown) std::rethrow_exception(thrown);
  if (answers.failure) std::rethrow_exception(answers.failure);
}

}  // namespace helio::eval
