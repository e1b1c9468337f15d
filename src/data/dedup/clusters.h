// Which documents are duplicates of which, in 8 bytes a document, and which of them stays.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/external_sort.h"
#include "data/op.h"

namespace helio::data {

// Of a cluster the document with the smallest rank stays, and of equal ranks the first by manifest.
struct SurvivorRule {
  std::string keep = "first";
  std::string score = {};
  std::vector<std::string> partners = {};

  void describe(Fields& f) {
    f("keep", keep,
      "Which of a cluster stays: the first by manifest order, the one with the best 'score', or "
      "the "
      "one whose partner stands first in 'partners'; ties go to the first.",
      one_of({"first", "quality", "partner"}));
    f("score", score, "With keep: quality, the name of the score of which more is better.");
    f("partners", partners, "With keep: partner, the partners from most to least preferred.");
  }
  // Throws when the rule lacks what it goes by.
  void check() const;
  double rank(const Document& document) const;
};

class Clusters {
 public:
  // Throws Error{memory} when that many documents do not fit in the memory a stage has.
  Clusters(uint64_t documents, const StageContext& context);
  Clusters() = default;

  uint64_t documents() const { return state_.size(); }
  // What is left of the stage's memory for sorting.
  uint64_t memory_left(const StageContext& context) const;

  // Union-find: first link() all pairs and mark(), then take_first(), then change survivors.
  void link(uint64_t a, uint64_t b);
  // A copy of this document is in an earlier index: the whole cluster goes.
  void mark(uint64_t order) { marked_.push_back(order); }
  // The first of each cluster stays.
  void take_first();

  // The one of smallest rank stays instead: `ranked(visit)` calls visit(order, rank) of documents
  // in any order, at least of all that are in clusters.
  using Ranked = std::function<void(uint64_t order, double rank)>;
  void choose(const std::function<void(const Ranked&)>& ranked, SortOptions options);

  // The document that stays instead of this one, itself when it stays; kAlone, kIndexed.
  uint64_t stays(uint64_t order) const { return state_[order]; }
  void set(uint64_t order, uint64_t stays) { state_[order] = stays; }
  static constexpr uint64_t kAlone = ~uint64_t(0), kIndexed = kAlone - 1;

  // Ends it: counts, and notes who has duplicates. Documents whose every duplicate was set() to
  // something else stand alone again.
  void finish(Counters& counters);
  const std::vector<uint64_t>& survivors() const { return survivors_; }  // ascending
  // `similarity` of a document that goes is asked for only then.
  template <class Similarity>
  Verdict tell(Document& document, const char* reason, Similarity&& similarity) const {
    const uint64_t stays = state_[document.order];
    if (stays == kAlone) return keep();
    if (stays == kIndexed) return drop("in_index", 1);
    document.cluster = static_cast<int64_t>(stays);
    if (stays == document.order) return keep();
    return drop(reason, similarity(document.order));
  }

 private:
  uint64_t root(uint64_t order);

  std::vector<uint64_t> state_ = {};  // parents, then survivors
  std::vector<uint64_t> marked_ = {}, survivors_ = {};
};

}  // namespace helio::data
