#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "nn/parallel.h"
#include "train/optimizers/rule.h"

namespace helio::train {
namespace {

constexpr int64_t kBlock = 256;  // weights that share a largest value

// The 256 values that codes stand for, ascending: seven decades, each with twice the values of the
// one below.
enum class Signs { both, positive };
std::array<float, 256> dynamic_map(Signs signs) {
  std::vector<float> values = {0, 1};
  constexpr int kDecades = 7;
  for (int decade = 0; decade < kDecades; ++decade) {
    const int count = (signs == Signs::both ? 1 : 2) << decade;
    const auto scale = static_cast<float>(std::pow(10.0, decade - (kDecades - 1)));
    // The borders of `count` equal parts of [0.1, 1], as torch.linspace makes them: from both ends,
    // rounded once.
    const float first = 0.1F, last = 1.0F, part = (last - first) / static_cast<float>(count);
    const auto border = [&](int i) {
      return i < (count + 1) / 2 ? std::fma(part, static_cast<float>(i), first)
                                 : std::fma(-part, static_cast<float>(count - i), last);
    };
    for (int i = 0; i < count; ++i) {
      const float value = (border(i) + border(i + 1)) / 2.0F * scale;
      values.push_back(value);
      if (signs == Signs::both) values.push_back(-value);
    }
  }
  std::sort(values.begin(), values.end());
  std::array<float, 256> map = {};
  std::copy(values.begin(), values.end(), map.begin());
  return map;
}

// Values in [-1, 1] to the code of the nearest value of a map: a table by the upper half of a
// float's bits says where to look, a step or two go to the place.
class Codes {
 public:
  explicit Codes(Signs signs) : values_(dynamic_map(signs)) {
    for (uint32_t upper = 0; upper < starts_.size(); ++upper) {
      // The least value with these upper bits; below zero that is the one with all lower bits set.
      const uint32_t lowest = upper >= kSignBit ? upper << 16 | 0xffff : upper << 16;
      starts_[upper] = search(std::bit_cast<float>(lowest));
    }
  }
  float value(uint8_t code) const { return values_[code]; }
  uint8_t code(float value) const {
    size_t at = starts_[std::bit_cast<uint32_t>(value) >> 16];
    while (at < 255 && nearer_to_next(value, at)) ++at;
    return static_cast<uint8_t>(at);
  }

 private:
  static constexpr uint32_t kSignBit = 0x8000;
  bool nearer_to_next(float value, size_t at) const {
    return values_[at + 1] - value < value - values_[at];
  }
  uint8_t search(float value) const {
    size_t at = 0;
    while (at < 255 && nearer_to_next(value, at)) ++at;  // false for what is not a number
    return static_cast<uint8_t>(at);
  }

  std::array<float, 256> values_;
  std::array<uint8_t, 1 << 16> starts_ = {};
};

// What is kept of one moment of a weight.
struct Moment {
  at::Tensor codes = {}, largest = {};  // [weight's shape] uint8, [blocks] f32
};

class AdamW8bit final : public UpdateRule {
 public:
  AdamW8bit(std::vector<Slot> slots, AdamWOptions options)
      : options_(options), slots_(std::move(slots)) {
    for (const Slot& slot : slots_)
      states_.push_back({moment(slot.weight, signed_), moment(slot.weight, positive_)});
  }

  void step(double lr, int64_t step) override {
    for (size_t i = 0; i < slots_.size(); ++i) update(slots_[i], states_[i], lr, step);
  }

  std::vector<nn::NamedTensor> state() const override {
    std::vector<nn::NamedTensor> tensors;
    for (size_t i = 0; i < slots_.size(); ++i) {
      const std::string& name = slots_[i].name;
      tensors.push_back({"exp_avg_code." + name, states_[i].first.codes});
      tensors.push_back({"exp_avg_largest." + name, states_[i].first.largest});
      tensors.push_back({"exp_avg_sq_code." + name, states_[i].second.codes});
      tensors.push_back({"exp_avg_sq_largest." + name, states_[i].second.largest});
    }
    return tensors;
  }

 private:
  struct State {
    Moment first = {}, second = {};
  };
  // A moment's block: unpacked, moved on, packed again.
  struct Block {
    float values[kBlock] = {};
    uint8_t* codes;
    float* largest;
    int64_t count;
    void unpack(const Codes& map) {
      for (int64_t i = 0; i < count; ++i) values[i] = map.value(codes[i]) * *largest;
    }
    void pack(const Codes& map) {
      float most = 0;
      for (int64_t i = 0; i < count; ++i) most = std::max(most, std::abs(values[i]));
      *largest = most;
      for (int64_t i = 0; i < count; ++i) codes[i] = map.code(most > 0 ? values[i] / most : 0.0F);
    }
  };

  static Moment moment(const at::Tensor& weight, const Codes& map) {
    Moment moment{.codes = at::zeros(weight.sizes(), at::TensorOptions(at::kByte)),
                  .largest = at::zeros({(weight.numel() + kBlock - 1) / kBlock},
                                       at::TensorOptions(at::kFloat))};
    moment.codes.fill_(map.code(0));
    return moment;
  }

  void update(Slot& slot, State& state, double lr, int64_t step) const {
    const at::Tensor grad = gradient_of(slot).contiguous();
    const float* from = grad.const_data_ptr<float>();
    float* weights = slot.weight.mutable_data_ptr<float>();
    const auto places = [](Moment& moment) {
      return std::pair(moment.codes.mutable_data_ptr<uint8_t>(),
                       moment.largest.mutable_data_ptr<float>());
    };
    const auto [first_codes, first_largest] = places(state.first);
    const auto [second_codes, second_largest] = places(state.second);
    const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(step));
    const auto beta1 = static_cast<float>(options_.beta1),
               beta2 = static_cast<float>(options_.beta2),
               rest1 = static_cast<float>(1 - options_.beta1),
               rest2 = static_cast<float>(1 - options_.beta2),
               root2 = static_cast<float>(
                   std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(step)))),
               eps = static_cast<float>(options_.eps),
               shrink = static_cast<float>(1 - lr * slot.decay),
               rate = static_cast<float>(lr / correction1);
    nn::parallel_rows(grad.numel(), kBlock, [&](int64_t begin, int64_t end) {
      const int64_t index = begin / kBlock;
      Block first{
          .codes = first_codes + begin, .largest = first_largest + index, .count = end - begin};
      Block second{
          .codes = second_codes + begin, .largest = second_largest + index, .count = end - begin};
      first.unpack(signed_);
      second.unpack(positive_);
      for (int64_t i = 0; i < end - begin; ++i) {
        const float g = from[begin + i];
        first.values[i] = first.values[i] * beta1 + rest1 * g;
        second.values[i] = second.values[i] * beta2 + rest2 * (g * g);
        const float root = std::sqrt(second.values[i]) / root2 + eps;
        weights[begin + i] = weights[begin + i] * shrink - rate * (first.values[i] / root);
      }
      first.pack(signed_);
      second.pack(positive_);
    });
  }

  AdamWOptions options_;
  Codes signed_{Signs::both}, positive_{Signs::positive};
  std::vector<Slot> slots_;
  std::vector<State> states_ = {};
};

}  // namespace

std::unique_ptr<UpdateRule> adamw8bit(std::vector<Slot> slots, AdamWOptions options) {
  return std::make_unique<AdamW8bit>(std::move(slots), options);
}

}  // namespace helio::train
