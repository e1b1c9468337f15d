#include "eval/endpoint/endpoint_client.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "text/utf8.h"

namespace helio::eval {
namespace {

constexpr std::string_view kScheme = "openai:";
constexpr std::chrono::seconds kLongestWait = std::chrono::minutes(10);

bool worth_asking_again(int status) {
  return status == 0 || status == 408 || status == 429 || status >= 500;
}

// What a server says of its refusal, cut short; `key` never goes along.
std::string said(const std::string& body, const std::string& key) {
  std::string out = text::repair_utf8(body);
  try {
    out = parse_json(out, "reply").at("error").at("message").get<std::string>();
  } catch (const std::exception&) {  // said in its own way
  }
  for (size_t at = key.empty() ? out.npos : out.find(key); at != out.npos; at = out.find(key))
    out.replace(at, key.size(), "…");
  return std::string(text::first_code_points(out, 200));
}

// Why `read` refuses a reply, or empty.
std::string wrong_with(const std::string& body, const std::function<void(const Json&)>& read) {
  Json reply;
  try {
    reply = parse_json(body, "reply");
  } catch (const Error&) {
    return "the reply is not JSON";
  }
  try {
    read(reply);
    return {};
  } catch (const Error& error) {
    return error.message();
  } catch (const std::exception&) {  // a value of another kind than the protocol's
    return "the reply is not what the protocol says";
  }
}

}  // namespace

bool is_endpoint(const std::string& model) { return model.starts_with(kScheme); }

std::pair<std::string, std::string> split_endpoint(const std::string& model) {
  const size_t mark = model.rfind('#');
  if (is_endpoint(model) && mark != model.npos && mark + 1 < model.size()) {
    std::string url = model.substr(kScheme.size(), mark - kScheme.size());
    while (url.ends_with('/')) url.pop_back();
    const size_t host = url.find("://");
    if (url.starts_with("http://") || url.starts_with("https://")) {
      if (url.substr(0, url.find('/', host + 3)).find('@') != url.npos)
        throw Error(ErrorKind::usage, "an endpoint's address holds a user or a password")
            .with_hint("the key is read from the environment");
      return {url, model.substr(mark + 1)};
    }
  }
  throw Error(ErrorKind::usage, "'" + model + "' is no endpoint")
      .with_hint("openai:URL#name, as openai:http://localhost:8000/v1#my-model");
}

EndpointClient::EndpointClient(const EndpointOptions& options, std::function<bool()> stopped)
    : options_(options),
      stopped_(stopped),
      client_(std::chrono::seconds(options.timeout_s), std::move(stopped)) {
  std::tie(url_, name_) = split_endpoint(options.model);
  if (!options.key_variable.empty())
    if (const char* key = std::getenv(options.key_variable.c_str())) key_ = key;
}

void EndpointClient::wait(std::chrono::duration<double> time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end && !stopped_())
    std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(
        end - std::chrono::steady_clock::now(), std::chrono::milliseconds(100)));
}

std::string EndpointClient::root() const {
  constexpr std::string_view kVersion = "/v1";
  return url_.ends_with(kVersion) ? url_.substr(0, url_.size() - kVersion.size()) : url_;
}

int64_t EndpointClient::post(const std::string& path, const OrderedJson& body,
                             const std::function<void(const Json&)>& read) {
  return ask(url_ + path, body, read);
}

int64_t EndpointClient::post_at_root(const std::string& path, const OrderedJson& body,
                                     const std::function<void(const Json&)>& read) {
  return ask(root() + path, body, read);
}

int64_t EndpointClient::ask(const std::string& url, const OrderedJson& body,
                            const std::function<void(const Json&)>& read) {
  const std::string text = compact(body);
  std::chrono::duration<double> pause(options_.first_wait_s);
  for (int64_t tries = 0;; ++tries) {
    const HttpReply reply = client_.post(url, text, key_);
    if (stopped_()) throw Error(ErrorKind::interrupted, "stopped while asking " + name_);
    std::string problem;
    if (reply.status == 0) problem = "no reply: " + reply.problem;
    else if (reply.status != 200)
      problem = "it answered " + std::to_string(reply.status) + ": " + said(reply.body, key_);
    else if (problem = wrong_with(reply.body, read); problem.empty()) return tries;
    if ((reply.status != 200 && !worth_asking_again(reply.status)) || tries >= options_.retries) {
      EndpointError error(reply.status, "'" + name_ + "' at " + url_ + ": " + problem);
      error.with_hint(reply.status == 401 || reply.status == 403
                          ? "the key is read from the environment: " + options_.key_variable
                          : std::to_string(tries) + " retries were made");
      throw error;
    }
    std::chrono::duration<double> wanted = pause;
    if (reply.retry_after) wanted = std::min(*reply.retry_after, kLongestWait);
    wait(wanted);
    if (stopped_()) throw Error(ErrorKind::interrupted, "stopped while waiting for " + name_);
    pause = std::min<std::chrono::duration<double>>(pause * 2, std::chrono::seconds(60));
  }
}

std::optional<Json> EndpointClient::look(const std::string& path, const OrderedJson* body) {
  const HttpReply reply =
      body ? client_.post(root() + path, compact(*body), key_) : client_.get(root() + path, key_);
  if (stopped_()) throw Error(ErrorKind::interrupted, "stopped while asking " + name_);
  if (reply.status != 200) return std::nullopt;
  try {
    return parse_json(reply.body, path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace helio::eval
