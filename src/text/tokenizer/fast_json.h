// A tokenizer.json of a BPE model read fast: its long lists as they stand in the file, and the rest
// as JSON by simdjson.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "core/json.h"
#include "text/tokenizer/model_lists.h"

namespace helio::text {

struct FastJson {
  Json json = {};  // with an empty "vocab" and "merges" in "model"
  ModelLists lists = {};
  std::deque<std::string> unescaped = {};  // texts of the lists that stand otherwise in the file

  // False when the file is not such a model, has errors or anything unusual: parse_json() reads or
  // refuses it then, with the place of what is wrong. `text` must outlive the lists.
  bool read(std::string_view text);
};

}  // namespace helio::text
