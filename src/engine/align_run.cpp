#include "engine/align_run.h"

#include "engine/contamination.h"

namespace helio::engine {
namespace {

constexpr int64_t kWords = 13;  // GPT-3's
constexpr size_t kItemsTold = 20;

}  // namespace

train::AlignRun make_align_run(const train::AlignOptions& options, Monitor& monitor) {
  if (options.benchmarks.empty()) return train::AlignRun(options);
  Contamination contamination({options.benchmarks}, kWords);
  train::AlignRun run(options, [&](const text::Preference& pair) {
    std::string words;
    for (const auto& message : pair.prompt) words += message.content + "\n";
    return contamination.holds(words + pair.chosen + "\n" + pair.rejected);
  });
  size_t told = 0;
  for (const auto& [item, pairs] : contamination.items())
    if (++told <= kItemsTold)
      monitor.note(std::to_string(pairs) + " pairs share words with " + item);
  if (told > kItemsTold)
    monitor.note("... and with " + std::to_string(told - kItemsTold) + " other items");
  return run;
}

}  // namespace helio::engine
