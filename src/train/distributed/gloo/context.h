// The names of Gloo's classes that c10d's ProcessGroupGloo.hpp holds pointers to. LibTorch carries
// Gloo but not its headers; nothing of it is called, made or destroyed from here.
#pragma once

#include <chrono>
#include <memory>

namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);  // named in an inline function, not called
};
}  // namespace gloo
