// Configurations of Upstage's Dataverse (`spark:` and `etl:` with a list of blocks), read as they
// are and turned into what `helio data run` takes. docs/dataverse.md lists what becomes of each
// block and where results differ from Dataverse's on purpose.
#pragma once

#include <string>
#include <vector>

#include "core/node.h"

namespace helio::data {

struct DataverseRecipe {
  Node steps = {};                      // a list for read_steps
  std::vector<Node> inputs = {};        // maps for SourceOptions: path, format, text_column, ...
  std::vector<Node> outputs = {};       // maps: path, format (parquet, arrow)
  std::vector<std::string> notes = {};  // "file:line:column: what is not used here, and why"
};

// A map with a list 'etl', which no recipe of helio has.
bool is_dataverse(const Node& config);

// Errors: ErrorKind::invalid with file:line:column for what is unknown (with the nearest name) or
// cannot be done here (with what to do instead).
DataverseRecipe read_dataverse(const Node& config);

// The same as a configuration of `helio data run`: inputs, steps, exports, and as `out` the first
// folder that is written, followed by "-dataset".
Node pipeline_config(const DataverseRecipe& recipe);

// All block names, sorted.
std::vector<std::string> dataverse_blocks();

// Bands and rows that split similarities at `threshold` with the least false positives and
// negatives, equally weighed, as datasketch's optimal_param finds them: Dataverse's default.
struct MinHashBands {
  int bands = 1, rows = 1;
};
MinHashBands best_bands(double threshold, int permutations);

}  // namespace helio::data
