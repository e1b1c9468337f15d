// Keeps the first of documents with the same text.
#include <algorithm>
#include <vector>

#include "core/hash.h"
#include "data/duplicates.h"
#include "data/op.h"
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

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(); }

 private:
  struct Seen {
    Hash128 key;
    uint64_t order;
  };

  class Run final : public StageRun {
   public:
    void survey(const Document& document, std::string& out) const override {
      put_record(out, Seen{key_of(document.text), document.order});
    }
    void settle(Survey& survey, StageContext& context) override {
      std::vector<Seen> all;
      survey.for_each<Seen>([&](const Seen& seen) { all.push_back(seen); });
      std::sort(all.begin(), all.end(), [](const Seen& a, const Seen& b) {
        return a.key != b.key ? a.key < b.key : a.order < b.order;
      });
      size_t first = 0;
      for (size_t i = 1; i < all.size(); ++i) {
        if (all[i].key == all[first].key) found_.add(all[i].order, all[first].order, 1.0);
        else first = i;
      }
      found_.finish(context.counters);
    }
    std::vector<uint64_t> clusters() const override { return found_.clusters(); }
    Verdict apply(Document& document, Counters&) const override {
      return found_.tell(document, "exact_duplicate");
    }

   private:
    Duplicates found_ = {};
  };
};

}  // namespace

HELIO_OP(Exact)

}  // namespace helio::data
