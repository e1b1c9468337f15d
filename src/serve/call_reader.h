// The JSON of one tool call, read while it comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helio::serve {

class CallReader {
 public:
  // {"name": ..., "arguments" or "parameters": {...}}
  CallReader() = default;
  // The arguments alone, of a call whose name stood before.
  explicit CallReader(std::string name) : name_(std::move(name)), bare_(true) {}

  // Reads on; how many characters were the object's. Fewer than all: it has ended, or what follows
  // is no JSON.
  size_t push(std::string_view text);
  bool ended() const { return ended_; }
  // The name is known and the arguments, an object, have begun.
  bool opened() const { return name_ && begun_; }
  const std::string& name() const { return *name_; }  // once opened
  // What has come of the arguments, as it was written, since last asked.
  std::string take_arguments() { return std::exchange(arguments_, {}); }

 private:
  void read(char c);
  void string_ended();

  std::optional<std::string> name_ = {};
  bool bare_ = false;
  int64_t depth_ = 0;
  bool inside_ = false, escaped_ = false;  // of a string
  bool value_ = false;                     // behind the colon of the outer object's member
  bool begun_ = false, ended_ = false;
  bool taking_ = false;  // inside the arguments
  std::string key_ = {}, string_ = {}, arguments_ = {};
};

}  // namespace helio::serve
