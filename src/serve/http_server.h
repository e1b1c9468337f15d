// HTTP/1.1 for an API: requests read whole, answers sent whole or as a stream, on one I/O thread that
// never waits for anyone. Boost.Beast stays behind this header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helio::serve {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = {};   // "GET"
  std::string path = {};     // "/v1/models", percent-escapes decoded, without the query
  std::string query = {};    // as sent, without '?'
  HttpHeaders headers = {};  // names in lower case
  std::string body = {};

  // The first header of this name (lower case), or nothing.
  std::string_view header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  HttpHeaders headers = {};
};

// The way back to one client. Copies mean the same client; every call may come from any thread and
// returns at once. After the client has gone or the answer has ended, calls do nothing.
class HttpReply {
 public:
  class Channel;
  explicit HttpReply(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  void send(HttpResponse response) const;
  // An answer whose parts come later: begin_stream, write..., end_stream. A client that does not
  // take its parts is cut off when HttpOptions::stream_backlog bytes wait for it.
  void begin_stream(HttpResponse head) const;
  void write(std::string part) const;
  void end_stream() const;
  // Whether the client has hung up (or was cut off).
  bool gone() const;
  // Called once, on the I/O thread, when the client hangs up before the answer has ended; at once
  // if it already has.
  void on_gone(std::function<void()> callback) const;

 private:
  std::shared_ptr<Channel> channel_;
};

struct HttpOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  size_t header_bytes = 16 << 10;
  size_t body_bytes = 32 << 20;
  int64_t connections = 4096;  // more are told 503 and closed
  size_t stream_backlog = 4 << 20;
  int64_t idle_seconds = 75;   // between two requests of a connection
  int64_t read_seconds = 30;   // for a request to come in whole
  int64_t write_seconds = 30;  // for a client to take what was sent to it
};

// Outlives the replies it gave: whoever holds some ends first.
class HttpServer {
 public:
  // Called on the I/O thread for each request; must not wait.
  using Handler = std::function<void(HttpRequest, HttpReply)>;

  // Listens at once. Error{failed} when the address cannot be had, Error{usage} when it is none.
  HttpServer(const HttpOptions& options, Handler handler);
  ~HttpServer();

  uint16_t port() const;
  // Serves until stop(). `tick` is called on this thread about ten times a second.
  void run(const std::function<void()>& tick = {});
  // From any thread or from `tick`: no new connections and requests; answers in work may end within
  // `grace_seconds`, then run() returns. Called again: returns at once.
  void stop(int64_t grace_seconds);
  int64_t connections() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace helio::serve
