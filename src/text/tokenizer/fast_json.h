// A tokenizer.json read by simdjson: the long lists of a BPE model as they stand in the file, and
// the rest as JSON.
#pragma once

#include <memory>
#include <string_view>

#include "core/json.h"
#include "text/tokenizer/model_lists.h"

namespace helio::text {

struct FastJson {
  Json json = {};  // with an empty "vocab" and "merges" in "model"
  ModelLists lists = {};
  std::shared_ptr<void> memory = {};  // what the lists' texts stand in

  // False when the file is not such a model, has errors or anything unusual: parse_json() reads or
  // refuses it then, with the place of what is wrong.
  bool read(std::string_view text);
};

}  // namespace helio::text
