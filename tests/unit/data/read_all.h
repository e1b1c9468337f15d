// Everything a source gives, read in pieces of a size of the test's choice.
#pragma once

#include <string>
#include <vector>

#include "data/read/source.h"

namespace helio::data {

struct All {
  std::vector<Document> documents = {};
  ReadTally tally = {};
  int64_t pieces = 0;
};

inline All read_pieces(const SourceOptions& options, size_t bytes = size_t(1) << 20) {
  All all;
  const auto source = open_source(options, "lot");
  for (Block block; source->next(block, bytes); ++all.pieces)
    source->parse(block, all.documents, all.tally);
  return all;
}

inline std::vector<std::string> texts(const All& all) {
  std::vector<std::string> out;
  for (const Document& document : all.documents) out.push_back(document.text);
  return out;
}

inline std::vector<std::string> ids(const All& all) {
  std::vector<std::string> out;
  for (const Document& document : all.documents) out.push_back(document.id);
  return out;
}

}  // namespace helio::data
