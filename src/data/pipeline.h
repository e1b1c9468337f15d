// A data pipeline: partners' lots in, a dataset out, every dropped document kept with its reason.
//
//   datasets/NAME/part-00000.jsonl.zst
//   {"id","text","lot","partner","language","split","scores",...}
//                 dropped/part-00000.jsonl.zst   the same and {"step","reason","value"}
//                 duplicates.jsonl       one line a cluster of duplicates
//                 dataset.json           the account (data/accounting.h)
//                 helio_manifest.json    kind "dataset"
//
// The order of documents is the manifest order: lots as given, documents as each lot holds them.
// The same lots and steps give the same bytes, whatever the number of threads. Texts are held in
// memory from end to end.
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
  Node steps = {};
  std::string out = {};

  void describe(Fields& f) {
    f.input("lots", lots, "Lots to read, in this order: folders of lots, or single ones.");
    f.raw("steps", steps, "The operators in order; helio data ops lists them.");
    f.output("out", out, "datasets", "Folder of the dataset.");
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
