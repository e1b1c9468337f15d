#include "train/distributed/score_together.h"

#include <algorithm>

#include "train/distributed/bytes.h"
#include "train/distributed/share.h"
#include "train/objective.h"

namespace helio::train::distributed {

std::vector<PairScore> score_together(Communicator* link, const model::Decoder& model,
                                      const std::vector<EncodedPreference>& pairs,
                                      int64_t batch_tokens,
                                      const std::function<void(int64_t)>& progress) {
  if (!link) return score_pairs(model, pairs, batch_tokens, progress);
  std::vector<int64_t> lengths;
  for (const auto& pair : pairs)
    lengths.push_back(
        static_cast<int64_t>(pair.prompt.size() + pair.chosen.size() + pair.rejected.size()));
  const std::vector<int64_t> owners = spread(lengths, link->size());
  std::vector<EncodedPreference> mine;
  for (size_t i = 0; i < pairs.size(); ++i)
    if (owners[i] == link->rank()) mine.push_back(pairs[i]);
  const auto all = static_cast<int64_t>(pairs.size());
  const auto scores = score_pairs(model, mine, batch_tokens, [&](int64_t done) {
    progress(std::min(all, done * link->size()));
  });
  std::vector<std::vector<PairScore>> parts;
  for (const std::string& part : link->gather(bytes_of(scores)))
    parts.push_back(values_of<PairScore>(part));
  std::vector<PairScore> joined;
  std::vector<size_t> next(parts.size());
  for (const int64_t owner : owners) {
    const auto rank = static_cast<size_t>(owner);
    joined.push_back(parts[rank].at(next[rank]++));
  }
  return joined;
}

std::vector<PairScore> send_scores(Communicator& link, const std::vector<PairScore>& own) {
  return values_of<PairScore>(link.gather(link.leads() ? bytes_of(own) : std::string()).front());
}

}  // namespace helio::train::distributed
