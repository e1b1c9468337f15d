// What evaluation and serving know of a model: token ids in, numbers out. Torch-free on purpose;
// a local checkpoint is one implementation, an OpenAI endpoint can be another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace helio {
class FileHashes;
}

namespace helio::model {

using text::TokenId;

// How probable is `continuation` after `context`?
struct ScoreRequest {
  std::vector<TokenId> context = {};       // at least one token
  std::vector<TokenId> continuation = {};  // at least one token
};
struct Score {
  double log_prob = 0;     // nats, summed over the continuation, log-softmax in f32, sum in f64
  bool is_greedy = false;  // every continuation token was the argmax
};

struct GenerateRequest {
  std::vector<TokenId> prompt = {};
  int64_t max_new_tokens = 128;
  double temperature = 0;  // 0: greedy
  double top_p = 1;
  int64_t top_k = 0;  // 0: all
  uint64_t seed = 0;
  std::vector<TokenId> stop_ids = {};  // generation ends before any of these
  // Called with each new token; return false to stop.
  std::function<bool(TokenId)> on_token = {};
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  // In the order of the requests; the same numbers however they are batched (to 1e-5).
  // Contexts too long for the model are cut on the left, as lm-evaluation-harness does.
  virtual std::vector<Score> score(const std::vector<ScoreRequest>& requests) = 0;
  virtual std::vector<TokenId> generate(const GenerateRequest& request) = 0;
  virtual const text::Tokenizer& tokenizer() const = 0;
  virtual const text::SpecialIds& special_ids() const = 0;
  virtual int64_t max_positions() const = 0;
  virtual std::string content() const = 0;  // hash of the weights and tokenizer, for caches
  // How the model's conversations are written, read when first asked for. Error{not_found}: it has
  // no chat template.
  virtual const text::ChatFormat& chat() const {
    throw Error(ErrorKind::not_found, "the model has no chat template");
  }
};

struct LoadOptions {
  std::string dtype = "float32";  // "float32", "bfloat16"
  std::string weights = "f32";    // of generation: see model/load_decoder.h
  int64_t batch_tokens = 8192;    // padded tokens per forward when scoring
};

// Loads a Hugging Face folder or GGUF file; `adapter`: a LoRA adapter's folder, applied to it;
// empty: none. `hashes` outlives the model; null: its files are read anew for content(). Defined in
// the engine's side (model/load_language_model.cpp).
std::unique_ptr<LanguageModel> load_language_model(const std::filesystem::path& dir,
                                                   const LoadOptions& options = {},
                                                   const std::filesystem::path& adapter = {},
                                                   FileHashes* hashes = nullptr);

}  // namespace helio::model
