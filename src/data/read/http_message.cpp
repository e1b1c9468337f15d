#include "data/read/http_message.h"

#include <algorithm>

#include "core/error.h"
#include "data/read/byte_stream.h"

namespace helio::data {
namespace {

constexpr size_t kNone = std::string_view::npos;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}
std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == kNone) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Chunks joined. A body that never was chunked, whatever its header says (crawlers undo it and keep
// the header), comes back as it is; one cut short as far as it goes.
std::string joined(std::string_view body) {
  std::string out;
  for (size_t at = 0; at < body.size();) {
    size_t size = 0, digits = 0;
    while (at < body.size() && digits < 9) {
      const char c = lower(body[at]);
      const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (value < 0) break;
      size = size * 16 + static_cast<size_t>(value);
      ++at, ++digits;
    }
    const size_t line_end = body.find('\n', at);
    if (digits == 0 || digits == 9 || (line_end != kNone && line_end - at > 256))
      return out.empty() ? std::string(body) : out;
    if (line_end == kNone || size == 0) return out;
    at = line_end + 1;
    out.append(body.substr(at, size));
    if (size > body.size() - at) return out;
    at += size;
    if (body.substr(at).starts_with("\r\n")) at += 2;
    else if (body.substr(at).starts_with("\n")) at += 1;
  }
  return out;
}

}  // namespace

Headers::Headers(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) {
      if (!all_.empty()) all_.back().second.append(" ").append(trim(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon != kNone)
      all_.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : all_)
    if (same(key, name)) return value;
  return {};
}

void read_content_type(std::string_view value, std::string& type, std::string& charset) {
  const size_t end = value.find(';');
  type = lower(trim(value.substr(0, end)));
  charset.clear();
  if (end == kNone) return;
  const std::string rest = lower(value.substr(end));
  size_t at = rest.find("charset=");
  if (at == std::string::npos) return;
  at += 8;
  while (at < rest.size() && (rest[at] == '"' || rest[at] == '\'' || rest[at] == ' ')) ++at;
  charset = rest.substr(at, rest.find_first_of("\"'; ,", at) - at);
}

std::optional<HttpResponse> read_http_response(std::string_view bytes, size_t max_body,
                                               std::string& why) {
  const size_t line_end = bytes.find('\n');
  if (!bytes.starts_with("HTTP/") || line_end == kNone) {
    why = "its HTTP status line is broken";
    return std::nullopt;
  }
  HttpResponse response;
  const std::string_view line = bytes.substr(0, line_end);
  const size_t space = line.find(' ');
  for (size_t i = space + 1; space != kNone && i < line.size() && i < space + 4; ++i)
    response.status = line[i] >= '0' && line[i] <= '9' ? response.status * 10 + (line[i] - '0') : 0;
  // The blank line may lack its carriage return.
  const size_t crlf = bytes.find("\r\n\r\n", line_end - (line_end > 0)),
               lf = bytes.find("\n\n", line_end);
  const size_t end = std::min(crlf, lf);
  const std::string_view head =
      end == kNone ? bytes.substr(line_end + 1)
                   : bytes.substr(line_end + 1, end > line_end + 1 ? end - line_end - 1 : 0);
  const Headers headers(head);
  read_content_type(headers.get("Content-Type"), response.type, response.charset);
  if (response.status != 200 || end == kNone) return response;
  const std::string_view raw = bytes.substr(end + (end == crlf ? 4 : 2));
  response.body = lower(headers.get("Transfer-Encoding")).find("chunked") == std::string::npos
                      ? std::string(raw)
                      : joined(raw);
  const std::string coding = lower(headers.get("Content-Encoding"));
  if (coding.empty() || coding == "identity") return response;
  // Some crawlers undo the encoding and keep its header: then the bytes do not begin as they
  // should.
  const Codec seen = codec_of(response.body);
  Codec codec = seen;
  if (coding == "deflate") codec = Codec::deflate;
  else if (coding != "gzip" && coding != "x-gzip" && coding != "zstd") {
    why = "its content encoding '" + coding.substr(0, 20) + "' is not known";
    return std::nullopt;
  }
  const Stream stream = decoded(from_memory(std::move(response.body)), codec);
  std::string body;
  try {
    char chunk[16384];
    while (const size_t n = stream->read(chunk, sizeof chunk)) {
      if (body.size() + n > max_body) {
        why = "longer than " + std::to_string(max_body) + " bytes (max_record)";
        return std::nullopt;
      }
      body.append(chunk, n);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
    if (body.empty()) {
      why = error.message();
      return std::nullopt;
    }
  }
  response.body = std::move(body);
  return response;
}

}  // namespace helio::data
