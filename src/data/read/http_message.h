// Headers, as WARC records and HTTP responses have them, and the body of a stored response.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helio::data {

class Headers {
 public:
  // `text`: the lines after the first one, up to the blank line. Continued lines are joined.
  explicit Headers(std::string_view text);
  // Of the first header of that name (any case), trimmed; empty when there is none.
  std::string_view get(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, std::string>> all_ = {};
};

struct HttpResponse {
  int status = 0;
  std::string type = {};     // "text/html", lower case, parameters gone
  std::string charset = {};  // of the content type, lower case
  std::string body = {};     // chunks joined, content encodings undone
};

// A response as a crawler stored it. At most `max_body` bytes of body, decoded. What is wrong with
// it otherwise. A body that was cut short is given as far as it goes.
std::optional<HttpResponse> read_http_response(std::string_view bytes, size_t max_body,
                                               std::string& why);

// Splits "text/html; charset=UTF-8".
void read_content_type(std::string_view value, std::string& type, std::string& charset);

}  // namespace helio::data
