// The "normalizer" of a tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/aligned_text.h"

namespace helio::text {

class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  virtual void apply(AlignedText& text) const = 0;
  // The same without sources, into `out`; false when the text stays as it is.
  virtual bool rewrite(std::string_view text, std::string& out) const;
};

class TextNormalizer {
 public:
  // One of HF's normalizers, a Sequence of them, or null. Anything else is Error{invalid}.
  explicit TextNormalizer(const Json& json);
  ~TextNormalizer();
  bool does_nothing() const { return steps_.empty(); }
  std::string apply(std::string_view text) const;
  // The same; a text that stays as it is comes back itself, another one is in `made`.
  std::string_view apply(std::string_view text, std::string& made) const;
  void apply(AlignedText& text) const;

 private:
  void read(const Json& json);
  std::vector<std::unique_ptr<NormalizerStep>> steps_ = {};
};

}  // namespace helio::text
