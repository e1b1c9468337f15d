// Parquet, Arrow IPC and object stores, behind an interface without a word of Arrow.
//
// Arrow's libraries are large and take their time to load, so all that uses them is one module,
// libhelio_columnar.so, that data/read/columnar.h loads when a file asks for it. Nothing here may
// be called but through what the module's factory returns.
//
// An address is a local path or s3://bucket/key, with ?endpoint_override=...&scheme=... where the
// environment (AWS_*) does not say it. Every function throws helio::Error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace helio::columnar {

enum class Kind { parquet, arrow };  // arrow: IPC files and streams, told apart by their bytes

struct Column {
  std::string name = {};
  bool text = false;  // strings, also dictionary-encoded ones and plain bytes
};

using Cell = std::optional<std::string_view>;  // nothing: null

class RowVisitor {
 public:
  virtual ~RowVisitor() = default;
  // `texts`: of the asked text columns; `json`: the other asked columns as a compact JSON object.
  virtual void row(std::span<const Cell> texts, std::string_view json) = 0;
};

class Table {  // a file open for reading
 public:
  virtual ~Table() = default;
  virtual const std::vector<Column>& columns() const = 0;
  virtual size_t groups() const = 0;  // row groups or record batches
  virtual int64_t rows(size_t group) const = 0;
  virtual uint64_t bytes(size_t group) const = 0;  // about what it takes when decoded

  // Rows [first, first + count) of a group, in order. Any thread. `first` is a multiple of `piece`,
  // and count is `piece` but for the group's last rows; asked for about in order they are decoded
  // once.
  virtual void read(size_t group, int64_t first, int64_t count, int64_t piece,
                    std::span<const size_t> texts, std::span<const size_t> json,
                    RowVisitor& visitor) const = 0;
};

enum class Type { text, integer, texts };
struct NewColumn {
  std::string name = {};
  Type type = Type::text;
};
using Value = std::variant<std::monostate, std::string_view, int64_t, std::span<const std::string>>;

class TableWriter {
 public:
  virtual ~TableWriter() = default;  // without close(): what was written is given up
  virtual void append(std::span<const Value> row) = 0;
  virtual uint64_t bytes() const = 0;  // in the file so far, what waits in memory estimated
  virtual void close() = 0;
};

struct Entry {
  std::string address = {};
  std::string relative = {};  // below what was listed
  uint64_t size = 0;
};

class Input {
 public:
  virtual ~Input() = default;
  virtual size_t read(char* to, size_t size) = 0;  // 0 at the end
};

class Output {
 public:
  virtual ~Output() = default;  // without close(): nothing appears
  virtual void write(std::string_view bytes) = 0;
  virtual void close() = 0;
};

class Library {
 public:
  virtual ~Library() = default;
  virtual std::unique_ptr<Table> open(const std::string& address, Kind kind) = 0;
  // Parquet: zstd, row groups of about `group_bytes`. A local file is written in place: the caller
  // gives a temporary name.
  virtual std::unique_ptr<TableWriter> create(const std::string& address, Kind kind,
                                              const std::vector<NewColumn>& columns,
                                              uint64_t group_bytes) = 0;
  virtual std::vector<Entry> list(const std::string& address) = 0;
  virtual std::unique_ptr<Input> open_input(const std::string& address) = 0;
  virtual std::unique_ptr<Output> open_output(const std::string& address) = 0;
};

inline constexpr const char* kFactory = "helio_columnar_library_1";
using Factory = Library* (*)();

}  // namespace helio::columnar
