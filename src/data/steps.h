// The steps of a pipeline as a recipe writes them:
//
//   steps:
//     - extract.html                                  # an operator with its defaults
//     - {op: filter.length, min_words: 20}
//     - {op: filter.gopher_quality, for: en}          # only documents in these languages
#pragma once

#include <string>
#include <vector>

#include "core/manifest.h"
#include "core/node.h"
#include "data/op.h"

namespace helio::data {

struct Step {
  std::string name = {};  // "filter.gopher_quality [en]": unique in the pipeline
  const Op* op = nullptr;
  AnyOp run = {};
  std::vector<std::string> languages = {};  // empty: all documents
  OrderedJson options = {};                 // resolved

  bool concerns(const Document& document) const;
};

// Errors: ErrorKind::invalid or not_found with file:line:column, the step, and the nearest name.
std::vector<Step> read_steps(const Node& steps);

// The files that the steps' options name (models, word lists, benchmarks, indexes) with the hash of
// what they hold, each under the role "STEP.OPTION".
std::vector<ArtefactInput> outside_files(const std::vector<Step>& steps);

}  // namespace helio::data
