// Keys of the bands of documents that were deduplicated before, on disk, so that what comes later
// can be compared with them:
//
//   DIR/index.json   {"format":"helio.band_index","version":1,"scheme":"...","keys":N,"xxh3":"..."}
//   DIR/keys.bin     N keys of 16 bytes, ascending, each once
//
// Everything in it is checked when it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/fs.h"
#include "core/hash.h"

namespace helio::data {

class BandIndexReader {
 public:
  // Error{invalid} when it was made by another scheme: its keys would never match.
  BandIndexReader(const std::filesystem::path& folder, const std::string& scheme);
  uint64_t keys() const { return keys_; }
  // The next key, greater than the last; false at the end, where the checksum must hold.
  bool next(Hash128& key);

 private:
  [[noreturn]] void broken(const std::string& what) const;

  std::filesystem::path path_;
  MappedFile file_;
  uint64_t keys_ = 0, at_ = 0;
  uint64_t sum_ = 0;
  std::string checksum_ = {};
  Hash128 last_ = {};
};

class BandIndexWriter {
 public:
  BandIndexWriter(const std::filesystem::path& folder, std::string scheme);
  void add(const Hash128& key);  // in ascending order; a repeated one is written once
  void commit();                 // without it nothing appears

 private:
  StagedDir folder_;
  std::unique_ptr<AtomicFile> file_;
  std::string scheme_;
  uint64_t keys_ = 0, sum_ = 0;
  Hash128 last_ = {};
};

}  // namespace helio::data
