// Memory and disk of a run, and what to do when there is too little of either.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/fs.h"
#include "train/estimate.h"

namespace helio::train {
namespace {

std::string gib(int64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30));
}

// A control group's limit, or the machine's memory.
int64_t memory_limit() {
  int64_t limit = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    int64_t value = 0;
    if (std::ifstream(path) >> value && value > 0) limit = std::min(limit, value);
  }
  return limit;
}

int64_t free_disk(std::filesystem::path dir) {
  dir = fs::absolute(dir);
  while (!fs::exists(dir) && dir.has_parent_path() && dir != dir.parent_path())
    dir = dir.parent_path();
  struct statvfs found = {};
  if (statvfs(dir.c_str(), &found) != 0) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(found.f_bavail) * static_cast<int64_t>(found.f_frsize);
}

struct Change {
  std::string words;
  Workload work;
};

// Ways to need less, mildest first.
std::vector<Change> smaller(const checkpoint::DecoderConfig&, const Workload& work) {
  std::vector<Change> changes;
  Workload rows = work;
  rows.micro_rows = 1;
  Workload again = work;
  again.train.recompute = true;
  Workload both = rows;
  both.train.recompute = true;
  Workload bytes = both;
  bytes.train.optimizer = "adamw8bit";
  Workload factored = both;
  factored.train.optimizer = "adafactor";
  Workload adapters = both;
  adapters.train.lora_rank = 16;
  if (work.processes > 1)
    for (const char* level : {"optimizer", "weights"}) {
      Workload divided = work;
      divided.train.sharding.shard = level;
      changes.push_back({std::string("--train.shard ") + level, divided});
    }
  changes.push_back({"--train.micro-batch-size 1", rows});
  changes.push_back({"--train.recompute", again});
  changes.push_back({"--train.micro-batch-size 1 --train.recompute", both});
  if (work.train.lora_rank == 0) {
    changes.push_back(
        {"--train.micro-batch-size 1 --train.recompute --train.optimizer adamw8bit", bytes});
    changes.push_back(
        {"--train.micro-batch-size 1 --train.recompute --train.optimizer adafactor", factored});
    changes.push_back(
        {"--train.micro-batch-size 1 --train.recompute --train.lora-rank 16", adapters});
  }
  return changes;
}

}  // namespace

int64_t copy_memory(const checkpoint::DecoderConfig& c, const Workload& work) {
  const Optimisation& train = work.train;
  const bool in_parts = work.processes > 1 && !work.divides("none");
  if (in_parts || train.save_every == 0 || train.save_every >= work.steps) return 0;
  // Of adapters' runs the optimiser's part is next to nothing.
  return memory::kFloat * c.parameters() + (train.lora_rank > 0 ? 0 : optimiser_bytes(c, train));
}

int64_t disk_needed(const checkpoint::DecoderConfig& c, const Workload& work) {
  const int64_t weights = memory::kFloat * c.parameters();
  const int64_t checkpoint = weights + optimiser_bytes(c, work.train);
  // Where weights are divided, whole ones are put together before the model is written.
  const int64_t trained = work.divides("weights") ? weights : 0;
  const bool saves = work.train.save_every > 0 && work.train.save_every <= work.steps;
  // One more than are kept while it is written; one at a stop in any case.
  const int64_t checkpoints = saves ? work.train.keep_last + 1 : 1;
  const int64_t beside = (work.train.ema > 0 ? 1 : 0) + (work.train.keep_best ? 2 : 0);
  return checkpoints * checkpoint + (1 + beside) * weights + trained;
}

Room room_here(const std::filesystem::path& dir) {
  return {.memory = memory_limit(), .disk = free_disk(dir)};
}

void check_room(const checkpoint::DecoderConfig& config, const Workload& work, const Room& room) {
  const int64_t memory = peak_memory(config, work);
  if (memory > room.memory) {
    std::string fits;
    for (const Change& change : smaller(config, work)) {
      const int64_t less = peak_memory(config, change.work);
      if (less <= room.memory && less < memory)
        fits += (fits.empty() ? "" : "; ") + change.words + " (" + gib(less) + ")";
    }
    throw Error(ErrorKind::memory, "the run needs about " + gib(memory) +
                                       " of memory, this machine has " + gib(room.memory))
        .with_hint(fits.empty() ? "nothing that is offered makes it fit: a smaller model, or a "
                                  "machine with more memory"
                                : "this would fit: " + fits);
  }
  const int64_t disk = disk_needed(config, work);
  if (disk > room.disk)
    throw Error(ErrorKind::failed, "the run needs about " + gib(disk) +
                                       " of disk for its checkpoints and the model, " +
                                       gib(room.disk) + " are free")
        .with_hint(
            "free some space, point --out and --run at another disk, or lower "
            "train.keep_last; train.save_every 0 keeps checkpoints only when stopped");
}

}  // namespace helio::train
