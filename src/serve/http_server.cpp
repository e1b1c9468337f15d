#include "serve/http_server.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "core/error.h"
#include "serve/api_error.h"
#include "serve/http_text.h"

namespace helio::serve {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using tcp = net::ip::tcp;
using ErrorCode = beast::error_code;
using std::chrono::seconds;

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

namespace {
class Connection;
}

// What a handler's reply and the connection share. The connection lives on the I/O thread only; what
// other threads say is posted there.
class HttpReply::Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(net::any_io_executor executor, std::weak_ptr<Connection> connection)
      : executor_(std::move(executor)), connection_(std::move(connection)) {}

  template <class Action>
  void post(Action action) {
    net::post(executor_, [self = shared_from_this(), action = std::move(action)]() mutable {
      if (auto connection = self->connection_.lock()) action(*connection);
    });
  }
  bool gone() const { return gone_.load(std::memory_order_relaxed); }
  void on_gone(std::function<void()> callback) {
    {
      const std::lock_guard lock(mutex_);
      if (!gone()) {
        callback_ = std::move(callback);
        return;
      }
    }
    callback();
  }
  void hang_up() {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      gone_.store(true, std::memory_order_relaxed);
      callback.swap(callback_);
    }
    if (callback) callback();
  }
  // The answer has ended: what on_gone held may be freed.
  void forget() {
    const std::lock_guard lock(mutex_);
    callback_ = nullptr;
  }

 private:
  net::any_io_executor executor_;
  std::weak_ptr<Connection> connection_;
  std::atomic<bool> gone_ = false;
  std::mutex mutex_;
  std::function<void()> callback_ = {};
};

struct HttpServer::Impl {
  HttpOptions options;
  Handler handler;
  std::function<void()> tick = {};
  // Before the context: its end destroys connections, which take themselves out of here.
  std::unordered_set<Connection*> open = {};
  std::atomic<int64_t> count = 0;
  bool draining = false, ended = false;
  net::io_context io{1};
  tcp::acceptor acceptor{io};
  net::steady_timer ticker{io}, deadline{io};

  void accept();
  void start_ticking();
  void drain(int64_t grace_seconds);
  void finish_if_drained();
};

namespace {

using Channel = HttpReply::Channel;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, HttpServer::Impl& server)
      : stream_(std::move(socket)), server_(server) {
    server_.open.insert(this);
    ++server_.count;
  }
  ~Connection() {
    server_.open.erase(this);
    --server_.count;
    if (channel_ && !server_.ended) channel_->hang_up();
  }

  void start() { read_head(seconds(server_.options.read_seconds)); }

  void refuse(int status, std::string_view why) {
    alive_ = false;
    HttpResponse response = error_response(ApiError(status, std::string(why)));
    put(response_head(response, Framing::whole, alive_));
    put(std::move(response.body));
    ending_ = true;
    flush();
  }

  bool busy() const { return channel_ != nullptr || !queue_.empty(); }
  void close() {
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  void let_go() {
    close();
    const auto last = std::exchange(held_, nullptr);
  }

  // What a reply says, on the I/O thread.
  void send(const Channel* from, HttpResponse response) {
    if (from != channel_.get() || streaming_) return;
    put(response_head(response, Framing::whole, alive_));
    if (!head_only_) put(std::move(response.body));
    end();
  }
  void begin_stream(const Channel* from, const HttpResponse& head) {
    if (from != channel_.get() || streaming_) return;
    streaming_ = true;
    if (version_ < 11) alive_ = false;
    put(response_head(head, version_ < 11 ? Framing::until_closed : Framing::chunked, alive_));
    flush();
  }
  void write(const Channel* from, std::string part) {
    if (from != channel_.get() || !streaming_ || part.empty() || head_only_) return;
    put(version_ < 11 ? std::move(part) : fmt::format("{:x}\r\n{}\r\n", part.size(), part));
    if (waiting_bytes_ > server_.options.stream_backlog) return close();
    flush();
  }
  void end_stream(const Channel* from) {
    if (from != channel_.get() || !streaming_) return;
    if (version_ >= 11 && !head_only_) put("0\r\n\r\n");
    end();
  }

 private:
  static constexpr auto kForever = std::chrono::hours(24 * 365);

  void read_head(seconds limit) {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(server_.options.header_bytes));
    parser_->body_limit(server_.options.body_bytes);
    stream_.expires_after(limit);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](ErrorCode error, size_t) {
                              self->on_head(error);
                            });
  }

  void on_head(ErrorCode error) {
    if (error) return on_bad_read(error);
    stream_.expires_after(seconds(server_.options.read_seconds));
    const auto expect = parser_->get()[http::field::expect];
    if (beast::iequals(expect, "100-continue")) {
      // The body's length is known here: one that is too long is not even sent.
      net::async_write(stream_, net::buffer(kContinue),
                       [self = shared_from_this()](ErrorCode e, size_t) {
                         if (!e) self->read_body();
                       });
      return;
    }
    read_body();
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode e, size_t) {
      if (e) self->on_bad_read(e);
      else self->on_request();
    });
  }

  void on_bad_read(ErrorCode error) {
    if (error == http::error::body_limit)
      return refuse(413, fmt::format("the body is larger than {} bytes", server_.options.body_bytes));
    if (error == http::error::header_limit)
      return refuse(431, "the request's headers are too large");
    if (error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message)
      return refuse(400, "this is no HTTP request: " + error.message());
    // Gone, silent for too long, or closed between requests: nobody to tell.
  }

  void on_request() {
    auto message = parser_->release();
    HttpRequest request{.method = std::string(message.method_string()),
                        .body = std::move(message.body())};
    split_target({message.target().data(), message.target().size()}, request.path, request.query);
    for (const auto& field : message)
      request.headers.emplace_back(lower_case({field.name_string().data(), field.name_string().size()}),
                                   std::string(field.value()));
    version_ = message.version();
    alive_ = message.keep_alive() && !server_.draining;
    head_only_ = request.method == "HEAD";
    streaming_ = false;
    channel_ = std::make_shared<Channel>(stream_.get_executor(), weak_from_this());
    // The reply keeps the channel, the channel not the connection: this keeps it until the end.
    held_ = shared_from_this();
    stream_.expires_after(kForever);
    watch();
    server_.handler(std::move(request), HttpReply(channel_));
  }

  // Notices a client that hangs up while its answer is in work. Bytes of a next request only end
  // the watch.
  void watch() {
    stream_.socket().async_wait(
        tcp::socket::wait_read, [self = shared_from_this(), channel = channel_](ErrorCode error) {
          if (error || self->channel_ != channel) return;
          char byte;
          ErrorCode failed;
          self->stream_.socket().non_blocking(true, failed);
          const size_t got = self->stream_.socket().receive(
              net::buffer(&byte, 1), tcp::socket::message_peek, failed);
          if (failed == net::error::would_block) return self->watch();
          if (failed || got == 0) self->drop();
        });
  }

  void drop() {
    stream_.close();
    const auto channel = std::exchange(channel_, nullptr);
    if (channel) channel->hang_up();
    const auto last = std::exchange(held_, nullptr);
    server_.finish_if_drained();
  }

  void put(std::string bytes) {
    if (bytes.empty()) return;
    waiting_bytes_ += bytes.size();
    queue_.push_back(std::move(bytes));
  }

  void end() {
    if (channel_) channel_->forget();
    channel_.reset();
    ending_ = true;
    flush();
  }

  void flush() {
    if (writing_) return;
    if (queue_.empty()) {
      if (ending_) finish();
      return;
    }
    writing_ = true;
    std::vector<net::const_buffer> buffers;
    for (const auto& part : queue_) buffers.push_back(net::buffer(part));
    stream_.expires_after(seconds(server_.options.write_seconds));
    net::async_write(stream_, buffers,
                     [self = shared_from_this(), count = queue_.size()](ErrorCode e, size_t n) {
                       self->on_written(e, n, count);
                     });
  }

  void on_written(ErrorCode error, size_t bytes, size_t parts) {
    writing_ = false;
    if (error) return drop();
    stream_.expires_after(kForever);
    waiting_bytes_ -= bytes;
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(parts));
    flush();
  }

  void finish() {
    ending_ = false;
    const auto last = std::exchange(held_, nullptr);
    if (alive_ && !server_.draining) return read_head(seconds(server_.options.idle_seconds));
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(seconds(1));
    server_.finish_if_drained();
  }

  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

  beast::tcp_stream stream_;
  HttpServer::Impl& server_;
  beast::flat_buffer buffer_ = {};
  std::optional<http::request_parser<http::string_body>> parser_ = {};
  std::shared_ptr<Channel> channel_ = {};   // of the request in work
  std::shared_ptr<Connection> held_ = {};   // itself, while a request is in work
  std::deque<std::string> queue_ = {};      // to be sent; its front parts while `writing_`
  size_t waiting_bytes_ = 0;
  unsigned version_ = 11;
  bool alive_ = true, head_only_ = false, streaming_ = false, writing_ = false, ending_ = false;
};

}  // namespace

void HttpReply::send(HttpResponse response) const {
  channel_->post([from = channel_.get(), response = std::move(response)](Connection& c) mutable {
    c.send(from, std::move(response));
  });
}
void HttpReply::begin_stream(HttpResponse head) const {
  channel_->post([from = channel_.get(), head = std::move(head)](Connection& c) {
    c.begin_stream(from, head);
  });
}
void HttpReply::write(std::string part) const {
  channel_->post([from = channel_.get(), part = std::move(part)](Connection& c) mutable {
    c.write(from, std::move(part));
  });
}
void HttpReply::end_stream() const {
  channel_->post([from = channel_.get()](Connection& c) { c.end_stream(from); });
}
bool HttpReply::gone() const { return channel_->gone(); }
void HttpReply::on_gone(std::function<void()> callback) const {
  channel_->on_gone(std::move(callback));
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](ErrorCode error, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (!error) {
      ErrorCode ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      const auto connection = std::make_shared<Connection>(std::move(socket), *this);
      if (count.load() > options.connections) connection->refuse(503, "too many connections");
      else connection->start();
    }
    // Out of descriptors, say: give those that are open time to end.
    if (error && error != net::error::connection_aborted) {
      deadline.expires_after(std::chrono::milliseconds(100));
      deadline.async_wait([this](ErrorCode e) {
        if (!e && !draining) accept();
      });
      return;
    }
    accept();
  });
}

void HttpServer::Impl::start_ticking() {
  ticker.expires_after(std::chrono::milliseconds(100));
  ticker.async_wait([this](ErrorCode error) {
    if (error) return;
    if (tick) tick();
    start_ticking();
  });
}

void HttpServer::Impl::drain(int64_t grace_seconds) {
  if (draining) return io.stop();
  draining = true;
  ErrorCode ignored;
  acceptor.close(ignored);
  const std::vector<Connection*> all(open.begin(), open.end());
  for (Connection* connection : all)
    if (!connection->busy()) connection->close();
  deadline.expires_after(seconds(grace_seconds));
  deadline.async_wait([this](ErrorCode error) {
    if (!error) io.stop();
  });
  finish_if_drained();
}

void HttpServer::Impl::finish_if_drained() {
  if (!draining) return;
  for (const Connection* connection : open)
    if (connection->busy()) return;
  // What was written last may still be on its way out of this process.
  net::post(io, [this] { io.stop(); });
}

HttpServer::HttpServer(const HttpOptions& options, Handler handler)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  impl_->handler = std::move(handler);
  ErrorCode error;
  const auto address = net::ip::make_address(options.address, error);
  if (error)
    throw Error(ErrorKind::usage, "'" + options.address + "' is no IP address")
        .with_hint("127.0.0.1 for this machine only, 0.0.0.0 for all its networks");
  const tcp::endpoint endpoint(address, options.port);
  auto& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1024, error);
  if (error)
    throw Error(ErrorKind::failed, fmt::format("cannot listen on {}:{}: {}", options.address,
                                               options.port, error.message()))
        .with_hint("give another --port, or 0 for any free one");
  impl_->accept();
}

HttpServer::~HttpServer() {
  // The context lets go of the connections' handlers, and with them of the connections. Those that
  // wait for a reply hold themselves.
  impl_->ended = true;
  impl_->io.stop();
  const std::vector<Connection*> all(impl_->open.begin(), impl_->open.end());
  for (Connection* connection : all) connection->let_go();
}

uint16_t HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }
int64_t HttpServer::connections() const { return impl_->count.load(); }

void HttpServer::run(const std::function<void()>& tick) {
  impl_->tick = tick;
  impl_->start_ticking();
  impl_->io.run();
}

void HttpServer::stop(int64_t grace_seconds) {
  net::post(impl_->io, [impl = impl_.get(), grace_seconds] { impl->drain(grace_seconds); });
}

}  // namespace helio::serve
