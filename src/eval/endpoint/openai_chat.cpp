#include "eval/endpoint/openai_chat.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>

#include "core/error.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

constexpr std::chrono::seconds kLongestWait = std::chrono::minutes(10);

bool worth_asking_again(int status) {
  return status == 0 || status == 408 || status == 429 || status >= 500;
}

// choices[0].message.content, or nothing.
std::optional<std::string> content_of(const std::string& body) {
  if (!Json::accept(body)) return std::nullopt;
  try {
    const Json reply = parse_json(body, "reply");
    return reply.at("choices").at(0).at("message").at("content").get<std::string>();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// What a server says of its refusal, cut short; `key` never goes along.
std::string said(const std::string& body, const std::string& key) {
  std::string out = text::repair_utf8(body);
  if (Json::accept(out)) {
    const Json reply = Json::parse(out);
    if (reply.is_object() && reply.contains("error") && reply["error"].is_object() &&
        reply["error"].contains("message") && reply["error"]["message"].is_string())
      out = reply["error"]["message"].get<std::string>();
  }
  for (size_t at = key.empty() ? out.npos : out.find(key); at != out.npos; at = out.find(key))
    out.replace(at, key.size(), "…");
  return std::string(text::first_code_points(out, 200));
}

}  // namespace

std::pair<std::string, std::string> split_endpoint(const std::string& model) {
  constexpr std::string_view kScheme = "openai:";
  const size_t mark = model.rfind('#');
  if (model.starts_with(kScheme) && mark != model.npos && mark + 1 < model.size()) {
    std::string url = model.substr(kScheme.size(), mark - kScheme.size());
    while (url.ends_with('/')) url.pop_back();
    if (url.starts_with("http://") || url.starts_with("https://"))
      return {url, model.substr(mark + 1)};
  }
  throw Error(ErrorKind::usage, "'" + model + "' is no endpoint")
      .with_hint("openai:URL#name, as openai:http://localhost:8000/v1#my-model");
}

OpenAiChat::OpenAiChat(const EndpointOptions& options, std::function<bool()> stopped)
    : options_(options),
      stopped_(stopped),
      client_(std::chrono::seconds(options.timeout_s), std::move(stopped)) {
  std::tie(url_, name_) = split_endpoint(options.model);
  if (!options.key_variable.empty())
    if (const char* key = std::getenv(options.key_variable.c_str())) key_ = key;
}

void OpenAiChat::wait(std::chrono::duration<double> time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end && !stopped_())
    std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(
        end - std::chrono::steady_clock::now(), std::chrono::milliseconds(100)));
}

OpenAiChat::Answer OpenAiChat::ask(const std::string& system, const std::string& user,
                                   double temperature, int64_t max_tokens) {
  OrderedJson messages = OrderedJson::array();
  if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
  messages.push_back({{"role", "user"}, {"content", user}});
  const std::string body = compact({{"model", name_},
                                    {"messages", messages},
                                    {"n", 1},
                                    {"temperature", temperature},
                                    {"max_tokens", max_tokens}});
  std::string problem;
  std::chrono::duration<double> pause(options_.first_wait_s);
  for (int64_t tries = 0;; ++tries) {
    const HttpReply reply = client_.post(url_ + "/chat/completions", body, key_);
    if (stopped_()) throw Error(ErrorKind::interrupted, "stopped while asking " + name_);
    if (reply.status == 200)
      if (const auto text = content_of(reply.body)) return {*text, tries};
    problem = reply.status == 0 ? "no reply: " + reply.problem
              : reply.status == 200
                  ? "the reply holds no choices[0].message.content"
                  : "it answered " + std::to_string(reply.status) + ": " + said(reply.body, key_);
    if ((reply.status != 200 && !worth_asking_again(reply.status)) || tries >= options_.retries)
      throw Error(ErrorKind::failed, "'" + name_ + "' at " + url_ + ": " + problem)
          .with_hint(reply.status == 401 || reply.status == 403
                         ? "the key is read from the environment: " + options_.key_variable
                         : std::to_string(tries) + " retries were made");
    std::chrono::duration<double> wanted = pause;
    if (reply.retry_after) wanted = std::min(*reply.retry_after, kLongestWait);
    wait(wanted);
    if (stopped_()) throw Error(ErrorKind::interrupted, "stopped while waiting for " + name_);
    pause = std::min<std::chrono::duration<double>>(pause * 2, std::chrono::seconds(60));
  }
}

}  // namespace helio::eval
