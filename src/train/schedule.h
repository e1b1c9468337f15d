// The learning rate of every step. Torch-free.
#pragma once

#include <cstdint>
#include <string>

namespace helio::train {

// With k = step - 1 steps already taken and w warm-up steps of n:
//   warm-up   k < w:  peak * k / max(1, w)                (so the first step of a warm-up has rate
//   0) then, with p = (k - w) / max(1, n - w): linear    peak * (floor + (1 - floor) * (1 - p))
//   cosine    peak * (floor + (1 - floor) * (1 + cos(pi p)) / 2)
//   constant  peak
//   wsd       peak, but in the last d = ceil(decay_ratio * n) steps, with q = (k - (n - d)) / d:
//             peak * (floor + (1 - floor) * (1 - sqrt(q)))
// floor is `min_ratio`. With floor 0 these are transformers' get_linear_, get_cosine_ and
// get_constant_schedule_with_warmup (5.23) and get_wsd_schedule(decay_type="1-sqrt"), with it
// get_cosine_with_min_lr_schedule_with_warmup.
// Warm-up takes ceil(ratio * n) steps, as transformers' trainer counts them.
class Schedule {
 public:
  struct Options {
    std::string shape = "cosine";  // "cosine", "linear", "constant", "wsd"
    double peak = 1e-3, min_ratio = 0, warmup_ratio = 0, decay_ratio = 0.2;
    int64_t steps = 1;
  };
  explicit Schedule(Options options);

  double at(int64_t step) const;  // step from 1
  int64_t warmup_steps() const { return warmup_; }

 private:
  Options options_;
  int64_t warmup_ = 0, decay_ = 0;
};

}  // namespace helio::train
