// A number with its derivatives by the log-probabilities a preference loss is made of: losses are
// written once, as formulas, and their gradients follow (forward-mode differentiation).
#pragma once

#include <array>
#include <cmath>

namespace helio::train {

struct Dual {
  double value = 0;
  std::array<double, 3> by = {};  // log-probability of: chosen, rejected, the chosen one's prompt

  Dual(double v = 0) : value(v) {}
  Dual(double v, size_t variable) : value(v) { by[variable] = 1; }
  // f(x) where f' at x is `slope`.
  Dual with(double f, double slope) const {
    Dual out(f);
    for (size_t i = 0; i < by.size(); ++i) out.by[i] = slope * by[i];
    return out;
  }
  Dual operator-() const { return with(-value, -1); }
};

inline Dual operator+(const Dual& a, const Dual& b) {
  Dual out(a.value + b.value);
  for (size_t i = 0; i < out.by.size(); ++i) out.by[i] = a.by[i] + b.by[i];
  return out;
}
inline Dual operator-(const Dual& a, const Dual& b) { return a + -b; }
inline Dual operator*(const Dual& a, const Dual& b) {
  Dual out(a.value * b.value);
  for (size_t i = 0; i < out.by.size(); ++i) out.by[i] = a.by[i] * b.value + b.by[i] * a.value;
  return out;
}
inline Dual operator/(const Dual& a, double b) { return a.with(a.value / b, 1 / b); }

inline double sigmoid_of(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
inline double log_sigmoid_of(double x) {
  return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}
inline Dual exp(const Dual& x) { return x.with(std::exp(x.value), std::exp(x.value)); }
inline Dual sigmoid(const Dual& x) {
  const double s = sigmoid_of(x.value);
  return x.with(s, s * sigmoid_of(-x.value));
}
inline Dual log_sigmoid(const Dual& x) {
  return x.with(log_sigmoid_of(x.value), sigmoid_of(-x.value));
}
inline Dual relu(const Dual& x) { return x.value > 0 ? x : x.with(0, 0); }
inline Dual square(const Dual& x) { return x * x; }
// log(1 - e^x) for x < 0.
inline Dual log1mexp(const Dual& x) {
  const double f = x.value > -0.6931471805599453 ? std::log(-std::expm1(x.value))
                                                 : std::log1p(-std::exp(x.value));
  return x.with(f, std::exp(x.value) / std::expm1(x.value));
}

}  // namespace helio::train
