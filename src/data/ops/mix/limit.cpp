// Keeps one source from drowning the others.
#include <algorithm>
#include <map>
#include <vector>

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

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  struct Entry {
    uint64_t key, place, order;
    int64_t words;
  };

  class Run final : public StageRun {
   public:
    explicit Run(const Options& options) : options_(options) {}

    void survey(const Document& document, std::string& out) const override {
      const std::string_view key = options_.per == "lot"       ? document.lot
                                   : options_.per == "partner" ? document.partner
                                                               : document.language;
      put_record(out, Entry{xxh64(key), xxh64(document.id, static_cast<uint64_t>(options_.seed)),
                            document.order, text::count_words(document.text)});
    }

    void settle(Survey& survey, StageContext&) override {
      std::vector<Entry> all;
      survey.for_each<Entry>([&](const Entry& entry) { all.push_back(entry); });
      std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) {
        return a.place != b.place ? a.place < b.place : a.order < b.order;
      });
      std::map<uint64_t, int64_t> words;
      for (const Entry& entry : all) {
        if (words[entry.key] + entry.words > options_.max_words)
          beyond_.push_back({entry.order, entry.words});
        else words[entry.key] += entry.words;
      }
      std::sort(beyond_.begin(), beyond_.end());
    }

    Verdict apply(Document& document, Counters&) const override {
      const auto at = std::lower_bound(beyond_.begin(), beyond_.end(),
                                       std::pair<uint64_t, int64_t>(document.order, 0));
      if (at == beyond_.end() || at->first != document.order) return keep();
      return drop("over_limit", double(at->second));
    }

   private:
    Options options_;
    std::vector<std::pair<uint64_t, int64_t>> beyond_ = {};
  };

  Options options_;
};

}  // namespace

HELIO_OP(Limit)

}  // namespace helio::data
