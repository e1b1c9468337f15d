#include "data/duplicates.h"

namespace helio::data {

std::vector<Verdict> keep_first(std::vector<Document>& documents, const std::vector<size_t>& first,
                                const std::string& step, const std::string& reason,
                                const std::function<double(size_t, size_t)>& similarity,
                                StageContext& context) {
  std::vector<Verdict> verdicts(documents.size());
  std::map<size_t, std::vector<size_t>> clusters;  // first -> the others
  for (size_t i = 0; i < documents.size(); ++i)
    if (first[i] != i) clusters[first[i]].push_back(i);
  const auto member = [&](size_t i, double value) {
    return OrderedJson{{"id", documents[i].id},
                       {"lot", documents[i].lot},
                       {"partner", documents[i].partner},
                       {"similarity", value}};
  };
  auto& lines = context.files[kDuplicatesName];
  for (const auto& [stays, others] : clusters) {
    if (documents[stays].cluster.empty()) documents[stays].cluster = documents[stays].id;
    OrderedJson members = OrderedJson::array({member(stays, 1.0)});
    for (const size_t i : others) {
      const double value = similarity(stays, i);
      documents[i].cluster = documents[stays].id;
      verdicts[i] = drop(reason, value);
      members.push_back(member(i, value));
    }
    lines.push_back(
        compact({{"step", step}, {"first", documents[stays].id}, {"members", members}}));
  }
  context.counters["duplicate_clusters"] += int64_t(clusters.size());
  return verdicts;
}

}  // namespace helio::data
