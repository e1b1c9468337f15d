// Near-duplicates by MinHash and locality-sensitive hashing, in bounded memory: the bands of all
// documents are sorted on disk, equal ones link documents, and of a cluster one stays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dedup/clusters.h"
#include "data/dedup/minhash.h"
#include "data/op.h"

namespace helio::data {

enum class Verify {
  none,     // equal bands are proof, as datatrove and Dataverse take them
  jaccard,  // the shingles of both are compared before they are linked
};

struct NearOptions {
  MinHashOptions minhash = {};
  SurvivorRule rule = {};
  double min_similarity = 0;  // estimated, to the one that stays; below it a duplicate is kept
  Verify verify = Verify::none;
  double min_jaccard = 0.7;
  std::string index = {}, write_index = {};  // folders; empty: none
};

class NearDuplicates {
 public:
  explicit NearDuplicates(const NearOptions& options);

  // Everything a key of the index depends on, as text.
  std::string scheme() const;

  void survey(const Document& document, std::string& out) const;
  void settle(Survey& survey, StageContext& context);
  const std::vector<uint64_t>& survivors() const { return clusters_.survivors(); }
  Verdict tell(Document& document) const;

 private:
  struct Record;
  struct Edge;
  template <class Visit>
  void for_each(Survey& survey, Visit&& visit) const;
  void link_equal_bands(Survey& survey, StageContext& context);
  void link_verified(Survey& survey, StageContext& context, std::vector<bool> candidates,
                     ExternalSorter<Edge>& edges);
  void compare_with_survivors(Survey& survey, StageContext& context);

  NearOptions options_;
  MinHash minhash_;
  Clusters clusters_ = {};
  std::vector<uint64_t> members_ = {};      // of clusters, ascending
  std::vector<uint16_t> equal_slots_ = {};  // of each member and its survivor
};

}  // namespace helio::data
