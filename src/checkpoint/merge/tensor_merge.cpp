#include "checkpoint/merge/tensor_merge.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"

namespace helio::checkpoint {
namespace {

float of_work(DType work, double value) { return rounded(work, static_cast<float>(value)); }

size_t piece_of(uint64_t first) { return static_cast<size_t>(first / kMadePiece); }

// Pieces of `count` values on threads; Ctrl-C between rounds of them.
template <class Work>
void each_piece(uint64_t count, int threads, const StopRequest& stop, Work&& work) {
  const uint64_t round = kMadePiece * 64 * static_cast<uint64_t>(threads);
  for (uint64_t at = 0; at < count; at += round) {
    stop.check();
    parallel_slices(std::min(round, count - at), threads, kMadePiece,
                    [&](size_t begin, size_t end, int worker) {
                      for (size_t piece = begin; piece < end; piece += kMadePiece)
                        work(at + piece, std::min<size_t>(kMadePiece, end - piece), worker);
                    });
  }
}

}  // namespace

TensorReader::TensorReader(const SafeTensors& checkpoint) {
  for (const auto& path : checkpoint.files()) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw system_error("cannot open '" + path.string() + "'", errno);
    files_.push_back(fd);
    names_.push_back(path.string());
  }
}

TensorReader::TensorReader(TensorReader&& other) noexcept
    : files_(std::move(other.files_)), names_(std::move(other.names_)) {
  other.files_.clear();
}

TensorReader::~TensorReader() {
  for (const int fd : files_) close(fd);
}

void TensorReader::read(const TensorInfo& tensor, uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = pread(files_[tensor.file], to.data(), to.size(),
                              static_cast<off_t>(tensor.offset + offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("cannot read '" + names_[tensor.file] + "'", errno);
    if (got == 0)
      throw Error(ErrorKind::failed,
                  "'" + names_[tensor.file] + "' became shorter while it was read")
          .with_hint("something else writes to the source; wait for it and run again");
    to = to.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
}

TensorMerge::TensorMerge(MergeRule rule, std::vector<MergeInput> inputs,
                         std::atomic<int64_t>& not_numbers)
    : rule_(rule),
      inputs_(std::move(inputs)),
      not_numbers_(not_numbers),
      count_(static_cast<uint64_t>(inputs_.at(0).tensor->elements())) {
  sparsity_.resize(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const bool f32 = !of_task_vectors();  // mergekit holds linear's weights in f32
    if (f32 || i != rule_.base)
      weights_.push_back(f32 ? static_cast<float>(inputs_[i].weight)
                             : of_work(rule_.work, inputs_[i].weight));
  }
}

bool TensorMerge::of_task_vectors() const {
  return !rule_.mean && rule_.method != MergeMethod::passthrough &&
         rule_.method != MergeMethod::linear && rule_.method != MergeMethod::slerp;
}

void TensorMerge::load(size_t input, uint64_t first, std::span<float> to) const {
  const MergeInput& from = inputs_[input];
  const size_t width = dtype_size(from.tensor->dtype);
  thread_local std::vector<std::byte> raw;
  raw.resize(to.size() * width);
  from.reader->read(*from.tensor, first * width, raw);
  merge_loops().widen(from.tensor->dtype, raw.data(), rule_.work, to.data(), to.size());
}

void TensorMerge::load_delta(size_t input, uint64_t first, std::span<const float> base,
                             std::span<float> to) const {
  load(input, first, to);
  merge_loops().subtract(rule_.work, base.data(), to.data(), to.size());
}

template <class Take>
void TensorMerge::each_delta(size_t input, int threads, const StopRequest& stop,
                             Take&& take) const {
  std::vector<std::vector<float>> buffers(static_cast<size_t>(threads));
  each_piece(count_, threads, stop, [&](uint64_t first, size_t size, int worker) {
    auto& buffer = buffers[static_cast<size_t>(worker)];
    buffer.resize(2 * kMadePiece);
    const auto base = std::span(buffer).first(size);
    const auto delta = std::span(buffer).subspan(kMadePiece, size);
    load(rule_.base, first, base);
    load_delta(input, first, base, delta);
    take(first, delta, worker);
  });
}

void TensorMerge::prepare(int threads, const StopRequest& stop) {
  if (rule_.mean) return;
  if (rule_.method == MergeMethod::slerp) return find_angle(threads, stop);
  if (!of_task_vectors() || rule_.method == MergeMethod::task_arithmetic) return;
  const bool by_chance =
      rule_.method == MergeMethod::dare_linear || rule_.method == MergeMethod::dare_ties;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Sparsity& how = sparsity_[i];
    const double density = inputs_[i].density;
    if (i == rule_.base || density >= 1) continue;
    how.all = false;
    if (by_chance) {
      how.none = density <= 0;
      how.density = of_work(rule_.work, density);
      how.stream = rule_.stream + 0x9e3779b97f4a7c15ULL * (uint64_t(i) << 40);
    } else {
      how.none = density <= 0 || count_ == 0;
      if (!how.none) find_threshold(i, how, threads, stop);
    }
    if (rule_.rescale && !how.none) find_rescale(i, how, threads, stop);
  }
}

// The angle between the two tensors as vectors. The sums are taken in f64; torch takes them in f32.
void TensorMerge::find_angle(int threads, const StopRequest& stop) {
  const MergeLoops& loops = merge_loops();
  const size_t other = 1 - rule_.base;
  const size_t pieces = piece_of(count_ + kMadePiece - 1);
  std::vector<double> a(pieces), b(pieces);  // by piece: the same sum on any number of threads
  const auto each = [&](const auto& take) {
    std::vector<std::vector<float>> buffers(static_cast<size_t>(threads));
    each_piece(count_, threads, stop, [&](uint64_t first, size_t size, int worker) {
      auto& buffer = buffers[static_cast<size_t>(worker)];
      buffer.resize(2 * kMadePiece);
      load(rule_.base, first, std::span(buffer).first(size));
      load(other, first, std::span(buffer).subspan(kMadePiece, size));
      take(piece_of(first), buffer.data(), buffer.data() + kMadePiece, size);
    });
  };
  const auto sum = [](const std::vector<double>& parts) {
    double total = 0;
    for (const double part : parts) total += part;
    return total;
  };
  each([&](size_t piece, const float* x, const float* y, size_t size) {
    a[piece] = loops.sum_of_squares(x, size);
    b[piece] = loops.sum_of_squares(y, size);
  });
  const auto norm = [&](const std::vector<double>& parts) {
    const auto length = static_cast<float>(std::sqrt(sum(parts)));
    return length > 1e-8f ? length : 1.0f;
  };
  const float length_a = norm(a), length_b = norm(b);
  each([&](size_t piece, const float* x, const float* y, size_t size) {
    a[piece] = loops.dot(x, length_a, y, length_b, size);
  });
  const float cosine = std::clamp(static_cast<float>(sum(a)), -1.0f, 1.0f);
  const auto t = static_cast<float>(rule_.t);
  share_of_base_ = 1 - t;
  share_of_other_ = t;
  if (std::fabs(cosine) > 0.9995f) return;  // all but parallel: on the straight line
  const auto sine = [](float x) { return static_cast<float>(std::sin(static_cast<double>(x))); };
  const auto angle = static_cast<float>(std::acos(static_cast<double>(cosine)));
  share_of_base_ = sine((1 - t) * angle) / sine(angle);
  share_of_other_ = sine(t * angle) / sine(angle);
}

// The magnitude of the k-th largest difference, and how many of exactly that one may stay: those
// that come first. Counted by the upper half of their bits, then by the lower one.
void TensorMerge::find_threshold(size_t input, Sparsity& how, int threads,
                                 const StopRequest& stop) const {
  const auto wanted = std::max<uint64_t>(
      1, static_cast<uint64_t>(inputs_[input].density * static_cast<double>(count_)));
  constexpr uint32_t bins = 1U << 16;
  const auto bits_of = [](float value) { return std::bit_cast<uint32_t>(value) & 0x7fffffffU; };
  const auto histogram = [&](const auto& bin_of) {
    std::vector<std::vector<uint64_t>> counts(static_cast<size_t>(threads),
                                              std::vector<uint64_t>(bins));
    each_delta(input, threads, stop, [&](uint64_t, std::span<float> delta, int worker) {
      auto& mine = counts[static_cast<size_t>(worker)];
      for (const float value : delta)
        if (const uint32_t bin = bin_of(bits_of(value)); bin < bins) ++mine[bin];
    });
    for (size_t i = 1; i < counts.size(); ++i)
      for (uint32_t bin = 0; bin < bins; ++bin) counts[0][bin] += counts[i][bin];
    return std::move(counts[0]);
  };
  // The bin that the k-th largest lies in, and how many of it are still wanted.
  const auto find = [&](const std::vector<uint64_t>& counts, uint64_t& left) {
    uint32_t bin = bins - 1;
    while (bin > 0 && counts[bin] < left) left -= counts[bin--];
    return bin;
  };
  uint64_t left = wanted;
  const uint32_t upper = find(histogram([](uint32_t bits) { return bits >> 16; }), left);
  uint32_t lower = 0;
  if (rule_.work != DType::bf16)  // bf16 has no lower half
    lower =
        find(histogram([&](uint32_t bits) { return bits >> 16 == upper ? bits & 0xffffU : bins; }),
             left);
  how.magnitude = upper << 16 | lower;
  std::vector<uint64_t> ties(piece_of(count_ + kMadePiece - 1));
  each_delta(input, threads, stop, [&](uint64_t first, std::span<float> delta, int) {
    ties[piece_of(first)] = static_cast<uint64_t>(std::count_if(
        delta.begin(), delta.end(), [&](float value) { return bits_of(value) == how.magnitude; }));
  });
  for (uint64_t& here : ties) {
    const uint64_t stay = std::min(here, left);
    left -= stay;
    here = stay;
  }
  how.ties_left = std::move(ties);
}

// What is left is made as large as all was: by the sum of magnitudes.
void TensorMerge::find_rescale(size_t input, Sparsity& how, int threads,
                               const StopRequest& stop) const {
  const size_t pieces = piece_of(count_ + kMadePiece - 1);
  std::vector<double> before(pieces), after(pieces);
  each_delta(input, threads, stop, [&](uint64_t first, std::span<float> delta, int) {
    before[piece_of(first)] = merge_loops().sum_of_magnitudes(delta.data(), delta.size());
    sparsify(how, first, delta);
    after[piece_of(first)] = merge_loops().sum_of_magnitudes(delta.data(), delta.size());
  });
  double all = 0, kept = 0;
  for (const double part : before) all += part;
  for (const double part : after) kept += part;
  // torch's bernoulli path works in f32 for f16, magnitude's in the dtype itself.
  const DType work =
      rule_.method == MergeMethod::ties || rule_.work == DType::bf16 ? rule_.work : DType::f32;
  const float a = of_work(work, all), b = of_work(work, kept);
  if (!(a < 1e-7f) && !(b < 1e-7f)) how.rescale = rounded(work, a / b);
}

void TensorMerge::sparsify(const Sparsity& how, uint64_t first, std::span<float> delta) const {
  if (how.all) return;
  const MergeLoops& loops = merge_loops();
  if (how.none) return std::fill(delta.begin(), delta.end(), 0.0f);
  if (how.ties_left.empty()) {
    loops.keep_by_chance(how.stream, first, how.density, delta.data(), delta.size());
  } else {
    loops.keep_from(how.magnitude, delta.data(), delta.size());
    // Zero is the smallest magnitude: there all differences stay, or are zero already.
    uint64_t left = how.ties_left[piece_of(first)];
    for (float& value : delta)
      if ((std::bit_cast<uint32_t>(value) & 0x7fffffffU) == how.magnitude) {
        if (left == 0) value *= 0.0f;
        else --left;
      }
  }
  if (how.rescale != 1.0f) loops.scale(rule_.work, how.rescale, delta.data(), delta.size());
}

void TensorMerge::fill_linear(uint64_t first, std::span<float> out) const {
  const MergeLoops& loops = merge_loops();
  thread_local std::vector<float> values;
  values.resize(out.size());
  std::fill(out.begin(), out.end(), 0.0f);
  float total = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    load(i, first, values);
    const float weight = rule_.mean ? 1.0f : weights_[i];
    loops.add_product(weight, values.data(), out.data(), out.size());
    total += weight;
  }
  if (rule_.mean || rule_.normalize) loops.divide(total, out.data(), out.size());
  loops.scale(rule_.work, 1, out.data(), out.size());
}

void TensorMerge::fill_task(uint64_t first, std::span<float> out) const {
  thread_local std::vector<float> base, deltas;
  base.resize(out.size());
  deltas.resize(weights_.size() * out.size());
  load(rule_.base, first, base);
  size_t row = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (i == rule_.base) continue;
    const auto delta = std::span(deltas).subspan(row++ * out.size(), out.size());
    load_delta(i, first, base, delta);
    sparsify(sparsity_[i], first, delta);
  }
  const TaskMix how{
      .work = rule_.work,
      .weights = weights_,
      .consensus = rule_.method == MergeMethod::ties || rule_.method == MergeMethod::dare_ties,
      .normalize = rule_.normalize,
      .lambda = static_cast<float>(rule_.lambda)};
  if (weights_.empty()) std::copy(base.begin(), base.end(), out.begin());
  else merge_loops().mix(how, deltas.data(), out.size(), base.data(), out.data(), out.size());
}

void TensorMerge::fill(uint64_t first, std::span<std::byte> to) const {
  const MergeLoops& loops = merge_loops();
  thread_local std::vector<float> values, second;
  values.resize(to.size() / dtype_size(rule_.out));
  if (rule_.mean || rule_.method == MergeMethod::linear) {
    fill_linear(first, values);
  } else if (rule_.method == MergeMethod::passthrough) {
    load(0, first, values);
    if (rule_.scale != 1)
      loops.scale(rule_.work, static_cast<float>(rule_.scale), values.data(), values.size());
  } else if (rule_.method == MergeMethod::slerp) {
    second.resize(values.size());
    load(rule_.base, first, values);
    load(1 - rule_.base, first, second);
    loops.blend(share_of_base_, values.data(), share_of_other_, second.data(), values.data(),
                values.size());
    loops.scale(rule_.work, 1, values.data(), values.size());
  } else {
    fill_task(first, values);
  }
  if (const size_t nan = loops.count_nan(values.data(), values.size()); nan > 0)
    not_numbers_ += static_cast<int64_t>(nan);
  loops.narrow(rule_.out, values.data(), to.data(), values.size());
}

}  // namespace helio::checkpoint
