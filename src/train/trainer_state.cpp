// What is kept of a run: its summary, what the trainer puts into a checkpoint, and going on from
// one.
#include <c10/core/GradMode.h>

#include <utility>

#include "core/error.h"
#include "nn/tensor_io.h"
#include "train/trainer.h"

namespace helio::train {
namespace {

// Of a checkpoint and of a model's folder; of the run's folder, where the weights were divided.
constexpr const char *kWeightsFile = "model.safetensors", *kStatesFile = "optimizer.safetensors",
                     *kTrainedWeights = "checkpoints/trained.safetensors";

OrderedJson or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

std::optional<double> from_json(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

}  // namespace

OrderedJson RunSummary::json() const {
  return {{"steps", steps},
          {"tokens", tokens},
          {"products", products},
          {"loss_first", first_loss},
          {"loss_last", last_loss},
          {"heldout_loss_start", or_null(heldout_start)},
          {"heldout_loss_end", or_null(heldout_end)},
          {"best_step", best_step},
          {"steps_skipped", steps_skipped},
          {"gradient_noise_scale", or_null(noise_scale)}};
}

void Trainer::save() {
  writer_.wait();
  journal_->flush();
  const OrderedJson state = {
      // Where the data stands follows from the step and the seed: batches are a function of both.
      {"data", {{"step", done_}, {"tokens", tokens_}}},
      {"rng", {{"seed", plan_.train.seed}}},
      {"first_loss", first_loss_},
      {"last_losses", last_losses_},
      {"heldout_start", or_null(heldout_start_)},
      {"heldout_end", or_null(heldout_end_)},
      {"best", or_null(best_)},
      {"best_step", best_step_},
      {"updates", optimizer_.steps()},
      {"guard", guard_.state()},
      {"noise", noise_.state()},
      {"window", journal_->window()}};
  if (team_.divides_states()) return save_parts(state);
  if (!team_.leads()) return;
  const CheckpointWriter::Content content{.weights = weights_to_keep(Adapters::included),
                                          .optimizer = states_to_keep()};
  auto way = CheckpointWriter::Way::at_once;  // nothing goes on beside the last one
  if (!stopping_) {
    way = writer_.way_for(content);
    if (way == CheckpointWriter::Way::at_once && !std::exchange(told_of_waiting_, true))
      journal_->note("no memory for a copy of the run's state: steps wait while it is written");
  }
  writer_.save(done_, state, content, way);
}

// Put together from the processes' parts before training goes on.
void Trainer::save_parts(const OrderedJson& state) {
  const Team::Source states{kStatesFile, Team::Part::of_states, [&](const fs::path& file) {
                              nn::write_tensors(file, states_to_keep());
                            }};
  team_.save(parts_dir(), {weights_file(Adapters::included), states},
             [&](const Team::Whole& whole) {
               checkpoints_.save(done_, state, [&](const fs::path& dir) {
                 for (const char* name : {kWeightsFile, kStatesFile}) whole(name, dir / name);
               });
             });
}

// Those that this process has.
std::vector<nn::NamedTensor> Trainer::weights_to_keep(Adapters adapters) const {
  std::vector<nn::NamedTensor> weights;
  for (const auto& [name, tensor] : model_.parameters())
    if (team_.keeps(name)) weights.push_back({name, tensor.detach()});
  if (adapters == Adapters::included && lora_)
    for (const auto& [name, tensor] : lora_->parameters())
      weights.push_back({name, tensor.detach()});
  return weights;
}

std::vector<nn::NamedTensor> Trainer::states_to_keep() const {
  std::vector<nn::NamedTensor> states = optimizer_.state();
  if (average_ && team_.leads())
    for (auto& tensor : average_->state()) states.push_back(std::move(tensor));
  return states;
}

std::filesystem::path Trainer::parts_dir() const { return plan_.run_dir / "checkpoints/parts"; }

Trainer::Team::Source Trainer::weights_file(Adapters adapters) const {
  return {kWeightsFile, Team::Part::of_weights, [this, adapters](const fs::path& file) {
            nn::write_tensors(file, weights_to_keep(adapters));
          }};
}

void Trainer::save_best() const {
  team_.save(parts_dir(), {weights_file(Adapters::left_out)}, [&](const Team::Whole& whole) {
    StagedDir staged(plan_.run_dir / "best");
    model_.save_config(staged.path());
    whole(kWeightsFile, staged.path() / kWeightsFile);
    staged.commit();
  });
}

void Trainer::join_weights() const {
  team_.save(parts_dir(), {weights_file(Adapters::left_out)}, [&](const Team::Whole& whole) {
    whole(kWeightsFile, plan_.run_dir / kTrainedWeights);
  });
}

void Trainer::save_model(const std::filesystem::path& dir) const {
  if (!team_.divides_weights()) return model_.save(dir);
  model_.save_config(dir);
  fs::copy_file(plan_.run_dir / kTrainedWeights, dir / kWeightsFile);
}

void Trainer::restore(const Checkpoints::Found& checkpoint) {
  in_context([&] { return "resuming from " + checkpoint.dir.string(); },
             [&] {
               const c10::AutoGradMode no_grad(false);
               const checkpoint::SafeTensors file(checkpoint.dir / "model.safetensors");
               for (const auto& [name, tensor] : model_.parameters())
                 if (team_.keeps(name)) nn::read_tensor_into(file, file.at(name), tensor);
               if (lora_) lora_->load(file);
               const Json& state = checkpoint.state;
               const checkpoint::SafeTensors states(checkpoint.dir / "optimizer.safetensors");
               optimizer_.load(states, state.at("updates").get<int64_t>());
               if (average_) average_->load(states);
               guard_.restore(state.at("guard"));
               noise_.restore(state.at("noise"));
               best_ = from_json(state.at("best"));
               best_step_ = state.at("best_step").get<int64_t>();
               done_ = checkpoint.step;
               tokens_ = state.at("data").at("tokens").get<int64_t>();
               first_loss_ = state.at("first_loss").get<double>();
               last_losses_ = state.at("last_losses").get<std::vector<double>>();
               heldout_start_ = from_json(state.at("heldout_start"));
               heldout_end_ = from_json(state.at("heldout_end"));
               window_ = state.at("window");
             });
}

}  // namespace helio::train
