// The filters' figures kept beside a dataset: from them report draws histograms and what-if decides
// again with other limits, without reading a text.
//
//   figures/segment-00.bin.zst   zstd frames, one a chunk: rows (u32), columns (u32),
//                                manifest numbers (u64 a row), values (f64, row by row; NaN: not
//                                measured)
//   dataset.json "figures"       [{"file","columns":[{"step","reason","drops","limit"}]}]
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/engine.h"

namespace helio::data {

// Writes the files and returns what dataset.json says of them.
OrderedJson write_figures(const Engine& engine, const std::vector<Step>& steps,
                          const std::filesystem::path& dataset);

std::string_view name_of(Check::Drops drops);  // "above", "at_or_below"

struct StoredColumn {
  std::string step = {};
  Check check = {};
};
struct StoredFigures {
  std::string file = {};
  std::vector<StoredColumn> columns = {};
};
std::vector<StoredFigures> stored_figures(const Json& dataset_json);

// Calls row(manifest number, values) for every row. Errors: a file that is not what it should be.
void read_figures(const std::filesystem::path& file, size_t columns,
                  const std::function<void(uint64_t, std::span<const double>)>& row);

}  // namespace helio::data
