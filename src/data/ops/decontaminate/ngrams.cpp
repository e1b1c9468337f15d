// Finds n-grams of evaluation benchmarks in training text.
#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/hash.h"
#include "data/dedup/benchmarks.h"
#include "data/dedup/simplify.h"
#include "data/op.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

class NGrams final : public Map {
 public:
  struct Options {
    std::vector<std::string> benchmarks = {}, fields = {}, query_fields = {};
    bool match_query = false;
    int64_t n_grams = 13, min_matches = 1;
    std::string action = "drop";

    void describe(Fields& f) {
      f.input(
          "benchmarks", benchmarks,
          "Files (.jsonl, .jsonl.gz, .jsonl.zst) or folders of them that must not be trained on.");
      f("fields", fields,
        "Fields of their rows whose words are looked for ('choices.text' goes down); none: every "
        "text of a row.");
      f("query_fields", query_fields,
        "Fields that come before those: word runs that go on into 'fields' are looked for too.");
      f("match_query", match_query, "Look for word runs of the query alone as well.");
      f("n_grams", n_grams, "Words in a run: 13 as in GPT-3, 12 as in datatrove.", between(1, 64));
      f("min_matches", min_matches, "Fewer matching runs are let pass.", at_least(1));
      f("action", action,
        "drop: the document goes; remove: the lines of it that hold a matching run go.",
        one_of({"drop", "remove"}));
    }
  };

  static OpCard card() {
    return {
        .about =
            "Drops documents, or removes their lines, that share a run of words with an item of "
            "an evaluation benchmark; says which.",
        .source =
            "datatrove 0.10.1 NGramsDecontFilter (12-grams of simplified words, answers and "
            "their overlap with the question); GPT-3 (13-grams)"};
  }

  explicit NGrams(const Options& options) : options_(options) {
    if (options.benchmarks.empty())
      throw Error(ErrorKind::invalid, "decontaminate.ngrams is told no benchmark")
          .with_hint("add benchmarks: [FILE.jsonl.gz, FOLDER]");
    const auto items = read_benchmarks(options.benchmarks,
                                       {.query = options.query_fields, .text = options.fields});
    const auto n = static_cast<size_t>(options.n_grams);
    for (const BenchmarkItem& item : items) {
      const auto name = static_cast<uint32_t>(names_.size());
      names_.push_back(item.name);
      // With the query in front, runs that end inside it are left out unless asked for.
      const size_t query = SimpleWords(item.query).size();
      const SimpleWords words(item.query + "\n" + item.text);
      for (size_t i = 0; i + n <= words.size(); ++i)
        if (options.match_query || i + n > query) runs_.emplace(xxh3_64(words.run(i, n)), name);
    }
    for (const auto& [hash, name] : runs_) maybe_[hash % maybe_.size()] = true;
  }

  Verdict apply(Document& document, Counters& counters) const override {
    const auto n = static_cast<size_t>(options_.n_grams);
    const SimpleWords words(document.text);
    std::vector<size_t> hits;
    std::vector<uint32_t> names;
    for (size_t i = 0; i + n <= words.size(); ++i) {
      const uint64_t hash = xxh3_64(words.run(i, n));
      if (!maybe_[hash % maybe_.size()]) continue;
      if (const auto found = runs_.find(hash); found != runs_.end()) {
        hits.push_back(i);
        names.push_back(found->second);
      }
    }
    if (hits.size() < static_cast<size_t>(options_.min_matches)) return keep();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const uint32_t name : names) ++counters["contaminated." + names_[name]];
    if (options_.action == "remove") {
      document.text = without_hits(document.text, hits);
      if (!document.text.empty()) return keep();
    }
    return drop("contaminated", double(hits.size()));
  }

 private:
  // Words never reach over a line's end, so the words of lines are those of the text.
  std::string without_hits(std::string_view text, const std::vector<size_t>& hits) const {
    const auto n = static_cast<size_t>(options_.n_grams);
    size_t first = 0;
    std::unordered_map<const char*, bool> gone;
    for_each_line(text, [&](std::string_view line) {
      const size_t end = first + SimpleWords(line).size();
      // A run [hit, hit + n) meets [first, end) when hit < end and hit + n > first.
      const auto hit =
          std::lower_bound(hits.begin(), hits.end(), first + 1 > n ? first + 1 - n : 0);
      gone[line.data()] = end > first && hit != hits.end() && *hit < end;
      first = end;
    });
    return without_lines(text, [&](std::string_view line) { return gone.at(line.data()); });
  }

  Options options_;
  std::vector<std::string> names_ = {};               // of items
  std::unordered_map<uint64_t, uint32_t> runs_ = {};  // hash of a run -> first item that has it
  std::vector<bool> maybe_ = std::vector<bool>(1 << 24, false);  // whether any run falls there
};

}  // namespace

HELIO_OP(NGrams)

}  // namespace helio::data
