// One document's way through a pipeline: what each step measured and changed, which rule dropped
// it, which copy stayed. Read back from the dataset; the texts in between are made again by running
// the steps on the document as it came in.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/insight/text_diff.h"
#include "data/op.h"

namespace helio::data {

enum class Outcome {
  unchanged,  // it went through as it was
  changed,    // its text did
  dropped,
  not_for_it,   // the step is for other languages
  not_reached,  // it was dropped before
};
std::string_view name_of(Outcome outcome);

struct ExplainedFigure {
  Check check = {};
  double figure = 0;  // NaN: not measured, or does not apply
  bool fails() const { return check.fails(figure); }
};

struct ExplainedStep {
  std::string step = {};
  Shape shape = Shape::map;
  Outcome outcome = Outcome::unchanged;
  std::string reason = {};  // of a drop
  double value = 0;
  std::vector<ExplainedFigure> figures = {};
  Counters counters = {};                // what the step counted in this document
  std::string stays = {};                // of a stage with duplicates: the copy that stays
  std::vector<std::string> copies = {};  // of the one that stays: ids of the others (at most 20)
  int64_t copies_in_all = 0;
  TextDiff diff = {};
  std::string note = {};  // what cannot be told, and why
};

struct Explanation {
  OrderedJson row = {};  // the stored row
  bool kept = false;
  std::string original_from = {};  // where the document as it came in was found; empty: nowhere
  std::vector<ExplainedStep> steps = {};
  std::vector<std::string> notes = {};

  std::string id() const { return row.value("id", ""); }
  // {"id","fate": "kept"|"dropped","step","reason","value","lot","partner","language","split",
  //  "path","number","cluster","scores","changed","original","steps":[...],"notes","text"}
  OrderedJson json() const;
};

struct ExplainOptions {
  std::vector<std::string> inputs = {};  // where to look for the document as it came in
};

// Error{not_found} when the dataset has no such document, with an id that is near.
Explanation explain(const std::filesystem::path& dataset, const std::string& id,
                    const ExplainOptions& options = {});

}  // namespace helio::data
