// Training of byte-level BPE: CPU and wall seconds of its two halves, and the peak of memory.
//   bench_text_bpe_train VOCAB_SIZE THREADS FILE.jsonl[.zst|.gz] ...
#include "text/bpe_train.h"

#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/error.h"

namespace {

using namespace helio;

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

struct Stopwatch {
  double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
  void report(const char* what) {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::printf("%-8s %7.2f s CPU %7.2f s wall, peak %ld MB\n", what,
                seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, seconds(CLOCK_MONOTONIC) - wall,
                usage.ru_maxrss >> 10);
  }
};

int run(int argc, char** argv) {
  text::BpeTrainOptions options{.vocab_size = std::atol(argv[1]), .threads = std::atoi(argv[2])};
  text::WordSource source{.threads = options.threads};
  for (int i = 3; i < argc; ++i) source.files.emplace_back(argv[i]);
  SilentMonitor monitor;
  const StopRequest stop;
  Stopwatch counting;
  auto counted = count_words_of(source, word_cutter(options), monitor, stop);
  counting.report("counting");
  std::printf("%.1f MB of text, %lld distinct words\n", double(counted.bytes) / 1e6,
              static_cast<long long>(counted.words));
  Stopwatch merging;
  const auto trained = train_bpe(std::move(counted), options, monitor, stop);
  merging.report("merging");
  std::printf("%zu tokens, %zu merges\n", trained.tokens.size(), trained.merges.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s VOCAB_SIZE THREADS FILE.jsonl[.zst|.gz] ...\n", argv[0]);
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
