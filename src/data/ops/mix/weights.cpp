// Mixes sources in given shares of words.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Weights final : public Stage {
 public:
  struct Options {
    std::vector<std::string> shares = {};
    std::string per = "lot";
    int64_t max_words = 0;
    int64_t seed = 0;

    void describe(Fields& f) {
      f("shares", shares, "Weights by name: [ko=7, en=3]. What is not named is dropped.");
      f("per", per, "What the names are of.", one_of({"lot", "partner", "language"}));
      f("max_words", max_words, "Most words in all; 0 takes as many as the scarcest source allows.",
        at_least(0));
      f("seed", seed, "Another seed, another choice.");
    }
  };

  static OpCard card() {
    return {.about =
                "Keeps documents so that the words of each lot, partner or language stand in the "
                "given proportion: chosen by a hash of their ids, order unchanged, none repeated."};
  }

  explicit Weights(Options options) : options_(std::move(options)) {
    double sum = 0;
    for (const std::string& share : options_.shares) {
      const size_t equals = share.rfind('=');
      double weight = 0;
      const char* end = share.data() + share.size();
      if (equals == share.npos || equals == 0 ||
          std::from_chars(share.data() + equals + 1, end, weight).ptr != end || !(weight > 0))
        throw Error(ErrorKind::invalid, "'" + share + "' is no share")
            .with_hint("write name=weight, like ko=7");
      shares_[xxh64(share.substr(0, equals))] += weight;
      sum += weight;
    }
    if (shares_.empty())
      throw Error(ErrorKind::invalid, "mix.weights names no shares")
          .with_hint("for example: {op: mix.weights, per: language, shares: [ko=7, en=3]}");
    for (auto& [key, weight] : shares_) weight /= sum;
  }

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(*this); }

 private:
  struct Entry {
    uint64_t key, place, order;
    int64_t words;
  };

  class Run final : public StageRun {
   public:
    explicit Run(const Weights& op) : op_(op) {}

    void survey(const Document& document, std::string& out) const override {
      const uint64_t key = op_.key_of(document);
      if (!op_.shares_.contains(key)) return;
      put_record(out, Entry{key, xxh64(document.id, static_cast<uint64_t>(op_.options_.seed)),
                            document.order, text::count_words(document.text)});
    }

    void settle(Survey& survey, StageContext&) override {
      std::vector<Entry> all;
      std::map<uint64_t, int64_t> words;
      survey.for_each<Entry>([&](const Entry& entry) {
        all.push_back(entry);
        words[entry.key] += entry.words;
      });
      double total = op_.options_.max_words > 0 ? double(op_.options_.max_words) : HUGE_VAL;
      for (const auto& [key, share] : op_.shares_)
        total = std::min(total, double(words[key]) / share);
      std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) {
        return a.place != b.place ? a.place < b.place : a.order < b.order;
      });
      std::map<uint64_t, double> left;
      for (const auto& [key, share] : op_.shares_) left[key] = std::round(share * total);
      for (const Entry& entry : all) {
        if (left[entry.key] < double(entry.words)) beyond_.push_back(entry.order);
        else left[entry.key] -= double(entry.words);
      }
      std::sort(beyond_.begin(), beyond_.end());
    }

    Verdict apply(Document& document, Counters&) const override {
      if (!op_.shares_.contains(op_.key_of(document))) return drop("not_in_mix");
      return std::binary_search(beyond_.begin(), beyond_.end(), document.order) ? drop("over_share")
                                                                                : keep();
    }

   private:
    const Weights& op_;
    std::vector<uint64_t> beyond_ = {};
  };

  uint64_t key_of(const Document& document) const {
    return xxh64(options_.per == "lot"       ? document.lot
                 : options_.per == "partner" ? document.partner
                                             : document.language);
  }

  Options options_;
  std::map<uint64_t, double> shares_ = {};
};

}  // namespace

HELIO_OP(Weights)

}  // namespace helio::data
