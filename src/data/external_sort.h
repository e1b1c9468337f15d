// Sorts more records than fit in memory: a buffer of the allowed size is sorted and written out as
// a run whenever it is full; the runs are merged as they are read, at most `fan_in` at a time. The
// order that comes out depends only on the records and `Less`, which must tell any two records
// apart that are not interchangeable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "data/dedup/spill_file.h"

namespace helio::data {

struct SortOptions {
  std::filesystem::path scratch = {};     // where runs go; a folder that exists
  uint64_t memory = uint64_t(256) << 20;  // bytes, for the buffer and then for the merge
  int threads = 1;                        // sort parts of a buffer at the same time
  size_t fan_in = 64;                     // runs merged at a time, at least 2
};

template <class Record, class Less = std::less<Record>>
class ExternalSorter {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  explicit ExternalSorter(SortOptions options, Less less = {})
      : options_(std::move(options)), less_(less) {
    options_.fan_in = std::max<size_t>(options_.fan_in, 2);
    capacity_ = std::max<size_t>(options_.memory / sizeof(Record), 16);
  }

  void push(const Record& record) {
    HELIO_CHECK(!merging_, "a record is pushed into a sort that is being read");
    // Untouched memory: a small input costs what it is.
    if (filled_ == capacity_) spill();
    if (!buffer_) buffer_.reset(static_cast<Record*>(::operator new(capacity_ * sizeof(Record))));
    buffer_[filled_++] = record;
    ++size_;
  }

  uint64_t size() const { return size_; }
  size_t spilled_runs() const { return spilled_; }  // so far, merges included

  // The next record in order; the first call ends the pushing. False after the last one.
  bool next(Record& record) {
    if (!merging_) begin_reading();
    if (sources_.empty()) return false;
    // The source whose head is smallest stands at the root of a heap.
    Source& source = *sources_.front();
    record = source.head();
    if (source.advance()) {
      sift_down();
    } else {
      std::swap(sources_.front(), sources_.back());
      sources_.pop_back();
      sift_down();
    }
    return true;
  }

 private:
  // A sorted sequence: a piece of the buffer, or a file read through a small buffer.
  class Source {
   public:
    Source(const Record* begin, const Record* end) : at_(begin), end_(end) {}
    Source(SpillFile file, size_t records)
        : file_(std::make_unique<SpillFile>(std::move(file))), buffer_(records) {
      refill();
    }
    const Record& head() const { return *at_; }
    bool empty() const { return at_ == end_; }
    bool advance() {
      if (++at_ == end_ && file_) refill();
      return at_ != end_;
    }

   private:
    void refill() {
      const size_t bytes =
          std::min<uint64_t>(buffer_.size() * sizeof(Record), file_->size() - offset_);
      file_->read(offset_, buffer_.data(), bytes);
      offset_ += bytes;
      at_ = buffer_.data();
      end_ = at_ + bytes / sizeof(Record);
    }

    const Record *at_ = nullptr, *end_ = nullptr;
    std::unique_ptr<SpillFile> file_;
    std::vector<Record> buffer_;
    uint64_t offset_ = 0;
  };

  // Sorts what the buffer holds, in as many pieces as there are threads; returns the pieces.
  std::vector<std::span<const Record>> sort_buffer() {
    const size_t pieces = filled_ < 4096 ? 1 : static_cast<size_t>(std::max(options_.threads, 1));
    const size_t length = (filled_ + pieces - 1) / std::max<size_t>(pieces, 1);
    std::vector<std::span<const Record>> sorted;
    if (filled_ == 0) return sorted;
    parallel_slices(filled_, options_.threads, length, [&](size_t begin, size_t end, int) {
      std::sort(buffer_.get() + begin, buffer_.get() + end, less_);
    });
    for (size_t begin = 0; begin < filled_; begin += length)
      sorted.push_back({buffer_.get() + begin, std::min(length, filled_ - begin)});
    return sorted;
  }

  void spill() {
    for (const auto piece : sort_buffer()) {
      SpillFile file(options_.scratch);
      file.append(piece.data(), piece.size_bytes());
      runs_.push_back(std::move(file));
      ++spilled_;
    }
    filled_ = 0;
    if (runs_.size() < kMostRuns) return;
    buffer_.reset();  // the merge has the memory to itself
    merging_ = true;
    while (runs_.size() > kMostRuns / 2) merge_oldest(options_.fan_in);
    merging_ = false;
  }

  // Each record goes through about log(runs) / log(fan_in) merges.
  void merge_oldest(size_t count) {
    open_runs(std::min(count, runs_.size()));
    SpillFile merged(options_.scratch);
    std::vector<Record> block;
    const size_t block_size = buffer_records(count + 1);
    for (Record record; next(record);) {
      block.push_back(record);
      if (block.size() == block_size) flush(merged, block);
    }
    flush(merged, block);
    runs_.push_back(std::move(merged));
    ++spilled_;
  }

  void begin_reading() {
    merging_ = true;
    if (runs_.empty()) {
      for (const auto piece : sort_buffer()) open({piece.data(), piece.data() + piece.size()});
      return;
    }
    spill();
    buffer_.reset();
    while (runs_.size() > options_.fan_in)
      merge_oldest(std::min(options_.fan_in, runs_.size() - options_.fan_in + 1));
    open_runs(runs_.size());
  }

  static void flush(SpillFile& file, std::vector<Record>& block) {
    file.append(block.data(), block.size() * sizeof(Record));
    block.clear();
  }

  size_t buffer_records(size_t shares) const {
    return std::clamp<size_t>(options_.memory / shares / sizeof(Record), 1,
                              std::max<size_t>((size_t(4) << 20) / sizeof(Record), 1));
  }

  void open_runs(size_t count) {
    sources_.clear();
    const size_t records = buffer_records(count + 1);
    for (size_t i = 0; i < count; ++i) {
      open(Source(std::move(runs_.front()), records));
      runs_.pop_front();
    }
  }

  void open(Source source) {
    if (source.empty()) return;
    sources_.push_back(std::make_unique<Source>(std::move(source)));
    for (size_t at = sources_.size() - 1; at > 0;) {
      const size_t parent = (at - 1) / 2;
      if (!less_(sources_[at]->head(), sources_[parent]->head())) break;
      std::swap(sources_[at], sources_[parent]);
      at = parent;
    }
  }

  void sift_down() {
    for (size_t at = 0;;) {
      size_t least = at;
      for (const size_t child : {2 * at + 1, 2 * at + 2})
        if (child < sources_.size() && less_(sources_[child]->head(), sources_[least]->head()))
          least = child;
      if (least == at) return;
      std::swap(sources_[at], sources_[least]);
      at = least;
    }
  }

  static constexpr size_t kMostRuns = 256;  // each is an open file

  SortOptions options_;
  Less less_;
  size_t capacity_ = 0, filled_ = 0, spilled_ = 0;
  uint64_t size_ = 0;
  bool merging_ = false;
  struct Release {
    void operator()(Record* records) const { ::operator delete(records); }
  };
  std::unique_ptr<Record[], Release> buffer_;
  std::deque<SpillFile> runs_;
  std::vector<std::unique_ptr<Source>> sources_;
};

}  // namespace helio::data
