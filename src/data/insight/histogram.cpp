#include "data/insight/histogram.h"

#include <algorithm>
#include <cmath>

#include "core/hash.h"

namespace helio::data {
namespace {

constexpr size_t kBins = 40;
constexpr size_t kSample = 4096;  // figures from which the range of the bins is chosen

// A column of the figures while it is read.
struct Seen {
  int64_t documents = 0, fails = 0;
  double lowest = 0, highest = 0;
  bool as_before = true;  // the column before has the same figure wherever both have one
  int64_t with_before = 0;
  // Those of the documents whose numbers hash lowest: the same sample however chunks are cut.
  std::vector<std::pair<uint64_t, double>> sample = {};

  void add(uint64_t hash, double figure) {
    lowest = documents == 0 ? figure : std::min(lowest, figure);
    highest = documents == 0 ? figure : std::max(highest, figure);
    ++documents;
    if (sample.size() == kSample && hash >= sample.front().first) return;
    sample.emplace_back(hash, figure);
    std::push_heap(sample.begin(), sample.end());
    if (sample.size() <= kSample) return;
    std::pop_heap(sample.begin(), sample.end());
    sample.pop_back();
  }
};

double at_quantile(const std::vector<double>& sorted, double share) {
  return sorted[size_t(share * double(sorted.size() - 1) + 0.5)];
}

double place(CheckHistogram::Scale scale, double value) {
  return scale == CheckHistogram::Scale::log ? std::log10(1 + std::max(0.0, value)) : value;
}

// Bins from the 0.5th to the 99.5th percentile, and so that every limit is among them.
void choose_bins(CheckHistogram& histogram, const Seen& seen) {
  std::vector<double> sorted;
  for (const auto& [hash, figure] : seen.sample) sorted.push_back(figure);
  std::sort(sorted.begin(), sorted.end());
  histogram.median = at_quantile(sorted, 0.5);
  double low = at_quantile(sorted, 0.005), high = at_quantile(sorted, 0.995);
  for (const CheckLimit& limit : histogram.limits) {
    if (!std::isfinite(limit.check.limit)) continue;
    low = std::min(low, limit.check.limit), high = std::max(high, limit.check.limit);
  }
  const bool wide = seen.lowest >= 0 && high > 20 && high > 12 * std::max(histogram.median, 0.1);
  if (wide) histogram.scale = CheckHistogram::Scale::log;
  if (low >= 0 && low < high * 0.2) low = 0;
  // So that a limit stands in the drawing and not at its edge.
  const double margin = (high - low) * 0.04;
  if (high < 1 || high > 1.0000001) high += margin;
  if (low != 0) low -= margin;
  if (!(high > low)) high = low + 1;
  histogram.low = low, histogram.high = high;
  histogram.bins.assign(kBins, 0);
}

void count(CheckHistogram& histogram, double figure) {
  const double low = place(histogram.scale, histogram.low);
  const double high = place(histogram.scale, histogram.high);
  double share = (place(histogram.scale, figure) - low) / (high - low);
  if (!(share >= 0)) share = 0;  // below, or a range beyond what a double holds
  const auto bin = std::clamp<double>(std::floor(share * double(kBins)), 0, double(kBins - 1));
  ++histogram.bins[size_t(bin)];
}

}  // namespace

std::vector<CheckHistogram> check_histograms(const StoredDataset& dataset) {
  std::vector<CheckHistogram> all;
  for (const StoredFigures& stored : stored_figures(dataset.account)) {
    const size_t columns = stored.columns.size();
    const auto read = [&](const auto& row) {
      read_figures(dataset.path / stored.file, columns, row);
    };
    std::vector<Seen> seen(columns);
    read([&](uint64_t number, std::span<const double> values) {
      const uint64_t hash = xxh3_64({reinterpret_cast<const char*>(&number), sizeof number});
      for (size_t i = 0; i < columns; ++i) {
        if (!std::isfinite(values[i])) continue;
        seen[i].add(hash, values[i]);
        seen[i].fails += stored.columns[i].check.fails(values[i]);
        if (i == 0 || !std::isfinite(values[i - 1])) continue;
        ++seen[i].with_before;
        if (values[i] != values[i - 1]) seen[i].as_before = false;
      }
    });
    const size_t first = all.size();
    std::vector<size_t> columns_of;  // of each new histogram: the column that is drawn
    for (size_t i = 0; i < columns; ++i) {
      if (seen[i].documents == 0) continue;
      const StoredColumn& column = stored.columns[i];
      const bool joins = all.size() > first && columns_of.back() + all.back().limits.size() == i &&
                         all.back().step == column.step && seen[i].as_before &&
                         seen[i].with_before == seen[i].documents;
      if (!joins) {
        columns_of.push_back(i);
        all.push_back({.step = column.step,
                       .documents = seen[i].documents,
                       .lowest = seen[i].lowest,
                       .highest = seen[i].highest});
      }
      all.back().limits.push_back({column.check, seen[i].documents, seen[i].fails});
    }
    for (size_t k = 0; k < columns_of.size(); ++k) choose_bins(all[first + k], seen[columns_of[k]]);
    if (columns_of.empty()) continue;
    read([&](uint64_t, std::span<const double> values) {
      for (size_t k = 0; k < columns_of.size(); ++k)
        if (std::isfinite(values[columns_of[k]])) count(all[first + k], values[columns_of[k]]);
    });
  }
  return all;
}

OrderedJson CheckHistogram::json() const {
  OrderedJson list = OrderedJson::array();
  for (const CheckLimit& limit : limits)
    list.push_back({{"reason", limit.check.reason},
                    {"drops", name_of(limit.check.drops)},
                    {"limit", std::isnan(limit.check.limit) ? OrderedJson(nullptr)
                                                            : OrderedJson(limit.check.limit)},
                    {"documents", limit.documents},
                    {"fails", limit.fails}});
  return {{"step", step},
          {"checks", std::move(list)},
          {"documents", documents},
          {"lowest", lowest},
          {"median", median},
          {"highest", highest},
          {"scale", scale == Scale::log ? "log" : "linear"},
          {"low", low},
          {"high", high},
          {"bins", bins}};
}

}  // namespace helio::data
