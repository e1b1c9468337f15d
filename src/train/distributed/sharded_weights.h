// A decoder whose weights are divided among the processes of a run (ZeRO-3: Rajbhandari et al.
// 2020, "ZeRO: memory optimizations toward training trillion parameter models").
//
// Each weight has one owner, which alone keeps its values, its gradient's sum and (by the trainer)
// its optimiser state. A layer's weights are sent to all just before the layer runs and let go
// after it, forward and backward; the next layer's are on their way meanwhile. Embedding, final
// norm and head are here from open() to the end of the step.
//
// All processes must make the same passes in the same order: one that has no rows left makes idle
// ones.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "nn/lent_weights.h"
#include "train/distributed/communicator.h"

namespace helio::train::distributed {

class ShardedWeights final : public nn::LentWeights {
 public:
  // Lets go of all weights that other processes own. Both must outlive this.
  ShardedWeights(Communicator& link, const model::Decoder& model);

  // Whether a weight's values are to be kept by process `rank` of `size`.
  static model::Decoder::Keeps keeps(const checkpoint::DecoderConfig& config, int64_t rank,
                                     int64_t size);
  bool owns(const std::string& name) const { return owns_(name); }

  void bring(int64_t layer, nn::Pass pass) override;
  void drop(int64_t layer) override;
  void give(int64_t layer, std::vector<at::Tensor> gradients) override;

  // Brings what all layers' passes need; lets it go.
  void open();
  void close();
  // After the last backward pass of a step: every owner's grads are then the sums over all passes
  // of all processes, the others have none. Closes.
  void finish_gradients();
  // The part of a pass (backward: of both its halves) that the others wait for.
  void idle_pass(nn::Pass pass);

 private:
  struct Weight {
    at::Tensor tensor = {};
    int64_t owner = 0;
  };
  // What comes and goes together: a layer, or all that is outside the layers.
  struct Unit {
    std::vector<Weight> weights = {};
    bool coming = false;
    std::vector<Communicator::Pending> arrivals = {};
  };
  struct Sum {
    Weight weight = {};
    at::Tensor gradient = {};
    Communicator::Pending wait = {};
  };
  void start(Unit& unit);
  void bring(Unit& unit);
  void drop(Unit& unit);
  void begin_sums(const Unit& unit, std::vector<at::Tensor> gradients);
  void finish_sums();
  bool own(const Weight& weight) const { return weight.owner == link_.rank(); }

  Communicator& link_;
  model::Decoder::Keeps owns_;
  std::vector<Unit> layers_ = {};
  Unit outer_ = {};
  std::vector<Sum> sums_ = {};  // on their way
};

}  // namespace helio::train::distributed
