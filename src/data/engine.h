// Runs the steps of a pipeline over documents that stream from disk to disk in chunks. Between two
// stages the documents go through once, on all threads; what is held in memory is a chunk a thread
// and what a stage keeps to decide.
//
//   work/<segment>-<key>/chunk-000000.bin ...   see data/spool.h
//                        settled.json           what the stage before it counted
//                        done.json              all chunks are there
//
// The key hashes everything the segment's bytes depend on: the inputs, the code, and the steps up
// to the stage that closes it. So a killed run goes on where it was, and a changed recipe begins at
// the segment of the first step that changed. Chunks are cut by the inputs alone: neither threads
// nor interruptions show in any byte.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "data/chunk.h"
#include "data/feed.h"
#include "data/steps.h"

namespace helio::data {

enum class FinalForm { rows, documents };  // lines of JSON in zstd frames, or spooled documents

struct EngineOptions {
  std::filesystem::path work = {};
  std::string inputs = {};  // hash of what the feeds read
  std::string code = {};    // of the program
  // Of the files a step's options name, by step: what is there already holds only for the same.
  std::map<std::string, std::string> files = {};
  int threads = 1;
  uint64_t memory = uint64_t(2) << 30;
  KeepFigures figures = KeepFigures::deciding;
  FinalForm final_form = FinalForm::rows;
};

class Engine {
 public:
  Engine(const std::vector<Step>& steps, std::vector<std::unique_ptr<Feed>> feeds,
         EngineOptions options);
  void run(Monitor& monitor, const StopRequest& stop);

  // After run(): the segments' chunk files in order, and the sums over all.
  const std::vector<Segment>& segments() const { return segments_; }
  std::vector<std::filesystem::path> chunks(size_t segment) const;
  Tally tally() const;
  // Segments whose chunks were all there before this run.
  size_t reused() const { return reused_; }

 private:
  struct Settled;
  std::string files_of(const Step& step) const;
  std::string key_of(size_t segment) const;
  const std::filesystem::path& folder(size_t segment) const { return folders_[segment]; }
  std::filesystem::path chunk_path(size_t segment, size_t chunk) const;
  void run_segment(size_t segment, Monitor& monitor, const StopRequest& stop);
  Settled settle(size_t segment, Monitor& monitor, const StopRequest& stop);
  void scatter(size_t segment, const StageRun& stage, Monitor& monitor, const StopRequest& stop);
  std::vector<Document> gather(size_t segment, size_t bucket, const StageRun& stage) const;
  std::vector<Document> load(size_t segment, size_t chunk) const;
  void finish_chunk(size_t segment, size_t chunk, std::vector<Document> documents,
                    const ReadTally& read, const Settled& settled);
  void sweep_work() const;

  const std::vector<Step>& steps_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  EngineOptions options_;
  std::vector<Segment> segments_;
  std::vector<size_t> chunk_counts_ = {};
  std::vector<std::filesystem::path> folders_ = {};  // by segment: a key takes long to make
  uint64_t documents_ = 0;                           // manifest numbers are below this
  size_t chunk_bytes_ = 0;
  size_t reused_ = 0;
};

}  // namespace helio::data
