#include "data/dedup/band_index.h"

#include <fmt/format.h>

#include <cstring>

#include "core/error.h"
#include "core/json.h"

namespace helio::data {
namespace {

constexpr const char* kFormat = "helio.band_index";

// A sum over all keys in order, taken as they pass by.
uint64_t add_to_sum(uint64_t sum, const Hash128& key) {
  return xxh3_64({reinterpret_cast<const char*>(&key), sizeof key}, sum);
}

std::string sum_text(uint64_t sum) { return fmt::format("{:016x}", sum); }

}  // namespace

BandIndexReader::BandIndexReader(const std::filesystem::path& folder, const std::string& scheme)
    : path_(folder) {
  const Json head = load_json(folder / "index.json");
  const auto text = [&](const char* name) {
    const auto found = head.find(name);
    return found != head.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!head.is_object() || text("format") != kFormat || head.value("version", Json()) != Json(1))
    broken("its index.json is not that of a band index, version 1");
  if (text("scheme") != scheme)
    throw Error(ErrorKind::invalid, fmt::format("the index '{}' was made with other options: {}",
                                                folder.string(), text("scheme")))
        .with_hint("this step has: " + scheme);
  const auto keys = head.find("keys");
  if (keys == head.end() || !keys->is_number_unsigned())
    broken("index.json does not say how many keys");
  keys_ = keys->get<uint64_t>();
  checksum_ = text("xxh3");
  file_ = MappedFile(folder / "keys.bin");
  if (file_.size() % sizeof(Hash128) != 0 || file_.size() / sizeof(Hash128) != keys_)
    broken(fmt::format("keys.bin has {} bytes, not {} keys of 16", file_.size(), keys_));
}

void BandIndexReader::broken(const std::string& what) const {
  throw Error(ErrorKind::invalid,
              fmt::format("the index '{}' is damaged: {}", path_.string(), what))
      .with_hint("write it again with write_index");
}

bool BandIndexReader::next(Hash128& key) {
  if (at_ == keys_) {
    if (sum_text(sum_) != checksum_) broken("its checksum does not hold");
    return false;
  }
  std::memcpy(&key, file_.text().data() + at_ * sizeof key, sizeof key);
  if (at_ > 0 && !(last_ < key)) broken(fmt::format("key {} is out of order", at_));
  last_ = key;
  sum_ = add_to_sum(sum_, key);
  ++at_;
  return true;
}

BandIndexWriter::BandIndexWriter(const std::filesystem::path& folder, std::string scheme)
    : folder_(folder),
      file_(std::make_unique<AtomicFile>(folder_.path() / "keys.bin")),
      scheme_(std::move(scheme)) {}

void BandIndexWriter::add(const Hash128& key) {
  if (keys_ > 0 && key == last_) return;
  HELIO_CHECK(keys_ == 0 || last_ < key, "keys of a band index come in order");
  file_->write(&key, sizeof key);
  last_ = key;
  sum_ = add_to_sum(sum_, key);
  ++keys_;
}

void BandIndexWriter::commit() {
  file_->commit();
  file_.reset();
  const OrderedJson head = {{"format", kFormat},
                            {"version", 1},
                            {"scheme", scheme_},
                            {"keys", keys_},
                            {"xxh3", sum_text(sum_)}};
  write_file_atomic(folder_.path() / "index.json", compact(head) + "\n");
  folder_.commit();
}

}  // namespace helio::data
