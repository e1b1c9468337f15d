#include "checkpoint/lora_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "checkpoint/cast.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/json.h"

namespace helio::checkpoint {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";

struct Scaling {
  double alpha = 8;
  bool rank_stabilised = false;
  bool transposed = false;                    // fan_in_fan_out: the base's weights are [in, out]
  std::map<std::string, double> alphas = {};  // by the end of a module's name

  double scale(const std::string& module, int64_t rank) const {
    double chosen = alpha;
    for (const auto& [name, value] : alphas)
      if (module == name || module.ends_with("." + name)) chosen = value;
    const auto size = static_cast<double>(rank);
    return chosen / (rank_stabilised ? std::sqrt(size) : size);
  }
};

Scaling read_config(const fs::path& dir) {
  const fs::path file = dir / "adapter_config.json";
  if (!fs::exists(file))
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no adapter_config.json")
        .with_hint("an adapter's folder is what PEFT's save_pretrained writes");
  const Json config = load_json(file);
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::invalid, file.string() + ": " + what);
  };
  if (!config.is_object()) throw fail("must be an object");
  const auto value = [&](const char* key) {
    const auto found = config.find(key);
    return found == config.end() ? Json() : *found;
  };
  if (value("peft_type") != "LORA")
    throw fail("'peft_type' is " + compact(OrderedJson(value("peft_type"))) +
               "; LORA is merged here");
  // What changes numbers and is not computed here.
  for (const char* key :
       {"use_dora", "lora_bias", "use_qalora", "layer_replication", "alora_invocation_tokens",
        "trainable_token_indices", "target_parameters", "megatron_config", "use_bdlora"}) {
    const Json given = value(key);
    if (!given.is_null() && given != false && !(given.is_structured() && given.empty()))
      throw fail(fmt::format("'{}' is not merged here", key));
  }
  if (const Json bias = value("bias"); !bias.is_null() && bias != "none")
    throw fail("'bias' is " + compact(OrderedJson(bias)) + "; only \"none\" is merged here");
  Scaling out;
  if (!value("lora_alpha").is_number()) throw fail("'lora_alpha' must be a number");
  out.alpha = value("lora_alpha").get<double>();
  out.rank_stabilised = value("use_rslora") == true;
  out.transposed = value("fan_in_fan_out") == true;
  if (const Json alphas = value("alpha_pattern"); alphas.is_object()) {
    for (const auto& [name, alpha] : alphas.items()) {
      if (!alpha.is_number()) throw fail("'alpha_pattern." + name + "' must be a number");
      if (name.find_first_of("*+?()[]{}|\\^$") != name.npos)
        throw fail("'alpha_pattern." + name + "' is an expression; names are read here");
      out.alphas[name] = alpha.get<double>();
    }
  }
  return out;
}

// B A of one weight, both as f32.
struct LowRank {
  std::vector<float> a = {}, b = {};  // [r, in], [out, r]
  int64_t rank = 0, in = 0, out = 0;
  double scale = 1;
  bool transposed = false;  // rows of the weight are inputs

  int64_t rows() const { return transposed ? in : out; }
  int64_t width() const { return transposed ? out : in; }
  void add_to(int64_t row, std::span<float> values) const {
    std::vector<double> sums(values.size(), 0.0);
    const auto size = values.size();
    for (int64_t k = 0; k < rank; ++k) {
      if (transposed) {
        const double left = a[static_cast<size_t>(k * in + row)];
        for (size_t i = 0; i < size; ++i)
          sums[i] +=
              left * static_cast<double>(b[i * static_cast<size_t>(rank) + static_cast<size_t>(k)]);
      } else {
        const double left = b[static_cast<size_t>(row * rank + k)];
        const float* const other = a.data() + k * in;
        for (size_t i = 0; i < size; ++i) sums[i] += left * static_cast<double>(other[i]);
      }
    }
    for (size_t i = 0; i < size; ++i) values[i] += static_cast<float>(sums[i] * scale);
  }
};

std::vector<float> floats_of(const SafeTensors& file, const TensorInfo& tensor) {
  std::vector<float> out(static_cast<size_t>(tensor.elements()));
  in_context([&] { return "reading the adapter's '" + shown(tensor.name) + "'"; },
             [&] { to_floats(tensor.dtype, file.data(tensor), out); });
  return out;
}

}  // namespace

class AdaptedWeights::Impl {
 public:
  Impl(const fs::path& base, const fs::path& adapter)
      : scaling_(read_config(adapter)),
        base_(base),
        adapter_(adapter / "adapter_model.safetensors") {
    for (const auto& tensor : adapter_.tensors()) add(tensor);
    for (const auto& [name, parts] : pairs_) pair(name, parts);
    if (changes_.empty() && replaced_.empty())
      throw Error(ErrorKind::invalid, adapter.string() + ": the adapter has no weights");
  }

  std::vector<MadeTensor> tensors() const {
    std::vector<MadeTensor> out;
    for (const auto& tensor : base_.tensors()) {
      const auto change = changes_.find(tensor.name);
      const auto other = replaced_.find(tensor.name);
      const auto low_rank = change == changes_.end() ? nullptr : change->second;
      const bool replaced = other != replaced_.end();
      const TensorInfo& source = replaced ? *other->second : tensor;
      out.push_back({.name = tensor.name,
                     .dtype = tensor.dtype,
                     .shape = tensor.shape,
                     .make = [=, data = (replaced ? adapter_ : base_).data(source),
                              from = source.dtype, to = tensor.dtype,
                              width = tensor.shape.empty() ? int64_t(1) : tensor.shape.back()](
                                 int64_t first_row, std::span<std::byte> bytes) {
                       make_rows(low_rank.get(), data, from, to, width, first_row, bytes);
                     }});
    }
    return out;
  }
  const SafeTensors& base() const { return base_; }
  Counts counts() const {
    const auto alone = std::count_if(replaced_.begin(), replaced_.end(), [&](const auto& entry) {
      return !changes_.contains(entry.first);
    });
    return {.tensors = static_cast<int64_t>(base_.tensors().size()),
            .merged = static_cast<int64_t>(changes_.size()),
            .replaced = static_cast<int64_t>(alone)};
  }

  std::vector<std::string> changed() const {
    std::set<std::string> names;
    for (const auto& [name, change] : changes_) names.insert(name);
    for (const auto& [name, tensor] : replaced_) names.insert(name);
    return {names.begin(), names.end()};
  }

 private:
  struct Parts {
    const TensorInfo *a = nullptr, *b = nullptr;
    bool embedding = false;
  };

  static void make_rows(const LowRank* low_rank, std::span<const std::byte> data, DType from,
                        DType to, int64_t width, int64_t first_row, std::span<std::byte> bytes) {
    const size_t count = bytes.size() / dtype_size(to);
    const auto in = data.subspan(static_cast<size_t>(first_row * width) * dtype_size(from),
                                 count * dtype_size(from));
    if (!low_rank && from == to) {
      if (!in.empty()) std::memcpy(bytes.data(), in.data(), in.size());
      return;
    }
    std::vector<float> values(count);
    to_floats(from, in, values);
    const auto size = static_cast<size_t>(width);
    for (size_t at = 0; low_rank && at < count; at += size)
      low_rank->add_to(first_row + static_cast<int64_t>(at / size),
                       std::span(values).subspan(at, size));
    from_floats(to, values, bytes);
  }

  [[noreturn]] static void fail(const std::string& name, const std::string& what) {
    throw Error(ErrorKind::invalid, "the adapter's '" + shown(name) + "' " + what);
  }

  const TensorInfo& in_base(const std::string& name, const std::string& adapter_name) const {
    const TensorInfo* const found = base_.find(name);
    if (!found)
      throw Error(ErrorKind::invalid, "the adapter's '" + shown(adapter_name) + "' changes '" +
                                          shown(name) + "', which the model does not have")
          .with_hint(
              "was the adapter trained on this model? a tied head has no weights of its own");
    if (!is_castable(found->dtype))
      fail(adapter_name, "changes weights of dtype " + std::string(dtype_name(found->dtype)));
    return *found;
  }

  // "base_model.model.MODULE.lora_A.weight" and the like.
  void add(const TensorInfo& tensor) {
    if (!tensor.name.starts_with(kPrefix))
      fail(tensor.name, "does not begin with '" + std::string(kPrefix) + "'");
    std::string name = tensor.name.substr(kPrefix.size());
    struct Ending {
      std::string_view text;
      bool is_a, embedding;
    };
    static constexpr Ending kEndings[] = {{".lora_A.weight", true, false},
                                          {".lora_B.weight", false, false},
                                          {".lora_embedding_A", true, true},
                                          {".lora_embedding_B", false, true}};
    for (const auto& ending : kEndings) {
      if (!name.ends_with(ending.text)) continue;
      Parts& parts = pairs_[name.substr(0, name.size() - ending.text.size())];
      (ending.is_a ? parts.a : parts.b) = &tensor;
      parts.embedding = ending.embedding;
      return;
    }
    if (name.find("lora_") != name.npos) fail(tensor.name, "is not known here");
    // An embedding saved beside its adapter: where the sum begins.
    static constexpr std::string_view kBaseLayer = ".base_layer.weight";
    if (name.ends_with(kBaseLayer))
      name.replace(name.size() - kBaseLayer.size(), kBaseLayer.size(), ".weight");
    const TensorInfo& old = in_base(name, tensor.name);
    if (old.shape != tensor.shape)
      throw Error(ErrorKind::invalid, "the adapter's '" + shown(tensor.name) +
                                          "' has another shape than the model's tensor")
          .with_hint("for an extended vocabulary, helio model resize makes the rows first");
    replaced_[name] = &tensor;
  }

  void pair(const std::string& module, const Parts& parts) {
    if (!parts.a || !parts.b)
      fail((parts.a ? parts.a : parts.b)->name,
           "has no partner (lora_A and lora_B belong together)");
    const TensorInfo& weight = in_base(module + ".weight", parts.a->name);
    for (const auto* tensor : {parts.a, parts.b})
      if (tensor->shape.size() != 2) fail(tensor->name, "must be a matrix");
    auto change = std::make_shared<LowRank>();
    change->rank = parts.a->shape[0];
    change->in = parts.a->shape[1];
    change->out = parts.b->shape[0];
    // An embedding's rows are its inputs.
    change->transposed = parts.embedding || scaling_.transposed;
    if (parts.b->shape[1] != change->rank || change->rank == 0)
      fail(parts.b->name, "has another rank than its lora_A");
    if (weight.shape != std::vector<int64_t>{change->rows(), change->width()})
      fail(parts.a->name, "and its lora_B do not have the shape of '" + shown(weight.name) + "'");
    change->scale = scaling_.scale(module, change->rank);
    change->a = floats_of(adapter_, *parts.a);
    change->b = floats_of(adapter_, *parts.b);
    changes_[weight.name] = std::move(change);
  }

  Scaling scaling_;
  SafeTensors base_, adapter_;
  std::map<std::string, Parts> pairs_ = {};
  std::map<std::string, std::shared_ptr<const LowRank>> changes_ = {};
  std::map<std::string, const TensorInfo*> replaced_ = {};
};

AdaptedWeights::AdaptedWeights(const fs::path& base, const fs::path& adapter)
    : impl_(std::make_unique<Impl>(base, adapter)) {}
AdaptedWeights::~AdaptedWeights() = default;
AdaptedWeights::AdaptedWeights(AdaptedWeights&&) noexcept = default;

std::vector<MadeTensor> AdaptedWeights::tensors() const { return impl_->tensors(); }
const SafeTensors& AdaptedWeights::base() const { return impl_->base(); }
AdaptedWeights::Counts AdaptedWeights::counts() const { return impl_->counts(); }
std::vector<std::string> AdaptedWeights::changed() const { return impl_->changed(); }

}  // namespace helio::checkpoint
