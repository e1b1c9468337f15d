// What happens to a chunk of documents between two places where all documents are needed: the stage
// that was settled before is applied, maps and filters run, the next stage's survey is taken.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/accounting.h"
#include "data/document.h"
#include "data/steps.h"

namespace helio::data {

// How much of a filter's figures is kept beside the dataset.
enum class KeepFigures {
  none,
  deciding,  // until a document is dropped
  all        // measured on, up to the next stage, as if it had stayed: what-if answers exactly
};

// Steps [first, last) are maps and filters; an opening stage is step first - 1, a closing one step
// `last`.
struct Segment {
  size_t first = 0, last = 0;
  bool opens = false, closes = false;
};
std::vector<Segment> segments_of(const std::vector<Step>& steps);

// What one chunk adds to the account. Sums, so that no order of chunks shows.
struct Tally {
  struct Lot {
    Amount in = {}, out = {};
    std::map<std::string, int64_t> dropped = {};
  };
  std::vector<StepAccount> steps = {};  // of the whole pipeline
  std::map<std::string, Lot> lots = {};
  std::map<std::string, Amount> languages = {}, splits = {};  // of the survivors
  Counters counters = {};

  explicit Tally(const std::vector<Step>& pipeline);
  void add(const Tally& other);
  OrderedJson json() const;
  void add(const Json& json);
};

struct Dropped {
  Document document = {};
  size_t step = 0;
  Verdict verdict = {};
};

// A document of a stage's cluster of duplicates: the one that stays, or another.
struct ClusterNote {
  int64_t cluster = -1;
  uint64_t order = 0;
  double similarity = 1;
  std::string id = {}, lot = {}, partner = {};
};

struct ChunkResult {
  explicit ChunkResult(const std::vector<Step>& pipeline) : tally(pipeline) {}
  std::vector<Document> kept = {};
  std::vector<Dropped> dropped = {};
  std::vector<ClusterNote> notes = {};  // by the opening stage
  std::vector<uint64_t> figure_orders = {};
  std::vector<double> figures = {};  // a row a document; a column a check of the segment's filters
  std::string survey = {};
  Tally tally;
};

// The stages round a segment. `cluster_ids`: of the opening stage's clusters, by manifest number.
struct SegmentStages {
  const StageRun* opening = nullptr;
  const StageRun* closing = nullptr;
  const std::map<uint64_t, std::string>* cluster_ids = nullptr;
};

// The filters of a segment and where their checks stand among its figures.
struct FigureColumn {
  size_t step = 0;
  Check check = {};
};
std::vector<FigureColumn> figure_columns(const std::vector<Step>& steps, const Segment& segment);

// Runs a chunk. Errors name the step and the document.
ChunkResult run_chunk(const std::vector<Step>& steps, const Segment& segment,
                      const SegmentStages& stages, std::vector<Document> documents,
                      KeepFigures figures);

// Counts documents as they come in, before any step.
void count_in(const std::vector<Document>& documents, Tally& tally);
// Counts a survivor, after the last step.
void count_out(const Document& document, Tally& tally);

}  // namespace helio::data
