// What a client did wrong, in OpenAI's form.
#pragma once

#include <exception>
#include <string>

#include "serve/http_server.h"

namespace helio::serve {

struct ApiError : std::exception {
  int status = 400;
  std::string message = {};
  std::string param = {}, code = {};  // empty: null

  ApiError(int status_, std::string message_, std::string param_ = {}, std::string code_ = {})
      : status(status_),
        message(std::move(message_)),
        param(std::move(param_)),
        code(std::move(code_)) {}
  const char* what() const noexcept override { return message.c_str(); }
};

// {"error": {"message", "type", "param", "code"}}: all four keys, as the clients expect them.
std::string error_json(const ApiError& error);
HttpResponse error_response(const ApiError& error);

}  // namespace helio::serve
