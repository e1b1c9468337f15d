// Reading the JSON body of a request: each value with its type, range and name, wrong ones as 400.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace helio::serve {

class Body {
 public:
  // `text` must outlive this. Error 400 when it is no JSON object.
  explicit Body(std::string_view text);

  // The value of a key; null when it is absent or null, which the API treats alike.
  const Json* find(const char* key) const;
  const Json& need(const char* key) const;
  std::string text(const char* key, const std::string& fallback) const;
  int64_t whole(const char* key, int64_t fallback, int64_t low, int64_t high) const;
  double number(const char* key, double fallback, double low, double high) const;
  bool flag(const char* key, bool fallback) const;
  // A string or a list of strings.
  std::vector<std::string> texts(const char* key, size_t most) const;
  // The value of a key with its objects' members in the order they were sent, as templates see them;
  // null when it is absent.
  OrderedJson in_order(const char* key) const;

 private:
  std::string_view text_;  // of the request, which outlives this
  Json json_;
};

}  // namespace helio::serve
