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
    {"/v1/chat/completions", chat_completions},
    {"/v1/completions", completions},
    {"/v1/embeddings", embeddings},
    {"/tokenize", tokenize},
    {"/detokenize", detokenize},
};
constexpr const char* kGets[] = {"/v1/models", "/health", "/metrics", "/version",
                                 "/tokenizer_info"};

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

Service::Service(std::unique_ptr<ModelShelf> models, AccessOptions access)
    : access_(std::move(access)), models_(std::move(models)) {
  HELIO_CHECK(!models_->cards().empty(), "a model to serve");
}

void Service::handle(HttpRequest request, HttpReply reply) {
  const std::string name = route_name(request.path);
  try {
    access_.check(request);
    if (draining_) throw ApiError(503, "the server is shutting down", "", "shutting_down");
    route(request, reply);
    metrics_.count_request(name, 200);
  } catch (const ApiError& error) {
    HttpResponse response = error_response(error);
    access_.add_headers(request, response.headers);
    reply.send(std::move(response));
    metrics_.count_request(name, error.status);
  } catch (const std::exception& error) {
    reply.send(error_response(ApiError(500, error.what())));
    metrics_.count_request(name, 500);
  }
}

void Service::with_model(size_t place, const std::string& route, const HttpReply& reply,
                         WithModel then) {
  if (const auto lease = models_->lease(place)) return then(lease);
  const bool asked = models_->ask(place, [this, route, reply, then = std::move(then)](
                                             const ModelLease& lease, const std::string& why) {
    if (reply.gone()) return;
    try {
      if (!lease) throw ApiError(500, "the model could not be loaded: " + why);
      then(lease);
    } catch (const ApiError& error) {
      reply.send(error_response(error));
      metrics_.count_request(route, error.status);
    } catch (const std::exception& error) {
      reply.send(error_response(ApiError(500, error.what())));
      metrics_.count_request(route, 500);
    }
  });
  if (!asked) throw ApiError(429, "too many requests wait for models", "", "queue_full");
}

void Service::route(HttpRequest& request, const HttpReply& reply) {
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
    if (request.method != "POST") throw ApiError(405, path + " takes POST, not " + request.method);
    return post(request, reply);
  }
  const bool known_get = route_name(path) != "other";
  if (!known_get) throw ApiError(404, "there is no route " + path, "", "unknown_route");
  if (request.method != "GET" && request.method != "HEAD")
    throw ApiError(405, path + " takes GET, not " + request.method);
  if (path == "/health") return answer({{"status", "ok"}});
  if (path == "/version") return answer({{"version", version()}});
  if (path == "/tokenizer_info")
    return with_model(0, path, reply, [reply](const ModelLease& model) {
      reply.send({.body = compact(tokenizer_info(*model))});
    });
  if (path == "/metrics")
    return reply.send({.body = metrics_text(), .type = "text/plain; version=0.0.4"});
  if (path == "/v1/models") {
    OrderedJson list = OrderedJson::array();
    for (const auto& card : models_->cards()) list.push_back(model_card(card));
    return answer({{"object", "list"}, {"data", std::move(list)}});
  }
  const size_t place = place_of(path.substr(std::string_view("/v1/models/").size()));
  answer(model_card(models_->cards()[place]));
}

void Service::post(HttpRequest& request, const HttpReply& reply) {
  // A body is read again when its model has been loaded, so it stays until then.
  const auto kept = std::make_shared<const HttpRequest>(std::move(request));
  const auto body = std::make_shared<const Body>(kept->body);
  const size_t place = place_of(body->text("model", ""));
  with_model(place, kept->path, reply, [this, kept, body, reply](const ModelLease& lease) {
    const Call call{lease, *lease, *body, reply, metrics_};
    for (const auto& known : kPosts)
      if (kept->path == known.path) return known.run(call);
  });
}

size_t Service::place_of(const std::string& model) const {
  if (const auto place = models_->find(model)) return *place;
  std::string names;
  for (const auto& card : models_->cards()) names += (names.empty() ? "" : ", ") + card.name;
  throw ApiError(404, fmt::format("the model '{}' is not served here; these are: {}", model, names),
                 "model", "model_not_found");
}

OrderedJson Service::model_card(const ModelShelf::Card& card) {
  OrderedJson out = {{"id", card.name},
                     {"object", "model"},
                     {"created", card.created},
                     {"owned_by", "helio"},
                     {"loaded", card.loaded}};
  out["max_model_len"] = card.max_positions > 0 ? OrderedJson(card.max_positions) : OrderedJson();
  out.update(card.facts);
  return out;
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
      {"helio_draft_tokens_total", "counter", "Tokens that a draft model proposed.",
       [](const model::EngineLoad& l) { return l.proposed_tokens; }},
      {"helio_draft_accepted_tokens_total", "counter", "And those of them that stood.",
       [](const model::EngineLoad& l) { return l.accepted_tokens; }},
  };
  const auto cards = models_->cards();
  fmt::format_to(to,
                 "# HELP helio_model_loaded Whether a model is in memory.\n"
                 "# TYPE helio_model_loaded gauge\n");
  for (const auto& card : cards)
    fmt::format_to(to, "helio_model_loaded{{model=\"{}\"}} {}\n", card.name, int(card.loaded));
  for (const auto& gauge : kGauges) {
    fmt::format_to(to, "# HELP {0} {1}\n# TYPE {0} {2}\n", gauge.name, gauge.help, gauge.type);
    for (const auto& card : cards)
      if (card.load)
        fmt::format_to(to, "{}{{model=\"{}\"}} {}\n", gauge.name, card.name,
                       gauge.value(*card.load));
  }
  return out;
}

}  // namespace helio::serve
