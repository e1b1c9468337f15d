// Several processes of one run, with threads of this one in their place.
#pragma once

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>
#include <vector>

#include "train/distributed/communicator.h"

namespace helio::train::distributed {

inline int64_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

inline void together(int64_t count, const std::function<void(Communicator&)>& body) {
  const int64_t port = free_port();
  const int before = at::get_num_threads();
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < count; ++rank)
    threads.emplace_back([&, rank] {
      at::set_num_threads(1);  // teams of threads of their own would crowd the machine
      try {
        Communicator link({.rank = rank, .size = count, .local_size = count, .port = port});
        body(link);
        link.barrier();
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << rank << ": " << error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  at::set_num_threads(before);
}

}  // namespace helio::train::distributed
