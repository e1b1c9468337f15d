#include "train/token_batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/rng.h"

namespace helio::train {

// One pass over the documents: their order and where each ends in the pass.
struct TokenBatches::Pass {
  int64_t index = 0;
  std::vector<uint32_t> order = {};
  std::vector<int64_t> ends = {};
};

// A piece of one document: tokens [from, to) of it are targets.
struct TokenBatches::Span {
  int64_t document = 0;
  uint64_t from = 0, to = 0;
};

TokenBatches::TokenBatches(const text::TokenShards& shards, Options options)
    : shards_(shards), options_(options) {
  if (shards.tokens() == 0)
    throw Error(ErrorKind::invalid, "the token shards hold no tokens to train on")
        .with_hint(
            "look at the dataset's accounting: every document may have been dropped or held out");
  const int64_t batch = options_.batch_size * options_.sequence;
  targets_ = options_.steps ? options_.steps * batch
                            : static_cast<int64_t>(std::llround(
                                  options_.epochs * static_cast<double>(shards.tokens())));
  if (options_.targets) targets_ = std::min(targets_, options_.targets);
  steps_ = (targets_ + batch - 1) / batch;
  if (options_.with_groups) name_groups();
}

void TokenBatches::name_groups() {
  constexpr size_t kMostLots = 16;
  std::set<std::string> languages, lots;
  for (const auto& lot : shards_.lots()) {
    languages.insert(lot.language);
    lots.insert(lot.lot);
  }
  for (const auto& lot : shards_.lots()) {
    std::vector<std::string> names;
    if (languages.size() > 1)
      names.push_back("by_language/" + (lot.language.empty() ? "unknown" : lot.language));
    if (lots.size() > 1 && lots.size() <= kMostLots) names.push_back("by_lot/" + lot.lot);
    groups_.push_back(std::move(names));
  }
}

TokenBatches::~TokenBatches() = default;

const TokenBatches::Pass& TokenBatches::pass(int64_t index) const {
  if (pass_ && pass_->index == index) return *pass_;
  auto pass = std::make_unique<Pass>();
  pass->index = index;
  pass->order.resize(static_cast<size_t>(shards_.documents()));
  std::iota(pass->order.begin(), pass->order.end(), 0u);
  Rng::stream(options_.seed, "document order", static_cast<uint64_t>(index))
      .shuffle<uint32_t>(pass->order);
  int64_t end = 0;
  for (const uint32_t document : pass->order) {
    const auto& place = shards_.document(document);
    pass->ends.push_back(end += static_cast<int64_t>(place.end - place.begin));
  }
  pass_ = std::move(pass);
  return *pass_;
}

// The pieces of documents that targets [begin, end) of the run's stream come from.
std::vector<TokenBatches::Span> TokenBatches::spans(int64_t begin, int64_t end) const {
  std::vector<Span> spans;
  while (begin < end) {
    const int64_t index = begin / shards_.tokens(), base = index * shards_.tokens();
    const Pass& order = pass(index);
    auto at =
        std::upper_bound(order.ends.begin(), order.ends.end(), begin - base) - order.ends.begin();
    for (; begin < end && at < static_cast<ptrdiff_t>(order.ends.size()); ++at) {
      const int64_t first = base + (at ? order.ends[static_cast<size_t>(at) - 1] : 0);
      const int64_t stop = std::min(end, base + order.ends[static_cast<size_t>(at)]);
      if (stop == begin) continue;  // an empty document
      spans.push_back({.document = order.order[static_cast<size_t>(at)],
                       .from = static_cast<uint64_t>(begin - first),
                       .to = static_cast<uint64_t>(stop - first)});
      begin = stop;
    }
  }
  return spans;
}

Row TokenBatches::row(int64_t begin, int64_t end) const {
  Row row;
  row.starts.clear();
  row.inputs.reserve(static_cast<size_t>(end - begin));
  row.targets.reserve(static_cast<size_t>(end - begin));
  std::vector<int32_t> ids;
  for (const Span& span : spans(begin, end)) {
    const auto& document = shards_.document(span.document);
    row.starts.push_back(static_cast<int64_t>(row.inputs.size()));
    if (!groups_.empty()) row.groups.push_back(groups_.at(document.lot));
    // One more id than there are targets: what stands before the first of them.
    const bool whole = span.from == 0;
    ids.resize(static_cast<size_t>(span.to - span.from) + (whole ? 0 : 1));
    shards_.read(document, whole ? 0 : span.from - 1, ids);
    if (whole) ids.insert(ids.begin(), shards_.eos());
    row.inputs.insert(row.inputs.end(), ids.begin(), ids.end() - 1);
    row.targets.insert(row.targets.end(), ids.begin() + 1, ids.end());
  }
  return row;
}

int64_t TokenBatches::end_of(int64_t step) const {
  return std::min(targets_, step * options_.batch_size * options_.sequence);
}

std::vector<MicroBatch> TokenBatches::step(int64_t step) const {
  std::vector<Row> rows;
  const int64_t end = end_of(step);
  for (int64_t begin = end_of(step - 1); begin < end; begin += options_.sequence)
    rows.push_back(row(begin, std::min(end, begin + options_.sequence)));
  return in_micro_batches(std::move(rows), options_.micro_batch_size);
}

double TokenBatches::epoch(int64_t step) const {
  return static_cast<double>(end_of(step)) / static_cast<double>(shards_.tokens());
}

std::vector<std::string> TokenBatches::documents(int64_t step) const {
  std::vector<std::string> names;
  for (const Span& span : spans(end_of(step - 1), end_of(step)))
    names.push_back(shards_.lots().at(shards_.document(span.document).lot).lot + " #" +
                    std::to_string(span.document));
  return names;
}

std::vector<int64_t> TokenBatches::targets_by_lot(int64_t steps) const {
  std::vector<int64_t> counts(shards_.lots().size(), 0);
  const int64_t end = end_of(steps), passes = end / shards_.tokens();
  for (int64_t i = 0; i < shards_.documents() && passes > 0; ++i) {
    const auto& document = shards_.document(i);
    counts.at(document.lot) += passes * static_cast<int64_t>(document.end - document.begin);
  }
  for (const Span& span : spans(passes * shards_.tokens(), end))
    counts.at(shards_.document(span.document).lot) += static_cast<int64_t>(span.to - span.from);
  return counts;
}

}  // namespace helio::train
