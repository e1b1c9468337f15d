// The decoder every model here is: RMSNorm, rotary positions, grouped-query attention and gated
// feed-forward layers, as Llama has them, with what the families do otherwise said by the config
// (checkpoint/hf_config.h). Weights by their Hugging Face names.
// Numbers follow transformers 5.23 (models/<family>/modeling_<family>.py).
//
// Shape suffixes: B rows, T positions, N = B*T, H hidden, V vocabulary, Q/K heads, D head size.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/hf_config.h"
#include "nn/lent_weights.h"
#include "nn/linear_loss.h"
#include "nn/packed_weight.h"
#include "nn/paged_attention.h"

namespace helio::model {

class KvCache;
class PagedCache;

// Token rows, each one document or several packed end to end; attention never crosses from one
// document into another.
struct PackedBatch {
  at::Tensor ids_BT = {};        // int64
  at::Tensor positions_BT = {};  // int64, from 0 in each document
  // Per row: where each document starts, ascending from 0. Empty: one document a row. Padding at
  // the end of a row needs no mark: causal attention does not look at it.
  std::vector<std::vector<int64_t>> starts = {};
  // By document of all rows: where parts begin, in the document's tokens, that go on from what
  // stands before the first of them without seeing each other. Their positions go on from there
  // too. Empty: none. Only where alike() holds between a part and the document.
  std::vector<std::vector<int64_t>> branches = {};

  // Rows of one document each: positions 0..T-1.
  static PackedBatch rows(at::Tensor ids_BT);
};

// What a training step keeps of each layer for its backward pass.
enum class Keep {
  activations,  // what cannot be made again cheaply
  inputs        // the layer's input: the rest is computed once more
};

// How hidden(batch) and the head compute where gradients are recorded.
struct ForwardOptions {
  Keep keep = Keep::activations;
  // The type that factors of matrix products are rounded to: bfloat16, or the weights' own. Sums,
  // norms, attention and the loss stay f32.
  at::ScalarType products = at::kFloat;
  // Where the layers' weights come from, when they are not here all the time: layers then keep
  // their inputs only, and only hidden(batch) runs. Embedding, final norm and head must be here.
  nn::LentWeights* lender = nullptr;
};

class Decoder {
 public:
  // Weights exist but hold nothing; call initialise() or use load().
  explicit Decoder(checkpoint::DecoderConfig config, at::ScalarType dtype = at::kFloat);
  // Reads a Hugging Face folder. Missing, extra and wrongly shaped tensors are errors that name
  // them. `adapter`: a LoRA adapter's folder (checkpoint/lora_adapter.h) whose sums the weights
  // become; empty: none. `keeps`: weights that are to have memory (nn/storage.h); empty: all.
  using Keeps = std::function<bool(const std::string& name)>;
  static Decoder load(const std::filesystem::path& dir, at::ScalarType dtype = at::kFloat,
                      const std::filesystem::path& adapter = {}, const Keeps& keeps = {});
  // The same for running only, in f32 with the matrices packed as `format`: generation through a
  // PagedCache then goes through layers fused for it (model/packed_layer.h). The embedding and the
  // head are int8 where the rest is int4. Also reads a GGUF file: its Q8_0 blocks as int8 and Q4_0
  // blocks as int4 (but for the embedding and the head) are the same numbers again when ggml's own
  // rule made them. Layer by layer: never more than one expanded. Experts' router stays f32. Throws
  // usage for an adapter on a GGUF file.
  static Decoder load_packed(const std::filesystem::path& dir_or_gguf, nn::WeightFormat format,
                             const std::filesystem::path& adapter = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Normal(0, std) from a stream of its own for each parameter name, so that equal seeds give equal
  // weights whatever else differs; norms multiply by 1, biases are 0; o_proj and down_proj, which
  // add to the residual stream, have std / sqrt(2 layers) (Radford et al. 2019).
  void initialise(uint64_t seed, double std, const Keeps& keeps = {});
  // Writes config.json, generation_config.json, model.safetensors into an existing folder.
  void save(const std::filesystem::path& dir, at::ScalarType dtype = at::kFloat) const;
  void save_config(const std::filesystem::path& dir, at::ScalarType dtype = at::kFloat) const;

  // Of hidden(batch) and head(), from now on.
  void set_forward(ForwardOptions options);

  // [B, T, H] after the final norm. Records gradients unless grad mode is off.
  at::Tensor hidden(const PackedBatch& batch) const;
  // Goes on from what the cache holds: ids [B, t] are the next tokens of each row. Grad mode off.
  // Where frequencies follow the length (dynamic, longrope), a step that changes them runs all
  // tokens again, so that the result is always that of the whole row.
  at::Tensor hidden(const at::Tensor& ids_Bt, KvCache& cache) const;
  // The next tokens of several sequences, each going on from its own pages: ids [N] are all steps'
  // in order. Returns [N, H]. Grad mode off. Cached tokens must stand as they do in the longer
  // sequence: see alike().
  at::Tensor hidden(const at::Tensor& ids_N, PagedCache& cache,
                    std::span<const nn::PagedStep> steps) const;
  // Do the tokens of a sequence of `length` have the keys they have in one of `longer`? Not where
  // frequencies follow the length (dynamic, longrope) and it passes a limit.
  bool alike(int64_t length, int64_t longer) const;
  // hidden [..., H] -> f32 logits [..., V].
  at::Tensor logits(const at::Tensor& hidden) const;
  at::Tensor head_weight() const;  // [V, H]; the embedding itself when tied
  nn::Head head() const;           // what losses need: the weight and the cap on logits

  struct Named {
    std::string name = {};
    at::Tensor tensor = {};
  };
  // Leaves that require grad, in a fixed order (embedding, layers, norm, head); a tied head is not
  // there. Tensors are shared with the decoder: write into them in place.
  const std::vector<Named>& parameters() const;
  std::vector<at::Tensor> layer_weights(int64_t layer) const;  // of them, a layer's
  const checkpoint::DecoderConfig& config() const;
  at::ScalarType dtype() const;
  // Of a packed one: how, and the bytes of its matrices. Its parameters() are what is not packed;
  // head(), head_weight() and save() are for f32 only.
  std::optional<nn::WeightFormat> packed_as() const;
  size_t packed_bytes() const;

 private:
  // Where packed weights come from: each in f32, asked for in the model's order.
  struct Source;
  struct Impl;
  explicit Decoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace helio::model
