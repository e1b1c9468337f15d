// What a run is said to need, and what is offered when a machine has less.
#include "train/estimate.h"

#include "core/error.h"
#include "support.h"

namespace helio::train {
namespace {

checkpoint::DecoderConfig smollm2() {
  checkpoint::DecoderConfig config;
  config.vocab_size = 49152;
  config.hidden_size = 576;
  config.intermediate_size = 1536;
  config.layers = 30;
  config.heads = 9;
  config.kv_heads = 3;
  config.head_dim = 64;
  config.max_positions = 8192;
  config.tied_embeddings = true;
  return config;
}

Workload eight_rows() {
  return {.steps = 100,
          .tokens = 100 * 8 * 512,
          .sequence = 512,
          .step_rows = 8,
          .micro_rows = 0,
          .train = {.batch_size = 8}};
}

std::string refused(const Workload& work, const Room& room, ErrorKind kind) {
  try {
    check_room(smollm2(), work, room);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return {};
}

constexpr int64_t kGib = int64_t(1) << 30;

TEST(Memory, GrowsWithWhatIsKept) {
  const auto config = smollm2();
  const Workload all = eight_rows();
  const int64_t most = peak_memory(config, all);
  EXPECT_GT(most, 4 * kGib);
  EXPECT_LT(most, 7 * kGib);
  Workload rows = all, again = all, bytes = all, factored = all, adapters = all, averaged = all;
  rows.micro_rows = 1;
  again.train.recompute = true;
  bytes.train.optimizer = "adamw8bit";
  factored.train.optimizer = "adafactor";
  adapters.train.lora_rank = 8;
  averaged.train.ema = 0.99;
  for (const Workload& less : {rows, again, bytes, factored, adapters})
    EXPECT_LT(peak_memory(config, less), most);
  EXPECT_LT(peak_memory(config, factored), peak_memory(config, bytes));
  EXPECT_EQ(peak_memory(config, averaged) - most, 4 * config.parameters());
  EXPECT_GT(peak_memory(config, rows), 16 * config.parameters());
}

TEST(Memory, OfSeveralProcessesFollowsWhatTheyShare) {
  const auto config = smollm2();
  const auto peak = [&](const char* shard, int64_t processes) {
    Workload work = eight_rows();
    work.processes = processes;
    work.train.sharding.shard = shard;
    return peak_memory(config, work);
  };
  const int64_t weights = config.parameters();
  EXPECT_LT(peak("none", 2), peak("none", 1)) << "half the rows";
  EXPECT_EQ(peak("weights", 1), peak("none", 1)) << "nobody to share with";
  EXPECT_EQ(peak("none", 2) - peak("optimizer", 2), 4 * weights);
  EXPECT_EQ(peak("gradients", 2), peak("optimizer", 2));
  EXPECT_LT(peak("weights", 2), peak("gradients", 2) - 2 * weights);
  EXPECT_LT(peak("weights", 4), peak("weights", 2));
}

TEST(Memory, TheCopyThatCheckpointsAreWrittenFromIsTheRunsState) {
  Workload work = eight_rows();
  work.train.save_every = 50;
  EXPECT_EQ(copy_memory(smollm2(), work), 12 * smollm2().parameters());
  work.train.save_every = 100;  // only at the end, when nothing goes on beside it
  EXPECT_EQ(copy_memory(smollm2(), work), 0);
}

TEST(Room, RefusalsSayWhatWouldFit) {
  const Workload work = eight_rows();
  const Room plenty{.memory = 1000 * kGib, .disk = 1000 * kGib};
  EXPECT_NO_THROW(check_room(smollm2(), work, plenty));
  const int64_t need = peak_memory(smollm2(), work);
  Room room = plenty;
  room.memory = need - 1;
  std::string text = refused(work, room, ErrorKind::memory);
  for (const char* change : {"--train.micro-batch-size 1 (", "--train.recompute ("})
    EXPECT_NE(text.find(change), std::string::npos) << text;
  // Where only adapters or a smaller optimiser state fit, only these are offered.
  room.memory = kGib * 2;
  text = refused(work, room, ErrorKind::memory);
  EXPECT_EQ(text.find("--train.micro-batch-size 1 ("), std::string::npos) << text;
  EXPECT_NE(text.find("--train.optimizer adafactor ("), std::string::npos) << text;
  Workload many = work;
  many.processes = 4;
  EXPECT_NE(refused(many, {.memory = kGib * 3 / 2, .disk = room.disk}, ErrorKind::memory)
                .find("--train.shard weights ("),
            std::string::npos);
  room.memory = kGib / 2;
  EXPECT_NE(refused(work, room, ErrorKind::memory).find("a smaller model"), std::string::npos);
}

TEST(Room, ADiskWithoutRoomForTheCheckpointsIsRefused) {
  Workload work = eight_rows();
  const int64_t need = disk_needed(smollm2(), work);
  EXPECT_EQ(need, (3 * 12 + 4) * smollm2().parameters());  // two kept, one being written; the model
  const Room room{.memory = 1000 * kGib, .disk = need - 1};
  EXPECT_NE(refused(work, room, ErrorKind::failed).find("of disk"), std::string::npos);
  work.train.keep_last = 1;
  EXPECT_NO_THROW(check_room(smollm2(), work, room));
}

TEST(Room, OfThisMachineIsKnown) {
  const Room room = room_here("/tmp/a/folder/that/is/not/there");
  EXPECT_GT(room.memory, int64_t(100) << 20);
  EXPECT_GT(room.disk, 0);
}

}  // namespace
}  // namespace helio::train
