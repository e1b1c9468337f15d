#include "text/train/word_runs.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <queue>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/fs.h"

namespace helio::text {
namespace {

constexpr size_t kBuffer = size_t(1) << 18;
constexpr size_t kRunsAtOnce = 64;  // files that are open at the same time

class RunWriter {
 public:
  explicit RunWriter(fs::path path)
      : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {
    buffer_.reserve(kBuffer + 64);
  }
  void write(std::string_view word, int64_t count) {
    number(word.size());
    number(static_cast<uint64_t>(count));
    if (word.size() > kBuffer) flush();
    buffer_ += word;
    if (buffer_.size() >= kBuffer) flush();
  }
  void close() {
    flush();
    file_.close();
    check();
  }

 private:
  void number(uint64_t value) {  // seven bits a byte, the lowest first
    for (; value >= 0x80; value >>= 7) buffer_ += static_cast<char>(value | 0x80);
    buffer_ += static_cast<char>(value);
  }
  void flush() {
    file_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    buffer_.clear();
    check();
  }
  void check() const {
    if (!file_)
      throw Error(ErrorKind::failed, "cannot write '" + path_.string() + "'")
          .with_hint("is the disk full? Words that do not fit into --memory are kept there");
  }

  fs::path path_;
  std::ofstream file_;
  std::string buffer_ = {};
};

class RunReader {
 public:
  explicit RunReader(const fs::path& path) : path_(path), buffer_(kBuffer) {
    file_.rdbuf()->pubsetbuf(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    file_.open(path, std::ios::binary);
    if (!file_) fail();
  }
  // The next word, or false at the end.
  bool next() {
    if (file_.peek() == std::ifstream::traits_type::eof()) return false;
    word_.resize(number());
    count_ = static_cast<int64_t>(number());
    file_.read(word_.data(), static_cast<std::streamsize>(word_.size()));
    if (!file_) fail();
    return true;
  }
  const std::string& word() const { return word_; }
  int64_t count() const { return count_; }

 private:
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const int byte = file_.get();
      if (byte < 0) fail();
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }
  [[noreturn]] void fail() const {
    throw Error(ErrorKind::failed, "cannot read back '" + path_.string() + "'");
  }

  fs::path path_;
  std::vector<char> buffer_;
  std::ifstream file_ = {};
  std::string word_ = {};
  int64_t count_ = 0;
};

}  // namespace

WordRuns::WordRuns(fs::path dir) : dir_(std::move(dir)) { make_dirs(dir_); }

WordRuns::~WordRuns() {
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

fs::path WordRuns::add() {
  runs_.push_back(dir_ / ("words-" + std::to_string(made_++)));
  return runs_.back();
}

void WordRuns::write(const WordTable& table, const fs::path& file) {
  std::vector<std::pair<std::string_view, int64_t>> words;
  words.reserve(table.size());
  table.for_each([&](std::string_view word, int64_t count) { words.emplace_back(word, count); });
  std::sort(words.begin(), words.end());
  RunWriter writer(file);
  for (const auto& [word, count] : words) writer.write(word, count);
  writer.close();
}

int64_t WordRuns::merge(const Files& runs, const fs::path& to) {
  std::vector<std::unique_ptr<RunReader>> readers;
  const auto later = [&](size_t a, size_t b) { return readers[a]->word() > readers[b]->word(); };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> queue(later);
  for (const auto& run : runs) {
    readers.push_back(std::make_unique<RunReader>(run));
    if (readers.back()->next()) queue.push(readers.size() - 1);
  }
  RunWriter writer(to);
  std::string word;
  int64_t count = 0, words = 0;
  while (!queue.empty()) {
    const size_t top = queue.top();
    queue.pop();
    if (count > 0 && readers[top]->word() != word) {
      writer.write(word, count);
      count = 0;
    }
    if (count == 0) {
      word = readers[top]->word();
      ++words;
    }
    count += readers[top]->count();
    if (readers[top]->next()) queue.push(top);
  }
  if (count > 0) writer.write(word, count);
  writer.close();
  for (const auto& run : runs) fs::remove(run);
  return words;
}

int64_t WordRuns::merge() {
  int64_t words = 0;
  // At least once, so that the words are counted.
  do {
    const Files old = std::exchange(runs_, {});
    for (size_t i = 0; i < old.size(); i += kRunsAtOnce) {
      const auto begin = old.begin() + static_cast<std::ptrdiff_t>(i);
      const auto some = static_cast<std::ptrdiff_t>(std::min(kRunsAtOnce, old.size() - i));
      words = merge(Files(begin, begin + some), add());
    }
  } while (runs_.size() > 1);
  return words;
}

void WordRuns::for_each(const Visit& visit) const {
  for (const auto& run : runs_) {
    RunReader reader(run);
    while (reader.next()) visit(reader.word(), reader.count());
  }
}

}  // namespace helio::text
