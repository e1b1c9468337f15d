// What helio eval run is told of the endpoints among its models. Torch-free.
#pragma once

#include <cstdint>
#include <string>

#include "core/fields.h"

namespace helio::eval {

struct EndpointRunOptions {
  std::string tokenizer = {}, key_variable = "OPENAI_API_KEY";
  int64_t parallel = 4, timeout = 300, retries = 5, max_length = 0;
  void describe(Fields& f) {
    f.input("tokenizer", tokenizer,
            "Endpoints: folder of the model's tokenizer; none: asked of the server.");
    f("max_length", max_length, "Endpoints: the model's positions; 0: as it says, else 2048.",
      at_least(0));
    f("parallel", parallel, "Endpoints: requests at a time.", between(1, 256));
    f("timeout", timeout, "Endpoints: seconds to wait for an answer.", at_least(1));
    f("retries", retries, "Endpoints: further tries of a request that failed.", at_least(0));
    f("key_variable", key_variable, "Endpoints: environment variable with the key.");
  }
};

}  // namespace helio::eval
