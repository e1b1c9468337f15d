#include "checkpoint/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "checkpoint/float_rows.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/rng.h"

namespace helio::checkpoint {
namespace {

constexpr std::array<std::string_view, 3> kEmbeddings = {"model.embed_tokens.weight",
                                                         "transformer.wte.weight", "wte.weight"};
constexpr std::array<std::string_view, 2> kHeads = {"lm_head.weight", "lm_head.bias"};

fs::path folder_of(const fs::path& tokenizer) {
  return fs::is_directory(tokenizer) ? tokenizer : tokenizer.parent_path();
}

// All that a new row can be made of. Shared by the rows of one tensor.
struct RowMaker {
  FloatRows old;
  DType dtype;
  int64_t tokens = 0;
  std::string init = {};
  double deviation = 0;
  uint64_t seed = 0;
  std::string name = {};
  std::vector<double> mean = {};  // of the rows of all old tokens
  const std::map<int64_t, std::vector<int64_t>>* pieces = nullptr;

  void make(int64_t row, std::span<std::byte> to) const {
    // A row of no token, before and now: as it was.
    if (row >= tokens && row < old.rows()) {
      const auto same = old.bytes(row);
      std::copy(same.begin(), same.end(), to.begin());
      return;
    }
    std::vector<double> values(static_cast<size_t>(old.width()), 0.0);
    if (init == "normal") {
      noise(row, values);
    } else if (init != "zero") {
      const auto found = pieces->find(row);
      if (init == "mean" && found != pieces->end() && !found->second.empty()) {
        for (const int64_t piece : found->second) old.add(piece, values);
        for (double& value : values) value /= static_cast<double>(found->second.size());
      } else {
        values = mean;
      }
    }
    store_floats(values, dtype, to);
  }

  // Box-Muller; a generator for each row, so that a row does not depend on how many there are.
  void noise(int64_t row, std::span<double> values) const {
    if (name.ends_with(".bias")) return;  // biases begin at zero
    auto rng = Rng::stream(seed, name, static_cast<uint64_t>(row));
    for (size_t i = 0; i < values.size(); i += 2) {
      const double length = deviation * std::sqrt(-2 * std::log(1 - rng.uniform()));
      const double angle = 2 * std::numbers::pi * rng.uniform();
      values[i] = length * std::cos(angle);
      if (i + 1 < values.size()) values[i + 1] = length * std::sin(angle);
    }
  }
};

int64_t width_of(const TensorInfo& tensor) {
  return tensor.shape.size() == 2 ? tensor.shape[1] : 1;
}

int64_t count_elements(const std::vector<OutputFile>& files) {
  int64_t count = 0;
  for (const auto& file : files)
    for (const auto& tensor : file.tensors) {
      int64_t elements = 1;
      for (const int64_t size : tensor.shape()) elements *= size;
      if (!tensor.name.ends_with(".inv_freq")) count += elements;  // a table, not a weight
    }
  return count;
}

// Ids that the model's own files name must still have a row.
void check_named_ids(const OrderedJson& config, const std::string& origin, int64_t rows) {
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id"}) {
    const auto it = config.find(key);
    if (it == config.end()) continue;
    const auto check = [&](const OrderedJson& id) {
      if (id.is_number_integer() && id.get<int64_t>() >= rows)
        throw Error(ErrorKind::invalid, fmt::format("{}: '{}' is {}, which {} rows do not have",
                                                    origin, key, id.get<int64_t>(), rows))
            .with_hint("leave --shrink out, or change that id first");
    };
    if (it->is_array()) std::for_each(it->begin(), it->end(), check);
    else check(*it);
  }
}

}  // namespace

Resize::Resize(const ResizeOptions& options, VocabularyChange change)
    : options_(options), change_(std::move(change)), source_(options.model) {
  const fs::path dir = options.model;
  config_ = load_model_config(dir);
  config_path_ = (dir / "config.json").string();
  if (!options.out.empty()) {
    check_new_model_folder(dir, options.out);
    check_new_model_folder(folder_of(options.tokenizer), options.out);
  }
  find_tensors();
  plan_rows();
  if (options.shrink) {
    check_named_ids(config_, config_path_, plan_.rows_after);
    if (const auto path = dir / "generation_config.json"; fs::is_regular_file(path))
      check_named_ids(OrderedJson(load_json(path)), path.string(), plan_.rows_after);
  }
  if (const auto it = config_.find("initializer_range"); it != config_.end() && it->is_number())
    deviation_ = it->get<double>();
  config_["vocab_size"] = plan_.rows_after;
  const fs::path tokenizer = folder_of(options.tokenizer);
  for (const auto name : tokenizer_files())
    if (fs::is_regular_file(dir / name) && !fs::is_regular_file(tokenizer / name))
      left_out_.emplace_back(name);
}

void Resize::find_tensors() {
  const TensorInfo* embedding = nullptr;
  for (const auto name : kEmbeddings)
    if (!embedding) embedding = source_.find(name);
  const auto said = config_.find("vocab_size");
  if (!embedding) {
    const auto names = config_.value("architectures", OrderedJson::array());
    throw Error(ErrorKind::invalid,
                fmt::format("the embedding of this model{} is not known: none of {} is there",
                            names.empty() ? "" : " (" + compact(names[0]) + ")",
                            fmt::join(kEmbeddings, ", ")))
        .with_hint("only text decoders whose embedding has one of these names are resized");
  }
  if (said == config_.end() || !said->is_number_integer())
    throw Error(ErrorKind::invalid, config_path_ + ": 'vocab_size' is not a number")
        .with_hint("models whose vocabulary is set in a nested part are not resized");
  tables_.push_back(embedding);
  for (const auto name : kHeads)
    if (const auto* head = source_.find(name)) tables_.push_back(head);
  if (config_.contains("tie_word_embeddings") && config_["tie_word_embeddings"] == false)
    source_.at("lm_head.weight");
  plan_.rows_before = embedding->shape.empty() ? 0 : embedding->shape[0];
  if (said->get<int64_t>() != plan_.rows_before)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: 'vocab_size' is {}, and {} has {} rows", config_path_,
                            said->get<int64_t>(), embedding->name, plan_.rows_before))
        .with_hint("config.json and the weights belong to different models");
  for (const auto* table : tables_) {
    const size_t dimensions = table->name.ends_with(".bias") ? 1 : 2;
    if (table->shape.size() != dimensions || table->shape[0] != plan_.rows_before ||
        width_of(*table) < 1)
      throw Error(ErrorKind::invalid,
                  fmt::format("{} has shape [{}], not a row for each of {} ids", table->name,
                              fmt::join(table->shape, ", "), plan_.rows_before));
    if (!is_float(table->dtype))
      throw Error(ErrorKind::invalid,
                  fmt::format("{} is {}; rows are made in F32, F16, BF16 or F64", table->name,
                              dtype_name(table->dtype)))
          .with_hint("resize the model before it is quantised");
    plan_.tensors.push_back(table->name);
  }
  // Gemma 3n and its like have further tables with a row a token.
  for (const auto& tensor : source_.tensors())
    if (&tensor != embedding && tensor.name.find("embed_tokens") != std::string::npos)
      throw Error(ErrorKind::invalid, "tensor '" + shown(tensor.name) +
                                          "' has rows for tokens too, and is not known here");
}

void Resize::plan_rows() {
  Plan& p = plan_;
  p.tokens = change_.tokens;
  p.base_tokens = change_.base_tokens.value_or(p.rows_before);
  if (p.tokens < 1) throw Error(ErrorKind::invalid, "the tokenizer has no tokens");
  if (p.base_tokens > p.rows_before)
    throw Error(ErrorKind::invalid,
                fmt::format("the old vocabulary has {} tokens, and {} only {} rows", p.base_tokens,
                            p.tensors[0], p.rows_before))
        .with_hint("the tokenizer and the model do not belong together");
  if (options_.shrink && p.tokens < p.base_tokens)
    throw Error(
        ErrorKind::invalid,
        fmt::format("{} ids that are in use would be lost: the tokenizer has {} tokens, "
                    "{} {}",
                    p.base_tokens - p.tokens, p.tokens,
                    change_.base_tokens ? "the old one" : "the model may use up to", p.base_tokens))
        .with_hint(change_.base_tokens
                       ? "--shrink only takes padding off"
                       : "put the model's tokenizer beside it to show which rows are padding");
  const int64_t wanted = options_.shrink ? p.tokens : std::max(p.tokens, p.rows_before);
  const int64_t n = options_.pad_to_multiple;
  p.rows_after = (wanted + n - 1) / n * n;
  p.new_tokens = std::max<int64_t>(0, p.tokens - p.base_tokens);
  p.reused_rows = std::max<int64_t>(0, std::min(p.tokens, p.rows_before) - p.base_tokens);
  p.padding_rows = p.rows_after - p.tokens;
  for (const auto& [id, pieces] : change_.pieces) {
    if (id < p.base_tokens || id >= p.tokens)
      throw Error(ErrorKind::invalid,
                  fmt::format("token {} is said to be new; new ids are {} to {}", id, p.base_tokens,
                              p.tokens - 1));
    for (const int64_t piece : pieces)
      if (piece < 0 || piece >= p.base_tokens)
        throw Error(ErrorKind::invalid,
                    fmt::format("token {} has a piece {}, which is no id of the old vocabulary "
                                "({} tokens)",
                                id, piece, p.base_tokens));
    p.with_pieces += pieces.empty() ? 0 : 1;
  }
  // Sizes only: the rows themselves are made when they are written.
  std::map<std::string, std::shared_ptr<const NewRows>> sizes;
  p.parameters_before = count_elements(files(sizes));
  for (const auto* table : tables_)
    sizes[table->name] =
        std::make_shared<NewRows>(NewRows{.kept = 0, .rows = p.rows_after, .make = {}});
  p.parameters_after = count_elements(files(sizes));
}

// The files of the source, in its order, so that every shard keeps its tensors.
std::vector<OutputFile> Resize::files(
    const std::map<std::string, std::shared_ptr<const NewRows>>& rows) const {
  std::vector<std::vector<TensorCopy>> shards(source_.files().size());
  for (const auto& tensor : source_.tensors()) {
    const auto other = rows.find(tensor.name);
    shards[tensor.file].push_back({.name = tensor.name,
                                   .source = &tensor,
                                   .rows = other == rows.end() ? nullptr : other->second});
  }
  auto metadata = source_.metadata();
  metadata.try_emplace("format", "pt");  // transformers 4 refuses files without it
  return plan_files(shards, metadata);
}

std::shared_ptr<const NewRows> Resize::rows_for(const TensorInfo& tensor,
                                                const StopRequest& stop) const {
  auto maker = std::make_shared<RowMaker>(
      RowMaker{.old = FloatRows(source_.data(tensor), tensor.dtype, width_of(tensor)),
               .dtype = tensor.dtype,
               .tokens = plan_.tokens,
               .init = options_.init,
               .deviation = deviation_,
               .seed = static_cast<uint64_t>(options_.seed),
               .name = tensor.name,
               .pieces = &change_.pieces});
  const int64_t kept = std::min(plan_.base_tokens, plan_.rows_after);
  maker->mean.assign(static_cast<size_t>(width_of(tensor)), 0.0);
  const bool needs_mean =
      options_.init == "copy-mean-of-all" ||
      (options_.init == "mean" && (plan_.with_pieces < plan_.new_tokens ||
                                   plan_.rows_after > std::max(plan_.tokens, plan_.rows_before)));
  if (needs_mean && plan_.base_tokens > 0) {
    for (int64_t row = 0; row < plan_.base_tokens; ++row) {
      if (row % 1024 == 0) stop.check();
      maker->old.add(row, maker->mean);
    }
    for (double& value : maker->mean) value /= static_cast<double>(plan_.base_tokens);
  }
  return std::make_shared<NewRows>(
      NewRows{.kept = kept,
              .rows = plan_.rows_after,
              .make = [maker](int64_t row, std::span<std::byte> to) { maker->make(row, to); }});
}

void Resize::write(Monitor& monitor, const StopRequest& stop) const {
  write_model_folder(options_.out, "the resized model", stop, [&](const fs::path& dir) {
    std::map<std::string, std::shared_ptr<const NewRows>> rows;
    for (const auto* table : tables_) rows[table->name] = rows_for(*table, stop);
    auto weights = write_output(dir, source_, files(rows), monitor, stop);
    write_file_atomic(dir / "config.json", pretty(config_));
    const fs::path tokenizer = folder_of(options_.tokenizer);
    for (const auto name : tokenizer_files())
      if (fs::is_regular_file(tokenizer / name)) copy_whole_file(tokenizer / name, dir / name);
    for (const auto name : model_papers())
      if (const fs::path from = fs::path(options_.model) / name; fs::is_regular_file(from))
        copy_whole_file(from, dir / name);
    stop.check();
    seal(dir, std::move(weights));
  });
}

void Resize::seal(const fs::path& dir, std::vector<ArtefactFile> weights) const {
  Manifest manifest = model_manifest(options_.out, "model resize");
  manifest.files = std::move(weights);
  manifest.inputs.push_back(describe_input("model", options_.model));
  manifest.inputs.push_back(describe_input("tokenizer", options_.tokenizer));
  manifest.options = {{"init", options_.init},
                      {"pad_to_multiple", options_.pad_to_multiple},
                      {"shrink", options_.shrink},
                      {"seed", options_.seed}};
  manifest.facts = {{"parameters", plan_.parameters_after},
                    {"vocab_size", plan_.rows_after},
                    {"tokens", plan_.tokens},
                    {"base", manifest.inputs[0].name},
                    {"base_parameters", plan_.parameters_before},
                    {"base_vocab_size", plan_.rows_before},
                    {"base_tokens", plan_.base_tokens},
                    {"new_tokens", plan_.new_tokens},
                    {"with_pieces", plan_.with_pieces}};
  seal_artefact(dir, manifest);
}

}  // namespace helio::checkpoint
