// How many pairs of near-duplicates MinHash finds, and how many it finds that are none, against the
// Jaccard similarity of all pairs, beside what theory expects: 1 - (1 - s^rows)^bands.
//   bench_data_recall FILE.jsonl[.zst|.gz] ...
// The texts are the files' own and copies of them with a share of their words changed, so that
// every degree of likeness is there.
#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/rng.h"
#include "data/dedup/minhash.h"
#include "text/unicode.h"

namespace {

using namespace helio;
using namespace helio::data;

constexpr size_t kOriginals = 500;
constexpr int kBins = 10;

std::vector<std::string> load(const std::string& path) {
  std::vector<std::string> texts;
  read_jsonl(path, [&](const Json& row, int64_t) {
    if (texts.size() >= kOriginals) return;
    std::string text = row.at("text").get<std::string>();
    const int64_t words = text::count_words(text);
    if (words >= 60 && words < 4000) texts.push_back(std::move(text));
  });
  Rng rng(1);
  const size_t originals = texts.size();
  for (size_t i = 0; i < originals; ++i)
    for (const double share : {0.005, 0.01, 0.02, 0.04, 0.08, 0.15}) {
      std::string copy;
      for (const std::string_view word : text::split_words(texts[i])) {
        if (rng.uniform() < share) copy += "other" + std::to_string(rng.below(100000));
        else copy += word;
        copy += ' ';
      }
      texts.push_back(std::move(copy));
    }
  return texts;
}

struct Bin {
  int64_t pairs = 0, found = 0;
  double expected = 0;
};

void measure(const char* name, const MinHashOptions& options,
             const std::vector<std::string>& texts) {
  const MinHash minhash(options);
  MinHashScratch scratch = minhash.scratch();
  std::vector<std::vector<uint64_t>> sets, signatures;
  std::unordered_map<uint64_t, std::vector<uint32_t>> holders;
  for (uint32_t i = 0; i < texts.size(); ++i) {
    minhash.shingle(texts[i], scratch);
    sets.push_back(as_set(scratch.hashes));
    signatures.push_back(minhash.signature(scratch.hashes));
    for (const uint64_t hash : sets.back()) holders[hash].push_back(i);
  }
  const auto rows = static_cast<size_t>(options.hashes_per_bucket);
  const Bands bands = {options.buckets, options.hashes_per_bucket};
  std::vector<Bin> bins(kBins + 1);
  std::vector<uint32_t> common(texts.size(), 0), met;
  for (uint32_t i = 0; i < texts.size(); ++i) {
    // Pairs that share no shingle have similarity 0 and, but for a collision, no slot in common.
    met.clear();
    for (const uint64_t hash : sets[i])
      for (const uint32_t other : holders[hash])
        if (other < i && common[other]++ == 0) met.push_back(other);
    for (const uint32_t other : met) {
      const double all = double(sets[i].size() + sets[other].size() - common[other]);
      const double similarity = double(common[other]) / all;
      common[other] = 0;
      bool candidate = false;
      for (size_t at = 0; at < minhash.slots() && !candidate; at += rows)
        candidate =
            std::equal(&signatures[i][at], &signatures[i][at] + rows, &signatures[other][at]);
      Bin& bin = bins[size_t(similarity * kBins)];
      ++bin.pairs;
      bin.found += candidate;
      bin.expected += chance_of_candidate(similarity, bands);
    }
  }
  std::printf(
      "\n%s: %ld x %ld, %ld-grams\n| Jaccard | pairs | found | recall | theory "
      "|\n|---|---|---|---|---|\n",
      name, long(options.buckets), long(options.hashes_per_bucket), long(options.n_grams));
  int64_t near = 0, near_found = 0, found = 0;
  for (int i = 0; i <= kBins; ++i) {
    const Bin& bin = bins[size_t(i)];
    found += bin.found;
    if (i >= 7) near += bin.pairs, near_found += bin.found;
    if (bin.pairs == 0) continue;
    const std::string range =
        i == kBins ? "1"
                   : "0." + std::to_string(i) + (i == 9 ? "-1" : "-0." + std::to_string(i + 1));
    std::printf("| %s | %ld | %ld | %.4f | %.4f |\n", range.c_str(), long(bin.pairs),
                long(bin.found), double(bin.found) / double(bin.pairs),
                bin.expected / double(bin.pairs));
  }
  std::printf("of pairs at 0.7 and more %.4f are found; of those found %.4f are at 0.7 and more\n",
              double(near_found) / double(std::max<int64_t>(near, 1)),
              double(near_found) / double(std::max<int64_t>(found, 1)));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "bench_data_recall FILE.jsonl[.zst|.gz] ...\n");
    return 2;
  }
  try {
    for (int i = 1; i < count; ++i) {
      const std::vector<std::string> texts = load(arguments[i]);
      std::printf("\n%s: %zu texts\n", arguments[i], texts.size());
      measure("datatrove", {}, texts);
      measure("dataverse's numbers",
              {.buckets = 25,
               .hashes_per_bucket = 10,
               .seed = 42,
               .hash = ShingleHash::sha1,
               .draws = DrawOrder::pairs,
               .form = WordForm::word_characters},
              texts);
      measure("syllables", {.n_grams = 10, .unit = TextUnit::syllable}, texts);
    }
  } catch (const helio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return helio::exit_code(error.kind());
  }
  return 0;
}
