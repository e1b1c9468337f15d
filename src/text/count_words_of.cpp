#include <fmt/format.h>

#include "core/error.h"
#include "core/parallel.h"
#include "text/bpe_train.h"
#include "text/line_batches.h"

namespace helio::text {
namespace {

std::optional<std::string> text_of(const LineBatches& batches, const SourceLine& line,
                                   const WordSource& source) {
  if (source.split.empty() || !batches.is_jsonl(line)) return batches.text(line, source.field);
  const Json row = batches.row(line);
  return in_context([&] { return "reading " + batches.place(line); },
                    [&]() -> std::optional<std::string> {
                      if (row_text(row, "split") != source.split) return std::nullopt;
                      return row_text(row, source.field);
                    });
}

}  // namespace

CountedWords count_words_of(const WordSource& source, Pattern pattern, Monitor& monitor,
                            const StopRequest& stop) {
  const int threads = thread_count(source.threads);
  LineBatches batches(source.files);
  monitor.begin("words", batches.bytes_total(), "bytes");
  std::vector<CountedWords> counted(static_cast<size_t>(threads),
                                    CountedWords{WordCounts(pattern)});
  std::vector<SourceLine> lines;
  while (batches.next(lines)) {
    stop.check();
    parallel_slices(lines.size(), threads, 64, [&](size_t begin, size_t end, int worker) {
      auto& mine = counted[static_cast<size_t>(worker)];
      for (size_t i = begin; i < end; ++i) {
        const auto text = text_of(batches, lines[i], source);
        if (!text) continue;
        mine.words.add(*text);
        ++mine.documents;
        mine.bytes += static_cast<int64_t>(text->size());
      }
    });
    monitor.at(batches.bytes_done());
  }
  for (size_t i = 1; i < counted.size(); ++i) {
    counted[0].words.add(counted[i].words);
    counted[0].documents += counted[i].documents;
    counted[0].bytes += counted[i].bytes;
    counted[i] = CountedWords{WordCounts(pattern)};
  }
  monitor.end(fmt::format("{} distinct words in {} documents",
                          fmt::group_digits(counted[0].words.size()),
                          fmt::group_digits(counted[0].documents)));
  return std::move(counted[0]);
}

}  // namespace helio::text
