#include "serve/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/version.h"
#include "serve/api_error.h"
#include "serve/routes.h"

namespace helio::serve {
namespace {

struct PostRoute {
  const char* path;
  void (*run)(const Call&);
};
constexpr PostRoute kPosts[] = {
    {"/v1/chat/completions", chat_completions}, {"/v1/completions", completions},
    {"/v1/embeddings", embeddings},             {"/tokenize", tokenize},
    {"/detokenize", detokenize},
};
constexpr const char* kGets[] = {"/v1/models", "/health",  "/metrics",
                                 "/version",   "/tokenizer_info"};

// For the counters: one name a route, however many paths are tried.
std::string route_name(const std::string& path) {
  if (path.starts_with("/v1/models/")) return "/v1/models/{id}";
  const auto is = [&](const auto& known) { return path == known; };
  if (std::any_of(std::begin(kGets), std::end(kGets), is)) return path;
  for (const auto& post : kPosts)
    if (path == post.path) return path;
  return "other";
}

}  // namespace

Service::Service(std::vector<ServedModel> models, AccessOptions access)
    : models_(std::move(models)), access_(std::move(access)) {
  HELIO_CHECK(!models_.empty(), "a model to serve");
}

void Service::handle(HttpRequest request, HttpReply reply) {
  const std::string name = route_name(request.path);
  int status = 200;
  try {
    access_.check(request);
    if (draining_) throw ApiError(503, "the server is shutting down", "", "shutting_down");
    route(request, reply);
  } catch (const ApiError& error) {
    status = error.status;
    HttpResponse response = error_response(error);
    access_.add_headers(request, response.headers);
    reply.send(std::move(response));
  } catch (const std::exception& error) {
    status = 500;
    reply.send(error_response(ApiError(500, error.what())));
  }
  metrics_.count_request(name, status);
}

void Service::route(const HttpRequest& request, const HttpReply& reply) {
  const auto& path = request.path;
  const auto answer = [&](const OrderedJson& json) {
    HttpResponse response{.body = compact(json)};
    access_.add_headers(request, response.headers);
    reply.send(std::move(response));
  };
  if (request.method == "OPTIONS") {
    HttpResponse response{.status = 204};
    access_.add_headers(request, response.headers);
    response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    response.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type");
    return reply.send(std::move(response));
  }
  for (const auto& known : kPosts) {
    if (path != known.path) continue;
    if (request.method != "POST")
      throw ApiError(405, path + " takes POST, not " + request.method);
    return post(request, reply);
  }
  const bool known_get = route_name(path) != "other";
  if (!known_get) throw ApiError(404, "there is no route " + path, "", "unknown_route");
  if (request.method != "GET" && request.method != "HEAD")
    throw ApiError(405, path + " takes GET, not " + request.method);
  if (path == "/health") return answer({{"status", "ok"}});
  if (path == "/version") return answer({{"version", version()}});
  if (path == "/tokenizer_info") return answer(tokenizer_info(models_.front()));
  if (path == "/metrics")
    return reply.send({.body = metrics_text(), .type = "text/plain; version=0.0.4"});
  if (path == "/v1/models") {
    OrderedJson list = OrderedJson::array();
    for (const auto& model : models_) list.push_back(model_card(model));
    return answer({{"object", "list"}, {"data", std::move(list)}});
  }
  answer(model_card(model_of(path.substr(std::string_view("/v1/models/").size()))));
}

void Service::post(const HttpRequest& request, const HttpReply& reply) {
  const Body body(request.body);
  const Call call{model_of(body.text("model", "")), body, reply, metrics_};
  for (const auto& known : kPosts)
    if (request.path == known.path) return known.run(call);
}

const ServedModel& Service::model_of(const std::string& name) const {
  if (name.empty()) return models_.front();
  for (const auto& model : models_)
    if (model.name == name) return model;
  std::string names;
  for (const auto& model : models_) names += (names.empty() ? "" : ", ") + model.name;
  throw ApiError(404, fmt::format("the model '{}' is not served here; these are: {}", name, names),
                 "model", "model_not_found");
}

OrderedJson Service::model_card(const ServedModel& model) const {
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "helio"},
          {"max_model_len", model.engine->max_positions()}};
}

std::string Service::metrics_text() const {
  std::string out = metrics_.text();
  const auto to = std::back_inserter(out);
  struct Gauge {
    const char* name;
    const char* type;
    const char* help;
    uint64_t (*value)(const model::EngineLoad&);
  };
  static constexpr Gauge kGauges[] = {
      {"helio_generations_running", "gauge", "Generations in work.",
       [](const model::EngineLoad& l) { return uint64_t(l.running); }},
      {"helio_generations_waiting", "gauge", "Generations that wait for a slot.",
       [](const model::EngineLoad& l) { return uint64_t(l.waiting); }},
      {"helio_cache_tokens", "gauge", "Tokens whose keys and values are held.",
       [](const model::EngineLoad& l) { return uint64_t(l.cached_tokens); }},
      {"helio_cache_capacity_tokens", "gauge", "Tokens the cache has room for.",
       [](const model::EngineLoad& l) { return uint64_t(l.cache_capacity); }},
      {"helio_prompt_tokens_total", "counter", "Tokens of prompts.",
       [](const model::EngineLoad& l) { return l.prompt_tokens; }},
      {"helio_reused_tokens_total", "counter", "Tokens of prompts found in the cache.",
       [](const model::EngineLoad& l) { return l.reused_tokens; }},
      {"helio_new_tokens_total", "counter", "Tokens generated.",
       [](const model::EngineLoad& l) { return l.new_tokens; }},
  };
  for (const auto& gauge : kGauges) {
    fmt::format_to(to, "# HELP {0} {1}\n# TYPE {0} {2}\n", gauge.name, gauge.help, gauge.type);
    for (const auto& model : models_)
      fmt::format_to(to, "{}{{model=\"{}\"}} {}\n", gauge.name, model.name,
                     gauge.value(model.engine->load()));
  }
  return out;
}

}  // namespace helio::serve
