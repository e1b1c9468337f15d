// The OpenAI-compatible API over HTTP: routes, access and what operators ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/access.h"
#include "serve/http_server.h"
#include "serve/metrics.h"
#include "serve/served_model.h"

namespace helio::serve {

class Service {
 public:
  // The first model also answers requests that name none.
  Service(std::vector<ServedModel> models, AccessOptions access);

  void handle(HttpRequest request, HttpReply reply);
  // Answers in work; once draining, new requests are told 503.
  int64_t answering() const { return metrics_.answering; }
  void begin_draining() { draining_ = true; }

 private:
  void route(const HttpRequest& request, const HttpReply& reply);
  void post(const HttpRequest& request, const HttpReply& reply);
  const ServedModel& model_of(const std::string& name) const;
  OrderedJson model_card(const ServedModel& model) const;
  std::string metrics_text() const;

  std::vector<ServedModel> models_;
  Access access_;
  ServeMetrics metrics_ = {};
  bool draining_ = false;
};

}  // namespace helio::serve
