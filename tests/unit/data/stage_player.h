// A stage played over documents with the memory, threads and chunks a test wants.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/node.h"
#include "data/op.h"
#include "temp_dir.h"

namespace helio::data {

struct StagePlay {
  uint64_t memory = uint64_t(64) << 20;
  int threads = 1;
  size_t documents_a_chunk = 1000;
};

struct Outcome {
  uint64_t order = 0;
  Verdict verdict = {};
  int64_t cluster = -1;
  std::string text = {};
  bool operator==(const Outcome& other) const {
    return order == other.order && verdict.kept == other.verdict.kept &&
           verdict.reason == other.verdict.reason && verdict.value == other.verdict.value &&
           cluster == other.cluster && text == other.text;
  }
};

class ChunkedSurvey final : public Survey {
 public:
  ChunkedSurvey(std::vector<std::string> chunks, uint64_t documents)
      : chunks_(std::move(chunks)), documents_(documents) {}
  uint64_t documents() const override { return documents_; }
  uint64_t bytes() const override {
    uint64_t sum = 0;
    for (const std::string& chunk : chunks_) sum += chunk.size();
    return sum;
  }
  bool next(std::string_view& bytes) override {
    if (at_ == chunks_.size()) return false;
    bytes = chunks_[at_++];
    return true;
  }
  void rewind() override { at_ = 0; }

 private:
  std::vector<std::string> chunks_;
  uint64_t documents_;
  size_t at_ = 0;
};

// One outcome a document, in their order.
inline std::vector<Outcome> play_stage(const std::string& op, const std::string& options,
                                       std::vector<Document> documents, const StagePlay& play = {},
                                       Counters* counted = nullptr) {
  const AnyOp made = find_op(op).make(parse_yaml(options, "test"));
  const auto run = std::get<std::unique_ptr<Stage>>(made)->start();
  std::vector<std::string> chunks;
  uint64_t most = 0;
  for (size_t i = 0; i < documents.size(); ++i) {
    if (i % play.documents_a_chunk == 0) chunks.emplace_back();
    run->survey(documents[i], chunks.back());
    most = std::max(most, documents[i].order + 1);
  }
  ChunkedSurvey survey(std::move(chunks), most);
  const TempDir scratch;
  SilentMonitor monitor;
  const StopRequest stop;
  Counters counters;
  StageContext context{.threads = play.threads,
                       .memory = play.memory,
                       .scratch = scratch.path(),
                       .monitor = monitor,
                       .stop = stop,
                       .counters = counters};
  run->settle(survey, context);
  std::filesystem::remove_all(scratch.path());  // nothing may need it any more
  std::vector<Outcome> outcomes;
  for (Document& document : documents) {
    const Verdict verdict = run->apply(document, counters);
    outcomes.push_back({document.order, verdict, document.cluster, document.text});
  }
  if (counted) *counted = counters;
  return outcomes;
}

inline std::vector<Document> documents_of(const std::vector<std::string>& texts) {
  std::vector<Document> documents(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) documents[i].order = i, documents[i].text = texts[i];
  return documents;
}

}  // namespace helio::data
