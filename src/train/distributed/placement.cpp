#include "train/distributed/placement.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/error.h"
#include "nn/runtime.h"

namespace helio::train::distributed {
namespace {

// A job's own port, so that two jobs on one machine do not meet.
constexpr int64_t kFirstSlurmPort = 20000, kSlurmPorts = 20000;
constexpr int64_t kMostProcesses = 1 << 20, kMostPorts = 65535;

int64_t number(const std::string& name, const std::string& text, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
    return value;
  throw Error(ErrorKind::usage, "the environment's " + name + " is '" + text +
                                    "', not a number from " + std::to_string(least) + " to " +
                                    std::to_string(most))
      .with_hint("start the processes with helio launch, torchrun or srun, which set it");
}

struct Reader {
  const Variables& variables;

  bool has(const std::string& name) const { return variables(name).has_value(); }
  std::string text(const std::string& name) const {
    if (auto value = variables(name)) return *value;
    throw Error(ErrorKind::usage,
                "the environment names a run of several processes, but not " + name)
        .with_hint("start the processes with helio launch, torchrun or srun, which set it");
  }
  int64_t read(const std::string& name, int64_t least, int64_t most) const {
    return number(name, text(name), least, most);
  }
  int64_t read_or(const std::string& name, int64_t otherwise, int64_t least, int64_t most) const {
    return has(name) ? read(name, least, most) : otherwise;
  }
};

Placement of_torchrun(const Reader& env) {
  Placement p;
  p.size = env.read("WORLD_SIZE", 1, kMostProcesses);
  p.rank = env.read("RANK", 0, p.size - 1);
  if (p.alone()) return p;
  p.local_size = env.read_or("LOCAL_WORLD_SIZE", 1, 1, p.size);
  p.local_rank = env.read_or("LOCAL_RANK", 0, 0, kMostProcesses);
  p.address = env.text("MASTER_ADDR");
  p.port = env.read("MASTER_PORT", 1, kMostPorts);
  if (env.variables("TORCHELASTIC_USE_AGENT_STORE") == "True") {
    p.store_is_launchers = true;
    p.prefix +=
        "/" + std::to_string(env.read_or("TORCHELASTIC_RESTART_COUNT", 0, 0, kMostProcesses));
  }
  return p;
}

// Only srun's tasks: a batch script has SLURM_PROCID and SLURM_NTASKS too, and is alone.
bool is_slurm_task(const Reader& env) {
  return env.has("SLURM_PROCID") && env.has("SLURM_NTASKS") &&
         (env.has("SLURM_STEP_NODELIST") || env.has("SLURM_LAUNCH_NODE_IPADDR"));
}

Placement of_slurm(const Reader& env) {
  Placement p;
  const char* size = env.has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  p.size = env.read(size, 1, kMostProcesses);
  p.rank = env.read("SLURM_PROCID", 0, p.size - 1);
  if (p.alone()) return p;
  p.local_rank = env.read_or("SLURM_LOCALID", 0, 0, kMostProcesses);
  if (auto tasks = env.variables("SLURM_STEP_TASKS_PER_NODE"))  // "4(x2),1"
    p.local_size = number("SLURM_STEP_TASKS_PER_NODE", tasks->substr(0, tasks->find_first_of("(,")),
                          1, kMostProcesses);
  if (env.has("MASTER_ADDR")) p.address = env.text("MASTER_ADDR");
  else if (env.has("SLURM_STEP_NODELIST")) p.address = first_host(env.text("SLURM_STEP_NODELIST"));
  else p.address = env.text("SLURM_LAUNCH_NODE_IPADDR");
  if (env.has("MASTER_PORT")) p.port = env.read("MASTER_PORT", 1, kMostPorts);
  else p.port = kFirstSlurmPort + env.read_or("SLURM_JOB_ID", 0, 0, int64_t(1) << 40) % kSlurmPorts;
  return p;
}

}  // namespace

std::string first_host(const std::string& nodelist) {
  const size_t end = nodelist.find_first_of(",[");
  if (end == std::string::npos || nodelist[end] == ',') return nodelist.substr(0, end);
  const size_t inside = end + 1, stop = nodelist.find_first_of("-,]", inside);
  return nodelist.substr(0, end) +
         nodelist.substr(inside, stop == std::string::npos ? stop : stop - inside);
}

Placement read_placement(const Variables& variables) {
  const Reader env{variables};
  if (env.has("RANK") && env.has("WORLD_SIZE")) return of_torchrun(env);
  if (is_slurm_task(env)) return of_slurm(env);
  return {};
}

const Placement& placement() {
  static const Placement read = read_placement([](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value && *value ? std::optional<std::string>(value) : std::nullopt;
  });
  return read;
}

void require_alone(const std::string& command) {
  if (placement().alone()) return;
  throw Error(ErrorKind::usage,
              command + " runs in one process; this is one of " + std::to_string(placement().size))
      .with_hint(
          "start it without helio launch, torchrun or srun; pretrain, sft and align take several");
}

int64_t default_threads() {
  return std::max<int64_t>(1, nn::available_cores() / placement().local_size);
}

int64_t threads_of_key(const std::string& asked, int64_t used) {
  return asked == "0" && placement().local_size > 1 ? nn::available_cores() : used;
}

}  // namespace helio::train::distributed
