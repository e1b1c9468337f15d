// Keeps the first of documents with the same text.
#include <algorithm>
#include <unordered_map>

#include "core/hash.h"
#include "data/duplicates.h"
#include "data/op.h"
#include "data/parallel.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Hash of the text in NFC with every run of white space as one space.
Hash128 key_of(std::string_view text) {
  const std::string normal = text::normalize(text, text::NormalForm::nfc);
  std::string key;
  key.reserve(normal.size());
  text::for_each_word(normal, [&](std::string_view word) {
    if (!key.empty()) key += ' ';
    key += word;
  });
  return xxh3_128(key);
}

class Exact final : public Stage {
 public:
  struct Options {
    void describe(Fields&) {}
  };

  static OpCard card() {
    return {.about =
                "Drops documents whose text, but for white space and normal form, an earlier one "
                "has; the first by manifest order stays."};
  }

  explicit Exact(const Options&) {}

  std::vector<Verdict> run(std::vector<Document>& documents, StageContext& context) const override {
    std::vector<Hash128> keys(documents.size());
    parallel_slices(documents.size(), context.threads, 64, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i) keys[i] = key_of(documents[i].text);
    });
    std::vector<size_t> first(documents.size());
    std::map<Hash128, size_t> seen;
    for (size_t i = 0; i < documents.size(); ++i) first[i] = seen.emplace(keys[i], i).first->second;
    return keep_first(
        documents, first, "dedup.exact", "exact_duplicate", [](size_t, size_t) { return 1.0; },
        context);
  }
};

}  // namespace

HELIO_OP(Exact)

}  // namespace helio::data
