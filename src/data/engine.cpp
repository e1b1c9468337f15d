#include "data/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/zstd.h"
#include "data/rows.h"
#include "data/spool.h"

namespace helio::data {
namespace {

constexpr int kFormat = 1;
// What is spooled is read once or twice and removed: fast rather than small.
constexpr int kSpoolLevel = -3, kRowsLevel = 3;
constexpr size_t kBuckets = 256;  // of a reordering: as many sections a scattered chunk has

std::string packed(const std::string& bytes, int level) {
  std::string out;
  if (!bytes.empty()) zstd_append(out, bytes, level);
  return out;
}

std::string unpacked(const ChunkFile& file, const char* section, const fs::path& path) {
  return zstd_expand(file.section(section), path.string());
}

// The survey of a segment's chunks, one in memory at a time.
class FileSurvey final : public Survey {
 public:
  FileSurvey(std::vector<fs::path> chunks, uint64_t documents)
      : chunks_(std::move(chunks)), documents_(documents) {
    for (const fs::path& path : chunks_)
      bytes_ += ChunkFile(path).facts().value("survey_bytes", uint64_t(0));
  }
  uint64_t documents() const override { return documents_; }
  uint64_t bytes() const override { return bytes_; }
  bool next(std::string_view& bytes) override {
    if (at_ == chunks_.size()) return false;
    const fs::path& path = chunks_[at_++];
    now_ = unpacked(ChunkFile(path), "survey", path);
    bytes = now_;
    return true;
  }
  void rewind() override { at_ = 0; }

 private:
  std::vector<fs::path> chunks_;
  uint64_t documents_, bytes_ = 0;
  size_t at_ = 0;
  std::string now_ = {};
};

// Calls work(i) on `threads` threads for the tasks that `take` hands out (one at a time, under a
// lock) until it says false. Of several errors the one of the first task is thrown.
template <class Task>
void work_through(int threads, const std::function<bool(Task&)>& take,
                  const std::function<void(Task&)>& work) {
  std::mutex guard;
  std::exception_ptr error;
  size_t error_at = ~size_t(0), taken = 0;
  const auto run = [&] {
    for (;;) {
      Task task;
      size_t number = 0;
      try {
        {
          const std::lock_guard lock(guard);
          number = taken++;
          if (error || !take(task)) return;
        }
        work(task);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (number < error_at) error = std::current_exception(), error_at = number;
        return;
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(run);
  run();
  for (auto& worker : workers) worker.join();
  if (error) std::rethrow_exception(error);
}

// Manifest numbers are dense, so a chunk can number its documents only when those before it are
// counted. Chunks are handed out in order and counted as soon as they are parsed: nobody waits
// long.
class Numbering {
 public:
  // A chunk's place in the line. One that gives up (its thread threw) lets nobody wait for it.
  class Turn {
   public:
    Turn(Numbering& line, size_t chunk) : line_(line), chunk_(chunk) {}
    ~Turn() {
      if (!taken_) line_.give_up();
    }
    uint64_t take(uint64_t count) {
      taken_ = true;
      return line_.take(chunk_, count);
    }

   private:
    Numbering& line_;
    size_t chunk_;
    bool taken_ = false;
  };

  uint64_t take(size_t chunk, uint64_t count) {
    std::unique_lock lock(guard_);
    moved_.wait(lock, [&] { return next_ == chunk || broken_; });
    if (next_ != chunk) throw Error(ErrorKind::failed, "an earlier chunk could not be read");
    const uint64_t first = count_;
    count_ += count;
    ++next_;
    moved_.notify_all();
    return first;
  }
  uint64_t count() const { return count_; }

 private:
  void give_up() {
    const std::lock_guard lock(guard_);
    broken_ = true;
    moved_.notify_all();
  }
  std::mutex guard_;
  std::condition_variable moved_;
  size_t next_ = 0;
  uint64_t count_ = 0;
  bool broken_ = false;
};

std::string figures_section(const ChunkResult& result) {
  if (result.figure_orders.empty()) return {};
  const auto rows = static_cast<uint32_t>(result.figure_orders.size());
  const auto columns = static_cast<uint32_t>(result.figures.size() / rows);
  std::string bytes;
  put_record(bytes, rows);
  put_record(bytes, columns);
  bytes.append(reinterpret_cast<const char*>(result.figure_orders.data()), 8 * size_t(rows));
  bytes.append(reinterpret_cast<const char*>(result.figures.data()), 8 * result.figures.size());
  return bytes;
}

std::string notes_section(const std::vector<ClusterNote>& notes) {
  std::string lines;
  for (const ClusterNote& note : notes)
    lines += compact({{"cluster", note.cluster},
                      {"order", note.order},
                      {"id", note.id},
                      {"lot", note.lot},
                      {"partner", note.partner},
                      {"similarity", note.similarity}}) +
             "\n";
  return lines;
}

// The ids of the wanted documents (ascending numbers), from the sections that hold all ids.
std::map<uint64_t, std::string> find_ids(const std::vector<fs::path>& chunks,
                                         const std::vector<uint64_t>& wanted) {
  std::map<uint64_t, std::string> ids;
  if (wanted.empty()) return ids;
  for (const fs::path& path : chunks) {
    const std::string bytes = unpacked(ChunkFile(path), "ids", path);
    for (size_t at = 0; at + 12 <= bytes.size();) {
      uint64_t order = 0;
      uint32_t size = 0;
      std::memcpy(&order, bytes.data() + at, 8);
      std::memcpy(&size, bytes.data() + at + 8, 4);
      if (std::binary_search(wanted.begin(), wanted.end(), order))
        ids.emplace(order, bytes.substr(at + 12, size));
      at += 12 + size_t(size);
    }
  }
  return ids;
}

}  // namespace

struct Engine::Settled {
  std::unique_ptr<StageRun> opening = {}, closing = {};
  std::map<uint64_t, std::string> cluster_ids = {};
};

Engine::Engine(const std::vector<Step>& steps, std::vector<std::unique_ptr<Feed>> feeds,
               EngineOptions options)
    : steps_(steps),
      feeds_(std::move(feeds)),
      options_(std::move(options)),
      segments_(segments_of(steps)),
      chunk_counts_(segments_.size(), 0) {
  uint64_t total = 0;
  for (const auto& feed : feeds_) total += feed->bytes_total();
  // Enough chunks for every thread of a big machine and for cheap interruptions, few enough files.
  chunk_bytes_ = std::clamp<uint64_t>(total / 64, uint64_t(1) << 20, uint64_t(16) << 20);
  // A chunk is held about six times over: piece, documents, rows, packed rows.
  const auto fit = std::max<uint64_t>(1, options_.memory / 2 / (6 * chunk_bytes_));
  options_.threads = int(std::min<uint64_t>(uint64_t(std::max(1, options_.threads)), fit));
  for (size_t i = 0; i < segments_.size(); ++i)
    folders_.push_back(options_.work / fmt::format("{:02}-{}", i, key_of(i)));
}

std::string Engine::files_of(const Step& step) const {
  const auto found = options_.files.find(step.name);
  return found == options_.files.end() ? "" : found->second;
}

std::string Engine::key_of(size_t segment) const {
  OrderedJson key{{"format", kFormat},
                  {"inputs", options_.inputs},
                  {"code", options_.code},
                  {"figures", int(options_.figures)},
                  {"chunk", chunk_bytes_}};
  const Segment& s = segments_[segment];
  if (!s.closes) key["form"] = int(options_.final_form);
  key["steps"] = OrderedJson::array();
  for (size_t i = 0; i < s.last + (s.closes ? 1 : 0); ++i)
    key["steps"].push_back(
        {steps_[i].name, steps_[i].languages, steps_[i].options, files_of(steps_[i])});
  return sha256_hex(compact(key)).substr(0, 16);
}

fs::path Engine::chunk_path(size_t segment, size_t chunk) const {
  return folder(segment) / fmt::format("chunk-{:06}.bin", chunk);
}

std::vector<fs::path> Engine::chunks(size_t segment) const {
  const fs::path dir = folder(segment);
  std::vector<fs::path> paths;
  for (size_t i = 0; i < chunk_counts_[segment]; ++i)
    paths.push_back(dir / fmt::format("chunk-{:06}.bin", i));
  return paths;
}

void Engine::run(Monitor& monitor, const StopRequest& stop) {
  make_dirs(options_.work);
  sweep_work();
  for (size_t i = 0; i < segments_.size(); ++i) {
    const fs::path done = folder(i) / "done.json";
    if (fs::exists(done)) {
      const Json facts = load_json(done);
      chunk_counts_[i] = facts.at("chunks").get<size_t>();
      documents_ = facts.at("documents").get<uint64_t>();
      ++reused_;
      continue;
    }
    make_dirs(folder(i));
    // A killed run's half-written files. All of them: the folder is this run's alone, and in a
    // container the killed process had the same number as this one.
    for (const auto& entry : fs::directory_iterator(folder(i)))
      if (entry.path().filename().string().starts_with(kTemporaryPrefix))
        fs::remove_all(entry.path());
    run_segment(i, monitor, stop);
    write_file_atomic(done, compact({{"chunks", chunk_counts_[i]}, {"documents", documents_}}));
  }
}

// Removes what no segment of this recipe can use.
void Engine::sweep_work() const {
  std::vector<std::string> wanted;
  for (size_t i = 0; i < segments_.size(); ++i) wanted.push_back(folder(i).filename().string());
  for (const auto& entry : fs::directory_iterator(options_.work))
    if (std::find(wanted.begin(), wanted.end(), entry.path().filename().string()) == wanted.end())
      fs::remove_all(entry.path());
}

Engine::Settled Engine::settle(size_t segment, Monitor& monitor, const StopRequest& stop) {
  Settled settled;
  const Segment& s = segments_[segment];
  if (s.closes) settled.closing = std::get<std::unique_ptr<Stage>>(steps_[s.last].run)->start();
  if (!s.opens) return settled;
  const Step& step = steps_[s.first - 1];
  settled.opening = std::get<std::unique_ptr<Stage>>(step.run)->start();
  const fs::path scratch = folder(segment) / "scratch";
  fs::remove_all(scratch);
  make_dirs(scratch);
  Counters counters;
  StageContext context{.threads = options_.threads,
                       .memory = options_.memory / 2,
                       .scratch = scratch,
                       .monitor = monitor,
                       .stop = stop,
                       .counters = counters};
  FileSurvey survey(chunks(segment - 1), documents_);
  monitor.begin(step.name, 0, "");
  in_context([&] { return "running " + step.name; },
             [&] { settled.opening->settle(survey, context); });
  settled.cluster_ids = find_ids(chunks(segment - 1), settled.opening->clusters());
  monitor.end();
  fs::remove_all(scratch);
  write_file_atomic(folder(segment) / "settled.json", compact({{"counters", counters}}));
  return settled;
}

void Engine::run_segment(size_t segment, Monitor& monitor, const StopRequest& stop) {
  const Settled settled = settle(segment, monitor, stop);
  const Segment& s = segments_[segment];
  std::string what = s.first < s.last ? steps_[s.first].name : "reading";
  if (s.last - s.first > 1) what += " ... " + steps_[s.last - 1].name;

  if (segment == 0) {
    struct Task {
      size_t chunk = 0;
      Piece piece = {};
    };
    Numbering numbering;
    uint64_t total = 0, before = 0;
    for (const auto& feed : feeds_) total += feed->bytes_total();
    monitor.begin(what, int64_t(total), "bytes");
    size_t feed = 0, next = 0;
    const auto take = [&](Task& task) {
      stop.check();
      for (; feed < feeds_.size(); before += feeds_[feed++]->bytes_total()) {
        monitor.at(int64_t(before + feeds_[feed]->bytes_read()));
        if (!feeds_[feed]->next(task.piece, chunk_bytes_)) continue;
        task.chunk = next++;
        task.piece.feed = feed;
        return true;
      }
      return false;
    };
    work_through<Task>(options_.threads, take, [&](Task& task) {
      const fs::path path = chunk_path(0, task.chunk);
      if (chunk_is_there(path)) {
        numbering.take(task.chunk, ChunkFile(path).facts().at("in").get<uint64_t>());
        return;
      }
      Numbering::Turn turn(numbering, task.chunk);
      ReadTally tally;
      std::vector<Document> documents = feeds_[task.piece.feed]->parse(task.piece, tally);
      task.piece = {};
      uint64_t order = turn.take(documents.size());
      for (Document& document : documents) document.order = order++;
      finish_chunk(0, task.chunk, std::move(documents), tally, settled);
    });
    chunk_counts_[0] = next;
    documents_ = numbering.count();
    monitor.end();
    return;
  }

  const bool reorders = settled.opening->reorders();
  if (reorders) scatter(segment, *settled.opening, monitor, stop);
  const size_t count =
      reorders ? std::min(chunk_counts_[segment - 1], kBuckets) : chunk_counts_[segment - 1];
  monitor.begin(steps_[s.first - 1].name + (s.first < s.last ? " ... " + what : ""), int64_t(count),
                "chunks");
  size_t next = 0;
  const auto take = [&](size_t& chunk) {
    stop.check();
    monitor.at(int64_t(next));
    return next < count ? (chunk = next++, true) : false;
  };
  work_through<size_t>(options_.threads, take, [&](size_t& chunk) {
    if (chunk_is_there(chunk_path(segment, chunk))) return;
    finish_chunk(segment, chunk,
                 reorders ? gather(segment, chunk, *settled.opening) : load(segment - 1, chunk), {},
                 settled);
  });
  chunk_counts_[segment] = count;
  if (reorders) fs::remove_all(folder(segment) / "scattered");
  monitor.end();
}

std::vector<Document> Engine::load(size_t segment, size_t chunk) const {
  const fs::path path = chunk_path(segment, chunk);
  return take_documents(unpacked(ChunkFile(path), "kept", path), path.string());
}

// Deals every chunk's documents out to buckets by rank; a bucket then is small enough to be sorted.
void Engine::scatter(size_t segment, const StageRun& stage, Monitor& monitor,
                     const StopRequest& stop) {
  const size_t chunks = chunk_counts_[segment - 1], buckets = std::min(chunks, kBuckets);
  const fs::path dir = folder(segment) / "scattered";
  make_dirs(dir);
  monitor.begin(steps_[segments_[segment].first - 1].name, int64_t(chunks), "chunks");
  size_t next = 0;
  const auto take = [&](size_t& chunk) {
    stop.check();
    monitor.at(int64_t(next));
    return next < chunks ? (chunk = next++, true) : false;
  };
  work_through<size_t>(options_.threads, take, [&](size_t& chunk) {
    const fs::path path = dir / fmt::format("{:06}.bin", chunk);
    if (parts_are_there(path, buckets)) return;
    std::vector<std::string> parts(buckets);
    for (const Document& document : load(segment - 1, chunk))
      put_document(parts[size_t((stage.rank(document) >> 32) * buckets >> 32)], document);
    for (std::string& part : parts) part = packed(part, kSpoolLevel);
    write_parts(path, parts);
  });
  monitor.end();
}

std::vector<Document> Engine::gather(size_t segment, size_t bucket, const StageRun& stage) const {
  std::vector<std::pair<uint64_t, Document>> ranked;
  for (size_t chunk = 0; chunk < chunk_counts_[segment - 1]; ++chunk) {
    const fs::path path = folder(segment) / "scattered" / fmt::format("{:06}.bin", chunk);
    const std::string bytes = zstd_expand(read_part(path, bucket), path.string());
    for (Document& document : take_documents(bytes, path.string())) {
      const uint64_t rank = stage.rank(document);
      ranked.emplace_back(rank, std::move(document));
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.order < b.second.order;
  });
  std::vector<Document> documents;
  documents.reserve(ranked.size());
  for (auto& [rank, document] : ranked) documents.push_back(std::move(document));
  return documents;
}

void Engine::finish_chunk(size_t segment, size_t chunk, std::vector<Document> documents,
                          const ReadTally& read, const Settled& settled) {
  const Segment& s = segments_[segment];
  const size_t came = documents.size();
  Tally in(steps_);
  if (segment == 0) count_in(documents, in);
  ChunkResult result = run_chunk(steps_, s,
                                 {.opening = settled.opening.get(),
                                  .closing = settled.closing.get(),
                                  .cluster_ids = &settled.cluster_ids},
                                 std::move(documents), options_.figures);
  result.tally.add(in);
  for (const auto& [name, count] :
       {std::pair("read.empty", read.empty), std::pair("read.left_out", read.left_out),
        std::pair("read.bad", read.bad)})
    if (count > 0) result.tally.counters[name] += count;
  ChunkWriter writer;
  std::string bytes, ids;
  const bool rows = !s.closes && options_.final_form == FinalForm::rows;
  for (const Document& document : result.kept) {
    if (s.closes) {
      put_record(ids, document.order);
      put_record(ids, static_cast<uint32_t>(document.id.size()));
      ids += document.id;
    } else {
      count_out(document, result.tally);
    }
    if (rows) put_row(bytes, document, steps_);
    else put_document(bytes, document);
  }
  OrderedJson bad = OrderedJson::array();
  for (const BadRow& row : read.first_bad)
    bad.push_back({{"place", row.place}, {"why", row.reason}});
  const OrderedJson facts{{"in", came},
                          {"bad", bad},
                          {"kept", result.kept.size()},
                          {"kept_bytes", bytes.size()},
                          {"survey_bytes", result.survey.size()},
                          {"tally", result.tally.json()}};
  result.kept = {};
  writer.add("kept", packed(bytes, rows ? kRowsLevel : kSpoolLevel));
  bytes.clear();
  for (const Dropped& dropped : result.dropped) put_dropped_row(bytes, dropped, steps_);
  writer.add("dropped", packed(bytes, kRowsLevel));
  writer.add("figures", packed(figures_section(result), kRowsLevel));
  writer.add("survey", packed(result.survey, kSpoolLevel));
  writer.add("ids", packed(ids, kSpoolLevel));
  writer.add("notes", packed(notes_section(result.notes), kSpoolLevel));
  writer.write(chunk_path(segment, chunk), facts);
}

Tally Engine::tally() const {
  Tally sum(steps_);
  for (size_t i = 0; i < segments_.size(); ++i) {
    for (const fs::path& path : chunks(i)) sum.add(ChunkFile(path).facts().at("tally"));
    const fs::path settled = folder(i) / "settled.json";
    if (!fs::exists(settled)) continue;
    const Json counted = load_json(settled);
    for (const auto& [name, count] : counted.at("counters").items())
      sum.counters[name] += count.get<int64_t>();
  }
  return sum;
}

}  // namespace helio::data
