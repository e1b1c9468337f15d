#include "checkpoint/model_diff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>

#include "checkpoint/weights.h"
#include "core/parallel.h"

namespace helio::checkpoint {
namespace {

// Below f32's precision, too.
void compare_doubles(std::span<const std::byte> a, std::span<const std::byte> b, TensorDiff& diff) {
  for (size_t at = 0; at < a.size(); at += sizeof(double)) {
    double p = 0, q = 0;
    std::memcpy(&p, a.data() + at, sizeof p);
    std::memcpy(&q, b.data() + at, sizeof q);
    if (p == q || (std::isnan(p) && std::isnan(q))) continue;
    ++diff.different;
    const double off = std::fabs(p - q);
    diff.largest = std::isnan(off) ? INFINITY : std::max(diff.largest, off);
    diff.largest_relative =
        std::isfinite(off)
            ? std::max(diff.largest_relative, off / std::max(std::fabs(p), std::fabs(q)))
            : INFINITY;
  }
}

void compare_values(const Weights& a, const Weight& in_a, const Weights& b, const Weight& in_b,
                    int threads, const StopRequest& stop, TensorDiff& diff) {
  diff.compared = true;
  const auto bytes_a = a.bytes(in_a), bytes_b = b.bytes(in_b);
  const bool stored_alike =
      in_a.type == in_b.type && !bytes_a.empty() && bytes_a.size() == bytes_b.size();
  if (stored_alike && std::memcmp(bytes_a.data(), bytes_b.data(), bytes_a.size()) == 0) return;
  if (!in_a.floats || !in_b.floats) {
    // Whole numbers: only that some byte differs can be said without their types.
    if (in_a.type == in_b.type && bytes_a.size() == bytes_b.size()) {
      const size_t each =
          in_a.elements() > 0 ? bytes_a.size() / static_cast<size_t>(in_a.elements()) : 1;
      for (size_t at = 0; at < bytes_a.size(); at += each)
        diff.different += std::memcmp(bytes_a.data() + at, bytes_b.data() + at, each) != 0;
    } else {
      diff.compared = false;
    }
    return;
  }
  if (in_a.type == "F64" && in_b.type == "F64") return compare_doubles(bytes_a, bytes_b, diff);
  const auto width = static_cast<size_t>(in_a.width());
  std::mutex guard;
  parallel_slices(static_cast<size_t>(in_a.rows()), threads,
                  static_cast<size_t>(rows_of_a_piece(in_a)), [&](size_t begin, size_t end, int) {
                    stop.check();
                    std::vector<float> x((end - begin) * width), y(x.size());
                    a.read(in_a, static_cast<int64_t>(begin), x);
                    b.read(in_b, static_cast<int64_t>(begin), y);
                    int64_t different = 0;
                    double largest = 0, relative = 0;
                    for (size_t i = 0; i < x.size(); ++i) {
                      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
                      ++different;
                      const double p = static_cast<double>(x[i]), q = static_cast<double>(y[i]);
                      const double off = std::fabs(p - q);
                      const double by = std::max(std::fabs(p), std::fabs(q));
                      largest = std::isnan(off) ? INFINITY : std::max(largest, off);
                      relative = std::isfinite(off) ? std::max(relative, off / by) : INFINITY;
                    }
                    const std::lock_guard lock(guard);
                    diff.different += different;
                    diff.largest = std::max(diff.largest, largest);
                    diff.largest_relative = std::max(diff.largest_relative, relative);
                  });
}

}  // namespace

ModelDiff diff_models(const std::filesystem::path& path_a, const std::filesystem::path& path_b,
                      int threads, Monitor& monitor, const StopRequest& stop) {
  const auto a = open_weights(path_a), b = open_weights(path_b);
  ModelDiff out;
  int64_t total = 0, done = 0;
  for (const auto& weight : a->tensors()) total += weight.elements();
  for (const auto& weight : b->tensors())
    if (a->find(weight.name) == nullptr) out.only_b.push_back(weight.name);
  monitor.begin("comparing", total, "values");
  for (const auto& in_a : a->tensors()) {
    const Weight* in_b = b->find(in_a.name);
    if (in_b == nullptr) {
      out.only_a.push_back(in_a.name);
    } else {
      TensorDiff diff{.name = in_a.name,
                      .shape_a = in_a.shape,
                      .shape_b = in_b->shape,
                      .type_a = in_a.type,
                      .type_b = in_b->type,
                      .elements = in_a.elements()};
      if (diff.same_shape()) compare_values(*a, in_a, *b, *in_b, threads, stop, diff);
      out.equal += diff.same();
      out.other_types += diff.type_a != diff.type_b;
      out.tensors.push_back(std::move(diff));
    }
    monitor.at(done += in_a.elements());
  }
  monitor.end();
  return out;
}

}  // namespace helio::checkpoint
