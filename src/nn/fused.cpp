#include "nn/fused.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <numeric>

#include "nn/kernels.h"
#include "nn/parallel.h"

namespace helio::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kBlock = 128;  // rows a thread takes at a time

const float* in(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
float* out(at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

struct RmsNorm : Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double eps) {
    const int64_t width = x.size(-1), rows = x.numel() / width;
    at::Tensor y = at::empty_like(x), inverse = at::empty({rows}, x.options());
    const float *from = in(x), *scale = in(weight);
    float *to = out(y), *inverses = out(inverse);
    parallel_rows(rows, kBlock, [&](int64_t first, int64_t last) {
      kernels()->rms_norm(from + first * width, scale, to + first * width, inverses + first,
                          last - first, width, static_cast<float>(eps));
    });
    context->save_for_backward({x, weight, inverse});
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &inverse = saved[2];
    const at::Tensor d = grad[0].contiguous();
    const int64_t width = x.size(-1), rows = x.numel() / width;
    at::Tensor d_x = at::empty_like(x);
    // One row of sums a block, added up in order: the same for any number of threads.
    at::Tensor sums = at::zeros({(rows + kBlock - 1) / kBlock, width}, x.options());
    const float *d_y = in(d), *from = in(x), *scale = in(weight), *inverses = in(inverse);
    float *to = out(d_x), *partial = out(sums);
    parallel_rows(rows, kBlock, [&](int64_t first, int64_t last) {
      kernels()->rms_norm_backward(d_y + first * width, from + first * width, scale,
                                   inverses + first, to + first * width,
                                   partial + first / kBlock * width, last - first, width);
    });
    return {d_x, sums.sum(0), {}};
  }
};

struct Swiglu : Function<Swiglu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate_up) {
    const int64_t width = gate_up.size(-1) / 2, rows = gate_up.numel() / (2 * width);
    at::Tensor y = at::empty({rows, width}, gate_up.options());
    const float* from = in(gate_up);
    float* to = out(y);
    parallel_rows(rows, kBlock, [&](int64_t first, int64_t last) {
      kernels()->swiglu(from + first * 2 * width, to + first * width, last - first, width);
    });
    context->save_for_backward({gate_up});
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const at::Tensor gate_up = context->get_saved_variables()[0], d = grad[0].contiguous();
    const int64_t width = gate_up.size(-1) / 2, rows = gate_up.numel() / (2 * width);
    at::Tensor d_gate_up = at::empty_like(gate_up);
    const float *d_y = in(d), *from = in(gate_up);
    float* to = out(d_gate_up);
    parallel_rows(rows, kBlock, [&](int64_t first, int64_t last) {
      kernels()->swiglu_backward(d_y + first * width, from + first * 2 * width,
                                 to + first * 2 * width, last - first, width);
    });
    return {d_gate_up};
  }
};

struct Document {
  int64_t first = 0, tokens = 0;
  std::vector<int64_t> branches = {};
};

// Longest first, so that no thread begins a long one when the others are done.
// `branches` holds a count and so many places for each document, or nothing.
std::vector<Document> by_length(const std::vector<int64_t>& lengths,
                                const std::vector<int64_t>& branches) {
  std::vector<Document> documents;
  int64_t first = 0;
  auto next = branches.begin();
  for (const int64_t tokens : lengths) {
    documents.push_back({first, tokens});
    first += tokens;
    if (branches.empty()) continue;
    const int64_t count = *next++;
    documents.back().branches.assign(next, next + count);
    next += count;
  }
  std::stable_sort(documents.begin(), documents.end(),
                   [](const Document& a, const Document& b) { return a.tokens > b.tokens; });
  return documents;
}

// What forward and backward share: a unit for each document and key/value head.
struct AttentionCall {
  Heads heads = {};
  std::vector<Document> documents = {};
  const float *qkv = nullptr, *cos = nullptr, *sin = nullptr, *d_out = nullptr;
  float *out = nullptr, *lse = nullptr, *d_qkv = nullptr;

  void run(void (*kernel)(const AttentionUnit&)) const {
    const auto units = static_cast<int64_t>(documents.size()) * heads.key_value;
    if (units == 0) return;
    const int64_t scratch = kernels()->attention_scratch(documents.front().tokens, heads.size);
    parallel_units(units, [&](int64_t index) {
      thread_local std::vector<float> room;  // kept: a step has hundreds of units
      if (static_cast<int64_t>(room.size()) < scratch) room.resize(static_cast<size_t>(scratch));
      AttentionUnit unit =
          unit_of(documents[static_cast<size_t>(index / heads.key_value)], index % heads.key_value);
      unit.scratch = room.data();
      kernel(unit);
    });
  }

  AttentionUnit unit_of(const Document& document, int64_t head) const {
    const int64_t first = document.first, size = heads.size;
    const int64_t shared = heads.query / heads.key_value;
    AttentionUnit unit{.tokens = document.tokens, .heads = shared, .size = size};
    unit.qkv_row = (heads.query + 2 * heads.key_value) * size;
    unit.out_row = heads.query * size;
    unit.lse_row = heads.query;
    const int64_t q = first * unit.qkv_row + head * shared * size;
    const int64_t k = first * unit.qkv_row + (heads.query + head) * size;
    const int64_t v = k + heads.key_value * size;
    const int64_t o = first * unit.out_row + head * shared * size;
    unit.q = qkv + q;
    unit.k = qkv + k;
    unit.v = qkv + v;
    unit.cos = cos + first * size / 2;
    unit.sin = sin + first * size / 2;
    unit.branches = document.branches.data();
    unit.branch_count = static_cast<int64_t>(document.branches.size());
    unit.out = out + o;
    unit.lse = lse + first * unit.lse_row + head * shared;
    if (d_qkv != nullptr) {
      unit.d_out = d_out + o;
      unit.d_q = d_qkv + q;
      unit.d_k = d_qkv + k;
      unit.d_v = d_qkv + v;
    }
    return unit;
  }
};

struct Attention : Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv, const at::Tensor& cos,
                            const at::Tensor& sin, int64_t query, int64_t key_value, int64_t size,
                            const std::vector<int64_t>& lengths,
                            const std::vector<int64_t>& branches) {
    at::Tensor y = at::empty({qkv.size(0), query * size}, qkv.options());
    at::Tensor lse = at::empty({qkv.size(0), query}, qkv.options());
    AttentionCall call{.heads = {query, key_value, size},
                       .documents = by_length(lengths, branches)};
    call.qkv = in(qkv);
    call.cos = in(cos);
    call.sin = in(sin);
    call.out = out(y);
    call.lse = out(lse);
    call.run(kernels()->attention);
    context->save_for_backward({qkv, cos, sin, y, lse});
    context->saved_data["heads"] = std::vector<int64_t>{query, key_value, size};
    context->saved_data["lengths"] = lengths;
    context->saved_data["branches"] = branches;
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto saved = context->get_saved_variables();
    const auto heads = context->saved_data["heads"].toIntVector();
    at::Tensor y = saved[3], lse = saved[4];
    const at::Tensor d = grad[0].contiguous();
    at::Tensor d_qkv = at::empty_like(saved[0]);
    AttentionCall call{.heads = {heads[0], heads[1], heads[2]},
                       .documents = by_length(context->saved_data["lengths"].toIntVector(),
                                              context->saved_data["branches"].toIntVector())};
    call.qkv = in(saved[0]);
    call.cos = in(saved[1]);
    call.sin = in(saved[2]);
    call.d_out = in(d);
    call.out = const_cast<float*>(in(y));  // only read backward
    call.lse = const_cast<float*>(in(lse));
    call.d_qkv = out(d_qkv);
    call.run(kernels()->attention_backward);
    return {d_qkv, {}, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

bool can_fuse(const at::Tensor& tensor) {
  return kernels() != nullptr && tensor.scalar_type() == at::kFloat && tensor.is_cpu() &&
         tensor.is_contiguous() && tensor.numel() > 0;
}

bool can_fuse_attention(const at::Tensor& qkv, const Heads& heads) {
  return can_fuse(qkv) && kernels()->attention_fits(heads.size);
}

at::Tensor fused_rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps) {
  return RmsNorm::apply(x_NH, weight_H, eps);
}

at::Tensor fused_swiglu(const at::Tensor& gate_up_N2F) { return Swiglu::apply(gate_up_N2F); }

at::Tensor fused_attention(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                           const std::vector<int64_t>& lengths, const Branches& branches) {
  std::vector<int64_t> flat;
  for (const auto& starts : branches) {
    flat.push_back(static_cast<int64_t>(starts.size()));
    flat.insert(flat.end(), starts.begin(), starts.end());
  }
  return Attention::apply(qkv, rotation.cos, rotation.sin, heads.query, heads.key_value, heads.size,
                          lengths, flat);
}

}  // namespace helio::nn
