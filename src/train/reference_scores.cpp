#include "train/reference_scores.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "nn/torch_error.h"
#include "train/objective.h"

namespace helio::train {
namespace {

constexpr int64_t kBatchTokens = 4096;

// Empty when the file is not of this model and these pairs.
std::vector<PairScore> read_scores(const fs::path& file, const OrderedJson& header, size_t count) {
  std::vector<PairScore> scores;
  if (!fs::exists(file)) return scores;
  const std::string text = read_file(file);
  bool first = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const Json row = Json::parse(text.substr(begin, end - begin), nullptr, false);
    begin = end + 1;
    if (!row.is_object()) return {};
    if (first && row != Json(header)) return {};
    if (!first) {
      if (!row.contains("chosen") || !row.contains("rejected")) return {};
      scores.push_back({row["chosen"].get<double>(), row["rejected"].get<double>()});
    }
    first = false;
  }
  return scores.size() == count ? scores : std::vector<PairScore>();
}

}  // namespace

std::vector<PairScore> ReferenceScores::get(const std::string& name, const model::Decoder& model,
                                            const std::string& content,
                                            const std::vector<EncodedPreference>& pairs) {
  if (pairs.empty()) return {};
  const fs::path file = dir_ / (name + ".jsonl");
  const OrderedJson header = {
      {"model", content}, {"pairs", content_hash(pairs)}, {"count", pairs.size()}};
  auto scores = read_scores(file, header, pairs.size());
  if (!scores.empty()) return scores;

  monitor_.begin("Reference scores (" + name + ")", static_cast<int64_t>(pairs.size()), "pairs");
  scores =
      nn::with_torch_errors([&] { return "scoring pairs under the reference"; },
                            [&] {
                              return score_pairs(model, pairs, kBatchTokens, [&](int64_t done) {
                                monitor_.at(done);
                                stop_.check();
                              });
                            });
  std::string text = compact(header) + "\n";
  for (size_t i = 0; i < pairs.size(); ++i)
    text +=
        compact(
            {{"id", pairs[i].id}, {"chosen", scores[i].chosen}, {"rejected", scores[i].rejected}}) +
        "\n";
  write_file_atomic(file, text);
  monitor_.end();
  return scores;
}

}  // namespace helio::train
