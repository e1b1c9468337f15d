#include "nn/packed_weight.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>

#include "checkpoint/quant/floats.h"
#include "checkpoint/quant/quantise.h"
#include "core/error.h"
#include "core/gguf.h"
#include "nn/parallel.h"

namespace helio::nn {
namespace {

// From here on LibTorch's own product of f32 matrices is the faster one.
constexpr int64_t kManyRows = 24;

int64_t whole(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

bool has_codes(WeightFormat format) {
  return format == WeightFormat::int8 || format == WeightFormat::int4;
}

bool is_bf16(WeightFormat format) {
  return format == WeightFormat::bf16 || format == WeightFormat::bf16_both;
}

constexpr std::array<std::string_view, 5> kNames = {"f32", "bf16", "bf16_both", "int8", "int4"};

// Bytes of one block of 32 columns of a panel.
size_t block_bytes(WeightFormat format) {
  switch (format) {
    case WeightFormat::bf16:
    case WeightFormat::bf16_both:
      return kPanelRows * kBlock * 2;
    case WeightFormat::int8:
      return kPanelRows * kBlock;
    case WeightFormat::int4:
      return kPanelRows * kBlock / 2;
    case WeightFormat::f32:
      break;
  }
  return 0;
}

}  // namespace

std::string_view weight_format_name(WeightFormat format) {
  return kNames[static_cast<size_t>(format)];
}

void Activations::prepare(WeightFormat format, int64_t rows, int64_t width) {
  format_ = format;
  kernels_ = &product_kernels();
  rows_ = rows;
  width_ = width;
  blocks_ = whole(width, kBlock);
  const auto grow = [](auto& list, int64_t size) {
    if (list.size() < static_cast<size_t>(size)) list.resize(static_cast<size_t>(size));
  };
  const int64_t places = whole(rows, kTokenGroup) * kTokenGroup * blocks_;
  if (has_codes(format)) {
    grow(codes_, places * kBlock);
    grow(scales_, places);
    grow(offsets_, places);
  } else if (format == WeightFormat::bf16_both && kernels_->round_row) {
    grow(rounded_, places * kBlock);
  } else {
    grow(x_, places * kBlock);
  }
}

void Activations::set_row(int64_t row, const float* x) {
  // Of the row's first block, in blocks.
  const int64_t place = row / kTokenGroup * blocks_ * kTokenGroup + row % kTokenGroup;
  if (has_codes(format_)) {
    kernels_->quantise_row(x, width_, format_ == WeightFormat::int8 ? kInt8Zero : kInt4Zero,
                           codes_.data() + place * kBlock, scales_.data() + place,
                           offsets_.data() + place);
    return;
  }
  if (format_ == WeightFormat::bf16_both && kernels_->round_row)
    return kernels_->round_row(x, width_, rounded_.data() + place * kBlock);
  if (is_bf16(format_)) {
    const bool rounds = format_ == WeightFormat::bf16_both;
    for (int64_t b = 0; b < blocks_; ++b) {
      float* const to = x_.data() + (place + b * kTokenGroup) * kBlock;
      const int64_t count = std::min(kBlock, width_ - b * kBlock);
      for (int64_t i = 0; i < count; ++i) {
        const float value = x[b * kBlock + i];
        to[i] = rounds ? checkpoint::bfloat_to_float(checkpoint::float_to_bfloat(value)) : value;
      }
      std::fill(to + count, to + kBlock, 0.0F);
    }
    return;
  }
  float* const to = x_.data() + row * blocks_ * kBlock;
  std::copy_n(x, width_, to);
  std::fill(to + width_, to + blocks_ * kBlock, 0.0F);
}

void PackedWeight::Free::operator()(uint8_t* data) const { std::free(data); }

PackedWeight::PackedWeight(WeightFormat format, const std::vector<at::Tensor>& parts)
    : format_(format) {
  HELIO_CHECK(!parts.empty(), "a matrix at least");
  width_ = parts.front().size(1);
  blocks_ = whole(width_, kBlock);
  for (const at::Tensor& part : parts) {
    HELIO_CHECK(part.dim() == 2 && part.size(1) == width_, "matrices of one width");
    rows_ += part.size(0);
  }
  if (format == WeightFormat::f32) {
    int64_t first = 0;
    for (const at::Tensor& part : parts) {
      const at::Tensor floats = part.detach().to(at::kFloat).contiguous();
      parts_.push_back({floats, floats.const_data_ptr<float>(), first, floats.size(0)});
      first += floats.size(0);
    }
    return;
  }
  const int64_t panels = whole(rows_, kPanelRows);
  const size_t size = static_cast<size_t>(panels) * panel_bytes();
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(64, size)));
  if (!data_) throw std::bad_alloc();
  // Rows and columns beyond the matrix are 0.
  std::memset(data_.get(), format == WeightFormat::int8 ? kInt8Zero : 0, size);
  if (has_codes(format)) scales_.resize(static_cast<size_t>(panels * blocks_ * kPanelRows));
  int64_t first = 0;
  for (const at::Tensor& part : parts) {
    const at::Tensor floats = part.detach().to(at::kFloat).contiguous();
    const float* const values = floats.const_data_ptr<float>();
    // Blocks of rows share no bytes; an error is thrown on when all are done.
    std::exception_ptr failure;
    std::mutex mutex;
    parallel_rows(floats.size(0), 64, [&](int64_t from, int64_t to) {
      try {
        for (int64_t row = from; row < to; ++row) pack_row(first + row, values + row * width_);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
    first += floats.size(0);
  }
}

size_t PackedWeight::panel_bytes() const {
  return static_cast<size_t>(blocks_) * block_bytes(format_);
}

size_t PackedWeight::bytes() const {
  if (format_ == WeightFormat::f32) return 0;
  return static_cast<size_t>(whole(rows_, kPanelRows)) * panel_bytes() + scales_.size() * 2;
}

void PackedWeight::pack_row(int64_t row, const float* values) {
  const int64_t in = row % kPanelRows;
  uint8_t* const panel = data_.get() + static_cast<size_t>(row / kPanelRows) * panel_bytes();
  if (is_bf16(format_)) {
    auto* const to = reinterpret_cast<uint16_t*>(panel);
    for (int64_t k = 0; k < width_; ++k)
      to[k / 2 * 2 * kPanelRows + in * 2 + k % 2] = checkpoint::float_to_bfloat(values[k]);
    return;
  }
  const bool eight = format_ == WeightFormat::int8;
  uint16_t* const scales = scales_.data() + (row / kPanelRows * blocks_) * kPanelRows + in;
  for (int64_t b = 0; b < blocks_; ++b) {
    float block[kBlock] = {};
    std::copy_n(values + b * kBlock, std::min(kBlock, width_ - b * kBlock), block);
    std::array<uint8_t, 34> bytes{};
    checkpoint::quantise(eight ? GgmlType::q8_0 : GgmlType::q4_0, block,
                         std::as_writable_bytes(std::span(bytes.data(), eight ? 34 : 18)));
    std::memcpy(scales + b * kPanelRows, bytes.data(), 2);
    uint8_t* const to = panel + static_cast<size_t>(b) * block_bytes(format_);
    for (int64_t i = 0; i < (eight ? kBlock : kBlock / 2); ++i)
      to[i / 4 * 64 + in * 4 + i % 4] =
          eight ? static_cast<uint8_t>(bytes[static_cast<size_t>(2 + i)] ^ 0x80)
                : bytes[static_cast<size_t>(2 + i)];
  }
}

void PackedWeight::row(int64_t row, float* out) const {
  if (format_ == WeightFormat::f32) {
    for (const Part& part : parts_)
      if (row >= part.first_row && row < part.first_row + part.rows)
        std::copy_n(part.data + (row - part.first_row) * width_, width_, out);
    return;
  }
  const int64_t in = row % kPanelRows;
  const uint8_t* const panel = data_.get() + static_cast<size_t>(row / kPanelRows) * panel_bytes();
  const uint16_t* const scales = scales_.data() + (row / kPanelRows * blocks_) * kPanelRows + in;
  for (int64_t k = 0; k < width_; ++k) {
    const int64_t b = k / kBlock, i = k % kBlock, half = i % 16;
    const uint8_t* const block = panel + static_cast<size_t>(b) * block_bytes(format_);
    if (is_bf16(format_)) {
      out[k] = checkpoint::bfloat_to_float(
          reinterpret_cast<const uint16_t*>(panel)[k / 2 * 2 * kPanelRows + in * 2 + k % 2]);
      continue;
    }
    const float scale = checkpoint::half_to_float(scales[b * kPanelRows]);
    const uint8_t both = block[half / 4 * 64 + in * 4 + half % 4];
    const int value = format_ == WeightFormat::int8 ? block[i / 4 * 64 + in * 4 + i % 4] - kInt8Zero
                                                    : (i < 16 ? both & 15 : both >> 4) - kInt4Zero;
    out[k] = static_cast<float>(value) * scale;
  }
}

void PackedWeight::product(const Activations& a, float* out, int64_t out_row, Output output,
                           Phases& phases) const {
  HELIO_CHECK(a.format_ == format_ && a.width_ == width_, "activations made for this weight");
  const ProductKernels& kernels = *a.kernels_;
  PanelJob job{.blocks = blocks_,
               .width = width_,
               .codes = a.codes_.data(),
               .code_scales = a.scales_.data(),
               .offsets = a.offsets_.data(),
               .x = a.x_.data(),
               .rounded = a.rounded_.data(),
               .x_row = blocks_ * kBlock,
               .tokens = a.rows_,
               .out_row = out_row,
               .output = output};
  const int64_t panels = whole(rows_, kPanelRows);
  const bool pairs = format_ == WeightFormat::bf16_both && kernels.bf16_pairs_panel;
  const auto run = format_ == WeightFormat::int8   ? kernels.int8_panel
                   : format_ == WeightFormat::int4 ? kernels.int4_panel
                   : pairs                         ? kernels.bf16_pairs_panel
                   : is_bf16(format_)              ? kernels.bf16_panel
                                                   : kernels.f32_rows;
  // Few units for little work: taking one costs about as much as a hundred multiplications.
  const int64_t group = std::clamp<int64_t>(panels / 64, 1, 8);
  const auto each = [&](int64_t units, const auto& one) {
    phases.run(whole(units, group), [&](int64_t unit) {
      for (int64_t i = unit * group; i < std::min(units, (unit + 1) * group); ++i) one(i);
    });
  };
  if (format_ == WeightFormat::f32 && a.rows_ >= kManyRows && &phases == &woken_phases()) {
    const at::Tensor x =
        at::from_blob(const_cast<float*>(a.x_.data()), {a.rows_, width_}, {job.x_row, 1});
    for (const Part& part : parts_) {
      at::Tensor to = at::from_blob(out + part.first_row, {a.rows_, part.rows}, {out_row, 1});
      if (output == Output::add) at::addmm_out(to, to, x, part.tensor.t());
      else at::mm_out(to, x, part.tensor.t());
    }
    return;
  }
  if (format_ == WeightFormat::f32) {
    for (const Part& part : parts_)
      each(whole(part.rows, kPanelRows), [&](int64_t panel) {
        PanelJob mine = job;
        mine.weights = part.data + panel * kPanelRows * width_;
        mine.columns = std::min(kPanelRows, part.rows - panel * kPanelRows);
        mine.out = out + part.first_row + panel * kPanelRows;
        run(mine);
      });
    return;
  }
  each(panels, [&](int64_t panel) {
    PanelJob mine = job;
    mine.weights = data_.get() + static_cast<size_t>(panel) * panel_bytes();
    mine.scales = scales_.data() + panel * blocks_ * kPanelRows;
    mine.columns = std::min(kPanelRows, rows_ - panel * kPanelRows);
    mine.out = out + panel * kPanelRows;
    run(mine);
  });
}

at::Tensor PackedWeight::product(const at::Tensor& x) const {
  HELIO_CHECK(x.scalar_type() == at::kFloat && x.size(-1) == width_, "f32 rows of the width");
  const at::Tensor rows = x.reshape({-1, width_}).contiguous();
  at::Tensor out = at::empty({rows.size(0), rows_}, rows.options());
  Activations activations;
  activations.prepare(format_, rows.size(0), width_);
  const float* const from = rows.const_data_ptr<float>();
  parallel_rows(rows.size(0), 16, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) activations.set_row(i, from + i * width_);
  });
  product(activations, out.mutable_data_ptr<float>(), rows_, Output::set, woken_phases());
  auto shape = x.sizes().vec();
  shape.back() = rows_;
  return out.view(shape);
}

}  // namespace helio::nn
