#include "checkpoint/model_check.h"

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <memory>

#include "checkpoint/expected_tensors.h"
#include "checkpoint/gguf/model.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/weights.h"
#include "core/error.h"
#include "core/json.h"
#include "core/manifest.h"
#include "core/parallel.h"

namespace helio::checkpoint {
namespace {

constexpr size_t kMostLines = 20;

class Check {
 public:
  Check(const fs::path& path, const CheckOptions& options, Monitor& monitor,
        const StopRequest& stop)
      : path_(path), options_(options), monitor_(monitor), stop_(stop) {}

  std::vector<CheckLine> run() {
    attempt("weights", [&] { check_container(); });
    const bool folder = fs::is_directory(path_);
    if (weights_) attempt("config", [&] { check_config(folder); });
    if (!weights_) {
      add("values", Verdict::skipped, "the weights could not be opened");
    } else if (options_.values == CheckOptions::Values::skip) {
      add("values", Verdict::skipped, "as asked");
    } else {
      attempt("values", [&] { check_values(); });
    }
    if (folder) {
      attempt("tokenizer", [&] { check_tokenizer(); });
      attempt("generation", [&] { check_generation(); });
      if (has_manifest(path_))
        attempt("hashes", [&] {
          verify_artefact(path_);
          add("hashes", Verdict::good,
              fmt::format("{} files are as helio_manifest.json says",
                          load_manifest(path_).files.size()));
        });
      else add("hashes", Verdict::note, "no helio_manifest.json: nothing to compare with");
    }
    return std::move(lines_);
  }

 private:
  void add(std::string what, Verdict verdict, std::string detail) {
    lines_.push_back({std::move(what), verdict, std::move(detail)});
  }
  template <class Body>
  void attempt(const char* what, Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted || error.kind() == ErrorKind::internal) throw;
      add(what, Verdict::bad, error.message());
    }
  }

  void check_container() {
    if (fs::is_regular_file(path_) && is_gguf(path_)) {
      auto model = std::make_unique<GgufModel>(path_);
      const auto& file = model->file();
      add("weights", Verdict::good,
          fmt::format("GGUF version {}, {} tensors, {} metadata values, {} bytes",
                      file.header().version, file.tensors().size(), file.metadata().size(),
                      file.size()));
      if (!file.header().packed)
        add("weights", Verdict::bad, "tensors are not packed as llama.cpp asks for");
      for (const auto& tensor : file.tensors())
        if (tensor.name.size() > 63)
          add("weights", Verdict::bad,
              "tensor '" + shown(tensor.name) + "' has a longer name than llama.cpp reads");
      gguf_ = model.get();
      weights_ = std::move(model);
      return;
    }
    const SafeTensors source(path_);
    uint64_t bytes = 0;
    for (const auto& file : source.files()) bytes += fs::file_size(file);
    add("weights", Verdict::good,
        fmt::format("{} tensors in {} file{}, {} bytes; headers, offsets{} are consistent",
                    source.tensors().size(), source.files().size(),
                    source.files().size() == 1 ? "" : "s", bytes,
                    source.files().size() == 1 ? "" : " and index"));
    if (fs::is_directory(path_))
      for (const auto& entry : fs::directory_iterator(path_)) {
        const auto ending = entry.path().extension();
        if (ending == ".bin" || ending == ".pt" || ending == ".pth")
          add("weights", Verdict::note,
              entry.path().filename().string() +
                  " is a PyTorch pickle, which can run code when it "
                  "is loaded; nothing here reads it");
      }
    weights_ = open_weights(path_);
  }

  void check_config(bool folder) {
    std::string source = path_.string();
    if (gguf_ != nullptr) {
      config_ = gguf_->config();
      for (const auto& key : gguf_->unread_keys())
        add("config", Verdict::note, "metadata '" + key + "' is not known to helio");
    } else if (folder) {
      config_ = load_model_config(path_);
      source = (path_ / "config.json").string();
    } else {
      return add("config", Verdict::skipped, "a file alone has no config.json");
    }
    const auto expected = expected_tensors(config_, source);
    if (!expected)
      return add("config", Verdict::skipped,
                 "helio does not know which tensors model_type " +
                     config_.value("model_type", OrderedJson()).dump() + " has");
    std::vector<FoundTensor> found;
    for (const auto& weight : weights_->tensors())
      found.push_back({.name = weight.name, .shape = weight.shape});
    const auto differences = tensor_differences(*expected, found);
    for (size_t i = 0; i < differences.size() && i < kMostLines; ++i)
      add("config", Verdict::bad, differences[i]);
    if (differences.size() > kMostLines)
      add("config", Verdict::bad, fmt::format("and {} more", differences.size() - kMostLines));
    if (differences.empty())
      add("config", Verdict::good,
          fmt::format("{} and the tensors agree, names and shapes",
                      gguf_ != nullptr ? "metadata" : "config.json"));
  }

  void check_values() {
    int64_t total = 0, done = 0, bad_tensors = 0;
    for (const auto& weight : weights_->tensors()) total += weight.elements();
    monitor_.begin("looking at values", total, "values");
    for (const auto& weight : weights_->tensors()) {
      if (weight.floats) {
        std::atomic<int64_t> nan = 0, infinite = 0;
        const auto width = static_cast<size_t>(weight.width());
        parallel_slices(static_cast<size_t>(weight.rows()), options_.threads,
                        static_cast<size_t>(rows_of_a_piece(weight)),
                        [&](size_t begin, size_t end, int) {
                          stop_.check();
                          std::vector<float> values((end - begin) * width);
                          weights_->read(weight, static_cast<int64_t>(begin), values);
                          int64_t nans = 0, infinities = 0;
                          for (const float value : values) {
                            nans += std::isnan(value);
                            infinities += std::isinf(value);
                          }
                          nan += nans;
                          infinite += infinities;
                        });
        if (nan + infinite > 0 && ++bad_tensors <= int64_t(kMostLines))
          add("values", Verdict::bad,
              fmt::format("tensor '{}' has {} NaN and {} infinite values of {}", shown(weight.name),
                          nan.load(), infinite.load(), weight.elements()));
      }
      monitor_.at(done += weight.elements());
    }
    monitor_.end();
    if (bad_tensors > int64_t(kMostLines))
      add("values", Verdict::bad,
          fmt::format("and {} tensors more", bad_tensors - int64_t(kMostLines)));
    if (bad_tensors == 0)
      add("values", Verdict::good, fmt::format("{} values are finite", fmt::group_digits(total)));
  }

  int64_t vocabulary() const {
    return config_.is_object() && config_.contains("vocab_size") &&
                   config_["vocab_size"].is_number_integer()
               ? config_["vocab_size"].get<int64_t>()
               : 0;
  }

  void check_tokenizer() {
    if (!fs::exists(path_ / "tokenizer.json")) {
      for (const auto& name : tokenizer_files())
        if (fs::exists(path_ / name))
          return add("tokenizer", Verdict::note,
                     "no tokenizer.json; " + std::string(name) + " is there");
      return add("tokenizer", Verdict::bad, "none in the folder");
    }
    const Json json = load_json(path_ / "tokenizer.json");
    int64_t most = -1, tokens = 0;
    const auto see = [&](const Json& id) {
      if (!id.is_number_integer()) return;
      most = std::max(most, id.get<int64_t>());
      ++tokens;
    };
    if (json.is_object() && json.contains("model") && json["model"].is_object() &&
        json["model"].contains("vocab")) {
      const Json& vocab = json["model"]["vocab"];
      if (vocab.is_object())
        for (const auto& [token, id] : vocab.items()) see(id);
      else if (vocab.is_array()) most = tokens = static_cast<int64_t>(vocab.size()) - 1;
    }
    if (json.is_object() && json.contains("added_tokens") && json["added_tokens"].is_array())
      for (const auto& added : json["added_tokens"])
        if (added.is_object() && added.contains("id") && added["id"].is_number_integer())
          most = std::max(most, added["id"].get<int64_t>());
    if (most < 0) return add("tokenizer", Verdict::bad, "tokenizer.json has no vocabulary");
    if (const int64_t rows = vocabulary(); rows > 0 && most >= rows)
      return add("tokenizer", Verdict::bad,
                 fmt::format("its largest id is {}, the model has {} embeddings", most, rows));
    add("tokenizer", Verdict::good,
        fmt::format("largest id {}{}", most,
                    vocabulary() > 0 ? fmt::format(" of {} embeddings", vocabulary()) : ""));
  }

  void check_generation() {
    if (!fs::exists(path_ / "generation_config.json")) return;
    const Json json = load_json(path_ / "generation_config.json");
    const int64_t rows = vocabulary();
    for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
      if (!json.is_object() || !json.contains(key) || json[key].is_null()) continue;
      const Json list = json[key].is_array() ? json[key] : Json::array({json[key]});
      for (const auto& id : list)
        if (!id.is_number_integer() || id.get<int64_t>() < 0 ||
            (rows > 0 && id.get<int64_t>() >= rows))
          return add("generation", Verdict::bad,
                     fmt::format("generation_config.json: '{}' is {}, no id of the model", key,
                                 id.dump()));
    }
    add("generation", Verdict::good, "the ids of generation_config.json are the model's");
  }

  fs::path path_;
  CheckOptions options_;
  Monitor& monitor_;
  const StopRequest& stop_;
  std::unique_ptr<Weights> weights_ = {};
  const GgufModel* gguf_ = nullptr;
  OrderedJson config_ = {};
  std::vector<CheckLine> lines_ = {};
};

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "ok";
    case Verdict::bad:
      return "FAILED";
    case Verdict::note:
      return "note";
    default:
      return "not checked";
  }
}

std::vector<CheckLine> check_model(const fs::path& path, const CheckOptions& options,
                                   Monitor& monitor, const StopRequest& stop) {
  if (!fs::exists(path))
    throw Error(ErrorKind::not_found, "there is no '" + path.string() + "'")
        .with_hint("give a Hugging Face model folder, a .safetensors or a .gguf file");
  return Check(path, options, monitor, stop).run();
}

}  // namespace helio::checkpoint
