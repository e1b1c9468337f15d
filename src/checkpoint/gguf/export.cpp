#include "checkpoint/gguf/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "checkpoint/gguf/model.h"
#include "checkpoint/made_tensors.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/quant/quantise.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"

namespace helio::checkpoint {

GgufExport::GgufExport(const GgufExportOptions& options) : options_(options) {
  const fs::path dir = options.model;
  const std::string source = (dir / "config.json").string();
  config_ = load_model_config(dir);
  family_ = &family_of_config(config_, source);
  if (config_.contains("quantization_config") && !config_["quantization_config"].is_null())
    throw Error(ErrorKind::invalid, source + ": the weights are quantised already")
        .with_hint("export the model that they were made from");
  weights_ = open_weights(dir);
  const auto expected = expected_tensors(config_, source);
  if (!expected)
    throw Error(ErrorKind::invalid, source + ": 'model_type' and 'architectures' disagree")
        .with_hint("copy config.json from the model this checkpoint was made from");
  std::vector<FoundTensor> found;
  for (const auto& weight : weights_->tensors())
    found.push_back({.name = weight.name, .shape = weight.shape});
  if (const auto differences = tensor_differences(*expected, found); !differences.empty())
    throw Error(ErrorKind::invalid, options.model + ": " + differences[0])
        .with_hint("`helio model check` lists all differences");
  outline_.layers = config_["num_hidden_layers"].get<int64_t>();
  const auto heads = config_["num_attention_heads"].get<int64_t>();
  const auto kv_heads =
      config_.contains("num_key_value_heads") && config_["num_key_value_heads"].is_number_integer()
          ? config_["num_key_value_heads"].get<int64_t>()
          : heads;
  // Of tied models only the embedding is written.
  const bool tied = std::any_of(expected->begin(), expected->end(),
                                [](const auto& tensor) { return tensor.optional; });
  outline_.separate_head = !tied;
  outline_.is_70b =
      family_->arch == "llama" && outline_.layers == 80 && heads == 64 && kv_heads == 8;
  for (const auto& tensor : *expected) {
    if (tensor.optional) continue;
    const auto name = gguf_name(*family_, tensor.name);
    HELIO_CHECK(name.has_value(), "a tensor without a name in GGUF");
    Part part{.gguf_name = *name,
              .weight = weights_->find(tensor.name),
              .plus_one = family_->norm_plus_one && tensor.name.ends_with("norm.weight"),
              .type = tensor_type(export_type_of(options.type), outline_, *name, tensor.shape)};
    if (!part.weight->floats)
      throw Error(ErrorKind::invalid, "tensor '" + tensor.name + "' holds whole numbers")
          .with_hint("the weights are quantised in a way that helio does not read");
    if (family_->permuted)
      part.heads = projection_of(tensor.name) == Projection::query ? heads
                   : projection_of(tensor.name) == Projection::key ? kv_heads
                                                                   : 0;
    if (part.heads > 0 && tensor.shape[0] / part.heads % 2 != 0)
      throw Error(ErrorKind::invalid, source + ": heads of an odd size have no RoPE")
          .with_hint("config.json is damaged");
    parts_.push_back(part);
  }
}

int64_t GgufExport::vocabulary() const { return config_["vocab_size"].get<int64_t>(); }

void GgufExport::write_part(GgufWriter& writer, const Part& part, const StopRequest& stop) const {
  const Weight& weight = *part.weight;
  const auto& info = ggml_type_info(part.type);
  const int64_t width = weight.width();
  const int64_t head = part.heads > 0 ? weight.shape[0] / part.heads : 0;
  const uint64_t row_bytes = static_cast<uint64_t>(width) / info.block * info.bytes;
  const auto make = [&](int64_t first_row, std::span<std::byte> to) {
    const auto rows = static_cast<int64_t>(to.size() / row_bytes);
    std::vector<float> values(static_cast<size_t>(rows * width));
    if (head == 0) {
      weights_->read(weight, first_row, values);
    } else if (weight.shape.size() == 1) {  // a bias: its values are the rows
      std::vector<float> order(values.size());
      weights_->read(weight, 0, order);
      for (int64_t i = 0; i < width; ++i)
        values[static_cast<size_t>(i)] = order[static_cast<size_t>(separated_row(i, head))];
    } else {
      for (int64_t i = 0; i < rows; ++i)
        weights_->read(
            weight, separated_row(first_row + i, head),
            std::span(values).subspan(static_cast<size_t>(i * width), static_cast<size_t>(width)));
    }
    if (part.plus_one)
      for (float& value : values) value += 1;
    if (part.type == GgmlType::f16)
      for (const float value : values)
        if (std::fabs(value) >= 65520 && std::isfinite(value))
          throw Error(ErrorKind::invalid, fmt::format("a value is {}, beyond float16", value))
              .with_hint("export with --type bf16");
    quantise(part.type, values, to);
  };
  in_context([&] { return "exporting tensor '" + shown(weight.name) + "'"; },
             [&] {
               stream_rows(weight.rows(), width, row_bytes, worker_count(options_.threads), stop,
                           make, [&](std::span<const std::byte> piece) { writer.write(piece); });
             });
}

GgufExport::Report GgufExport::write(const std::function<void(GgufPlan&)>& add_tokenizer,
                                     Monitor& monitor, const StopRequest& stop) const {
  if (options_.out.empty())
    throw Error(ErrorKind::usage, "no file to write to").with_hint("add --out FILE.gguf");
  if (fs::is_directory(options_.out))
    throw Error(ErrorKind::usage, "--out '" + options_.out + "' is a folder")
        .with_hint("name the file: --out " + (fs::path(options_.out) / "model.gguf").string());
  const ExportType type = export_type_of(options_.type);
  fs::path dir = fs::weakly_canonical(options_.model);
  if (dir.filename().empty()) dir = dir.parent_path();
  GgufPlan plan;
  plan.set_string("general.architecture", family_->arch);
  plan.set_string("general.type", "model");
  plan.set_string("general.name", options_.name.empty() ? dir.filename().string() : options_.name);
  const auto extra = set_architecture(plan, *family_, config_,
                                      (fs::path(options_.model) / "config.json").string());
  plan.set_u32("general.file_type", file_type_number(type));
  if (is_quantised(type)) plan.set_u32("general.quantization_version", 2);
  add_tokenizer(plan);
  for (const auto& tensor : extra)
    plan.add_tensor(tensor.name, GgmlType::f32, {static_cast<int64_t>(tensor.values.size())});
  Report report;
  std::map<std::string, int64_t> types;
  for (const auto& part : parts_) {
    plan.add_tensor(part.gguf_name, part.type, part.weight->shape);
    ++types[std::string(ggml_type_info(part.type).name)];
  }
  report.tensors = static_cast<int64_t>(plan.tensors().size());
  report.types.assign(types.begin(), types.end());
  report.bytes = plan.file_size();
  in_context([&] { return "writing '" + options_.out + "'"; },
             [&] {
               GgufWriter writer(options_.out, plan);
               for (const auto& tensor : extra)
                 writer.write(std::as_bytes(std::span(tensor.values)));
               monitor.begin("exporting", static_cast<int64_t>(parts_.size()), "tensors");
               int64_t done = 0;
               for (const auto& part : parts_) {
                 write_part(writer, part, stop);
                 monitor.at(++done);
               }
               writer.commit();
               monitor.end();
             });
  return report;
}

}  // namespace helio::checkpoint
