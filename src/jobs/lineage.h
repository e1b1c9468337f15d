// What an artefact was made from, back to the partners' lots, and what was made from it.
#pragma once

#include <string>
#include <vector>

#include "jobs/registry.h"

namespace helio::jobs {

// One line of a tree, in the order it is printed.
struct LineageStep {
  int depth = 0;          // from 1; the start itself is 0 and not listed
  std::string role = {};  // as what the one was given to the other
  int64_t artefact = -1;  // index in the registry; -1: outside the workspace, see `input`
  ArtefactInput input = {};
  bool last = false;      // the last one below its parent
  bool repeated = false;  // it stands above with all that follows from it
};

struct Lineage {
  size_t start = 0;
  std::vector<LineageStep> made_from = {};
  std::vector<LineageStep> used_by = {};
  std::vector<size_t> lots = {};  // every lot behind the start (itself, if it is one), by path
};

Lineage trace(const Registry& registry, size_t start);

}  // namespace helio::jobs
