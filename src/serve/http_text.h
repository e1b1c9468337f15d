// The text of HTTP: heads of answers, targets of requests. Private to serve.
#pragma once

#include <string>
#include <string_view>

#include "serve/http_server.h"

namespace helio::serve {

enum class Framing { whole, chunked, until_closed };

// Status line and headers, with the empty line behind them.
std::string response_head(const HttpResponse& response, Framing framing, bool keep_alive);
// "/a%20b?x=1" to "/a b" and "x=1". A broken escape stays as it is.
void split_target(std::string_view target, std::string& path, std::string& query);
std::string lower_case(std::string_view text);
std::string_view status_text(int status);

}  // namespace helio::serve
