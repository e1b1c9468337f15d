// A decoder whose matrices are packed, and the steps of generation through it.
#include <algorithm>

#include "model/decoder_impl.h"
#include "model/packed_layer.h"
#include "model/paged_cache.h"
#include "nn/kernels.h"
#include "nn/layers.h"
#include "nn/parallel.h"

namespace helio::model {

using nn::WeightFormat;

Decoder::Decoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::optional<WeightFormat> Decoder::packed_as() const { return impl_->format; }

size_t Decoder::packed_bytes() const {
  size_t bytes = impl_->packed_embedding.bytes() + impl_->packed_head.bytes();
  for (const DecoderLayer& layer : impl_->layers)
    if (const PackedLayer* packed = layer.packed()) {
      for (const auto* matrix : {&packed->qkv, &packed->o, &packed->gate_up, &packed->down})
        bytes += matrix->bytes();
      for (const auto& expert : packed->experts)
        bytes += expert.gate_up.bytes() + expert.down.bytes();
    }
  return bytes;
}

void Decoder::Impl::pack_outer(WeightFormat wanted) {
  format = wanted;
  const WeightFormat outer = wanted == WeightFormat::int4 ? WeightFormat::int8 : wanted;
  packed_head = nn::PackedWeight(outer, {head});
  if (wanted == WeightFormat::f32) return;
  if (!config.tied_embeddings) packed_embedding = nn::PackedWeight(outer, {embedding});
  embedding = head = at::Tensor();
}

at::Tensor Decoder::Impl::packed_rows(const at::Tensor& ids_N) const {
  const nn::PackedWeight& rows = packed_embedding.defined() ? packed_embedding : packed_head;
  const at::Tensor ids = ids_N.contiguous();
  at::Tensor x = at::empty({ids.size(0), config.hidden_size}, at::TensorOptions(at::kFloat));
  const int64_t* const wanted = ids.const_data_ptr<int64_t>();
  float* const out = x.mutable_data_ptr<float>();
  for (int64_t i = 0; i < ids.size(0); ++i)
    if (wanted[i] < 0 || wanted[i] >= config.vocab_size)
      throw Error(ErrorKind::invalid, "token id " + std::to_string(wanted[i]) +
                                          " is outside the model's vocabulary of " +
                                          std::to_string(config.vocab_size));
  nn::parallel_rows(ids.size(0), 16, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) rows.row(wanted[i], out + i * config.hidden_size);
  });
  return x;
}

bool Decoder::Impl::runs_packed(PagedCache& cache) const {
  return format && nn::kernels() != nullptr && layers.front().packed() != nullptr &&
         cache.keys(0).scalar_type() == at::kFloat &&
         std::all_of(layers.begin(), layers.end(),
                     [](const DecoderLayer& layer) { return layer.packed() != nullptr; });
}

at::Tensor Decoder::Impl::run_packed(const at::Tensor& ids_N, PagedCache& cache,
                                     std::span<const nn::PagedStep> steps,
                                     const Rotations& rotations) const {
  const at::Tensor embedded = embed(ids_N).contiguous();
  StepBuffers buffers(config, ids_N.size(0));
  std::copy_n(embedded.const_data_ptr<float>(), buffers.x.size(), buffers.x.data());
  const auto tokens_of = [&](const nn::Rotation& rotation) {
    return StepTokens{.steps = steps,
                      .cos = rotation.cos.const_data_ptr<float>(),
                      .sin = rotation.sin.const_data_ptr<float>(),
                      .half = rotation.cos.size(1)};
  };
  const StepTokens full = tokens_of(rotations.full), sliding = tokens_of(rotations.sliding);
  const auto run_layers = [&](nn::Phases& phases) {
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      run_packed_layer(config, *layers[i].packed(), layers[i].rule(),
                       layers[i].slides() ? sliding : full, cache.keys(at), cache.values(at),
                       buffers, phases);
    }
  };
  if (config.experts.count == 0 && is_short(steps)) nn::with_team(run_layers);
  else run_layers(nn::woken_phases());
  at::Tensor x_NH = at::empty(embedded.sizes(), embedded.options());
  std::copy(buffers.x.begin(), buffers.x.end(), x_NH.mutable_data_ptr<float>());
  return final_norm(x_NH);
}

}  // namespace helio::model
