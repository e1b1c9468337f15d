// The module's one door.
#include "columnar/file_systems.h"
#include "columnar/tables.h"

namespace helio::columnar {
namespace {

class ArrowLibrary final : public Library {
 public:
  std::unique_ptr<Table> open(const std::string& address, Kind kind) override {
    return kind == Kind::parquet ? open_parquet(address) : open_ipc(address);
  }
  std::unique_ptr<TableWriter> create(const std::string& address, Kind kind,
                                      const std::vector<NewColumn>& columns,
                                      uint64_t group_bytes) override {
    return create_table(address, kind, columns, group_bytes);
  }
  std::vector<Entry> list(const std::string& address) override { return list_entries(address); }
  std::unique_ptr<Input> open_input(const std::string& address) override {
    return open_input_stream(address);
  }
  std::unique_ptr<Output> open_output(const std::string& address) override {
    return open_output_stream(address);
  }
};

}  // namespace
}  // namespace helio::columnar

extern "C" __attribute__((visibility("default"))) helio::columnar::Library*
helio_columnar_library_1() {
  static helio::columnar::ArrowLibrary library;
  return &library;
}
