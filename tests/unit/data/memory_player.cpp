#include "memory_player.h"

#include <algorithm>

#include "core/fs.h"
#include "data/memory_survey.h"
#include "temp_dir.h"

namespace helio::data {

Played play_in_memory(const std::vector<Step>& steps, std::vector<Document> documents) {
  Played played;
  uint64_t numbers = 0;
  std::map<uint64_t, std::string> ids;
  for (const Document& document : documents) {
    numbers = std::max(numbers, document.order + 1);
    ids[document.order] = document.id;
  }
  const TempDir dir;
  SilentMonitor monitor;
  StopRequest stop;
  std::unique_ptr<StageRun> opening;
  std::string surveyed;
  for (const Segment& segment : segments_of(steps)) {
    std::map<uint64_t, std::string> cluster_ids;
    if (opening) {
      const fs::path scratch = dir.path() / "scratch";
      fs::remove_all(scratch);
      make_dirs(scratch);
      MemorySurvey survey(surveyed, numbers);
      StageContext context{.threads = 2,
                           .scratch = scratch,
                           .monitor = monitor,
                           .stop = stop,
                           .counters = played.counters};
      opening->settle(survey, context);
      for (const uint64_t order : opening->clusters()) cluster_ids[order] = ids.at(order);
      if (opening->reorders())
        std::sort(documents.begin(), documents.end(), [&](const Document& a, const Document& b) {
          const uint64_t x = opening->rank(a), y = opening->rank(b);
          return x != y ? x < y : a.order < b.order;
        });
    }
    std::unique_ptr<StageRun> closing;
    if (segment.closes)
      closing = std::get<std::unique_ptr<Stage>>(steps[segment.last].run)->start();
    ChunkResult result =
        run_chunk(steps, segment,
                  {.opening = opening.get(), .closing = closing.get(), .cluster_ids = &cluster_ids},
                  std::move(documents), KeepFigures::deciding);
    documents = std::move(result.kept);
    surveyed = std::move(result.survey);
    for (Dropped& dropped : result.dropped) played.dropped.push_back(std::move(dropped));
    for (const auto& [name, count] : result.tally.counters) played.counters[name] += count;
    opening = std::move(closing);
  }
  played.kept = std::move(documents);
  std::sort(played.dropped.begin(), played.dropped.end(),
            [](const Dropped& a, const Dropped& b) { return a.document.order < b.document.order; });
  return played;
}

}  // namespace helio::data
