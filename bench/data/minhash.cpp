// MinHash signatures: MB of text a second on one core, by kernel and by part, beside the ceilings.
//   bench_data_minhash FILE.jsonl[.zst|.gz] ...
#include "data/dedup/minhash.h"

#include <time.h>

#include <cstdio>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/lines.h"

namespace {

using namespace helio;
using namespace helio::data;

// CPU time: the machine may be busy with other work.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

uint64_t sink = 0;

template <class Work>
void report(const char* what, const std::vector<std::string>& texts, double megabytes,
            Work&& work) {
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const double begin = seconds();
    for (const std::string& text : texts) work(text);
    best = std::min(best, seconds() - begin);
  }
  std::printf("  %-44s %8.1f MB/s\n", what, megabytes / best);
}

void measure(const std::string& path) {
  std::vector<std::string> texts;
  double megabytes = 0;
  read_jsonl(path, [&](const Json& row, int64_t) {
    if (megabytes > 24) return;
    texts.push_back(row.at("text").get<std::string>());
    megabytes += double(texts.back().size()) * 1e-6;
  });
  std::printf("%s: %zu documents, %.1f MB\n", path.c_str(), texts.size(), megabytes);
  SimpleWords words;
  report("normalise and cut into words", texts, megabytes, [&](const std::string& text) {
    words.read(text);
    sink += words.size();
  });
  for (const auto hash : {ShingleHash::xxhash, ShingleHash::sha1}) {
    const MinHash minhash({.hash = hash});
    MinHashScratch scratch = minhash.scratch();
    const bool xx = hash == ShingleHash::xxhash;
    report(xx ? "... and hash shingles, xxhash" : "... and hash shingles, SHA-1", texts, megabytes,
           [&](const std::string& text) {
             minhash.shingle(text, scratch);
             sink += scratch.hashes.size();
           });
  }
  const MinHash shingler({.form = WordForm::raw});
  MinHashScratch scratch = shingler.scratch();
  for (const MinHashKernel kernel : minhash_kernels()) {
    const MinHash whole({}, kernel), raw({.form = WordForm::raw}, kernel);
    const std::string name = name_of(kernel);
    std::vector<std::vector<uint64_t>> hashes;
    for (const std::string& text : texts) {
      shingler.shingle(text, scratch);
      hashes.push_back(scratch.hashes);
    }
    size_t at = 0;
    report(("112 permutations alone, " + name).c_str(), texts, megabytes, [&](const std::string&) {
      const auto signature = whole.signature(hashes[at++ % hashes.size()]);
      if (!signature.empty()) sink += signature[0];
    });
    report(("signature without normalisation, " + name).c_str(), texts, megabytes,
           [&](const std::string& text) {
             raw.shingle(text, scratch);
             const auto signature = raw.signature(scratch.hashes);
             if (!signature.empty()) sink += signature[0];
           });
    report(("signature as datatrove's, " + name).c_str(), texts, megabytes,
           [&](const std::string& text) {
             whole.shingle(text, scratch);
             const auto signature = whole.signature(scratch.hashes);
             if (!signature.empty()) sink += signature[0];
           });
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "bench_data_minhash FILE.jsonl[.zst|.gz] ...\n");
    return 2;
  }
  try {
    for (int i = 1; i < count; ++i) measure(arguments[i]);
  } catch (const helio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return helio::exit_code(error.kind());
  }
  return sink == 0;
}
