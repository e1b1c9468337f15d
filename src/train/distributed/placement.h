// Which of a run's processes this one is, as its launcher says in the environment: torchrun and
// `helio launch` (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT), or
// Slurm's srun (SLURM_PROCID, SLURM_NTASKS, ...). Torch-free.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace helio::train::distributed {

struct Placement {
  int64_t rank = 0, size = 1;              // among all processes of the run
  int64_t local_rank = 0, local_size = 1;  // among those of this machine
  // Where rank 0 keeps the store through which the processes find each other.
  std::string address = "127.0.0.1";
  int64_t port = 0;
  // torchrun keeps that store itself, for all its restarts: each has its own prefix.
  bool store_is_launchers = false;
  std::string prefix = "helio";

  bool alone() const { return size == 1; }
  bool leads() const { return rank == 0; }  // writes the run's files, shows its progress
};

using Variables = std::function<std::optional<std::string>(const std::string& name)>;

// A run of one process where nothing is said. Error{usage} that names the variable for values that
// are missing, no numbers or out of range.
Placement read_placement(const Variables& variables);

// This process's, read once.
const Placement& placement();

// The first host of a Slurm list: "node[007-010,12],x" is "node007".
std::string first_host(const std::string& nodelist);

// Error{usage} for a command that several processes cannot run together.
void require_alone(const std::string& command);

// Threads of one process when nothing is asked: its share of the cores the machine's processes of
// this run may use.
int64_t default_threads();
// What a run's key holds for `used` threads: with none asked for the machine's cores, however many
// processes share them, so that a run can be resumed by another number of them.
int64_t threads_of_key(const std::string& asked, int64_t used);

}  // namespace helio::train::distributed
