#include "text/count_words_of.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>

#include "core/error.h"
#include "core/parallel.h"
#include "text/line_batches.h"

namespace helio::text {
namespace {

constexpr size_t kBatch = size_t(1) << 20;

// What the threads share: the files, and the place for what does not fit into memory.
class Counting {
 public:
  Counting(const WordSource& source, const WordCutter& cutter, Monitor& monitor,
           const StopRequest& stop)
      : source_(source),
        cutter_(cutter),
        monitor_(monitor),
        stop_(stop),
        threads_(thread_count(source.threads)),
        batches_(source.files, kBatch),
        counted_(static_cast<size_t>(threads_)) {}

  CountedWords run() {
    monitor_.begin("words", batches_.bytes_total(), "bytes");
    on_every_thread([&](size_t thread) { count(counted_[thread]); });
    if (error_) std::rethrow_exception(error_);
    if (runs_) on_every_thread([&](size_t thread) { write_run(counted_[thread].table); });
    if (error_) std::rethrow_exception(error_);
    CountedWords all = join();
    monitor_.end(fmt::format("{} distinct words in {} documents", fmt::group_digits(all.words),
                             fmt::group_digits(all.documents)));
    return all;
  }

 private:
  template <class Work>
  void on_every_thread(Work&& work) {
    parallel_slices(counted_.size(), threads_, 1, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i) work(i);
    });
  }

  // Batches are taken in order, so all before one that fails are read as well, and of their errors
  // the earliest is known.
  bool next(std::vector<SourceLine>& lines, int64_t& number) {
    const std::lock_guard lock(guard_);
    if (failed_) return false;
    number = ++taken_;
    try {
      stop_.check();
      const bool any = batches_.next(lines);
      monitor_.at(batches_.bytes_done());
      return any;
    } catch (...) {
      fail(number);
      return false;
    }
  }
  void fail(int64_t number) {
    if (!failed_ || number < failed_at_) {
      error_ = std::current_exception();
      failed_at_ = number;
    }
    failed_ = true;
  }

  void count(CountedWords& mine) {
    std::vector<SourceLine> lines;
    const auto add = [&](std::string_view word) { mine.table.add(word); };
    DocumentReader documents(batches_, source_.field, source_.split);
    for (int64_t number = 0; next(lines, number);) {
      try {
        for (auto& line : lines) {
          const auto text = documents.text(line);
          if (!text) continue;
          cutter_.cut(*text, add);
          ++mine.documents;
          mine.bytes += static_cast<int64_t>(text->size());
        }
        const uint64_t most = source_.memory / static_cast<uint64_t>(threads_);
        if (source_.memory > 0 && mine.table.memory() > most) write_run(mine.table);
      } catch (...) {
        const std::lock_guard lock(guard_);
        fail(number);
      }
    }
  }

  void write_run(WordTable& table) {
    if (table.size() == 0) return;
    std::filesystem::path file;
    {
      const std::lock_guard lock(guard_);
      if (!runs_) runs_ = std::make_unique<WordRuns>(source_.overflow);
      file = runs_->add();
    }
    WordRuns::write(table, file);
    table.clear();
  }

  CountedWords join() {
    // Neighbours join at the same time, then neighbours of those.
    for (size_t step = 1; step < counted_.size(); step *= 2)
      on_every_thread([&](size_t i) {
        if (i % (2 * step) != 0 || i + step >= counted_.size()) return;
        CountedWords &to = counted_[i], &from = counted_[i + step];
        if (to.table.size() < from.table.size()) std::swap(to.table, from.table);
        to.table.add(from.table);
        to.documents += from.documents;
        to.bytes += from.bytes;
        from = {};
      });
    CountedWords all = std::move(counted_[0]);
    all.words = static_cast<int64_t>(all.table.size());
    if (runs_) {
      monitor_.note(fmt::format("joining {} sorted runs of words", runs_->runs()));
      all.words = runs_->merge();
      all.runs = std::move(runs_);
    }
    return all;
  }

  const WordSource& source_;
  const WordCutter& cutter_;
  Monitor& monitor_;
  const StopRequest& stop_;
  const int threads_;
  LineBatches batches_;
  std::vector<CountedWords> counted_;  // by thread

  std::mutex guard_ = {};  // of all below, and of batches_.next()
  std::unique_ptr<WordRuns> runs_ = {};
  std::exception_ptr error_ = {};
  int64_t taken_ = 0, failed_at_ = 0;
  bool failed_ = false;
};

}  // namespace

void CountedWords::for_each(const Visit& visit) const {
  if (runs) runs->for_each(visit);
  else table.for_each(visit);
}

void CountedWords::drain(const Visit& visit) {
  if (runs) runs->for_each(visit);
  else table.drain(visit);
  runs.reset();
}

CountedWords count_words_of(const WordSource& source, const WordCutter& cutter, Monitor& monitor,
                            const StopRequest& stop) {
  return Counting(source, cutter, monitor, stop).run();
}

}  // namespace helio::text
