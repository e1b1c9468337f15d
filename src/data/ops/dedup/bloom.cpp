// Removes paragraphs and documents most of whose n-grams came before, by a Bloom filter.
#include <fmt/format.h>

#include <cstring>

#include "core/error.h"
#include "core/hash.h"
#include "data/dedup/bloom_filter.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Bloom final : public Stage {
 public:
  struct Options {
    std::string unit = "ngrams", remove = "both";
    int64_t n_grams = 13, min_n_grams = 13;
    double threshold = 0.8, false_positives = 0.01;

    void describe(Fields& f) {
      f("unit", unit,
        "What is looked up: the runs of words of each paragraph (DCLM), or each paragraph as a "
        "whole "
        "(dolma).",
        one_of({"ngrams", "paragraphs"}));
      f("remove", remove, "Repeated paragraphs, documents that repeat as a whole, or both.",
        one_of({"both", "paragraphs", "documents"}));
      f("n_grams", n_grams, "Words in a run.", between(1, 64));
      f("min_n_grams", min_n_grams,
        "Shorter paragraphs stay; those between this and n_grams are one run.", between(1, 64));
      f("threshold", threshold, "What repeats more than this share of its runs goes.",
        between(0, 1));
      f("false_positives", false_positives,
        "Share of new runs that the filter may take for old ones; the filter grows as this "
        "shrinks.",
        between(1e-9, 0.5));
    }
  };

  static OpCard card() {
    return {.about =
                "Removes paragraphs, and documents, most of whose word runs an earlier one had, in "
                "the memory of a Bloom filter.",
            .source =
                "DCLM's bff --remove-type old-both (13-grams, 0.8) and dolma's paragraphs; "
                "words between white space, and the same result in each run"};
  }

  explicit Bloom(const Options& options) : options_(options) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  struct Head {
    uint64_t order = 0, paragraphs = 0;
  };
  struct Gone {
    uint64_t order;
    double share;
  };

  // Pieces that begin at a line's end: what is cut out takes the break before it along.
  template <class Visit>
  static void for_each_piece(std::string_view text, Visit&& visit) {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin + 1), text.size());
      visit(text.substr(begin, end - begin));
      begin = end;
    }
  }

  class Run final : public StageRun {
   public:
    explicit Run(const Options& options) : options_(options) {}

    void survey(const Document& document, std::string& out) const override {
      std::vector<std::vector<uint64_t>> pieces;
      for_each_piece(document.text,
                     [&](std::string_view piece) { pieces.push_back(runs_of(piece)); });
      put_record(out, Head{document.order, pieces.size()});
      for (const auto& runs : pieces) {
        put_record(out, uint64_t(runs.size()));
        out.append(reinterpret_cast<const char*>(runs.data()), runs.size() * 8);
      }
    }

    void settle(Survey& survey, StageContext& context) override {
      uint64_t runs = 0, pieces = 0;
      for_each(survey, [&](uint64_t, const std::vector<std::vector<uint64_t>>& document) {
        for (const auto& piece : document) runs += piece.size(), ++pieces;
      });
      const uint64_t held = survey.documents() * 8 + pieces / 8;
      const uint64_t memory = context.memory - std::min(context.memory * 3 / 4, held);
      BloomFilter filter(runs, options_.false_positives, memory);
      if (filter.false_positives() > 2 * options_.false_positives)
        context.monitor.warn(fmt::format(
            "dedup.bloom: in {} MB the filter takes {:.1f} % of new runs for old ones, more than "
            "false_positives says; give more with --memory",
            filter.bytes() >> 20, 100 * filter.false_positives()));
      first_piece_.assign(survey.documents(), 0);
      goes_.assign(pieces, false);
      uint64_t number = 0;
      for_each(survey, [&](uint64_t order, const std::vector<std::vector<uint64_t>>& document) {
        context.stop.check();
        first_piece_[order] = number;
        uint64_t all = 0, known = 0;
        for (const auto& piece : document) {
          uint64_t here = 0;
          for (const uint64_t run : piece) here += filter.has(run);
          all += piece.size();
          known += here;
          const bool goes = double(here) > options_.threshold * double(piece.size());
          goes_[number++] = goes && options_.remove != "documents";
          if (!goes || options_.remove == "documents")
            for (const uint64_t run : piece) filter.add(run);
        }
        if (options_.remove != "paragraphs" && double(known) > options_.threshold * double(all))
          gone_.push_back({order, double(known) / double(all)});
      });
      std::sort(gone_.begin(), gone_.end(),
                [](const Gone& a, const Gone& b) { return a.order < b.order; });
    }

    Verdict apply(Document& document, Counters& counters) const override {
      const auto gone =
          std::lower_bound(gone_.begin(), gone_.end(), document.order,
                           [](const Gone& gone, uint64_t order) { return gone.order < order; });
      if (gone != gone_.end() && gone->order == document.order)
        return drop("repeated_runs", gone->share);
      std::string rest;
      size_t number = first_piece_[document.order];
      int64_t removed = 0;
      for_each_piece(document.text, [&](std::string_view piece) {
        if (goes_[number++]) ++removed;
        else rest += piece;
      });
      if (removed == 0) return keep();
      counters["repeated_runs.paragraphs"] += removed;
      if (text::trim(rest).empty()) return drop("repeated_runs", 1);
      document.text = rest.substr(std::min(rest.find_first_not_of('\n'), rest.size()));
      return keep();
    }

   private:
    std::vector<uint64_t> runs_of(std::string_view piece) const {
      const std::vector<std::string_view> words = text::split_words(piece);
      if (words.empty()) return {};
      if (options_.unit == "paragraphs") return {xxh3_64(text::trim(piece))};
      const auto n = static_cast<size_t>(options_.n_grams);
      std::string run;
      std::vector<uint64_t> runs;
      const auto add = [&](size_t begin, size_t end) {
        run.clear();
        for (size_t i = begin; i < end; ++i) (run += words[i]) += ' ';
        runs.push_back(xxh3_64(run));
      };
      for (size_t i = 0; i + n <= words.size(); ++i) add(i, i + n);
      if (runs.empty() && words.size() >= static_cast<size_t>(options_.min_n_grams))
        add(0, words.size());
      return runs;
    }

    template <class Visit>
    static void for_each(Survey& survey, Visit&& visit) {
      std::vector<std::vector<uint64_t>> pieces;
      survey.rewind();
      for (std::string_view bytes; survey.next(bytes);) {
        const auto take = [&](void* to, size_t size) {
          HELIO_CHECK(size <= bytes.size(), "a survey record is cut short");
          if (size == 0) return;  // a paragraph without runs has no place to read to
          std::memcpy(to, bytes.data(), size);
          bytes.remove_prefix(size);
        };
        while (!bytes.empty()) {
          Head head;
          take(&head, sizeof head);
          pieces.resize(head.paragraphs);
          for (auto& runs : pieces) {
            uint64_t count = 0;
            take(&count, sizeof count);
            HELIO_CHECK(count <= bytes.size() / 8, "a survey record is cut short");
            runs.resize(count);
            take(runs.data(), count * 8);
          }
          visit(head.order, pieces);
        }
      }
    }

    Options options_;
    std::vector<uint64_t> first_piece_ = {};  // of each document, by manifest number
    std::vector<bool> goes_ = {};
    std::vector<Gone> gone_ = {};
  };

  Options options_;
};

}  // namespace

HELIO_OP(Bloom)

}  // namespace helio::data
