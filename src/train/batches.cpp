#include "train/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace helio::train {

int64_t Row::learned() const {
  return static_cast<int64_t>(targets.size()) -
         std::count(targets.begin(), targets.end(), kNotLearned);
}

std::vector<MicroBatch> in_micro_batches(std::vector<Row> rows, int64_t size) {
  const size_t room = size > 0 ? static_cast<size_t>(size) : rows.size();
  std::vector<MicroBatch> batches;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % room == 0) batches.emplace_back();
    batches.back().rows.push_back(std::move(rows[i]));
  }
  return batches;
}

ExampleOrder::ExampleOrder(Options options) : options_(options) {
  HELIO_CHECK(options_.examples > 0 && options_.batch_size > 0, "examples and a batch size");
  per_epoch_ = (options_.examples + options_.batch_size - 1) / options_.batch_size;
  steps_ = options_.steps
               ? options_.steps
               : static_cast<int64_t>(std::ceil(options_.epochs * static_cast<double>(per_epoch_)));
}

double ExampleOrder::epoch(int64_t step) const {
  const int64_t whole = step / per_epoch_;
  const int64_t used = std::min((step % per_epoch_) * options_.batch_size, options_.examples);
  return static_cast<double>(whole) +
         static_cast<double>(used) / static_cast<double>(options_.examples);
}

ExampleOrder::Range ExampleOrder::range(int64_t step) const {
  const int64_t begin = (step - 1) % per_epoch_ * options_.batch_size;
  return {.pass = (step - 1) / per_epoch_,
          .begin = begin,
          .end = std::min(begin + options_.batch_size, options_.examples)};
}

std::vector<int64_t> ExampleOrder::examples(int64_t step) const {
  const Range range = this->range(step);
  std::vector<int64_t> order(static_cast<size_t>(options_.examples));
  std::iota(order.begin(), order.end(), 0);
  Rng::stream(options_.seed, "example order", static_cast<uint64_t>(range.pass))
      .shuffle<int64_t>(order);
  return {order.begin() + range.begin, order.begin() + range.end};
}

namespace {
ExampleOrder::Options counted(ExampleOrder::Options options, size_t examples) {
  options.examples = static_cast<int64_t>(examples);
  return options;
}
}  // namespace

ExampleBatches::ExampleBatches(std::vector<Example> examples, Options options)
    : examples_(std::move(examples)),
      order_(counted(options.order, examples_.size())),
      micro_batch_size_(options.micro_batch_size) {}

std::vector<MicroBatch> ExampleBatches::step(int64_t step) const {
  std::vector<Row> rows;
  for (const int64_t i : order_.examples(step))
    rows.push_back(examples_[static_cast<size_t>(i)].row);
  return in_micro_batches(std::move(rows), micro_batch_size_);
}

std::vector<std::string> ExampleBatches::documents(int64_t step) const {
  std::vector<std::string> ids;
  for (const int64_t i : order_.examples(step)) ids.push_back(examples_[static_cast<size_t>(i)].id);
  return ids;
}

}  // namespace helio::train
