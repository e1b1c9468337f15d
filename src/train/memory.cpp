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

constexpr int64_t kFloat = 4;
// The program with LibTorch, its threads and what the allocator holds back. Measured: a run of the
// smallest shape peaks there.
constexpr int64_t kProgram = int64_t(330) << 20;
constexpr int64_t kHeadChunk = 1024;  // rows of logits at a time (nn/linear_loss.h)
constexpr int64_t kHeldoutRows = 16;  // of a pass over held-out data

struct Weights {
  int64_t all = 0, matrices = 0, embedding = 0;  // counts; the embedding as the head, too
};

Weights weights_of(const checkpoint::DecoderConfig& c) {
  const int64_t embedding = c.vocab_size * c.hidden_size;
  const int64_t outer = (c.tied_embeddings ? 1 : 2) * embedding;
  return {.all = c.parameters(), .matrices = c.parameters() - outer, .embedding = embedding};
}

// Floats that a layer keeps of each token, and the most that exists for a moment while it runs
// backward.
struct PerToken {
  int64_t kept = 0, moment = 0;
};

PerToken per_token(const checkpoint::DecoderConfig& c) {
  const int64_t queries = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  const int64_t ffn =
      c.experts.count > 0 ? c.experts.per_token * c.experts.width : c.intermediate_size;
  PerToken floats;
  // x and the middle; queries, keys and values; what attention gives and its scale; gate and up.
  floats.kept = 2 * c.hidden_size + 2 * queries + 2 * kv + c.heads + 2 * ffn;
  if (c.qk_norm != checkpoint::QkNorm::none) floats.kept += 2 * (queries + kv) + queries + 2 * kv;
  // The gated product again, its gradient, gate's and up's; the residual's two.
  floats.moment = 4 * ffn + 4 * c.hidden_size;
  return floats;
}

// Bytes that the optimiser keeps between steps, the moving average among them.
int64_t optimiser_bytes(const checkpoint::DecoderConfig& c, const Optimisation& train) {
  const Weights weights = weights_of(c);
  const int64_t average = train.ema > 0 ? kFloat * weights.all : 0;
  if (train.lora_rank > 0) return kFloat * weights.matrices;  // the targets as they were
  if (train.optimizer == "adafactor") return average;         // a number a row and a column
  if (train.optimizer == "muon")
    return average + kFloat * weights.matrices + 2 * kFloat * (weights.all - weights.matrices);
  return average + 2 * kFloat * weights.all;
}

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
  const char* words;
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
  Workload factored = both;
  factored.train.optimizer = "adafactor";
  Workload adapters = both;
  adapters.train.lora_rank = 16;
  changes.push_back({"--train.micro-batch-size 1", rows});
  changes.push_back({"--train.recompute", again});
  changes.push_back({"--train.micro-batch-size 1 --train.recompute", both});
  if (work.train.lora_rank == 0) {
    changes.push_back(
        {"--train.micro-batch-size 1 --train.recompute --train.optimizer adafactor", factored});
    changes.push_back(
        {"--train.micro-batch-size 1 --train.recompute --train.lora-rank 16", adapters});
  }
  return changes;
}

}  // namespace

int64_t peak_memory(const checkpoint::DecoderConfig& c, const Workload& work) {
  const Weights weights = weights_of(c);
  const int64_t asked = work.micro_rows > 0 ? work.micro_rows : work.step_rows;
  const int64_t rows = std::min(asked, std::max<int64_t>(1, work.step_rows));
  const int64_t tokens = rows * work.sequence;
  const PerToken floats = per_token(c);

  const int64_t held = kFloat * weights.all + optimiser_bytes(c, work.train);
  const int64_t trained = work.train.lora_rank > 0 ? weights.matrices : weights.all;
  const int64_t gradients = kFloat * trained;
  const int64_t kept =
      kFloat * tokens *
      (work.train.recompute ? c.layers * c.hidden_size + floats.kept : c.layers * floats.kept);
  const int64_t moment = kFloat * tokens * floats.moment;
  // The loss: logits of a chunk, the gradients of the head and of what goes into it.
  const int64_t loss =
      kFloat * (std::min(tokens, kHeadChunk) * c.vocab_size + 2 * tokens * c.hidden_size);
  const int64_t head = kFloat * weights.embedding;
  // At the end of the forward pass, and of the backward pass (the embedding's gradient is dense).
  const bool several = work.step_rows > rows;
  const int64_t turn = (several ? gradients : 0) + kept + loss + head;
  const int64_t end = gradients + (c.tied_embeddings ? 2 : 1) * head + moment +
                      kFloat * tokens * (c.hidden_size + floats.kept);
  const int64_t heldout = kFloat * kHeldoutRows * work.sequence * (3 * c.hidden_size + floats.kept);
  return kProgram + held + std::max({turn, end, heldout});
}

int64_t disk_needed(const checkpoint::DecoderConfig& c, const Workload& work) {
  const int64_t weights = kFloat * c.parameters();
  const int64_t checkpoint = weights + optimiser_bytes(c, work.train);
  const bool saves = work.train.save_every > 0 && work.train.save_every <= work.steps;
  // One more than are kept while it is written; one at a stop in any case.
  const int64_t checkpoints = saves ? work.train.keep_last + 1 : 1;
  const int64_t beside = (work.train.ema > 0 ? 1 : 0) + (work.train.keep_best ? 2 : 0);
  return checkpoints * checkpoint + (1 + beside) * weights;
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
        fits += (fits.empty() ? "" : "; ") + std::string(change.words) + " (" + gib(less) + ")";
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
