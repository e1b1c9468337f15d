#include "nn/team.h"

#include <sched.h>

#include <atomic>
#include <exception>

#include "nn/parallel.h"
#include "nn/runtime.h"

namespace helio::nn {
namespace {

// One word says which phase it is, how many units it has and which is next, so that whoever takes a
// unit knows that the phase still waits for it.
constexpr int kUnitBits = 20;
constexpr uint64_t kUnitMask = (uint64_t{1} << kUnitBits) - 1;

struct Ticket {
  uint64_t phase, units, next;
  explicit Ticket(uint64_t word)
      : phase(word >> (2 * kUnitBits)),
        units((word >> kUnitBits) & kUnitMask),
        next(word & kUnitMask) {}
};

// Waits by looking; lets others run where there are more threads than cores.
class Wait {
 public:
  void once() {
    if (++tries_ < 4096) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    } else {
      sched_yield();
    }
  }

 private:
  int tries_ = 0;
};

class Team final : public Phases {
 public:
  void run(int64_t units, const std::function<void(int64_t)>& body) override {
    if (units <= 0) return;
    if (units == 1) return body(0);
    // Longer phases than the word can count come in pieces.
    constexpr auto most = static_cast<int64_t>(kUnitMask / 2);
    for (int64_t first = 0; first < units; first += most)
      run_piece(first, std::min(most, units - first), body);
  }

  void help() {
    uint64_t seen = 0;
    Wait wait;
    while (!finished_.load(std::memory_order_acquire)) {
      const Ticket now(word_.load(std::memory_order_acquire));
      if (now.phase == seen || now.next >= now.units) {
        wait.once();
        continue;
      }
      take_units();
      seen = now.phase;
      wait = {};
    }
  }

  void finish() { finished_.store(true, std::memory_order_release); }

 private:
  void run_piece(int64_t first, int64_t units, const std::function<void(int64_t)>& body) {
    body_ = &body;
    first_ = first;
    done_.store(0, std::memory_order_relaxed);
    ++phase_;
    word_.store(phase_ << (2 * kUnitBits) | static_cast<uint64_t>(units) << kUnitBits,
                std::memory_order_release);
    take_units();
    Wait wait;
    while (done_.load(std::memory_order_acquire) < units) wait.once();
  }

  // A unit that was taken belongs to the phase of the word it was taken from, which does not end
  // before the unit is done: body_ and first_ are that phase's.
  void take_units() {
    for (;;) {
      const Ticket seen(word_.load(std::memory_order_acquire));
      if (seen.next >= seen.units) return;
      const Ticket mine(word_.fetch_add(1, std::memory_order_acq_rel));
      if (mine.next >= mine.units) return;
      (*body_)(first_ + static_cast<int64_t>(mine.next));
      done_.fetch_add(1, std::memory_order_acq_rel);
    }
  }

  std::atomic<uint64_t> word_ = 0;
  std::atomic<int64_t> done_ = 0;
  std::atomic<bool> finished_ = false;
  uint64_t phase_ = 0;
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t first_ = 0;
};

class Woken final : public Phases {
 public:
  void run(int64_t units, const std::function<void(int64_t)>& body) override {
    parallel_units(units, body);
  }
};

}  // namespace

void with_team(const std::function<void(Phases&)>& script) {
  Team team;
  std::atomic<bool> led = false;
  std::exception_ptr failure;
  parallel_units(threads_in_use(), [&](int64_t) {
    if (led.exchange(true)) return team.help();
    try {
      script(team);
    } catch (...) {
      failure = std::current_exception();
    }
    team.finish();
  });
  if (failure) std::rethrow_exception(failure);
}

Phases& woken_phases() {
  static Woken phases;
  return phases;
}

}  // namespace helio::nn
