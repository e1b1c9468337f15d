// Logits of token ids, as a safetensors file to compare with other programs.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <ostream>

#include "checkpoint/safetensors_header.h"
#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "engine/precision_options.h"
#include "model/decoder.h"
#include "model/load_decoder.h"
#include "nn/runtime.h"

namespace helio::engine {
namespace {

using Rows = std::vector<std::vector<int64_t>>;

Error bad_row(const std::string& file, int64_t line, const std::string& what) {
  return Error(ErrorKind::invalid, file + ":" + std::to_string(line) + ": " + what);
}

std::vector<int64_t> read_row(const Json& row, const std::string& file, int64_t line,
                              const checkpoint::DecoderConfig& config) {
  const auto ids = row.is_object() ? row.find("ids") : row.end();
  if (!row.is_object() || ids == row.end() || !ids->is_array())
    throw bad_row(file, line, "expected an object with a list \"ids\"")
        .with_hint("helio tokenizer encode writes such a file");
  if (ids->empty()) throw bad_row(file, line, "\"ids\" is empty");
  if (static_cast<int64_t>(ids->size()) > config.longest_sequence()) {
    throw bad_row(file, line,
                  std::to_string(ids->size()) + " ids are more than the model's " +
                      std::to_string(config.longest_sequence()) + " positions");
  }
  std::vector<int64_t> out;
  for (const Json& id : *ids) {
    const bool whole =
        id.is_number_unsigned() || (id.is_number_integer() && id.get<int64_t>() >= 0);
    if (!whole || id.get<uint64_t>() >= static_cast<uint64_t>(config.vocab_size)) {
      throw bad_row(file, line,
                    "id " + compact(OrderedJson(id)) + " is outside the model's vocabulary of " +
                        std::to_string(config.vocab_size))
          .with_hint("the ids come from another tokenizer");
    }
    out.push_back(id.get<int64_t>());
  }
  return out;
}

class LogitsCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model"},
            .required = {"model", "in", "out"},
            .examples = {"helio model logits models/base --in ids.jsonl --out logits.safetensors"}};
  }

  void describe(Fields& f) override {
    f.input("model", model_, "Model folder (Hugging Face layout).");
    f.input("in", in_, "Rows of {\"ids\": [...]}, one a line.");
    f("out", out_,
      "File to write: one [tokens, vocabulary] F32 tensor a row, named \"0\", \"1\", ...");
    f("adapter", adapter_, "Folder of a LoRA adapter, applied to the weights as they are read.");
    describe_precision(f, dtype_, weights_);
    f("threads", threads_, "CPU threads; 0: all cores.", at_least(0));
  }

  int run(cli::Context& context) override {
    nn::prepare_runtime(threads_);
    const c10::AutoGradMode no_grad(false);
    const auto decoder = model::load_decoder_to_run(model_, dtype_, weights_, adapter_);
    Rows rows;
    read_jsonl(in_, [&](const Json& row, int64_t line) {
      rows.push_back(read_row(row, in_, line, decoder.config()));
    });
    if (rows.empty()) throw Error(ErrorKind::invalid, in_ + " has no rows");
    const int64_t tokens = write(decoder, rows, context);
    if (context.json) {
      context.out << compact({{"out", out_},
                              {"rows", rows.size()},
                              {"tokens", tokens},
                              {"vocabulary", decoder.config().vocab_size}})
                  << "\n";
    } else {
      context.out << rows.size() << " rows, " << tokens << " tokens: " << out_ << "\n";
    }
    return 0;
  }

 private:
  // Row by row, each in pieces of a few positions: the file may be far larger than memory.
  int64_t write(const model::Decoder& decoder, const Rows& rows, cli::Context& context) const {
    const int64_t vocabulary = decoder.config().vocab_size;
    std::vector<checkpoint::TensorLayout> layout;
    int64_t total = 0, done = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto tokens = static_cast<int64_t>(rows[i].size());
      layout.push_back({.name = std::to_string(i), .shape = {tokens, vocabulary}});
      total += tokens;
    }
    checkpoint::plan_layout(layout);  // the file's order is by name: 0, 1, 10, 11, ... 2
    AtomicFile file(out_);
    file.write(checkpoint::make_safetensors_header(layout, {{"format", "pt"}}));
    context.monitor.begin("logits", total, "tokens");
    for (const auto& tensor : layout) {
      context.stop.check();
      const auto& ids = rows[std::stoull(tensor.name)];
      const auto count = static_cast<int64_t>(ids.size());
      at::Tensor ids_BT = at::empty({1, count}, at::TensorOptions(at::kLong));
      std::copy(ids.begin(), ids.end(), ids_BT.mutable_data_ptr<int64_t>());
      const at::Tensor hidden = decoder.hidden(model::PackedBatch::rows(ids_BT)).squeeze(0);
      constexpr int64_t kPiece = 256;
      for (int64_t first = 0; first < count; first += kPiece) {
        const at::Tensor logits =
            decoder.logits(hidden.slice(0, first, std::min(first + kPiece, count))).contiguous();
        file.write(logits.const_data_ptr<float>(), logits.nbytes());
      }
      done += count;
      context.monitor.at(done);
    }
    file.commit();
    context.monitor.end();
    return total;
  }

  std::string model_ = {}, adapter_ = {}, in_ = {}, out_ = {}, dtype_ = "float32", weights_ = "f32";
  int64_t threads_ = 0;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::LogitsCommand)
