#include "columnar/file_systems.h"

#include <arrow/filesystem/localfs.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>
#include <dlfcn.h>

#include <cstdlib>
#include <mutex>

#include "columnar/arrow_errors.h"

namespace helio::columnar {
namespace {

// The store's code is a plugin of Arrow's, beside libarrow itself.
void load_s3() {
  static std::once_flag once;
  std::call_once(once, [] {
    Dl_info where = {};
    std::string path = "libarrow_s3.so.2600";
    if (dladdr(reinterpret_cast<const void*>(&arrow::fs::LoadFileSystemFactories), &where) &&
        where.dli_fname) {
      const std::string arrow = where.dli_fname;
      path = arrow.substr(0, arrow.rfind('/') + 1) + path;
    }
    check(arrow::fs::LoadFileSystemFactories(path.c_str()), "cannot load Arrow's S3 plugin");
    // It must be shut down before the process's static objects go, or the exit crashes.
    std::atexit([] { arrow::fs::EnsureFinalized(); });
  });
}

std::string environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

// Adds what S3 tools take from the environment to an address that does not say it itself.
std::string with_environment(std::string address) {
  const auto add = [&](const std::string& key, const std::string& text) {
    if (text.empty() || address.find(key + "=") != std::string::npos) return;
    address += (address.find('?') == std::string::npos ? "?" : "&") + key + "=" + text;
  };
  std::string endpoint = environment("AWS_ENDPOINT_URL_S3");
  if (endpoint.empty()) endpoint = environment("AWS_ENDPOINT_URL");
  if (const size_t scheme = endpoint.find("://"); scheme != std::string::npos) {
    add("scheme", endpoint.substr(0, scheme));
    endpoint.erase(0, scheme + 3);
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  add("endpoint_override", endpoint);
  std::string region = environment("AWS_REGION");
  add("region", region.empty() ? environment("AWS_DEFAULT_REGION") : region);
  return address;
}

class FileInput final : public Input {
 public:
  FileInput(std::shared_ptr<arrow::io::InputStream> stream, std::string address)
      : stream_(std::move(stream)), address_(std::move(address)) {}
  size_t read(char* to, size_t size) override {
    return static_cast<size_t>(
        value(stream_->Read(static_cast<int64_t>(size), to), "cannot read '" + address_ + "'"));
  }

 private:
  std::shared_ptr<arrow::io::InputStream> stream_;
  std::string address_;
};

class FileOutput final : public Output {
 public:
  FileOutput(std::shared_ptr<arrow::io::OutputStream> stream, std::string address)
      : stream_(std::move(stream)), address_(std::move(address)) {}
  ~FileOutput() override {
    if (!stream_->closed()) (void)stream_->Abort();
  }
  void write(std::string_view bytes) override {
    check(stream_->Write(bytes.data(), static_cast<int64_t>(bytes.size())), what());
  }
  void close() override { check(stream_->Close(), what()); }

 private:
  std::string what() const { return "cannot write '" + address_ + "'"; }
  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::string address_;
};

}  // namespace

bool is_remote(const std::string& address) { return address.starts_with("s3://"); }

Place place_of(const std::string& address) {
  Place place;
  if (is_remote(address)) {
    load_s3();
    place.system = value(arrow::fs::FileSystemFromUri(with_environment(address), &place.path),
                         "cannot reach '" + address + "'");
  } else {
    place.system = std::make_shared<arrow::fs::LocalFileSystem>();
    place.path = address;
  }
  return place;
}

std::vector<Entry> list_entries(const std::string& address) {
  const std::string what = "cannot list '" + address + "'";
  const Place place = place_of(address);
  const size_t query = address.find('?');
  const std::string settings = query == std::string::npos ? "" : address.substr(query);
  const auto info = value(place.system->GetFileInfo(place.path), what);
  if (info.type() == arrow::fs::FileType::NotFound)
    throw Error(ErrorKind::not_found, "'" + address + "' does not exist");
  if (info.IsFile())
    return {{address, place.path.substr(place.path.rfind('/') + 1),
             static_cast<uint64_t>(info.size())}};
  arrow::fs::FileSelector below;
  below.base_dir = place.path;
  below.recursive = true;
  std::vector<Entry> entries;
  for (const auto& found : value(place.system->GetFileInfo(below), what))
    if (found.IsFile())
      entries.push_back(
          {"s3://" + found.path() + settings,
           found.path().substr(place.path.size() + (place.path.ends_with('/') ? 0 : 1)),
           static_cast<uint64_t>(found.size())});
  return entries;
}

std::unique_ptr<Input> open_input_stream(const std::string& address) {
  const Place place = place_of(address);
  return std::make_unique<FileInput>(
      value(place.system->OpenInputStream(place.path), "cannot open '" + address + "'"), address);
}

std::unique_ptr<Output> open_output_stream(const std::string& address) {
  const Place place = place_of(address);
  return std::make_unique<FileOutput>(
      value(place.system->OpenOutputStream(place.path), "cannot write '" + address + "'"), address);
}

}  // namespace helio::columnar
