// Tables of the two formats.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columnar/columnar.h"

namespace helio::columnar {

std::unique_ptr<Table> open_parquet(const std::string& address);
std::unique_ptr<Table> open_ipc(const std::string& address);
std::unique_ptr<TableWriter> create_table(const std::string& address, Kind kind,
                                          const std::vector<NewColumn>& columns,
                                          uint64_t group_bytes);

}  // namespace helio::columnar
