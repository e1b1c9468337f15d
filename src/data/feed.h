// Where a pipeline's documents come from: inputs cut into pieces by one thread, parsed by many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "club/lot.h"
#include "core/fields.h"
#include "core/node.h"
#include "data/document.h"
#include "data/read/source.h"

namespace helio::data {

struct Piece {
  size_t feed = 0;   // which of the inputs
  Block block = {};  // whole records of one of its files
};

class Feed {
 public:
  virtual ~Feed() = default;
  // The next piece of about `bytes` bytes; where pieces are cut depends on the input alone.
  virtual bool next(Piece& piece, size_t bytes) = 0;
  // Its documents in order, all but their manifest numbers.
  virtual std::vector<Document> parse(const Piece& piece, ReadTally& tally) const = 0;
  virtual const club::LotInfo& info() const = 0;
  virtual uint64_t bytes_read() const = 0;
  virtual uint64_t bytes_total() const = 0;
};

// The documents of a lot, as club import wrote it.
std::unique_ptr<Feed> open_lot_feed(const std::filesystem::path& lot);

// Files of any format, without a lot: what they are said to be stands in for the lot's record.
struct InputOptions {
  std::string lot = {}, partner = {}, language = {}, licence = {};
  SourceOptions files = {};

  void describe(Fields& f) {
    f("lot", lot, "A name for this input in ids and accounts; empty: its file's or folder's.");
    f("partner", partner, "Who gave it; empty: the lot's name.");
    f("language", language, "Its main language: ko, en, ...; empty: unknown.");
    f("licence", licence, "Licence or contract it came under: an SPDX name where there is one.");
    files.describe(f);
  }
};
// The entries of an `inputs` list: paths, or maps of InputOptions. Names that were left out are
// filled in and are unique. Errors carry file:line:column.
std::vector<InputOptions> read_inputs(const Node& inputs);
std::unique_ptr<Feed> open_input_feed(const InputOptions& input);

}  // namespace helio::data
