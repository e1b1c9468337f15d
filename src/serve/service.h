// The OpenAI-compatible API over HTTP: routes, access and what operators ask.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/access.h"
#include "serve/http_server.h"
#include "serve/metrics.h"
#include "serve/model_shelf.h"

namespace helio::serve {

class Service {
 public:
  // The first model also answers requests that name none.
  Service(std::unique_ptr<ModelShelf> models, AccessOptions access);

  void handle(HttpRequest request, HttpReply reply);
  // From the I/O thread, some times a second: requests whose model has been loaded go on.
  void tick() { models_->deliver(); }
  // Answers in work; once draining, new requests are told 503.
  int64_t answering() const { return metrics_.answering; }
  void begin_draining() { draining_ = true; }

 private:
  void route(HttpRequest& request, const HttpReply& reply);
  void post(HttpRequest& request, const HttpReply& reply);
  size_t place_of(const std::string& model) const;
  // Runs `then` with a model, at once or when it has been loaded; what it throws is the answer.
  using WithModel = std::function<void(const ModelLease&)>;
  void with_model(size_t place, const std::string& route, const HttpReply& reply, WithModel then);
  static OrderedJson model_card(const ModelShelf::Card& card);
  std::string metrics_text() const;

  Access access_;
  ServeMetrics metrics_ = {};
  // Answers in work count in metrics_ until their engines end.
  std::unique_ptr<ModelShelf> models_;
  bool draining_ = false;
};

}  // namespace helio::serve
