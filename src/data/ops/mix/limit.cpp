// Keeps one source from drowning the others.
#include <algorithm>
#include <map>
#include <numeric>

#include "core/hash.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Limit final : public Stage {
 public:
  struct Options {
    int64_t max_words = 1'000'000;
    std::string per = "lot";
    int64_t seed = 0;

    void describe(Fields& f) {
      f("max_words", max_words, "Most words kept of each.", at_least(1));
      f("per", per, "What is limited.", one_of({"lot", "partner", "language"}));
      f("seed", seed, "Another seed, another choice.");
    }
  };

  static OpCard card() {
    return {.about =
                "Keeps at most so many words of each lot, partner or language: documents chosen "
                "by a hash of their ids, order unchanged."};
  }

  explicit Limit(Options options) : options_(std::move(options)) {}

  std::vector<Verdict> run(std::vector<Document>& documents, StageContext&) const override {
    std::vector<size_t> order(documents.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::vector<uint64_t> place(documents.size());
    for (size_t i = 0; i < documents.size(); ++i)
      place[i] = xxh64(documents[i].id, static_cast<uint64_t>(options_.seed));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return place[a] != place[b] ? place[a] < place[b] : documents[a].id < documents[b].id;
    });
    std::map<std::string_view, int64_t> words;
    std::vector<Verdict> verdicts(documents.size());
    for (const size_t i : order) {
      const Document& document = documents[i];
      const std::string_view key = options_.per == "lot"       ? document.lot
                                   : options_.per == "partner" ? document.partner
                                                               : document.language;
      const int64_t count = text::count_words(document.text);
      if (words[key] + count > options_.max_words) verdicts[i] = drop("over_limit", double(count));
      else words[key] += count;
    }
    return verdicts;
  }

 private:
  Options options_;
};

}  // namespace

HELIO_OP(Limit)

}  // namespace helio::data
