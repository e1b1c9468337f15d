// The engine's files on disk between the passes: one file a chunk and segment, written whole or not
// at all, so that a run that was killed goes on with the chunks that are there.
//
//   "HCHUNK1\n", header size (u64), header (JSON: sections with offset, size and XXH3; the tally),
//   XXH3 of the header, then the sections' bytes
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.h"
#include "core/json.h"
#include "data/document.h"

namespace helio::data {

// Documents as bytes, every field of them.
void put_document(std::string& out, const Document& document);
// Error{invalid} on bytes that are no documents.
std::vector<Document> take_documents(std::string_view bytes, const std::string& source);

class ChunkWriter {
 public:
  // `bytes` are written as they are; compress them first where it pays.
  void add(const char* name, std::string bytes);
  // Under a temporary name, then renamed. `facts` goes into the header.
  void write(const fs::path& path, const OrderedJson& facts);

 private:
  std::vector<std::pair<std::string, std::string>> sections_ = {};
};

class ChunkFile {
 public:
  // Error{invalid} when the file is not whole.
  explicit ChunkFile(const fs::path& path);
  const Json& facts() const { return facts_; }
  bool has(const char* name) const;
  // The section's bytes in the mapped file, empty when there is none. Checked against its hash.
  std::string_view section(const char* name) const;

 private:
  fs::path path_;
  MappedFile file_;
  Json sections_ = {}, facts_ = {};
  size_t begin_ = 0;  // of the sections
};

// Parts by number in one file, of which each is read alone: a reordering deals every chunk out to
// many buckets, and a bucket is gathered from all chunks. So a file of n parts is opened n times,
// and nothing of it but the part is read then.
//
//   "HPARTS1\n", count (u64), for each part offset, size and XXH3 (u64 each), XXH3 of all before,
//   then the parts' bytes
void write_parts(const fs::path& path, const std::vector<std::string>& parts);
// Error{invalid} when there is no such part or it is damaged.
std::string read_part(const fs::path& path, size_t number);
// True when the file is there, whole, with so many parts; one that is not is removed.
bool parts_are_there(const fs::path& path, size_t count);

// True when the file is there and its header is whole; a torn one (power cut) is removed.
bool chunk_is_there(const fs::path& path);

}  // namespace helio::data
