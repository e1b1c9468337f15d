#include "jobs/estimate.h"

#include <algorithm>
#include <optional>

#include "checkpoint/hf_config.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/parallel.h"

namespace helio::jobs {
namespace {

// f32 GFLOP/s that small decoders reach per core with LibTorch, measured on AVX-512 and AVX2
// machines by bench/train_step (docs/benchmarks.md); an estimate, corrected by the first steps.
constexpr double kFlopsPerCore = 30e9;

struct Shape {
  int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, ffn = 0, vocab = 0;
  bool tied = true;
  int64_t parameters() const {
    const int64_t head = heads ? hidden / heads : 0;
    const int64_t layer =
        2 * hidden * hidden + 2 * hidden * kv_heads * head + 3 * hidden * ffn + 2 * hidden;
    return layers * layer + vocab * hidden * (tied ? 1 : 2) + hidden;
  }
};

int64_t whole(const OrderedJson& options, const char* key, int64_t otherwise = 0) {
  return options.contains(key) && options.at(key).is_number() ? options.at(key).get<int64_t>()
                                                              : otherwise;
}

// Of a model from outside; none where there is no config.json that we run, yet.
std::optional<Shape> shape_of_folder(const fs::path& dir) {
  if (!fs::exists(dir / "config.json")) return std::nullopt;
  try {
    const auto config = checkpoint::load_decoder_config(dir);
    return Shape{.layers = config.layers,
                 .hidden = config.hidden_size,
                 .heads = config.heads,
                 .kv_heads = config.kv_heads,
                 .ffn = config.intermediate_size,
                 .vocab = config.vocab_size,
                 .tied = config.tied_embeddings};
  } catch (const Error&) {
    return std::nullopt;  // the stage itself will say what is wrong with it
  }
}

}  // namespace

int estimate_threads() { return hardware_threads(); }

std::map<std::string, Estimate> estimate_recipe(const Recipe& recipe) {
  std::map<std::string, Estimate> estimates;
  std::map<std::string, Shape> shapes;
  int64_t vocab = 0;
  const auto shape_behind = [&](const Stage& stage, const char* role) -> std::optional<Shape> {
    for (const auto& input : stage.inputs) {
      if (input.role != role) continue;
      if (input.stage < 0) return shape_of_folder(input.path);
      const auto found = shapes.find(recipe.stages[static_cast<size_t>(input.stage)].name);
      if (found != shapes.end()) return found->second;
    }
    return std::nullopt;
  };
  for (const auto& stage : recipe.stages) {
    const OrderedJson& options = stage.written;
    if (stage.kind == "tokenizer train") vocab = whole(options, "vocab_size");
    if (stage.kind == "upscale") {
      if (const auto base = shape_behind(stage, "model")) {
        Shape shape = *base;
        const int64_t n = base->layers, more = whole(options, "copies", 2) - 1;
        const int64_t drop = whole(options, "drop"), every = whole(options, "every");
        // A new layer after every so many, or copies without some layers at their seams.
        if (every > 0) shape.layers = n + n / every * more;
        else shape.layers = n + (n - 2 * std::max<int64_t>(0, drop)) * more;
        shapes[stage.name] = shape;
      }
      continue;
    }
    if (!options.contains("train")) continue;
    Shape shape;
    const char* role = stage.kind == "pretrain" ? "init" : "model";
    if (const auto start = shape_behind(stage, role)) {
      shape = *start;
    } else if (stage.kind == "pretrain" && options.at("init").get<std::string>().empty()) {
      const auto& model = options.at("model");
      shape = {.layers = whole(model, "layers"),
               .hidden = whole(model, "hidden"),
               .heads = whole(model, "heads"),
               .kv_heads = whole(model, "kv_heads"),
               .ffn = whole(model, "ffn"),
               .vocab = vocab,
               .tied = model.at("tied").get<bool>()};
    } else {
      continue;  // a model that is not there yet
    }
    shapes[stage.name] = shape;
    const auto& train = options.at("train");
    const int64_t steps = whole(train, "steps");
    if (steps == 0) continue;  // as many as the data gives: known when the data is
    const int64_t batch = whole(train, "batch_size");
    const int64_t length =
        stage.kind == "pretrain" ? whole(options, "sequence") : whole(options, "max_length") / 2;
    Estimate e;
    e.parameters = shape.parameters();
    e.tokens = steps * batch * length *
               (stage.kind == "align" ? 2 * std::max<int64_t>(1, whole(options, "steps")) : 1);
    // 6 per weight and token (forward 2, backward 4), and attention's two products of length x
    // width.
    const double attention =
        12.0 * double(shape.layers) * double(shape.hidden) * double(length) / 2;
    e.flops = double(e.tokens) * (6.0 * double(e.parameters) + attention);
    const int64_t micro =
        whole(train, "micro_batch_size") ? whole(train, "micro_batch_size") : batch;
    // Weights, gradients and AdamW's two moments in f32, and what the backward pass keeps.
    e.memory_bytes = 16 * e.parameters +
                     micro * length * shape.layers * (16 * shape.hidden + 6 * shape.ffn) * 4 +
                     (int64_t(300) << 20);
    e.seconds = e.flops / (kFlopsPerCore * estimate_threads());
    estimates[stage.name] = e;
  }
  return estimates;
}

}  // namespace helio::jobs
