#include "checkpoint/model_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstring>

#include "checkpoint/cast.h"
#include "checkpoint/made_tensors.h"
#include "checkpoint/model_folder.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

// "layers.2" before "layers.10"; the embedding comes first, so that shards follow the model.
bool comes_first(const TensorInfo* a, const TensorInfo* b) {
  const bool first_a = a->name.find("embed_tokens") != std::string::npos;
  const bool first_b = b->name.find("embed_tokens") != std::string::npos;
  if (first_a != first_b) return first_a;
  const bool layer_a = a->name.find(".layers.") != std::string::npos;
  const bool layer_b = b->name.find(".layers.") != std::string::npos;
  if (layer_a != layer_b) return layer_a;
  size_t i = 0, j = 0;
  while (i < a->name.size() && j < b->name.size()) {
    const auto digits = [](const std::string& text, size_t at) {
      size_t end = at;
      while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
      return end - at;
    };
    const size_t m = digits(a->name, i), n = digits(b->name, j);
    if (m > 0 && n > 0 && m != n) return m < n;
    if (a->name[i] != b->name[j]) return a->name[i] < b->name[j];
    ++i;
    ++j;
  }
  return a->name.size() - i < b->name.size() - j;
}

std::vector<const TensorInfo*> in_order(const SafeTensors& source) {
  std::vector<const TensorInfo*> out;
  for (const auto& tensor : source.tensors()) out.push_back(&tensor);
  std::stable_sort(out.begin(), out.end(), comes_first);
  return out;
}

std::map<std::string, std::string> metadata_of(const SafeTensors& source) {
  auto metadata = source.metadata();
  metadata.try_emplace("format", "pt");  // transformers 4 refuses files without it
  return metadata;
}

void seal(const fs::path& dir, const std::string& made_by, const std::string& model,
          const fs::path& out, OrderedJson options, const CopyReport& report,
          std::vector<ArtefactFile> weights) {
  Manifest manifest = model_manifest(out, made_by);
  manifest.files = std::move(weights);
  manifest.inputs.push_back(describe_input("model", model));
  manifest.options = std::move(options);
  manifest.facts = {{"parameters", report.parameters},
                    {"tensors", report.tensors},
                    {"rounded_values", report.rounded_values}};
  seal_artefact(dir, manifest);
}

void count_files(const fs::path& dir, CopyReport& report) {
  for (const auto& path : list_files(dir, {".safetensors"})) {
    ++report.files;
    report.bytes += fs::file_size(fs::exists(path) ? path : dir / path);
  }
}

// A piece of one tensor in its new dtype, and what that did to its values.
struct CastCounts {
  std::atomic<int64_t> rounded = 0, infinite = 0;
};

void cast_piece(DType from, DType to, std::span<const std::byte> in, std::span<std::byte> out,
                CastCounts& counts) {
  const size_t count = in.size() / dtype_size(from);
  std::vector<float> values(count), back(count);
  to_floats(from, in, values);
  from_floats(to, values, out);
  to_floats(to, out, back);
  int64_t rounded = 0, infinite = 0;
  for (size_t i = 0; i < count; ++i) {
    double before = static_cast<double>(values[i]);
    if (from == DType::f64) std::memcpy(&before, in.data() + i * sizeof before, sizeof before);
    const double after = static_cast<double>(back[i]);
    rounded += before != after && before == before;
    infinite += std::isfinite(before) && !std::isfinite(after);
  }
  counts.rounded += rounded;
  counts.infinite += infinite;
}

}  // namespace

uint64_t parse_byte_size(std::string_view text) {
  const auto fail = [&] {
    return Error(ErrorKind::usage, "'" + std::string(text) + "' is no size of a file")
        .with_hint("write bytes or a unit: 5GB, 500MB, 2GiB");
  };
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || !(number >= 0) || number > 1e18) throw fail();
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr Unit units[] = {{"", 1},       {"B", 1},         {"KB", 1e3},
                            {"MB", 1e6},   {"GB", 1e9},      {"TB", 1e12},
                            {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824.0}};
  for (const auto& each : units)
    if (each.name == unit) {
      const double bytes = number * each.bytes;
      if (bytes > 1e18 || (bytes > 0 && bytes < 1)) throw fail();
      return static_cast<uint64_t>(bytes);
    }
  throw fail();
}

CopyReport shard_model(const ShardOptions& options, Monitor& monitor, const StopRequest& stop) {
  const uint64_t size = parse_byte_size(options.size);
  const SafeTensors source(options.model);
  const OrderedJson config = load_model_config(options.model);
  check_new_model_folder(options.model, options.out);
  CopyReport report{.tensors = static_cast<int64_t>(source.tensors().size())};
  std::vector<TensorCopy> tensors;
  for (const auto* tensor : in_order(source)) {
    tensors.push_back({.name = tensor->name, .source = tensor});
    report.parameters += tensor->elements();
  }
  const auto files = plan_output(tensors, metadata_of(source), size);
  in_context([&] { return "writing '" + options.out + "'"; },
             [&] {
               StagedDir staged(options.out);
               auto weights = write_output(staged.path(), source, files, monitor, stop);
               copy_whole_file(fs::path(options.model) / "config.json",
                               staged.path() / "config.json");
               copy_companions(options.model, staged.path());
               stop.check();
               count_files(staged.path(), report);
               seal(staged.path(), "model shard", options.model, options.out,
                    {{"size", options.size}}, report, std::move(weights));
               stop.check();
               staged.commit();
             });
  return report;
}

CopyReport cast_model(const CastOptions& options, Monitor& monitor, const StopRequest& stop) {
  const uint64_t size = parse_byte_size(options.size);
  const DType target = dtype_of_word(options.dtype);
  const SafeTensors source(options.model);
  OrderedJson config = load_model_config(options.model);
  check_new_model_folder(options.model, options.out);
  if (config.contains("quantization_config") && !config["quantization_config"].is_null())
    throw Error(ErrorKind::invalid, options.model + ": the weights are quantised")
        .with_hint(
            "their numbers mean nothing without the scales beside them; cast the model they "
            "were made from");
  CopyReport report{.tensors = static_cast<int64_t>(source.tensors().size())};
  CastCounts counts;
  std::vector<MadeTensor> tensors;
  for (const auto* tensor : in_order(source)) {
    report.parameters += tensor->elements();
    const DType from = tensor->dtype;
    const DType to = is_castable(from) ? target : from;
    report.cast_tensors += to != from;
    const auto data = source.data(*tensor);
    const uint64_t width = static_cast<uint64_t>(tensor->shape.empty() ? 1 : tensor->shape.back());
    tensors.push_back({.name = tensor->name,
                       .dtype = to,
                       .shape = tensor->shape,
                       .make = [=, &counts](int64_t first_row, std::span<std::byte> out) {
                         const size_t count = out.size() / dtype_size(to);
                         const auto in = data.subspan(
                             static_cast<uint64_t>(first_row) * width * dtype_size(from),
                             count * dtype_size(from));
                         if (from == to) {
                           if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
                         } else {
                           cast_piece(from, to, in, out, counts);
                         }
                       }});
  }
  config["torch_dtype"] = config["dtype"] = options.dtype;
  in_context([&] { return "writing '" + options.out + "'"; },
             [&] {
               StagedDir staged(options.out);
               write_made_tensors(staged.path(), tensors, metadata_of(source), size,
                                  worker_count(options.threads), monitor, stop);
               write_file_atomic(staged.path() / "config.json", pretty(config));
               copy_companions(options.model, staged.path());
               stop.check();
               report.rounded_values = counts.rounded;
               report.infinite_values = counts.infinite;
               count_files(staged.path(), report);
               seal(staged.path(), "model cast", options.model, options.out,
                    {{"dtype", options.dtype}, {"size", options.size}}, report, {});
               stop.check();
               staged.commit();
             });
  return report;
}

}  // namespace helio::checkpoint
