// A data pipeline: partners' lots in, a dataset out, every dropped document kept with its reason.
//
//   datasets/NAME/part-00000.jsonl.zst
//   {"id","text","lot","partner","language","split","scores",...}
//                 dropped/part-00000.jsonl.zst   the same and {"step","reason","value"}
//                 duplicates.jsonl       one line a cluster of duplicates
//                 figures/segment-00.bin.zst     every filter's figures (data/figures.h)
//                 dataset.json           the account (data/accounting.h)
//                 helio_manifest.json    kind "dataset"
//
// The order of documents is the manifest order: inputs as given, documents as each holds them. The
// same inputs and steps give the same bytes, whatever the number of threads, the memory, and how
// often the run was interrupted. Documents stream from disk to disk (data/engine.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/monitor.h"
#include "core/node.h"
#include "data/accounting.h"
#include "data/steps.h"

namespace helio::data {

struct PipelineOptions {
  std::vector<std::string> lots = {};
  Node inputs = {};
  Node steps = {};
  std::string out = {};
  Node exports = {};
  std::string memory = "2G";
  std::string figures = "deciding";
  std::string work = "keep";

  void describe(Fields& f) {
    f.input("lots", lots, "Lots to read, in this order: folders of lots, or single ones.");
    f.raw("inputs", inputs,
          "Files to read after the lots, without importing them: paths, or {path, lot, partner, "
          "language, licence, format, text_column, ...}.");
    f.raw("steps", steps, "The operators in order; helio data ops lists them.");
    f.output("out", out, "datasets", "Folder of the dataset.");
    f.raw("exports", exports,
          "The finished dataset once more as files of other tools: paths (Parquet), or {path, "
          "format: parquet|arrow, shard, split}.");
    f("memory", memory, "Memory for sorting and chunks: 512M, 2G. What does not fit goes to disk.");
    f("figures", figures,
      "Figures of the filters kept for report and what-if: none, until a document is dropped, or "
      "all, which costs time.",
      one_of({"none", "deciding", "all"}));
    f("work", work,
      "The folder beside the dataset from which a changed recipe goes on: keep it, or remove it "
      "when the dataset is there. A killed run always goes on.",
      one_of({"keep", "remove"}));
  }
};

// Folders of the lots named: a folder of lots stands for its lots by arrival.
// Error{not_found, invalid} when one is neither.
std::vector<std::string> lot_folders(const std::vector<std::string>& lots);

// What would be done: lots with their counts, steps with their resolved options.
OrderedJson plan_json(const PipelineOptions& options);

// Runs the steps and writes the dataset. threads: 0 takes one a core.
Account run_pipeline(const PipelineOptions& options, int threads, Monitor& monitor,
                     const StopRequest& stop);

}  // namespace helio::data
