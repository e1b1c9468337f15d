// Many short phases of work in one region of LibTorch's threads: the threads are woken once and
// wait for the next phase by looking, which takes below a microsecond, not by sleeping.
#pragma once

#include <cstdint>
#include <functional>

namespace helio::nn {

class Phases {
 public:
  virtual ~Phases() = default;
  // Runs body(unit) for each unit in [0, units) and returns when all are done. `body` must not
  // throw, call tensor operators that use threads, or depend on which thread runs it.
  virtual void run(int64_t units, const std::function<void(int64_t unit)>& body) = 0;
};

// Calls script(phases) once, on one of the threads, while the others help with its phases. It never
// waits for a thread that has not come. What the script throws is thrown on.
void with_team(const std::function<void(Phases&)>& script);

// Phases that wake the threads each time (parallel_units): for scripts that call tensor operators
// between them.
Phases& woken_phases();

}  // namespace helio::nn
