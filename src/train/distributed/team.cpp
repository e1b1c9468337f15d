#include "train/distributed/team.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "checkpoint/safetensors.h"
#include "core/error.h"
#include "core/fs.h"
#include "train/distributed/share.h"

namespace helio::train::distributed {
namespace {

constexpr int64_t kMessageBytes = int64_t(32) << 20;  // of weights, sent at once

// Weights of one sender and type, sent as one message.
struct Message {
  int64_t from = 0;
  std::vector<at::Tensor> weights = {};
};

std::vector<Message> messages_of(const Team::Weights& weights, const std::vector<int64_t>& owners) {
  std::vector<Message> messages;
  int64_t bytes = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor weight = weights[i].tensor.detach();
    const int64_t from = owners.empty() ? 0 : owners[i];
    const auto size = static_cast<int64_t>(weight.nbytes());
    if (messages.empty() || messages.back().from != from || bytes + size > kMessageBytes ||
        messages.back().weights[0].scalar_type() != weight.scalar_type()) {
      messages.push_back({.from = from});
      bytes = 0;
    }
    messages.back().weights.push_back(weight);
    bytes += size;
  }
  return messages;
}

// Two messages under way: one is sent while the one before it is put in its place.
void broadcast(Communicator& link, const Team::Weights& weights,
               const std::vector<int64_t>& owners) {
  const c10::AutoGradMode no_grad(false);
  struct Sent {
    Message message;
    at::Tensor flat;
    Communicator::Pending wait;
  };
  const auto receive = [&](Sent& sent) {
    sent.wait();
    if (sent.message.from == link.rank()) return;
    int64_t begin = 0;
    for (at::Tensor& weight : sent.message.weights) {
      weight.copy_(sent.flat.narrow(0, begin, weight.numel()).view(weight.sizes()));
      begin += weight.numel();
    }
  };
  std::optional<Sent> before;
  for (Message& message : messages_of(weights, owners)) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& weight : message.weights) parts.push_back(weight.reshape({-1}));
    Sent sent{.message = std::move(message), .flat = at::cat(parts), .wait = {}};
    sent.wait = link.begin_broadcast(sent.flat, sent.message.from);
    if (before) receive(*before);
    before = std::move(sent);
  }
  if (before) receive(*before);
}

// A number in full, not-a-number and infinity too.
std::string number_text(double value) { return fmt::format("{:a}", value); }
double number_of(const Json& text) {
  return std::strtod(text.get_ref<const std::string&>().c_str(), nullptr);
}

// The tensors of all parts in one file.
void merge_parts(const std::function<fs::path(int64_t)>& part, int64_t parts,
                 const fs::path& file) {
  std::vector<checkpoint::SafeTensors> files;
  std::vector<checkpoint::TensorToWrite> tensors;
  std::set<std::string> seen;
  files.reserve(static_cast<size_t>(parts));
  for (int64_t rank = 0; rank < parts; ++rank) {
    const auto& read = files.emplace_back(part(rank));
    for (const auto& tensor : read.tensors())
      if (seen.insert(tensor.name).second)
        tensors.push_back({tensor.name, tensor.dtype, tensor.shape, read.data(tensor)});
  }
  checkpoint::write_safetensors(file, std::move(tensors));
}

}  // namespace

std::unique_ptr<Communicator> join(const std::string& key) {
  if (placement().alone()) return nullptr;
  auto link = std::make_unique<Communicator>(placement());
  const auto keys = link->gather(key);
  for (size_t rank = 1; rank < keys.size(); ++rank)
    if (keys[rank] != keys[0])
      throw Error(ErrorKind::usage,
                  fmt::format("rank {} does not run the same training as rank 0", rank))
          .with_hint("start all processes with one command, the same options, inputs and helio");
  return link;
}

std::optional<Checkpoints::Found> choose_checkpoint(
    Communicator* link, const Checkpoints& checkpoints,
    const std::function<std::optional<Checkpoints::Found>()>& choose) {
  if (!link) return choose();
  std::optional<Checkpoints::Found> found;
  if (link->leads()) found = choose();
  const std::string step = link->gather(found ? std::to_string(found->step) : "")[0];
  if (link->leads() || step.empty()) return found;
  SilentMonitor silent;
  found = checkpoints.latest(silent);
  if (!found || std::to_string(found->step) != step)
    throw Error(ErrorKind::not_found,
                fmt::format("rank {} does not see the checkpoint of step {}", link->rank(), step))
        .with_hint("put the run's folder (--run) where all machines see it");
  return found;
}

Team::Shard Team::parse_shard(const std::string& name) {
  if (name == "optimizer") return Shard::optimizer;
  if (name == "gradients") return Shard::gradients;
  if (name == "weights") return Shard::weights;
  return Shard::none;
}

model::Decoder::Keeps kept_weights(const Communicator* link, const Optimisation& train,
                                   const checkpoint::DecoderConfig& config) {
  if (!link || Team::parse_shard(train.sharding.shard) != Team::Shard::weights) return {};
  if (train.ema > 0 || train.lora_rank > 0)
    throw Error(ErrorKind::usage,
                "LoRA and ema need whole weights: they do not go with train.shard weights")
        .with_hint("use --train.shard gradients, or leave them out");
  return ShardedWeights::keeps(config, link->rank(), link->size());
}

Team::Team(Communicator* link, Shard shard, const model::Decoder* model)
    : link_(link), shard_(shard) {
  if (!link_ || shard_ != Shard::weights) return;
  HELIO_CHECK(model, "a model whose weights are divided");
  sharded_ = std::make_unique<ShardedWeights>(*link_, *model);
}

Team::Weights Team::train(const Weights& weights) {
  weights_ = weights;
  if (!link_) return weights;
  Weights own = weights;
  if (sharded_) {
    std::erase_if(own, [&](const auto& weight) { return !sharded_->owns(weight.name); });
    return own;
  }
  if (divides_states()) {
    std::vector<int64_t> sizes;
    for (const auto& weight : weights) sizes.push_back(weight.tensor.numel());
    owners_ = spread(sizes, link_->size());
    own.clear();
    for (size_t i = 0; i < weights.size(); ++i)
      if (owners_[i] == link_->rank()) own.push_back(weights[i]);
  }
  sum_ = std::make_unique<GradientSum>(
      *link_, weights, shard_ == Shard::gradients ? owners_ : std::vector<int64_t>());
  return own;
}

void Team::send(const Weights& weights) {
  if (link_ && !sharded_) broadcast(*link_, weights, {});
}

std::vector<MicroBatch> Team::share(std::vector<MicroBatch> step,
                                    const Objective& objective) const {
  if (!link_) return step;
  if (!objective.compares_rows()) return share_of(step, link_->rank(), link_->size());
  HELIO_CHECK(!sharded_, "a loss that compares rows, with whole weights");
  auto own = whole_share_of(step, link_->rank(), link_->size());
  if (step.size() == 1 && own.empty()) objective.without_rows();
  return own;
}

void Team::begin_passes() {
  if (sharded_) sharded_->open();
}

void Team::end_passes() {
  if (sharded_) sharded_->close();
}

void Team::idle_passes(const std::vector<MicroBatch>& step, size_t own, nn::Pass pass) {
  if (!sharded_) return;
  const size_t most = most_passes(step, link_->size());
  for (size_t done = own; done < most; ++done) sharded_->idle_pass(pass);
}

void Team::begin_gradients() {
  if (sum_) sum_->arm();
}

void Team::finish_gradients() {
  if (sharded_) sharded_->finish_gradients();
  if (!sum_) return;
  sum_->finish();
  // What another process updates is of no more use, and must not be added to in the next step.
  for (size_t i = 0; i < owners_.size(); ++i)
    if (owners_[i] != link_->rank()) weights_[i].tensor.mutable_grad().reset();
}

void Team::fill_gradients(const Weights& weights) const {
  if (sharded_) return;  // idle passes do
  for (const auto& weight : weights)
    if (weight.tensor.requires_grad() && !weight.tensor.grad().defined())
      weight.tensor.mutable_grad() = at::zeros_like(weight.tensor.detach());
}

double Team::whole_norm(double own) const {
  if (!divides_states()) return own;
  return std::sqrt(total({.loss = own * own}).loss);
}

void Team::share_update() {
  if (divides_states() && !sharded_) broadcast(*link_, weights_, owners_);
}

Team::Figures Team::total(Figures own) const {
  if (!link_) return own;
  OrderedJson terms = OrderedJson::array();
  for (const Term& term : own.terms)
    terms.push_back({term.name, number_text(term.sum), number_text(term.weight)});
  const OrderedJson mine = {number_text(own.loss), number_text(own.weight), own.stop, terms};
  Figures all;
  for (const std::string& text : link_->gather(compact(mine))) {
    const Json figures = Json::parse(text);
    all.loss += number_of(figures[0]);
    all.weight += number_of(figures[1]);
    all.stop = all.stop || figures[2].get<bool>();
    std::vector<Term> more;
    for (const Json& term : figures[3])
      more.push_back({term[0].get<std::string>(), number_of(term[1]), number_of(term[2])});
    add_terms(all.terms, more);
  }
  return all;
}

void Team::save(const std::filesystem::path& scratch, const std::vector<Source>& sources,
                const std::function<void(const Whole& whole)>& write) const {
  const auto part = [&](const Source& source, int64_t rank) {
    return scratch / fmt::format("{}-of-{}-{}", rank, link_->size(), source.name);
  };
  const auto divided = [&](const Source& source) {
    return source.part == Part::of_weights ? sharded_ != nullptr : divides_states();
  };
  if (divides_states()) {
    make_dirs(scratch);
    for (const Source& source : sources)
      if (divided(source)) source.save(part(source, link_->rank()));
    link_->barrier();
  }
  if (leads())
    write([&](const std::string& name, const fs::path& file) {
      for (const Source& source : sources) {
        if (source.name != name) continue;
        if (!divided(source)) return source.save(file);
        return merge_parts([&](int64_t rank) { return part(source, rank); }, link_->size(), file);
      }
      throw Error(ErrorKind::internal, "no file " + name + " to write");
    });
  if (!divides_states()) return;
  if (leads()) fs::remove_all(scratch);
  link_->barrier();  // nobody writes the next parts before these are read
}

}  // namespace helio::train::distributed
