// bench_data_filters CORPORA [MB]: MB/s of each rule-based filter and each way to cut words, one
// thread, on the English and the Korean files of a folder of *.jsonl.zst (the first MB of each).
// bench/peers/data_filters.py measures datatrove on the same documents.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "core/lines.h"
#include "data/op.h"
#include "data/words/mecab.h"
#include "data/words/words.h"

using namespace helio;
using namespace helio::data;

namespace {

constexpr double kSeconds = 0.5;  // of measuring, at least

// Processor time of this thread: what else runs on the machine does not show.
double cpu_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

struct Corpus {
  std::vector<std::string> texts = {};
  size_t bytes = 0;
};

// The first documents of each file in turn, as bench/peers/data_filters.py takes them.
Corpus read_corpus(const std::filesystem::path& folder, const std::string& language, size_t limit) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(language + "_")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  Corpus corpus;
  for (const auto& file : files) {
    size_t bytes = 0;
    LineReader reader(file);
    for (std::string_view line; bytes < limit / files.size() && reader.next(line);) {
      corpus.texts.push_back(parse_json(std::string(line), file.string())["text"]);
      bytes += corpus.texts.back().size();
    }
    corpus.bytes += bytes;
  }
  return corpus;
}

template <class Work>
double megabytes_a_second(const Corpus& corpus, Work&& work) {
  size_t bytes = 0;
  const double begin = cpu_seconds();
  for (;;) {
    for (const std::string& text : corpus.texts) {
      work(text);
      bytes += text.size();
      if (bytes < corpus.bytes / 8) continue;
      const double took = cpu_seconds() - begin;
      if (took >= kSeconds) return double(bytes) / 1e6 / took;
    }
  }
}

double of_op(const Corpus& corpus, const std::string& name, const std::string& options) {
  const AnyOp op = find_op(name).make(parse_yaml(options, "bench"));
  if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&op)) {
    Document document;
    return megabytes_a_second(corpus, [&](const std::string& text) {
      document.text = text;
      (*filter)->judge(document);
    });
  }
  Counters counters;
  return megabytes_a_second(corpus, [&](const std::string& text) {
    Document document;
    document.text = text;
    std::get<std::unique_ptr<Map>>(op)->apply(document, counters);
  });
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_data_filters CORPORA [MB]\n");
    return 2;
  }
  const size_t limit = size_t(argc > 2 ? std::stoi(argv[2]) : 12) * 1'000'000;
  const bool mecab = std::filesystem::exists(mecab_dictionary() / "sys.dic");
  for (const std::string language : {"en", "ko"}) {
    const Corpus corpus = read_corpus(argv[1], language, limit);
    fmt::print("{}: {} documents, {:.1f} MB\n", language, corpus.texts.size(),
               double(corpus.bytes) / 1e6);
    for (const char* name : {"whitespace", "eojeol", "uax29", "spacy-en", "mecab"}) {
      if (std::string_view(name) == "mecab" && (!mecab || language == "en")) continue;
      const auto words = make_words(name);
      std::vector<std::string_view> found;
      fmt::print("  {:<46} {:8.1f} MB/s\n", fmt::format("words {}", name),
                 megabytes_a_second(corpus, [&](const std::string& t) { words->split(t, found); }));
    }
    std::vector<std::pair<std::string, std::string>> ops = {
        {"filter.c4", "{}"},           {"filter.c4", "{sentences: terminal}"},
        {"filter.c4_paragraph", "{}"}, {"filter.c4_badwords", "{bad_words: [darn]}"},
        {"filter.refinedweb", "{}"},   {"filter.dolma_gopher", "{}"},
        {"filter.ratios", "{}"},       {"filter.korean_ratio", "{}"},
        {"filter.length", "{}"}};
    std::vector<std::string> presets = {"english-whitespace"};
    if (language == "en") presets.push_back("english-spacy");
    if (language == "ko") presets.push_back("korean-eojeol");
    if (language == "ko" && mecab) presets.push_back("korean-mecab");
    for (const char* name : {"filter.gopher_quality", "filter.gopher_repetition", "filter.fineweb"})
      for (const std::string& preset : presets)
        ops.emplace_back(name, fmt::format("{{preset: {}}}", preset));
    for (const auto& [name, options] : ops)
      fmt::print("  {:<46} {:8.1f} MB/s\n", name + " " + options, of_op(corpus, name, options));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code(error.kind());
  }
}
