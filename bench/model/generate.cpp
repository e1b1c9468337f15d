// Tokens a second of a model folder: reading a prompt of 512, and 64 steps of a batch after prompts
// of 32 (see bench/peers/generate.py, which runs this beside its peers).
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <string>

#include "core/error.h"
#include "model/decoder.h"
#include "model/paged_cache.h"
#include "nn/runtime.h"

namespace {

using helio::model::Decoder;
using helio::model::PagedCache;
using helio::nn::PagedStep;

constexpr int64_t kPrefill = 512, kPrompt = 32, kSteps = 64, kPageTokens = 32;
constexpr int64_t kPages = (kPrefill + kPageTokens - 1) / kPageTokens;  // of a sequence

// With one thread the processor's time, which other work on the machine hardly changes; else the
// wall's.
double now() {
  timespec time{};
  clock_gettime(helio::nn::threads_in_use() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
                &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

at::Tensor ids_of(const std::vector<int64_t>& ids) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(ids.size())}, at::TensorOptions(at::kLong));
  std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

std::vector<int64_t> prompt(int64_t count, int64_t sequence) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back((7 * i + 31 * sequence) % 4000 + 100);
  return ids;
}

class Run {
 public:
  Run(const Decoder& decoder, int64_t batch)
      : decoder_(decoder),
        cache_(decoder.config(), kPages * batch, kPageTokens, decoder.dtype()),
        pages_(static_cast<size_t>(kPages * batch)) {
    std::iota(pages_.begin(), pages_.end(), 0);
  }

  // The likeliest next token of each sequence.
  std::vector<int64_t> step(const std::vector<int64_t>& ids, int64_t past, int64_t first,
                            int64_t sequences) {
    const int64_t fresh = static_cast<int64_t>(ids.size()) / sequences;
    std::vector<PagedStep> steps;
    std::vector<int64_t> last;
    for (int64_t s = 0; s < sequences; ++s) {
      steps.push_back(
          {.pages = std::span(pages_).subspan(static_cast<size_t>((first + s) * kPages), kPages),
           .past = past,
           .fresh = fresh});
      last.push_back((s + 1) * fresh - 1);
    }
    const at::Tensor hidden = decoder_.hidden(ids_of(ids), cache_, steps);
    const at::Tensor best =
        decoder_.logits(hidden.index_select(0, ids_of(last))).argmax(1).contiguous();
    const int64_t* const data = best.const_data_ptr<int64_t>();
    return {data, data + sequences};
  }

 private:
  const Decoder& decoder_;
  PagedCache cache_;
  std::vector<int32_t> pages_;
};

double prefill_rate(const Decoder& decoder) {
  Run run(decoder, 1);
  double best = 0;
  for (int i = 0; i < 3; ++i) {  // the first warms up
    const double begin = now();
    run.step(prompt(kPrefill, 0), 0, 0, 1);
    if (i > 0) best = std::max(best, kPrefill / (now() - begin));
  }
  return best;
}

double decode_rate(const Decoder& decoder, int64_t batch) {
  Run run(decoder, batch);
  std::vector<int64_t> tokens;
  for (int64_t s = 0; s < batch; ++s)
    tokens.push_back(run.step(prompt(kPrompt, s), 0, s, 1).front());
  tokens = run.step(tokens, kPrompt, 0, batch);
  const double begin = now();
  for (int64_t i = 0; i < kSteps; ++i) tokens = run.step(tokens, kPrompt + 1 + i, 0, batch);
  return static_cast<double>(batch * kSteps) / (now() - begin);
}

std::string option(int argc, char** argv, const std::string& name, const std::string& otherwise) {
  for (int i = 2; i + 1 < argc; ++i)
    if (argv[i] == name) return argv[i + 1];
  return otherwise;
}

Decoder load(const std::string& dir, const std::string& weights) {
  using helio::nn::WeightFormat;
  if (weights == "general") return Decoder::load(dir);
  for (const auto format : {WeightFormat::f32, WeightFormat::bf16, WeightFormat::bf16_both,
                            WeightFormat::int8, WeightFormat::int4})
    if (weights == helio::nn::weight_format_name(format)) return Decoder::load_packed(dir, format);
  throw helio::Error(helio::ErrorKind::usage, "unknown --weights " + weights);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(
        "bench_model_generate MODEL [--weights general|f32|bf16|bf16_both|int8|int4] [--threads N] "
        "[--batch N]\nTokens a second (of CPU time with one thread): a prompt of {}, {} steps "
        "after prompts of {}.\n",
        kPrefill, kSteps, kPrompt);
    return 0;
  }
  try {
    helio::nn::prepare_runtime(std::stoll(option(argc, argv, "--threads", "1")));
    const c10::AutoGradMode no_grad(false);
    const int64_t batch = std::stoll(option(argc, argv, "--batch", "1"));
    const Decoder decoder = load(argv[1], option(argc, argv, "--weights", "f32"));
    fmt::print("{{\"prefill\": {:.1f}, \"decode\": {:.1f}}}\n", prefill_rate(decoder),
               decode_rate(decoder, batch));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
