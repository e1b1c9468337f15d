#include "serve/http_server.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "client.h"
#include "core/error.h"

namespace helio::serve {
namespace {

// A server on a thread of its own while the test lasts.
class Running {
 public:
  explicit Running(HttpServer::Handler handler, HttpOptions options = {})
      : server_(options, std::move(handler)), thread_([this] { server_.run(); }) {}
  ~Running() {
    server_.stop(0);
    server_.stop(0);
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const { return server_.port(); }
  HttpServer& server() { return server_; }
  void join() { thread_.join(); }

 private:
  HttpServer server_;
  std::thread thread_;
};

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void echo(HttpRequest request, HttpReply reply) {
  reply.send(
      {.body = request.method + " " + request.path + "?" + request.query + " " + request.body,
       .type = "text/plain"});
}

TEST(HttpServer, KeepsConnectionsAndReadsBodies) {
  Running running(echo);
  Client client(running.port());
  EXPECT_EQ(body_of(client.get("/a%20b/%EA%B0%80?x=1")), "GET /a b/가?x=1 ");
  EXPECT_EQ(body_of(client.post("/p", "hello")), "POST /p? hello");
  // Two requests sent at once are answered in order.
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(body_of(client.read_answer()), "GET /1? ");
  EXPECT_EQ(body_of(client.read_answer()), "GET /2? ");
  // A body in chunks.
  EXPECT_EQ(body_of(client.ask("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")),
            "POST /c? abcde");
}

TEST(HttpServer, ExpectContinueIsAnswered) {
  Running running(echo);
  Client client(running.port());
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_NE(client.read_until("\r\n\r\n").find("100 Continue"), std::string::npos);
  client.send("ok");
  EXPECT_EQ(body_of(client.read_answer()), "POST /p? ok");
}

TEST(HttpServer, ClosesWhenAskedTo) {
  Running running(echo);
  Client client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.read_to_end().find("Connection: close"), std::string::npos);
}

TEST(HttpServer, LimitsHeadersAndBodies) {
  HttpOptions options;
  options.body_bytes = 100;
  options.header_bytes = 1000;
  Running running(echo, options);
  EXPECT_EQ(status_of(Client(running.port()).post("/", std::string(101, 'x'))), 413);
  EXPECT_EQ(status_of(Client(running.port()).post("/", std::string(100, 'x'))), 200);
  EXPECT_EQ(status_of(Client(running.port()).get("/", "A: " + std::string(2000, 'x') + "\r\n")),
            431);
  const auto nonsense = Client(running.port()).ask("\x01\x02 nonsense\r\n\r\n");
  EXPECT_EQ(status_of(nonsense), 400);
  EXPECT_NE(nonsense.find("\"invalid_request_error\""), std::string::npos);
}

TEST(HttpServer, StreamsInChunks) {
  Running running([](HttpRequest, HttpReply reply) {
    std::thread([reply] {
      reply.begin_stream({.type = "text/event-stream"});
      for (int i = 0; i < 3; ++i) reply.write("part" + std::to_string(i));
      reply.end_stream();
      reply.write("too late");
    }).detach();
  });
  Client client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string all = client.read_until("0\r\n\r\n");
  EXPECT_NE(all.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_NE(all.find("5\r\npart0\r\n5\r\npart1\r\n5\r\npart2\r\n0\r\n\r\n"), std::string::npos);
  EXPECT_EQ(status_of(client.get("/again")), 200);  // the connection is still good
  // HTTP/1.0 knows no chunks: the end of the connection is the end.
  Client old(running.port());
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_of(old.read_to_end()), "part0part1part2");
}

TEST(HttpServer, NoticesAClientThatHangsUp) {
  std::atomic<int> gone = 0;
  std::vector<HttpReply> held;
  Running running([&](HttpRequest, HttpReply reply) {
    reply.on_gone([&] { ++gone; });
    held.push_back(reply);
  });
  Client client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(soon([&] { return !held.empty(); }));
  EXPECT_FALSE(held[0].gone());
  client.hang_up();
  EXPECT_TRUE(soon([&] { return gone == 1; }));
  EXPECT_TRUE(held[0].gone());
  held[0].send({});  // to nobody
  EXPECT_TRUE(soon([&] { return running.server().connections() == 0; }));
}

TEST(HttpServer, CutsOffAClientThatDoesNotRead) {
  HttpOptions options;
  options.stream_backlog = 1 << 20;
  std::atomic<bool> gone = false, served = false;
  Running running(
      [&](HttpRequest request, HttpReply reply) {
        if (request.path == "/other") return reply.send({.body = "{}"});
        reply.on_gone([&] { gone = true; });
        std::thread([&, reply] {
          reply.begin_stream({});
          for (int i = 0; i < 4000 && !reply.gone(); ++i) reply.write(std::string(10'000, 'x'));
          served = true;
        }).detach();
      },
      options);
  Client slow(running.port());
  slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(Client(running.port()).get("/other")), 200);  // nobody else waits
  EXPECT_TRUE(soon([&] { return gone.load(); }));
  EXPECT_TRUE(soon([&] { return served.load(); }));
}

TEST(HttpServer, EndsAnswersInWorkBeforeItStops) {
  std::vector<HttpReply> held;
  Running running([&](HttpRequest, HttpReply reply) { held.push_back(reply); });
  Client idle(running.port()), busy(running.port());
  busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(soon([&] { return !held.empty(); }));
  running.server().stop(20);
  EXPECT_EQ(idle.read_to_end(), "");
  held[0].send({.body = "done"});
  EXPECT_EQ(body_of(busy.read_answer()), "done");
  running.join();
}

TEST(HttpServer, RefusesAddressesItCannotHave) {
  Running running(echo);
  HttpOptions taken;
  taken.port = running.port();
  EXPECT_THROW(HttpServer(taken, echo), Error);
  HttpOptions wrong;
  wrong.address = "not an address";
  EXPECT_THROW(HttpServer(wrong, echo), Error);
}

}  // namespace
}  // namespace helio::serve
