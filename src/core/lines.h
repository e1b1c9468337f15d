// Text files line by line: plain, .gz or .zst (found by their first bytes, not their name).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace helio {

class LineReader {
 public:
  // A line longer than max_line bytes is an error that names the line.
  explicit LineReader(std::filesystem::path path, size_t max_line = size_t(256) << 20);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line without its "\n" (a "\r" before it is dropped too). Valid until the next call.
  // Throws on a truncated or corrupt stream, naming the file.
  bool next(std::string_view& line);
  int64_t number() const;  // of the line last returned, from 1
  // Bytes of the file read so far (compressed bytes for a compressed one) and in all: for progress.
  uint64_t bytes_read() const;
  uint64_t bytes_total() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Calls `row` with each line parsed as JSON. A bad line is an error with file:line:column.
// Blank lines are skipped.
void read_jsonl(const std::filesystem::path& path,
                const std::function<void(const nlohmann::json& row, int64_t line)>& row);

// Text written through zstd when the name ends in ".zst", plain otherwise; atomic (see AtomicFile).
// The bytes depend only on the text written.
class LineWriter {
 public:
  explicit LineWriter(std::filesystem::path path);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  void write(std::string_view line);  // adds "\n"
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helio
