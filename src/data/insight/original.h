// The document as it came in, before any step: looked up in the inputs a dataset names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/document.h"
#include "data/insight/stored.h"

namespace helio::data {

struct Original {
  Document document = {};
  std::string from = {};  // the lot or the files it was found in
};

// Inputs are found by their content hash: in the folders `where` names, or else round the dataset
// (its own folder's neighbours and theirs), or in the files that were read without an import. Empty
// when no input is there any more.
std::optional<Original> find_original(const StoredDataset& dataset, const Json& row,
                                      const std::vector<std::string>& where);

}  // namespace helio::data
