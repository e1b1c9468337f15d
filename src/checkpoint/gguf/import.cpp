#include "checkpoint/gguf/import.h"

#include <fmt/format.h>

#include <atomic>
#include <bit>
#include <cmath>

#include "checkpoint/cast.h"
#include "checkpoint/expected_tensors.h"
#include "checkpoint/made_tensors.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/quant/dequantise.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/manifest.h"
#include "core/parallel.h"
#include "core/version.h"

namespace helio::checkpoint {
namespace {

bool same_bits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

float rounded(float value, DType dtype) {
  std::byte bytes[8];
  float back = 0;
  const auto part = std::span(bytes).first(dtype_size(dtype));
  from_floats(dtype, {&value, 1}, part);
  to_floats(dtype, part, {&back, 1});
  return back;
}

}  // namespace

GgufImport::GgufImport(const GgufImportOptions& options)
    : options_(options), model_(options.model), config_(model_.config()) {
  std::vector<FoundTensor> found;
  for (const auto& weight : model_.tensors())
    found.push_back({.name = weight.name, .shape = weight.shape});
  const auto expected = expected_tensors(config_, options.model);
  HELIO_CHECK(expected.has_value(), "a GGUF family without its tensors");
  const auto differences = tensor_differences(*expected, found);
  if (!differences.empty())
    throw Error(
        ErrorKind::invalid,
        fmt::format(
            "{}: metadata and tensors do not make one model: {}{}", options.model, differences[0],
            differences.size() == 1 ? "" : fmt::format(", and {} more", differences.size() - 1)))
        .with_hint(
            "names are Hugging Face's; the file is damaged or its architecture is a variant");
  if (!options.out.empty()) check_new_model_folder(options.model, options.out);
}

// In the main dtype when it holds every value, else F32; the dtype that was asked for otherwise.
DType GgufImport::dtype_of(const Weight& weight, DType main) const {
  if (options_.dtype != "auto" || main == DType::f32) return main;
  const GgmlType type = model_.stored(weight).type;
  if ((main == DType::f16 && type == GgmlType::f16) ||
      (main == DType::bf16 && type == GgmlType::bf16))
    return main;
  const int64_t piece = rows_of_a_piece(weight);
  std::atomic<bool> exact = true;
  parallel_slices(static_cast<size_t>(weight.rows()), worker_count(options_.threads),
                  static_cast<size_t>(piece), [&](size_t begin, size_t end, int) {
                    if (!exact) return;
                    std::vector<float> values((end - begin) * static_cast<size_t>(weight.width()));
                    model_.read(weight, static_cast<int64_t>(begin), values);
                    for (const float value : values)
                      if (!same_bits(rounded(value, main), value)) return void(exact = false);
                  });
  return exact ? main : DType::f32;
}

GgufImport::Report GgufImport::write(Monitor& monitor, const StopRequest& stop,
                                     const std::function<void(const fs::path&)>& finish) const {
  if (options_.out.empty())
    throw Error(ErrorKind::usage, "no folder to write to").with_hint("add --out DIR");
  const DType main =
      options_.dtype == "auto" ? model_.natural_dtype() : dtype_of_word(options_.dtype);
  Report report{.tensors = static_cast<int64_t>(model_.tensors().size()),
                .dtype = std::string(word_of_dtype(main))};
  const auto body = [&] {
    std::vector<MadeTensor> tensors;
    for (const auto& weight : model_.tensors()) {
      stop.check();
      const DType dtype = dtype_of(weight, main);
      report.kept_float32 += dtype != main;
      report.parameters += weight.elements();
      tensors.push_back({.name = weight.name,
                         .dtype = dtype,
                         .shape = weight.shape,
                         .make = [&, dtype](int64_t first_row, std::span<std::byte> to) {
                           std::vector<float> values(to.size() / dtype_size(dtype));
                           model_.read(weight, first_row, values);
                           from_floats(dtype, values, to);
                         }});
    }
    StagedDir staged(options_.out);
    write_made_tensors(staged.path(), tensors, {{"format", "pt"}},
                       static_cast<uint64_t>(options_.shard_size), worker_count(options_.threads),
                       monitor, stop);
    OrderedJson config = config_;
    config["torch_dtype"] = config["dtype"] = report.dtype;
    write_file_atomic(staged.path() / "config.json", pretty(config));
    if (const auto generation = model_.generation_config(); !generation.empty())
      write_file_atomic(staged.path() / "generation_config.json", pretty(generation));
    verify(staged.path(), report, monitor, stop);
    finish(staged.path());
    stop.check();
    fs::path out = options_.out;
    if (out.filename().empty()) out = out.parent_path();
    Manifest manifest;
    manifest.kind = "model";
    manifest.name = out.filename().string();
    manifest.made_by = "model convert";
    manifest.version = version();
    manifest.code = code_hash("checkpoint");
    manifest.inputs.push_back(describe_input("model", options_.model));
    manifest.options = {{"dtype", options_.dtype}, {"shard_size", options_.shard_size}};
    manifest.facts = {{"parameters", report.parameters},
                      {"architecture", config_["architectures"][0]},
                      {"dtype", report.dtype},
                      {"rounded_values", report.rounded_values}};
    seal_artefact(staged.path(), manifest);
    stop.check();
    staged.commit();
  };
  in_context([&] { return "importing '" + options_.model + "'"; }, body);
  return report;
}

// Reads what was written and goes back to the file's own order and offsets, row by row.
void GgufImport::verify(const fs::path& dir, Report& report, Monitor& monitor,
                        const StopRequest& stop) const {
  const SafeTensors written(dir);
  if (written.tensors().size() != model_.tensors().size())
    throw Error(ErrorKind::check, "the written checkpoint has another number of tensors");
  int64_t total = 0, done = 0;
  for (const auto& weight : model_.tensors()) total += weight.elements();
  monitor.begin("checking what was written", total, "values");
  for (const auto& weight : model_.tensors()) {
    const TensorInfo& info = written.at(weight.name);
    const GgufTensor& stored = model_.stored(weight);
    const auto wrong = [&](const std::string& what) {
      return Error(ErrorKind::check, "tensor '" + shown(weight.name) + "' " + what)
          .with_hint("this is a bug in helio or a failing disk; please report it");
    };
    if (info.shape != weight.shape) throw wrong("was written with another shape");
    const bool plus_one = model_.family().norm_plus_one && weight.name.ends_with("norm.weight");
    const Projection projection = projection_of(weight.name);
    int64_t head = 0;  // rows of a head, where they are interleaved
    if (model_.family().permuted && projection != Projection::other)
      head =
          weight.shape[0] /
          config_[projection == Projection::query ? "num_attention_heads" : "num_key_value_heads"]
              .get<int64_t>();
    // A bias is a column here: rows are what moves.
    const int64_t width =
        weight.shape.size() == 1 ? (head > 0 ? 1 : weight.width()) : weight.width();
    const int64_t rows = width == 0 ? 0 : weight.elements() / width;
    const auto& type = ggml_type_info(stored.type);
    const uint64_t stored_row = static_cast<uint64_t>(width) / type.block * type.bytes;
    const uint64_t written_row = static_cast<uint64_t>(width) * dtype_size(info.dtype);
    std::atomic<int64_t> changed = 0, broken = 0;
    const auto piece =
        static_cast<size_t>(std::max<int64_t>(1, kPieceValues / std::max<int64_t>(1, width)));
    parallel_slices(
        static_cast<size_t>(rows), worker_count(options_.threads), piece,
        [&](size_t begin, size_t end, int) {
          stop.check();
          std::vector<float> want(static_cast<size_t>(width)), got(static_cast<size_t>(width));
          for (size_t row = begin; row < end; ++row) {
            const auto from =
                head > 0 ? static_cast<size_t>(separated_row(static_cast<int64_t>(row), head))
                         : row;
            dequantise(stored.type,
                       model_.file().data(stored).subspan(row * stored_row, stored_row), want);
            to_floats(info.dtype, written.data(info).subspan(from * written_row, written_row), got);
            for (size_t i = 0; i < want.size(); ++i) {
              const float back = plus_one ? got[i] + 1 : got[i];
              if (same_bits(back, want[i]) || (back == 0 && want[i] == 0)) continue;
              const float should = plus_one ? want[i] - 1 : want[i];
              if (same_bits(rounded(should, info.dtype), got[i])) ++changed;
              else ++broken;
            }
          }
        });
    if (broken > 0)
      throw wrong(fmt::format("has {} values that are not the file's", broken.load()));
    report.rounded_values += changed;
    report.rounded_tensors += changed > 0;
    monitor.at(done += weight.elements());
  }
  monitor.end();
}

}  // namespace helio::checkpoint
