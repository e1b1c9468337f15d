// The API's routes, one function each; all run on the I/O thread and return at once. What a client
// did wrong is an ApiError.
#pragma once

#include "serve/body.h"
#include "serve/http_server.h"
#include "serve/metrics.h"
#include "serve/model_shelf.h"

namespace helio::serve {

struct Call {
  ModelLease lease;
  const ServedModel& model;  // the lease's
  const Body& body;
  HttpReply reply;
  ServeMetrics& metrics;
};

void completions(const Call& call);                    // POST /v1/completions
void chat_completions(const Call& call);               // POST /v1/chat/completions
void embeddings(const Call& call);                     // POST /v1/embeddings
void tokenize(const Call& call);                       // POST /tokenize
void detokenize(const Call& call);                     // POST /detokenize
OrderedJson tokenizer_info(const ServedModel& model);  // GET /tokenizer_info

}  // namespace helio::serve
