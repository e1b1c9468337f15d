// Local files and object stores, as Arrow's file systems.
#pragma once

#include <arrow/filesystem/filesystem.h>

#include <memory>
#include <string>
#include <vector>

#include "columnar/columnar.h"

namespace helio::columnar {

struct Place {
  std::shared_ptr<arrow::fs::FileSystem> system = {};
  std::string path = {};  // in it
};

bool is_remote(const std::string& address);
Place place_of(const std::string& address);
std::vector<Entry> list_entries(const std::string& address);
std::unique_ptr<Input> open_input_stream(const std::string& address);
std::unique_ptr<Output> open_output_stream(const std::string& address);

}  // namespace helio::columnar
