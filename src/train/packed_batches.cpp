#include "train/packed_batches.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace helio::train {
namespace {

// Best-fit decreasing: of rows with equal room the oldest is taken.
std::vector<std::vector<size_t>> fit(const std::vector<ExampleBatches::Example>& examples,
                                     size_t length) {
  std::vector<size_t> order(examples.size());
  std::iota(order.begin(), order.end(), size_t(0));
  const auto size = [&](size_t i) { return examples[i].row.inputs.size(); };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return size(a) > size(b); });
  std::vector<std::vector<size_t>> bins;
  std::multimap<size_t, size_t> by_room;  // room left -> bin
  for (const size_t i : order) {
    HELIO_CHECK(size(i) <= length, "a conversation longer than a row: " + examples[i].id);
    const auto found = by_room.lower_bound(size(i));
    size_t bin = bins.size(), room = length;
    if (found == by_room.end()) {
      bins.emplace_back();
    } else {
      room = found->first, bin = found->second;
      by_room.erase(found);
    }
    bins[bin].push_back(i);
    by_room.emplace(room - size(i), bin);
  }
  return bins;
}

}  // namespace

Packing parse_packing(const std::string& name) {
  if (name == "best_fit") return Packing::best_fit;
  return name == "stream" ? Packing::stream : Packing::none;
}

// Of stream: the order of a pass and where each conversation ends in it.
struct PackedBatches::Pass {
  int64_t index = 0;
  std::vector<size_t> order = {};
  std::vector<int64_t> ends = {};
};

PackedBatches::PackedBatches(std::vector<ExampleBatches::Example> examples, Options options)
    : examples_(std::move(examples)), options_(options) {
  HELIO_CHECK(options_.packing != Packing::none && options_.length > 0, "rows to pack into");
  for (const auto& example : examples_) tokens_ += static_cast<int64_t>(example.row.inputs.size());
  if (options_.packing == Packing::best_fit) {
    bins_ = fit(examples_, static_cast<size_t>(options_.length));
    rows_ = static_cast<int64_t>(bins_.size());
  } else {
    rows_ = (tokens_ + options_.length - 1) / options_.length;
  }
  options_.order.examples = rows_;
  order_ = std::make_unique<ExampleOrder>(options_.order);
}

PackedBatches::~PackedBatches() = default;

double PackedBatches::fill() const {
  return static_cast<double>(tokens_) / static_cast<double>(rows_ * options_.length);
}

const PackedBatches::Pass& PackedBatches::pass(int64_t index) const {
  if (pass_ && pass_->index == index) return *pass_;
  auto pass = std::make_unique<Pass>();
  pass->index = index;
  pass->order.resize(examples_.size());
  std::iota(pass->order.begin(), pass->order.end(), size_t(0));
  Rng::stream(options_.order.seed, "conversation order", static_cast<uint64_t>(index))
      .shuffle<size_t>(pass->order);
  int64_t end = 0;
  for (const size_t i : pass->order)
    pass->ends.push_back(end += static_cast<int64_t>(examples_[i].row.inputs.size()));
  pass_ = std::move(pass);
  return *pass_;
}

std::vector<std::vector<PackedBatches::Piece>> PackedBatches::pieces(int64_t step) const {
  std::vector<std::vector<Piece>> rows;
  if (options_.packing == Packing::best_fit) {
    for (const int64_t bin : order_->examples(step)) {
      rows.emplace_back();
      for (const size_t i : bins_[static_cast<size_t>(bin)])
        rows.back().push_back({.example = i, .from = 0, .to = examples_[i].row.inputs.size()});
    }
    return rows;
  }
  const auto range = order_->range(step);
  const Pass& order = pass(range.pass);
  for (int64_t row = range.begin; row < range.end; ++row) {
    rows.emplace_back();
    int64_t at = row * options_.length;
    const int64_t end = std::min(at + options_.length, tokens_);
    auto next = static_cast<size_t>(std::upper_bound(order.ends.begin(), order.ends.end(), at) -
                                    order.ends.begin());
    for (; at < end; ++next) {
      const int64_t first = next ? order.ends[next - 1] : 0, stop = std::min(end, order.ends[next]);
      if (stop == at) continue;  // an empty one
      rows.back().push_back({.example = order.order[next],
                             .from = static_cast<size_t>(at - first),
                             .to = static_cast<size_t>(stop - first)});
      at = stop;
    }
  }
  return rows;
}

std::vector<MicroBatch> PackedBatches::step(int64_t step) const {
  std::vector<Row> rows;
  for (const auto& pieces : this->pieces(step)) {
    Row row;
    row.starts.clear();
    for (const Piece& piece : pieces) {
      const Row& whole = examples_[piece.example].row;
      row.starts.push_back(static_cast<int64_t>(row.inputs.size()));
      const auto from = static_cast<ptrdiff_t>(piece.from), to = static_cast<ptrdiff_t>(piece.to);
      row.inputs.insert(row.inputs.end(), whole.inputs.begin() + from, whole.inputs.begin() + to);
      row.targets.insert(row.targets.end(), whole.targets.begin() + from,
                         whole.targets.begin() + to);
    }
    rows.push_back(std::move(row));
  }
  return in_micro_batches(std::move(rows), options_.micro_batch_size);
}

std::vector<std::string> PackedBatches::documents(int64_t step) const {
  std::vector<std::string> ids;
  for (const auto& row : pieces(step))
    for (const Piece& piece : row) ids.push_back(examples_[piece.example].id);
  return ids;
}

std::unique_ptr<Batches> conversation_batches(std::vector<ExampleBatches::Example> examples,
                                              PackedBatches::Options options) {
  if (options.packing != Packing::none)
    return std::make_unique<PackedBatches>(std::move(examples), options);
  return std::make_unique<ExampleBatches>(
      std::move(examples), ExampleBatches::Options{.order = options.order,
                                                   .micro_batch_size = options.micro_batch_size});
}

}  // namespace helio::train
