#include "data/read/remote.h"

#include "data/read/columnar.h"

namespace helio::data {
namespace {

class RemoteStream final : public ByteStream {
 public:
  RemoteStream(const std::string& address, std::atomic<uint64_t>* consumed)
      : input_(columnar_library().open_input(address)), consumed_(consumed) {}
  size_t read(char* to, size_t size) override {
    const size_t n = input_->read(to, size);
    if (consumed_) *consumed_ += n;
    return n;
  }

 private:
  std::unique_ptr<columnar::Input> input_;
  std::atomic<uint64_t>* consumed_;
};

}  // namespace

std::vector<RemoteFile> list_remote(const std::string& address) {
  std::vector<RemoteFile> files;
  for (columnar::Entry& entry : columnar_library().list(address))
    files.push_back({std::move(entry.address), std::move(entry.relative), entry.size});
  return files;
}

Stream open_remote(const std::string& address, std::atomic<uint64_t>* consumed) {
  return std::make_unique<RemoteStream>(address, consumed);
}

}  // namespace helio::data
