// A plain HTTP client for tests: bytes out, bytes in, on a socket of its own.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace helio::serve {

class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { hang_up(); }
  Client(const Client&) = delete;

  void hang_up() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void send(std::string_view bytes) const {
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t sent = ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += static_cast<size_t>(sent);
    }
  }
  // Reads until `end` stands in what came, the other side closes, or ten seconds pass.
  std::string read_until(std::string_view end) {
    while (got_.find(end) == got_.npos && read_more()) {}
    const size_t at = got_.find(end);
    return take(at == got_.npos ? got_.size() : at + end.size());
  }
  // One whole answer with a Content-Length: its head and body.
  std::string read_answer() {
    std::string head = read_until("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    if (at == head.npos) return head;
    const size_t size = std::stoul(head.substr(at + 16));
    while (got_.size() < size && read_more()) {}
    return head + take(std::min(size, got_.size()));
  }
  std::string read_to_end() {
    while (read_more()) {}
    return take(got_.size());
  }
  std::string ask(std::string_view request) {
    send(request);
    return read_answer();
  }
  std::string post(const std::string& path, const std::string& body,
                   const std::string& headers = "") {
    return ask("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::string get(const std::string& path, const std::string& headers = "") {
    return ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  }

 private:
  bool read_more() {
    pollfd wait{fd_, POLLIN, 0};
    if (poll(&wait, 1, 10'000) <= 0) return false;
    char buffer[65536];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    if (size <= 0) return false;
    got_.append(buffer, static_cast<size_t>(size));
    return true;
  }
  std::string take(size_t size) {
    std::string out = got_.substr(0, size);
    got_.erase(0, size);
    return out;
  }

  int fd_;
  std::string got_ = {};
};

inline int status_of(const std::string& answer) {
  return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
}
inline std::string body_of(const std::string& answer) {
  const size_t at = answer.find("\r\n\r\n");
  return at == answer.npos ? "" : answer.substr(at + 4);
}

}  // namespace helio::serve
