#include "train/reference_scores.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/lines.h"
#include "nn/torch_error.h"
#include "train/distributed/score_together.h"

namespace helio::train {
namespace {

constexpr int64_t kBatchTokens = 4096;

// The file's scores. Its name says what it holds, so other content is an error.
std::vector<PairScore> read_scores(const fs::path& file, const OrderedJson& header) {
  std::vector<PairScore> scores;
  Json found;
  bool damaged = false;
  read_jsonl(file, [&](const Json& row, int64_t line) {
    if (line == 1) {
      found = row;
    } else if (row.is_object() && row.contains("chosen") && row.contains("rejected") &&
               row["chosen"].is_number() && row["rejected"].is_number()) {
      scores.push_back({row["chosen"].get<double>(), row["rejected"].get<double>()});
    } else {
      damaged = true;
    }
  });
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::invalid, "reference scores in '" + file.string() + "' " + what)
        .with_hint("remove the file: it is made again");
  };
  for (const char* key : {"model", "pairs"})
    if (!found.is_object() || !found.contains(key) || found[key] != Json(header[key]))
      refuse(std::string("are of ") + (key[0] == 'm' ? "another model" : "other pairs") +
             " than their name says");
  if (damaged || Json(scores.size()) != Json(header["count"])) refuse("are damaged");
  return scores;
}

}  // namespace

std::vector<PairScore> ReferenceScores::get(const std::string& name, const model::Decoder& model,
                                            const std::string& content,
                                            const std::vector<EncodedPreference>& pairs) {
  if (pairs.empty()) return {};
  const OrderedJson header = {
      {"model", content}, {"pairs", content_hash(pairs)}, {"count", pairs.size()}};
  const fs::path file = dir_ / (sha256_hex(compact(header)).substr(0, 24) + ".jsonl");
  const bool leads = !link_ || link_->leads();
  std::vector<PairScore> scores;
  if (leads && fs::exists(file)) scores = read_scores(file, header);
  if (link_) scores = distributed::send_scores(*link_, scores);
  if (!scores.empty()) return scores;

  monitor_.begin("Reference scores (" + name + ")", static_cast<int64_t>(pairs.size()), "pairs");
  scores = nn::with_torch_errors([&] { return "scoring pairs under the reference"; },
                                 [&] {
                                   return distributed::score_together(
                                       link_, model, pairs, kBatchTokens, [&](int64_t done) {
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
  if (leads) write_file_atomic(file, text);
  monitor_.end();
  return scores;
}

}  // namespace helio::train
