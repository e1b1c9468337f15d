#include "data/flow.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/hash.h"
#include "data/parallel.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

void count_words_in(const Document& document, Fate& fate) {
  if (document.format == "text") fate.words_in = text::count_words(document.text);
}

}  // namespace

// What one thread counts; the sums do not depend on which documents it met.
struct Flow::Tally {
  explicit Tally(size_t steps) : accounts(steps) {}
  std::vector<StepAccount> accounts;
  Counters counters = {};
};

Flow::Flow(std::vector<Document> documents, std::vector<Step> steps)
    : documents_(std::move(documents)), steps_(std::move(steps)), fates_(documents_.size()) {
  for (size_t i = 0; i < documents_.size(); ++i) {
    documents_[i].order = i;
    count_words_in(documents_[i], fates_[i]);
  }
  for (const Step& step : steps_) accounts_.push_back({.step = step.name});
}

void Flow::run(int threads, Monitor& monitor, const StopRequest& stop) {
  for (size_t first = 0; first < steps_.size();) {
    if (steps_[first].op->shape == Shape::stage) {
      run_stage(first++, threads, monitor, stop);
    } else {
      size_t last = first;
      while (last < steps_.size() && steps_[last].op->shape != Shape::stage) ++last;
      run_fused(first, last, threads, monitor, stop);
      first = last;
    }
    sweep();
  }
  std::sort(dropped_.begin(), dropped_.end(),
            [](const Document& a, const Document& b) { return a.order < b.order; });
}

// Neighbouring maps and filters go over a document together, while it is in the cache.
void Flow::run_fused(size_t first, size_t last, int threads, Monitor& monitor,
                     const StopRequest& stop) {
  std::string what = steps_[first].name;
  if (last - first > 1) what += " ... " + steps_[last - 1].name;
  monitor.begin(what, int64_t(documents_.size()), "documents");
  std::vector<Tally> tallies(static_cast<size_t>(threads), Tally(steps_.size()));
  std::atomic<int64_t> done = 0;
  parallel_slices(documents_.size(), threads, 32, [&](size_t begin, size_t end, int worker) {
    stop.check();
    Tally& tally = tallies[static_cast<size_t>(worker)];
    for (size_t i = begin; i < end; ++i) {
      Document& document = documents_[i];
      for (size_t step = first; step < last && fates_[document.order].dropped_at < 0; ++step)
        in_context([&] { return "running " + steps_[step].name + " on " + document.id; },
                   [&] { apply(step, document, tally); });
    }
    const int64_t now = done += int64_t(end - begin);
    if (worker == 0) monitor.at(now);
  });
  for (const Tally& tally : tallies) {
    for (size_t i = first; i < last; ++i) {
      StepAccount& account = accounts_[i];
      const StepAccount& part = tally.accounts[i];
      account.in += part.in, account.out += part.out;
      account.dropped += part.dropped, account.changed += part.changed;
      for (const auto& [reason, count] : part.reasons) account.reasons[reason] += count;
    }
    for (const auto& [name, count] : tally.counters) counters_[name] += count;
  }
  monitor.end();
}

void Flow::apply(size_t index, Document& document, Tally& tally) {
  const Step& step = steps_[index];
  StepAccount& account = tally.accounts[index];
  Fate& fate = fates_[document.order];
  ++account.in;
  Verdict verdict;
  if (step.concerns(document)) {
    if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&step.run)) {
      verdict = (*filter)->judge(document);
    } else {
      const bool was_text = document.format == "text";
      const uint64_t before = xxh3_64(document.text);
      verdict = std::get<std::unique_ptr<Map>>(step.run)->apply(document, tally.counters);
      if (!was_text) count_words_in(document, fate);
      if (xxh3_64(document.text) != before) {
        ++account.changed;
        fate.changed_at.push_back(static_cast<uint16_t>(index));
      }
    }
  }
  if (verdict.kept) {
    ++account.out;
    return;
  }
  ++account.dropped;
  ++account.reasons[verdict.reason];
  fate.dropped_at = int(index);
  fate.verdict = std::move(verdict);
}

void Flow::run_stage(size_t index, int threads, Monitor& monitor, const StopRequest& stop) {
  const Step& step = steps_[index];
  StepAccount& account = accounts_[index];
  monitor.begin(step.name, int64_t(documents_.size()), "documents");
  stop.check();
  account.in = int64_t(documents_.size());
  std::vector<uint64_t> before(fates_.size());
  for (const Document& document : documents_) before[document.order] = xxh3_64(document.text);
  StageContext context{
      .threads = threads, .monitor = monitor, .stop = stop, .counters = counters_, .files = files_};
  const std::vector<Verdict> verdicts = in_context(
      [&] { return "running " + step.name; },
      [&] { return std::get<std::unique_ptr<Stage>>(step.run)->run(documents_, context); });
  HELIO_CHECK(int64_t(documents_.size()) == account.in, step.name + " lost or made documents");
  HELIO_CHECK(verdicts.empty() || verdicts.size() == documents_.size(),
              step.name + " gave verdicts for other documents");
  for (size_t i = 0; i < documents_.size(); ++i) {
    Fate& fate = fates_[documents_[i].order];
    if (xxh3_64(documents_[i].text) != before[documents_[i].order]) {
      ++account.changed;
      fate.changed_at.push_back(static_cast<uint16_t>(index));
    }
    if (verdicts.empty() || verdicts[i].kept) {
      ++account.out;
      continue;
    }
    ++account.dropped;
    ++account.reasons[verdicts[i].reason];
    fate.dropped_at = int(index);
    fate.verdict = verdicts[i];
  }
  monitor.at(account.in);
  monitor.end();
}

void Flow::sweep() {
  size_t kept = 0;
  for (size_t i = 0; i < documents_.size(); ++i) {
    if (fates_[documents_[i].order].dropped_at >= 0) {
      dropped_.push_back(std::move(documents_[i]));
    } else {
      if (kept != i) documents_[kept] = std::move(documents_[i]);
      ++kept;
    }
  }
  documents_.resize(kept);
}

}  // namespace helio::data
