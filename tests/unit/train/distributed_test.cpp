// Which process is which, and whose rows and weights are whose. What several processes do together
// is tested in tests/cli/test_launch.py.
#include <map>
#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "support.h"
#include "train/distributed/placement.h"
#include "train/distributed/share.h"

namespace helio::train::distributed {
namespace {

Placement placed(std::map<std::string, std::string> variables) {
  return read_placement([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string problem(const std::map<std::string, std::string>& variables) {
  try {
    placed(variables);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(Placements, AloneWhereNothingIsSaid) {
  EXPECT_TRUE(placed({}).alone());
  EXPECT_TRUE(placed({{"WORLD_SIZE", "1"}, {"RANK", "0"}}).alone());
  // A batch script is no task of srun's, whatever its job asked for.
  EXPECT_TRUE(placed({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).alone());
}

TEST(Placements, Torchrun) {
  std::map<std::string, std::string> variables = {{"RANK", "5"},
                                                  {"WORLD_SIZE", "8"},
                                                  {"LOCAL_RANK", "1"},
                                                  {"LOCAL_WORLD_SIZE", "4"},
                                                  {"MASTER_ADDR", "node7"},
                                                  {"MASTER_PORT", "29500"}};
  Placement p = placed(variables);
  EXPECT_EQ(p.rank, 5);
  EXPECT_EQ(p.size, 8);
  EXPECT_EQ(p.local_rank, 1);
  EXPECT_EQ(p.local_size, 4);
  EXPECT_EQ(p.address, "node7");
  EXPECT_EQ(p.port, 29500);
  EXPECT_FALSE(p.store_is_launchers);
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  variables["TORCHELASTIC_RESTART_COUNT"] = "2";
  p = placed(variables);
  EXPECT_TRUE(p.store_is_launchers);
  EXPECT_EQ(p.prefix, "helio/2");
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"RANK", "8"},
                                                        {"RANK", "-1"},
                                                        {"WORLD_SIZE", "0"},
                                                        {"WORLD_SIZE", "8x"},
                                                        {"MASTER_PORT", "65536"},
                                                        {"LOCAL_WORLD_SIZE", "9"}}) {
    auto wrong = variables;
    wrong[name] = value;
    EXPECT_NE(problem(wrong).find(name), std::string::npos) << name << " " << problem(wrong);
  }
  variables.erase("MASTER_ADDR");
  EXPECT_NE(problem(variables).find("MASTER_ADDR"), std::string::npos);
}

TEST(Placements, Slurm) {
  std::map<std::string, std::string> variables = {{"SLURM_PROCID", "3"},
                                                  {"SLURM_NTASKS", "6"},
                                                  {"SLURM_LOCALID", "1"},
                                                  {"SLURM_STEP_TASKS_PER_NODE", "2(x3)"},
                                                  {"SLURM_STEP_NODELIST", "gpu[012-014]"},
                                                  {"SLURM_JOB_ID", "4200123"}};
  Placement p = placed(variables);
  EXPECT_EQ(p.rank, 3);
  EXPECT_EQ(p.size, 6);
  EXPECT_EQ(p.local_size, 2);
  EXPECT_EQ(p.address, "gpu012");
  EXPECT_EQ(p.port, 20000 + 4200123 % 20000);
  variables["SLURM_STEP_NUM_TASKS"] = "4";  // the step's, not the job's
  EXPECT_EQ(placed(variables).size, 4);
  variables["MASTER_ADDR"] = "other";
  variables["MASTER_PORT"] = "1234";
  EXPECT_EQ(placed(variables).address, "other");
  EXPECT_EQ(placed(variables).port, 1234);
  variables["SLURM_PROCID"] = "four";
  EXPECT_NE(problem(variables).find("SLURM_PROCID"), std::string::npos);
  EXPECT_EQ(first_host("a1,b[2-3]"), "a1");
  EXPECT_EQ(first_host("n[7,9]"), "n7");
  EXPECT_EQ(first_host("n[7]"), "n7");
  EXPECT_EQ(first_host("single"), "single");
  EXPECT_EQ(first_host("broken["), "broken");
}

TEST(Shares, EveryRowIsSomebodysAndTheLoadIsEven) {
  Rng rng(3);
  std::vector<MicroBatch> step;
  int64_t total = 0, longest = 0, name = 0;
  for (int b = 0; b < 5; ++b) {
    step.emplace_back();
    for (int r = 0; r < (b == 4 ? 1 : 3); ++r) {
      Row row;
      row.inputs.resize(1 + rng.below(60), 7);
      row.targets.assign(row.inputs.size(), 7);
      row.targets[0] = static_cast<TokenId>(name++);
      total += static_cast<int64_t>(row.inputs.size());
      longest = std::max(longest, static_cast<int64_t>(row.inputs.size()));
      step.back().rows.push_back(row);
    }
  }
  for (const int64_t size : {1, 2, 3, 20}) {
    std::set<TokenId> seen;
    size_t passes = 0;
    for (int64_t rank = 0; rank < size; ++rank) {
      int64_t tokens = 0;
      const auto share = share_of(step, rank, size);
      passes = std::max(passes, share.size());
      for (const MicroBatch& batch : share) {
        EXPECT_LE(batch.rows.size(), 3u);
        EXPECT_FALSE(batch.rows.empty());
        for (const Row& row : batch.rows) {
          EXPECT_TRUE(seen.insert(row.targets[0]).second);
          tokens += static_cast<int64_t>(row.inputs.size());
        }
      }
      EXPECT_LE(tokens, total / size + longest);
    }
    EXPECT_EQ(static_cast<int64_t>(seen.size()), name) << size;
    EXPECT_EQ(most_passes(step, size), passes) << size;
  }
  EXPECT_EQ(spread({4, 1, 3, 3, 1}, 2), (std::vector<int64_t>{0, 0, 1, 1, 0}));
}

}  // namespace
}  // namespace helio::train::distributed
