// A decoder on this machine as a LanguageModel, from parts: load_language_model (language_model.h)
// makes it from a folder.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "model/decoder.h"
#include "model/language_model.h"

namespace helio::model {

struct LocalParts {
  Decoder decoder;
  std::unique_ptr<text::Tokenizer> tokenizer = {};
  text::SpecialIds special_ids = {};
  std::function<std::string()> content = {};  // called at most once, when first asked for
  std::filesystem::path folder = {};          // whose chat template it uses; empty: none
};

// Error{invalid} when the tokenizer has ids that the model has no row for.
void check_vocabulary(const checkpoint::DecoderConfig& config, const text::Tokenizer& tokenizer);

std::unique_ptr<LanguageModel> make_language_model(LocalParts parts,
                                                   const LoadOptions& options = {});

// The decoder of a model that was made so, to run beside it at other times; null for any other.
std::shared_ptr<const Decoder> shared_decoder(const LanguageModel& model);

}  // namespace helio::model
