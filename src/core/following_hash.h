// The SHA-256 of a file that is being written from its beginning to its end, computed beside the
// writing: when the last byte is there, little is left to hash.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace helio {

class FollowingHash {
 public:
  // The file must be there, and be written through the page cache by this machine.
  explicit FollowingHash(std::filesystem::path path);
  ~FollowingHash();  // gives up what is not hashed yet
  FollowingHash(const FollowingHash&) = delete;
  FollowingHash& operator=(const FollowingHash&) = delete;

  // All bytes before `size` have their final values. Never falls.
  void written(uint64_t size);
  // The hash of the bytes so far, in hex; waits for it. The last call. Error{failed}: the file
  // cannot be read, or is shorter than what was said.
  std::string hex();

 private:
  void follow();

  const std::filesystem::path path_;
  std::mutex guard_ = {};
  std::condition_variable news_ = {};
  uint64_t written_ = 0;
  bool whole_ = false, dropped_ = false;
  std::string hex_ = {};
  std::exception_ptr problem_ = {};
  std::thread thread_;  // last: it uses the others
};

}  // namespace helio
