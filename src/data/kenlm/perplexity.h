// Perplexity of documents under an n-gram model, as CCNet and datatrove measure it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/fields.h"
#include "core/options.h"
#include "data/kenlm/model.h"
#include "data/words/words.h"

namespace helio::data::kenlm {

// none       the text as it is
// ccnet      cc_net text_normalizer.normalize: lower case, NFD without accents (Hangul becomes
//            conjoining Jamo), each digit 0, punctuation by a table, no controls. Line ends are
//            controls: a document becomes one line
// datatrove  the same with a whole number as one 0 (datatrove 0.10 utils/perplexity.py)
enum class Normalization { none, ccnet, datatrove };
std::string normalize(std::string_view text, Normalization form);

struct PerplexityOptions {
  std::string normalization = "none", words = "whitespace";
  void describe(Fields& f);
};

class Perplexity {
 public:
  Perplexity(const std::string& model, const PerplexityOptions& options);
  // 10 ** (-log10 probability / tokens) over the document's lines, each a sentence whose end is a
  // token: never 0 tokens.
  double of(std::string_view text) const;

 private:
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Words> words_;
  Normalization form_;
};

}  // namespace helio::data::kenlm
