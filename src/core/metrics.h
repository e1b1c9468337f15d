// Training figures as JSONL (the source of truth, greppable) and TensorBoard event files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace helio {

using Scalars = std::vector<std::pair<std::string, double>>;  // in the order to be shown

// What a model made of a prompt.
struct TextSample {
  std::string prompt = {}, text = {};
};

// Writes metrics.jsonl and events.out.tfevents.* in a run folder. Names are TRL's where it has one
// (loss, learning_rate, grad_norm, rewards/margins ...).
// On resume the JSONL is cut back to the step resumed from, so no step stands there twice.
class MetricsWriter {
 public:
  // resume_step: keep what was written up to this step (0 = start anew).
  MetricsWriter(const std::filesystem::path& run_dir, int64_t resume_step);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  void write(int64_t step, const Scalars& scalars);
  // A line {"step", "samples": [{"prompt", "text"}]} and, for TensorBoard's text page, samples/N.
  void write(int64_t step, const std::vector<TextSample>& samples);
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One TensorBoard record file: TFRecord frames with masked CRC32C round Event protobufs.
class EventFile {
 public:
  EventFile(const std::filesystem::path& dir, double wall_time);
  ~EventFile();
  void scalars(double wall_time, int64_t step, const Scalars& scalars);
  // Markdown, by its tag.
  void text(double wall_time, int64_t step, const std::string& tag, const std::string& markdown);
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

uint32_t crc32c(const void* data, size_t size);

}  // namespace helio
