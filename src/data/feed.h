// Where a pipeline's documents come from: inputs cut into pieces by one thread, parsed by many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "club/lot.h"
#include "data/document.h"

namespace helio::data {

struct Piece {
  size_t feed = 0;           // which of the inputs
  uint64_t first_order = 0;  // manifest number of its first document
  uint64_t rows = 0;         // at least as many as it has documents: how many numbers it takes
  std::string bytes = {};
  int64_t first_line = 0;
};

class Feed {
 public:
  virtual ~Feed() = default;
  // The next piece of about `bytes` bytes; where pieces are cut depends on the input alone.
  virtual bool next(Piece& piece, size_t bytes) = 0;
  // Its documents in order; `order` is filled in from piece.first_order on.
  virtual std::vector<Document> parse(const Piece& piece) const = 0;
  virtual const club::LotInfo& info() const = 0;
  virtual uint64_t bytes_read() const = 0;
  virtual uint64_t bytes_total() const = 0;
};

// The documents of a lot, as club import wrote it.
std::unique_ptr<Feed> open_lot_feed(const std::filesystem::path& lot);

}  // namespace helio::data
