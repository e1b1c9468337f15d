#include "train/distributed/sharded_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <map>
#include <set>

#include "checkpoint/decoder_weights.h"
#include "core/error.h"
#include "nn/storage.h"
#include "train/distributed/share.h"

namespace helio::train::distributed {
namespace {

using Owners = std::map<std::string, int64_t>;

Owners owners_of(const checkpoint::DecoderConfig& config, int64_t size) {
  const auto weights = checkpoint::decoder_weights(config);
  std::vector<int64_t> sizes;
  for (const auto& weight : weights) sizes.push_back(weight.elements());
  const std::vector<int64_t> ranks = spread(sizes, size);
  Owners owners;
  for (size_t i = 0; i < weights.size(); ++i) owners[weights[i].name] = ranks[i];
  return owners;
}

}  // namespace

model::Decoder::Keeps ShardedWeights::keeps(const checkpoint::DecoderConfig& config, int64_t rank,
                                            int64_t size) {
  return [owners = owners_of(config, size), rank](const std::string& name) {
    return owners.at(name) == rank;
  };
}

ShardedWeights::ShardedWeights(Communicator& link, const model::Decoder& model)
    : link_(link), owns_(keeps(model.config(), link.rank(), link.size())) {
  const Owners owners = owners_of(model.config(), link.size());
  std::map<const void*, int64_t> owner_of;
  std::vector<Weight> all;
  for (const auto& [name, tensor] : model.parameters()) {
    all.push_back({tensor, owners.at(name)});
    owner_of[tensor.unsafeGetTensorImpl()] = all.back().owner;
  }
  std::set<const void*> inside;
  for (int64_t i = 0; i < model.config().layers; ++i) {
    Unit& layer = layers_.emplace_back();
    for (const at::Tensor& tensor : model.layer_weights(i)) {
      layer.weights.push_back({tensor, owner_of.at(tensor.unsafeGetTensorImpl())});
      inside.insert(tensor.unsafeGetTensorImpl());
    }
    drop(layer);
  }
  for (const Weight& weight : all)
    if (!inside.contains(weight.tensor.unsafeGetTensorImpl())) outer_.weights.push_back(weight);
  drop(outer_);
}

void ShardedWeights::start(Unit& unit) {
  if (unit.coming) return;
  unit.coming = true;
  const c10::AutoGradMode no_grad(false);
  for (const Weight& weight : unit.weights) {
    if (!own(weight)) nn::make_storage(weight.tensor);
    unit.arrivals.push_back(link_.begin_broadcast(weight.tensor.detach(), weight.owner));
  }
}

void ShardedWeights::bring(Unit& unit) {
  start(unit);
  for (const auto& arrived : unit.arrivals) arrived();
  unit.arrivals.clear();
}

void ShardedWeights::drop(Unit& unit) {
  HELIO_CHECK(unit.arrivals.empty(), "weights that have arrived");
  unit.coming = false;
  for (const Weight& weight : unit.weights)
    if (!own(weight)) nn::release_storage(weight.tensor);
}

void ShardedWeights::bring(int64_t layer, nn::Pass pass) {
  const auto at = static_cast<size_t>(layer);
  start(layers_[at]);
  const size_t next = pass == nn::Pass::forward ? at + 1 : at - 1;  // below 0: far too large
  if (next < layers_.size()) start(layers_[next]);
  bring(layers_[at]);
}

void ShardedWeights::drop(int64_t layer) { drop(layers_[static_cast<size_t>(layer)]); }

void ShardedWeights::give(int64_t layer, std::vector<at::Tensor> gradients) {
  finish_sums();  // those of the layer before: two layers' gradients exist at most
  begin_sums(layers_[static_cast<size_t>(layer)], std::move(gradients));
}

void ShardedWeights::begin_sums(const Unit& unit, std::vector<at::Tensor> gradients) {
  const c10::AutoGradMode no_grad(false);
  gradients.resize(unit.weights.size());
  for (size_t i = 0; i < unit.weights.size(); ++i) {
    const Weight& weight = unit.weights[i];
    if (!weight.tensor.requires_grad()) continue;  // frozen
    at::Tensor gradient = std::move(gradients[i]);
    // Memory of its own, so that no part of a joint gradient keeps the rest alive.
    if (gradient.defined() && gradient.storage().nbytes() != gradient.nbytes())
      gradient = gradient.clone();
    if (!gradient.defined()) gradient = at::zeros(weight.tensor.sizes(), weight.tensor.options());
    gradient = gradient.detach().contiguous();
    auto wait = link_.begin_sum_at(gradient, weight.owner);
    sums_.push_back({weight, std::move(gradient), std::move(wait)});
  }
}

void ShardedWeights::finish_sums() {
  const c10::AutoGradMode no_grad(false);
  for (Sum& sum : sums_) {
    sum.wait();
    if (!own(sum.weight)) continue;
    at::Tensor& grad = sum.weight.tensor.mutable_grad();
    if (grad.defined()) grad.add_(sum.gradient);
    else grad = std::move(sum.gradient);
  }
  sums_.clear();
}

void ShardedWeights::open() { bring(outer_); }
void ShardedWeights::close() { drop(outer_); }

void ShardedWeights::finish_gradients() {
  finish_sums();
  // Outside the layers gradients gathered in the weights themselves, over all passes.
  std::vector<at::Tensor> gradients;
  for (const Weight& weight : outer_.weights) {
    gradients.push_back(weight.tensor.grad());
    weight.tensor.mutable_grad().reset();
  }
  begin_sums(outer_, std::move(gradients));
  finish_sums();
  close();
}

void ShardedWeights::idle_pass(nn::Pass pass) {
  const auto count = static_cast<int64_t>(layers_.size());
  for (int64_t i = 0; i < count; ++i) {
    bring(i, nn::Pass::forward);
    drop(i);
  }
  if (pass == nn::Pass::forward) return;
  for (int64_t i = count; i-- > 0;) {
    bring(i, nn::Pass::backward);
    drop(i);
    give(i, {});
  }
}

}  // namespace helio::train::distributed
