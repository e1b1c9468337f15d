#include "text/unigram_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/parallel.h"
#include "text/unigram/lattice.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using namespace unigram;

constexpr size_t kSlice = 256;  // words

// Logarithmic derivative of the gamma function: recurrence up to 7, then its asymptotic series at
// x - 1/2, summed from left to right.
double digamma(double x) {
  double result = 0;
  for (; x < 7; x += 1) result -= 1 / x;
  x -= 1.0 / 2;
  const double xx = 1 / x, xx2 = xx * xx, xx4 = xx2 * xx2;
  result += std::log(x) + (1.0 / 24) * xx2 - 7.0 / 960 * xx4 + (31.0 / 8064) * xx4 * xx2 -
            (127.0 / 30720) * xx4 * xx4;
  return result;
}

class UnigramTraining {
 public:
  UnigramTraining(const TrainingWords& words, const UnigramTrainOptions& options, Monitor& monitor,
                  const StopRequest& stop)
      : words_(words),
        options_(options),
        wanted_(static_cast<size_t>(options.vocab_size)),
        monitor_(monitor),
        stop_(stop) {}

  // Returns the number of seeds; the pieces are then about a tenth more than are wanted.
  size_t run() {
    const auto& settings = options_.settings;
    monitor_.begin("seed pieces", 0, "");
    pieces_ = seed_pieces(words_, static_cast<size_t>(settings.max_piece_length),
                          static_cast<size_t>(settings.seed_size), options_.threads, stop_);
    const size_t seeds = pieces_.size() - 1;
    monitor_.end(fmt::format("{} seed pieces from {} distinct words", fmt::group_digits(seeds),
                             fmt::group_digits(words_.size())));
    const size_t enough = wanted_ * 11 / 10;
    const double loops = pieces_.size() > enough
                             ? std::log(double(enough) / double(pieces_.size())) /
                                   std::log(settings.shrinking_factor)
                             : 0;
    monitor_.begin("EM steps", (static_cast<int64_t>(loops) + 1) * settings.sub_iterations,
                   "steps");
    for (int64_t step = 0;;) {
      const size_t before = pieces_.size();
      for (int64_t i = 0; i < settings.sub_iterations; ++i) {
        maximise(expect(Model(pieces_)));
        monitor_.at(++step, fmt::format("{} pieces", fmt::group_digits(pieces_.size() - 1)));
      }
      if (pieces_.size() <= enough) break;
      prune(Model(pieces_), enough);
      if (pieces_.size() >= before)
        throw Error(ErrorKind::invalid,
                    fmt::format("{} pieces, of which none can be spared, for a vocabulary of {}",
                                pieces_.size(), wanted_))
            .with_hint("ask for a larger vocabulary, or a smaller shrinking factor");
    }
    monitor_.end(fmt::format("{} pieces", fmt::group_digits(pieces_.size() - 1)));
    return seeds;
  }

  const Pieces& pieces() const { return pieces_; }

 private:
  struct Share {
    uint32_t id = 0;
    double count = 0;
  };

  // Expected number of uses of each piece. Sums are taken in the order of the words whatever the
  // number of threads: several compute the parts, and then each adds up a part of the ids.
  std::vector<double> expect(const Model& model) {
    std::vector<double> expected(pieces_.size(), 0.0);
    const auto add_word = [&](Lattice& lattice, size_t i, auto&& add) {
      lattice.set(words_.word(i), model);
      const auto count = static_cast<double>(words_.count(i));
      const double z = lattice.marginals([&](uint32_t id, double p) { add(id, count * p); });
      if (std::isnan(z))
        throw Error(ErrorKind::failed, "the likelihood of a word is no number")
            .with_hint("a word may be too long; cut the text into shorter ones");
    };
    const size_t threads = static_cast<size_t>(options_.threads);
    if (threads <= 1) {
      Lattice lattice;
      for (size_t i = 0; i < words_.size(); ++i) {
        if (i % kSlice == 0) stop_.check();
        add_word(lattice, i, [&](uint32_t id, double count) { expected[id] += count; });
      }
      return expected;
    }
    std::vector<Lattice> lattices(threads);
    std::vector<std::vector<Share>> shares(threads * 16);
    for (size_t first = 0; first < words_.size(); first += shares.size() * kSlice) {
      stop_.check();
      const size_t count = std::min(shares.size() * kSlice, words_.size() - first);
      parallel_slices(count, options_.threads, kSlice, [&](size_t begin, size_t end, int worker) {
        auto& mine = shares[begin / kSlice];
        mine.clear();
        for (size_t i = begin; i < end; ++i)
          add_word(lattices[static_cast<size_t>(worker)], first + i,
                   [&](uint32_t id, double count) {
                     mine.push_back({id, count});
                   });
      });
      const size_t used = (count + kSlice - 1) / kSlice;
      parallel_slices(threads, options_.threads, 1, [&](size_t part, size_t, int) {
        for (size_t slice = 0; slice < used; ++slice)
          for (const Share& share : shares[slice])
            if (share.id / 8 % threads == part) expected[share.id] += share.count;
      });
    }
    return expected;
  }

  // Scores from expected counts, with a sparse prior (Liang and Klein 2007); rare pieces go.
  void maximise(const std::vector<double>& expected) {
    constexpr double rare = 0.5;
    double sum = 0;
    for (size_t id = 1; id < expected.size(); ++id)
      if (!(expected[id] < rare)) sum += expected[id];
    const double log_sum = digamma(sum);
    Pieces kept;
    for (size_t id = 1; id < expected.size(); ++id)
      if (!(expected[id] < rare)) kept.take(pieces_, id, digamma(expected[id]) - log_sum);
    pieces_ = std::move(kept);
  }

  // Keeps pieces that cannot be spelt with others, and of the others those without which the
  // likelihood would fall the most.
  void prune(const Model& model, size_t enough) {
    const auto uses = count_uses(model);
    double sum = 0, words = 0;
    for (const double count : uses) sum += count;
    for (size_t i = 0; i < words_.size(); ++i) words += static_cast<double>(words_.count(i));
    const auto verdicts = judge(model, uses, sum, words);
    Pieces kept;
    std::vector<uint32_t> candidates;
    for (uint32_t id = 1; id < pieces_.size(); ++id) {
      if (verdicts[id].kind == Verdict::keep) kept.take(pieces_, id, pieces_.score(id));
      else if (verdicts[id].kind == Verdict::weigh) candidates.push_back(id);
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](uint32_t a, uint32_t b) { return verdicts[a].loss > verdicts[b].loss; });
    const auto share =
        static_cast<size_t>(double(pieces_.size()) * options_.settings.shrinking_factor);
    const size_t room = std::max(enough, share);
    for (const uint32_t id : candidates) {
      if (kept.size() == room) break;
      kept.take(pieces_, id, pieces_.score(id));
    }
    pieces_ = std::move(kept);
  }

  // How often each piece is in the best cuts of the words: whole numbers, in any order.
  std::vector<double> count_uses(const Model& model) {
    std::vector<std::vector<double>> uses(static_cast<size_t>(options_.threads));
    std::vector<Lattice> lattices(uses.size());
    parallel_slices(words_.size(), options_.threads, kSlice,
                    [&](size_t begin, size_t end, int worker) {
                      stop_.check();
                      auto& mine = uses[static_cast<size_t>(worker)];
                      auto& lattice = lattices[static_cast<size_t>(worker)];
                      mine.resize(pieces_.size(), 0.0);
                      for (size_t i = begin; i < end; ++i) {
                        lattice.set(words_.word(i), model);
                        for (const uint32_t id : lattice.best())
                          mine[id] += static_cast<double>(words_.count(i));
                      }
                    });
    std::vector<double> all(pieces_.size(), 0.0);
    for (const auto& some : uses)
      for (size_t id = 0; id < some.size(); ++id) all[id] += some[id];
    return all;
  }

  struct Verdict {
    enum Kind : uint8_t { drop, keep, weigh } kind = drop;
    double loss = 0;
  };

  std::vector<Verdict> judge(const Model& model, const std::vector<double>& uses, double sum,
                             double words) {
    std::vector<Verdict> verdicts(pieces_.size());
    std::vector<Lattice> lattices(static_cast<size_t>(options_.threads));
    const double log_sum = std::log(sum);
    parallel_slices(pieces_.size(), options_.threads, kSlice,
                    [&](size_t begin, size_t end, int worker) {
                      stop_.check();
                      for (size_t id = std::max<size_t>(1, begin); id < end; ++id) {
                        auto& lattice = lattices[static_cast<size_t>(worker)];
                        lattice.set(pieces_.symbols(id), model);
                        const auto cuts = lattice.two_best();
                        const bool needed = cuts.cuts == 1 || cuts.first_size == 1;
                        const bool replaceable = cuts.cuts == 2 && cuts.first_size == 1;
                        Verdict& verdict = verdicts[id];
                        if (uses[id] == 0 && !needed) continue;
                        if (!replaceable || cuts.second.empty()) {
                          verdict.kind = Verdict::keep;
                          continue;
                        }
                        if (uses[id] == 0) continue;
                        // Its uses go to the pieces of its second best cut.
                        const double log_alone = std::log(uses[id]) - log_sum;
                        // HF takes the number of all pieces here, not of those in the cut; so do
                        // we.
                        const double log_sum_after =
                            std::log(sum + uses[id] * static_cast<double>(pieces_.size() - 1));
                        double log_others = 0;
                        for (const uint32_t other : cuts.second)
                          log_others += std::log(uses[other] + uses[id]) - log_sum_after;
                        verdict.kind = Verdict::weigh;
                        verdict.loss = uses[id] / words * (log_alone - log_others);
                      }
                    });
    return verdicts;
  }

  const TrainingWords& words_;
  const UnigramTrainOptions& options_;
  size_t wanted_;
  Monitor& monitor_;
  const StopRequest& stop_;
  Pieces pieces_ = {};
};

// Every character of the text and of the initial alphabet, in their order.
std::vector<std::string> required_characters(const TrainingWords& words,
                                             const std::string& alphabet) {
  std::set<char32_t> codes(words.characters().begin(), words.characters().end());
  for (size_t at = 0; at < alphabet.size();) {
    const auto point = decode_utf8(alphabet, at);
    codes.insert(point.value);
    at += point.size;
  }
  std::vector<std::string> texts;
  for (const char32_t code : codes) append_utf8(texts.emplace_back(), code);
  return texts;
}

void check_sizes(const UnigramTrainOptions& options, size_t characters, size_t others) {
  const auto size = static_cast<size_t>(options.vocab_size);
  if (characters + others > size)
    throw Error(ErrorKind::invalid,
                fmt::format("a vocabulary of {} has no room for {} different characters and {} "
                            "special tokens",
                            size, characters, others))
        .with_hint("ask for a larger vocabulary, or replace rare characters first");
}

}  // namespace

TrainedUnigram train_unigram(std::vector<CountedWord> counted, const UnigramTrainOptions& options,
                             Monitor& monitor, const StopRequest& stop) {
  const TrainingWords words(std::move(counted));
  const auto& special = options.special_tokens;
  const std::string& unk = options.settings.unk;
  const auto unk_at = std::find(special.begin(), special.end(), unk);
  const bool add_unk = !unk.empty() && unk_at == special.end();
  const auto required = required_characters(words, options.settings.initial_alphabet);
  const size_t others = special.size() + (add_unk ? 1 : 0);
  check_sizes(options, required.size(), others);

  UnigramTraining training(words, options, monitor, stop);
  TrainedUnigram out{.seeds = static_cast<int64_t>(training.run())};
  const Pieces& pieces = training.pieces();

  // Characters first: those that were pruned get scores a little above the least.
  const double least = pieces.least_score();
  double penalty = 0;
  std::vector<std::pair<std::string, double>> chosen;
  std::unordered_map<std::string, double> scores;
  for (size_t id = 1; id < pieces.size(); ++id)
    if (pieces.symbols(id).size() == 1) scores[words.text(pieces.symbols(id))] = pieces.score(id);
  std::unordered_set<std::string> inserted = {"<UNK>"};  // what HF calls id 0 in training
  for (const auto& text : required) {
    inserted.insert(text);
    const auto found = scores.find(text);
    if (found != scores.end()) {
      chosen.emplace_back(text, found->second);
    } else {
      chosen.emplace_back(text, least + penalty);
      penalty += 0.0001;
    }
  }
  const size_t room = static_cast<size_t>(options.vocab_size) - others;
  for (size_t id = 1; id < pieces.size() && chosen.size() < room; ++id) {
    auto text = words.text(pieces.symbols(id));
    if (inserted.insert(text).second) chosen.emplace_back(std::move(text), pieces.score(id));
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });

  if (add_unk) out.vocabulary.emplace_back(unk, 0.0);
  for (const auto& token : special) out.vocabulary.emplace_back(token, 0.0);
  if (!unk.empty()) out.unk_id = add_unk ? 0 : unk_at - special.begin();
  out.vocabulary.insert(out.vocabulary.end(), std::make_move_iterator(chosen.begin()),
                        std::make_move_iterator(chosen.end()));
  return out;
}

}  // namespace helio::text
