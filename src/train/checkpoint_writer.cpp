#include "train/checkpoint_writer.h"

#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>

#include "core/error.h"

namespace helio::train {
namespace {

// A line "NAME: 123 kB" of a file in /proc, or "NAME 123" of memory.stat; in the file's unit.
std::optional<int64_t> figure_of(const char* path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  int64_t value = 0;
  while (file >> word) {
    if (word == name) return file >> value ? std::optional(value) : std::nullopt;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

std::optional<int64_t> number_in(const char* path) {
  int64_t value = 0;
  std::ifstream file(path);
  return file >> value ? std::optional(value) : std::nullopt;
}

void add(int64_t& bytes, const std::vector<nn::NamedTensor>& tensors) {
  for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
}

}  // namespace

int64_t memory_to_spare() {
  constexpr int64_t kKilo = 1024;
  int64_t free = figure_of("/proc/meminfo", "MemAvailable:").value_or(0) * kKilo;
  const auto most = number_in("/sys/fs/cgroup/memory.max");  // "max" where there is no limit
  const auto used = number_in("/sys/fs/cgroup/memory.current");
  if (most && used) {
    const int64_t cached = figure_of("/sys/fs/cgroup/memory.stat", "inactive_file").value_or(0);
    free = std::min(free, *most - *used + cached);
  }
  const int64_t peak = figure_of("/proc/self/status", "VmHWM:").value_or(0) * kKilo;
  const int64_t now = figure_of("/proc/self/status", "VmRSS:").value_or(0) * kKilo;
  return free - (peak - now);
}

int64_t CheckpointWriter::Content::bytes() const {
  int64_t bytes = 0;
  add(bytes, weights);
  add(bytes, optimizer);
  return bytes;
}

CheckpointWriter::Way CheckpointWriter::way_for(const Content& content) const {
  const int64_t needed = content.bytes() - copy_.bytes();
  // A tenth more: other programs live here too.
  return needed <= 0 || needed + needed / 10 <= memory_to_spare() ? Way::beside : Way::at_once;
}

void CheckpointWriter::copy(const std::vector<nn::NamedTensor>& from,
                            std::vector<nn::NamedTensor>& to) {
  const c10::AutoGradMode no_grad(false);
  to.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const at::Tensor tensor = from[i].tensor.detach();
    if (!to[i].tensor.defined() || to[i].tensor.sizes() != tensor.sizes() ||
        to[i].tensor.scalar_type() != tensor.scalar_type())
      to[i].tensor = at::empty_like(tensor);
    to[i].name = from[i].name;
    to[i].tensor.copy_(tensor);
  }
}

void CheckpointWriter::write(int64_t step, const OrderedJson& state, const Content& content) {
  in_context([&] { return "saving the checkpoint of step " + std::to_string(step); },
             [&] {
               checkpoints_.save(step, state, [&](const std::filesystem::path& dir) {
                 nn::write_tensors(dir / "model.safetensors", content.weights);
                 nn::write_tensors(dir / "optimizer.safetensors", content.optimizer);
               });
             });
}

void CheckpointWriter::save(int64_t step, const OrderedJson& state, const Content& content,
                            Way way) {
  wait();
  if (way == Way::at_once) return write(step, state, content);
  copy(content.weights, copy_.weights);
  copy(content.optimizer, copy_.optimizer);
  writing_ = std::async(std::launch::async, [this, step, state] { write(step, state, copy_); });
}

void CheckpointWriter::check() {
  if (writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    writing_.get();
}

void CheckpointWriter::wait() {
  if (writing_.valid()) writing_.get();
}

}  // namespace helio::train
