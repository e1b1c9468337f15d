// Making, reading and writing a decoder's weights.
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <numbers>
#include <optional>
#include <set>

#include "checkpoint/decoder_weights.h"
#include "checkpoint/gguf/model.h"
#include "checkpoint/lora_adapter.h"
#include "checkpoint/safetensors.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/gguf.h"
#include "core/json.h"
#include "core/rng.h"
#include "model/decoder_impl.h"
#include "nn/parallel.h"
#include "nn/storage.h"
#include "nn/tensor_io.h"
#include "nn/torch_error.h"

namespace helio::model {
namespace {

// Box-Muller on our own generator: two normals from two uniforms.
void fill_normal(std::span<float> values, Rng rng, double std) {
  for (size_t i = 0; i < values.size(); i += 2) {
    const double radius = std * std::sqrt(-2 * std::log(1 - rng.uniform()));
    const double angle = 2 * std::numbers::pi * rng.uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

// Tensors of a checkpoint that are not weights of the decoder, yet no sign of a mismatch.
bool may_be_ignored(const checkpoint::SafeTensors& file, const checkpoint::TensorInfo& tensor,
                    const checkpoint::DecoderConfig& config) {
  // Old Llama checkpoints carry the rotary frequencies, which follow from config.json.
  if (tensor.name.ends_with("self_attn.rotary_emb.inv_freq")) return true;
  if (tensor.name != "lm_head.weight" || !config.tied_embeddings) return false;
  // A tied head written a second time must say the same.
  const checkpoint::TensorInfo& embedding = file.at("model.embed_tokens.weight");
  const auto head = file.data(tensor), words = file.data(embedding);
  return tensor.dtype == embedding.dtype && head.size() == words.size() &&
         std::memcmp(head.data(), words.data(), head.size()) == 0;
}

void refuse_extra_tensors(const checkpoint::SafeTensors& file,
                          const checkpoint::DecoderConfig& config) {
  std::set<std::string> known;
  for (const auto& weight : checkpoint::decoder_weights(config)) known.insert(weight.name);
  for (const checkpoint::TensorInfo& tensor : file.tensors()) {
    if (known.contains(tensor.name) || may_be_ignored(file, tensor, config)) continue;
    throw Error(ErrorKind::invalid, "tensor '" + tensor.name + "' is not part of this model")
        .with_hint(
            "config.json (num_hidden_layers, tie_word_embeddings, biases) does not describe "
            "these weights");
  }
}

Error missing(const std::string& name) {
  return Error(ErrorKind::invalid, "tensor '" + name + "' is missing")
      .with_hint("config.json and the weights do not belong together, or a shard is missing");
}

const checkpoint::TensorInfo& found(const checkpoint::SafeTensors& file, const std::string& name) {
  const checkpoint::TensorInfo* info = file.find(name);
  if (info == nullptr) throw missing(name);
  return *info;
}

// Room for a weight that a file has: not before the file says that it has that size.
at::Tensor room_for(const checkpoint::DecoderWeight& weight, const std::vector<int64_t>& stored) {
  if (stored == weight.shape) return at::empty(weight.shape, at::TensorOptions(at::kFloat));
  const auto text = [](const std::vector<int64_t>& shape) { return compact(OrderedJson(shape)); };
  throw Error(ErrorKind::invalid, "tensor '" + weight.name + "' has shape " + text(stored) +
                                      ", the model needs " + text(weight.shape))
      .with_hint("the config and the weights do not belong together");
}

// A folder's weights, changed by an adapter where there is one.
class StoredWeights {
 public:
  StoredWeights(const std::filesystem::path& dir, const std::filesystem::path& adapter)
      : file_(dir) {
    if (adapter.empty()) return;
    adapted_.emplace(dir, adapter);
    std::map<std::string, checkpoint::MadeTensor> all;
    for (auto& tensor : adapted_->tensors()) all.emplace(tensor.name, std::move(tensor));
    for (const auto& name : adapted_->changed()) made_.insert(all.extract(name));
  }

  const checkpoint::SafeTensors& file() const { return file_; }

  // Nothing that the adapter changes may be passed over.
  void check(const checkpoint::DecoderConfig& config) const {
    refuse_extra_tensors(file_, config);
    if (!adapted_) return;
    std::set<std::string> known;
    for (const auto& weight : checkpoint::decoder_weights(config)) known.insert(weight.name);
    for (const auto& name : adapted_->changed())
      if (!known.contains(name))
        throw Error(ErrorKind::invalid, "the adapter changes '" + name +
                                            "', which the model does not use (a tied head?)");
  }

  void read_into(const checkpoint::TensorInfo& stored, at::Tensor into) const {
    const auto made = made_.find(stored.name);
    if (made == made_.end()) return nn::read_tensor_into(file_, stored, std::move(into));
    at::Tensor values =
        at::empty(stored.shape, at::TensorOptions(nn::scalar_type(made->second.dtype)));
    if (values.sizes() != into.sizes()) return nn::read_tensor_into(file_, stored, into);  // throws
    const int64_t width = stored.shape.empty() ? 1 : stored.shape.back();
    const auto row_bytes = static_cast<size_t>(width) * checkpoint::dtype_size(stored.dtype);
    auto* const bytes = static_cast<std::byte*>(values.mutable_data_ptr());
    std::exception_ptr failure;
    std::mutex mutex;
    nn::parallel_rows(stored.elements() / width, 16, [&](int64_t first, int64_t last) {
      try {
        made->second.make(first, {bytes + static_cast<size_t>(first) * row_bytes,
                                  static_cast<size_t>(last - first) * row_bytes});
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
    const c10::AutoGradMode no_grad(false);
    into.copy_(values);
  }

 private:
  checkpoint::SafeTensors file_;
  std::optional<checkpoint::AdaptedWeights> adapted_ = {};
  std::map<std::string, checkpoint::MadeTensor> made_ = {};
};

OrderedJson generation_config(const checkpoint::DecoderConfig& config) {
  OrderedJson json;
  json["_from_model_config"] = true;
  if (config.bos) json["bos_token_id"] = *config.bos;
  if (config.eos) json["eos_token_id"] = *config.eos;
  if (config.pad) json["pad_token_id"] = *config.pad;
  return json;
}

}  // namespace

void Decoder::initialise(uint64_t seed, double std, const Keeps& keeps) {
  const c10::AutoGradMode no_grad(false);
  const double residual = 1 / std::sqrt(2 * static_cast<double>(config().layers));
  const auto weights = checkpoint::decoder_weights(config());  // in the parameters' order
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto& [role, name, shape] = weights[i];
    at::Tensor tensor = parameters()[i].tensor;
    if (keeps && !keeps(name)) {
      nn::release_storage(tensor);
      continue;
    }
    if (tensor.dim() == 1) {
      const bool ones =
          checkpoint::is_norm(role) && config().norm_weight != checkpoint::NormWeight::plus_one;
      tensor.fill_(ones ? 1 : 0);
      continue;
    }
    std::vector<float> values(static_cast<size_t>(tensor.numel()));
    fill_normal(values, Rng::stream(seed, "init." + name),
                checkpoint::adds_to_residual(role) ? std * residual : std);
    tensor.copy_(at::from_blob(values.data(), tensor.sizes(), at::TensorOptions(at::kFloat)));
  }
}

Decoder Decoder::load(const std::filesystem::path& dir, at::ScalarType dtype,
                      const std::filesystem::path& adapter, const Keeps& keeps) {
  const auto line = [&] { return "reading the weights in " + dir.string(); };
  return in_context(line, [&] {
    Decoder decoder(checkpoint::load_decoder_config(dir), dtype);
    const StoredWeights weights(dir, adapter);
    for (const Named& parameter : decoder.parameters()) {
      const checkpoint::TensorInfo& stored = found(weights.file(), parameter.name);
      if (keeps && !keeps(parameter.name)) nn::release_storage(parameter.tensor);
      else weights.read_into(stored, parameter.tensor);
    }
    weights.check(decoder.config());
    return decoder;
  });
}

Decoder Decoder::load_packed(const std::filesystem::path& dir, nn::WeightFormat format,
                             const std::filesystem::path& adapter) {
  const auto line = [&] { return "reading the weights in " + dir.string(); };
  return in_context(line, [&] {
    const auto packed = [&](const checkpoint::DecoderConfig& config, const auto& read) {
      const Source source{.format = format, .read = read};
      return Decoder(nn::with_torch_errors(
          [] { return std::string("packing a decoder's weights"); },
          [&] { return std::make_unique<Impl>(config, at::kFloat, &source); }));
    };
    if (std::filesystem::is_regular_file(dir) && is_gguf(dir)) {
      if (!adapter.empty())
        throw Error(ErrorKind::usage, "an adapter is applied to a Hugging Face folder, not to GGUF")
            .with_hint("helio model convert makes a folder of it");
      const checkpoint::GgufModel file(dir);
      const Json config = Json::parse(compact(file.config()));
      return packed(checkpoint::parse_decoder_config(config, dir.string()),
                    [&](const checkpoint::DecoderWeight& weight) {
                      const checkpoint::Weight* stored = file.find(weight.name);
                      if (stored == nullptr) throw missing(weight.name);
                      at::Tensor tensor = room_for(weight, stored->shape);
                      file.read(
                          *stored, 0,
                          {tensor.mutable_data_ptr<float>(), static_cast<size_t>(tensor.numel())});
                      return tensor;
                    });
    }
    const StoredWeights weights(dir, adapter);
    const auto config = checkpoint::load_decoder_config(dir);
    weights.check(config);
    return packed(config, [&](const checkpoint::DecoderWeight& weight) {
      const checkpoint::TensorInfo& stored = found(weights.file(), weight.name);
      at::Tensor tensor = room_for(weight, stored.shape);
      weights.read_into(stored, tensor);
      return tensor;
    });
  });
}

void Decoder::save(const std::filesystem::path& dir, at::ScalarType dtype) const {
  HELIO_CHECK(packed_as().value_or(nn::WeightFormat::f32) == nn::WeightFormat::f32,
              "weights that are not only packed");
  nn::with_torch_errors(
      [&] { return "saving the model to " + dir.string(); },
      [&] {
        std::vector<nn::NamedTensor> tensors;
        for (const Named& parameter : parameters())
          tensors.push_back({parameter.name, parameter.tensor.detach().to(dtype)});
        nn::write_tensors(dir / "model.safetensors", tensors);
      });
  save_config(dir, dtype);
}

void Decoder::save_config(const std::filesystem::path& dir, at::ScalarType dtype) const {
  checkpoint::DecoderConfig written = config();
  written.dtype = nn::config_dtype(dtype);
  write_file_atomic(dir / "config.json", pretty(checkpoint::decoder_config_json(written)));
  write_file_atomic(dir / "generation_config.json", pretty(generation_config(written)));
}

}  // namespace helio::model
