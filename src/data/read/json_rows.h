// A JSON object as a row: which of its members are the text and what travels along.
#pragma once

#include <string>
#include <string_view>

#include "data/read/file_reader.h"

namespace helio::data {

class JsonRows {
 public:
  explicit JsonRows(const SourceOptions& options) : options_(options) {}

  // Parses one object and gives it to the sink as row `row`. `room`: how many bytes behind `json`
  // may be read (not used), for the parser's wide loads.
  void give(std::string_view json, size_t room, int64_t row, DocumentSink& sink) const;

 private:
  const SourceOptions& options_;
};

}  // namespace helio::data
