#include "train/lora.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <fnmatch.h>

#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/rng.h"

namespace helio::train {
namespace {

constexpr std::string_view kWeight = ".weight";

std::string leaf_of(const std::string& module) { return module.substr(module.rfind('.') + 1); }

at::Tensor uniform(std::vector<int64_t> shape, double bound, uint64_t seed,
                   const std::string& name) {
  at::Tensor out = at::empty(shape, at::TensorOptions(at::kFloat));
  Rng rng = Rng::stream(seed, name);
  float* values = out.mutable_data_ptr<float>();
  constexpr double kSteps = 1 << 24;
  for (int64_t i = 0; i < out.numel(); ++i)
    values[i] =
        static_cast<float>(bound * (2 * static_cast<double>(rng.below(1 << 24)) / kSteps - 1));
  return out;
}

}  // namespace

Lora::Lora(const model::Decoder& model, Options options) : options_(std::move(options)) {
  const c10::AutoGradMode no_grad(false);
  std::vector<bool> used(options_.targets.size());
  std::map<std::string, bool> whole;  // leaf -> every weight of that leaf is a target
  for (const auto& [name, tensor] : model.parameters()) {
    bool target = false;
    for (size_t i = 0; i < options_.targets.size(); ++i)
      if (tensor.dim() == 2 && name.ends_with(kWeight) &&
          fnmatch(options_.targets[i].c_str(), name.c_str(), 0) == 0)
        used[i] = target = true;
    tensor.set_requires_grad(target);
    const std::string module = name.substr(0, name.size() - std::min(name.size(), kWeight.size()));
    const auto [leaf, fresh] = whole.emplace(leaf_of(module), target);
    if (!fresh) leaf->second = leaf->second && target;
    if (!target) continue;
    const int64_t out = tensor.size(0), in = tensor.size(1);
    adapters_.push_back({.module = module,
                         .weight = tensor,
                         .base = tensor.detach().clone(),
                         .a = uniform({options_.rank, in}, 1 / std::sqrt(static_cast<double>(in)),
                                      options_.seed, "lora " + module),
                         .b = at::zeros({out, options_.rank}, at::TensorOptions(at::kFloat))});
  }
  for (size_t i = 0; i < used.size(); ++i)
    if (!used[i])
      throw Error(ErrorKind::invalid, "no 2-D weight is named like '" + options_.targets[i] + "'")
          .with_hint("names are like " + model.parameters().back().name);
  std::set<std::string> modules;
  for (const Adapter& adapter : adapters_) {
    const std::string leaf = leaf_of(adapter.module);
    modules.insert(whole.at(leaf) ? leaf : adapter.module);
    adapter.a.set_requires_grad(true);  // their gradients are put there by take_gradients()
    adapter.b.set_requires_grad(true);
  }
  modules_.assign(modules.begin(), modules.end());
}

std::vector<model::Decoder::Named> Lora::parameters() const {
  std::vector<model::Decoder::Named> all;
  for (const auto& [name, tensor] : tensors()) all.push_back({name, tensor});
  return all;
}

std::vector<nn::NamedTensor> Lora::tensors() const {
  std::vector<nn::NamedTensor> all;
  for (const Adapter& adapter : adapters_) {
    const std::string name = "base_model.model." + adapter.module;
    all.push_back({name + ".lora_A.weight", adapter.a});
    all.push_back({name + ".lora_B.weight", adapter.b});
  }
  return all;
}

void Lora::take_gradients() {
  const c10::AutoGradMode no_grad(false);
  for (Adapter& adapter : adapters_) {
    const at::Tensor gradient = adapter.weight.grad();
    HELIO_CHECK(gradient.defined(), "no gradient for " + adapter.module);
    adapter.a.mutable_grad() = at::mm(adapter.b.t(), gradient) * scale();
    adapter.b.mutable_grad() = at::mm(gradient, adapter.a.t()) * scale();
    adapter.weight.mutable_grad().reset();
  }
}

void Lora::apply() {
  const c10::AutoGradMode no_grad(false);
  for (Adapter& adapter : adapters_)
    adapter.weight.copy_(at::addmm(adapter.base, adapter.b, adapter.a, 1, scale()));
}

void Lora::load(const checkpoint::SafeTensors& file) {
  const c10::AutoGradMode no_grad(false);
  for (const auto& [name, tensor] : tensors()) nn::read_tensor_into(file, file.at(name), tensor);
  apply();
}

void Lora::save(const std::filesystem::path& dir) const {
  make_dirs(dir);
  auto all = tensors();
  for (auto& one : all) one.tensor = one.tensor.detach();
  nn::write_tensors(dir / "adapter_model.safetensors", all);
  write_file_atomic(dir / "adapter_config.json", pretty({{"peft_type", "LORA"},
                                                         {"task_type", "CAUSAL_LM"},
                                                         {"r", options_.rank},
                                                         {"lora_alpha", options_.alpha},
                                                         {"lora_dropout", 0.0},
                                                         {"bias", "none"},
                                                         {"fan_in_fan_out", false},
                                                         {"inference_mode", true},
                                                         {"base_model_name_or_path", nullptr},
                                                         {"target_modules", modules_}}));
}

}  // namespace helio::train
