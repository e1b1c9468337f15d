// What the processes of one run say to each other: c10d's Gloo, over TCP, for tensors on the CPU.
//
// Every function that is called by one process must be called by all, in the same order. Results
// are the same to the bit on all of them, and in every run of as many processes.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "train/distributed/placement.h"

namespace helio::train::distributed {

class Communicator {
 public:
  // Meets the others. Error{failed} when they do not come within five minutes.
  explicit Communicator(const Placement& placement);
  ~Communicator();

  int64_t rank() const { return placement_.rank; }
  int64_t size() const { return placement_.size; }
  bool leads() const { return placement_.leads(); }

  // What has been begun; the tensor stays alive and untouched until wait() has returned.
  // Error{failed} when another process is gone, a second after this is known: so that a launcher
  // hears first of the one whose fault it is.
  using Pending = std::function<void()>;

  // The sum over all processes, in place, on all of them or on `root` alone (the others' tensors
  // then hold nothing of use). Dense tensors.
  Pending begin_sum(const at::Tensor& tensor);
  Pending begin_sum_at(const at::Tensor& tensor, int64_t root);
  // root's tensor to all.
  Pending begin_broadcast(const at::Tensor& tensor, int64_t root);
  // Every process's text, by rank.
  std::vector<std::string> gather(const std::string& text);
  // Until all have come.
  void barrier();

 private:
  struct Backend;
  Pending pending(const std::function<std::function<void()>()>& begin, std::string doing);

  Placement placement_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace helio::train::distributed
