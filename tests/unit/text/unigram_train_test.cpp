#include "text/unigram_train.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "text/unigram/agenda.h"
#include "text/unigram/lattice.h"

namespace helio::text {
namespace {

using namespace unigram;

TrainedUnigram train(std::vector<CountedWord> words, const UnigramTrainOptions& options) {
  SilentMonitor silent;
  const StopRequest stop;
  return train_unigram(std::move(words), options, silent, stop);
}

// Words of few letters, so that there is much to merge and much that ties.
std::vector<CountedWord> some_words(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::map<std::string, int64_t> words;
  for (size_t i = 0; i < count; ++i) {
    std::string word = "▁";
    for (uint64_t n = 1 + rng.below(9); n > 0; --n) word += "abcde"[rng.below(5)];
    if (rng.below(4) == 0) word += "나가";
    words[word] += 1 + static_cast<int64_t>(rng.below(9));
  }
  std::vector<CountedWord> out;
  for (const auto& [text, times] : words) out.push_back({text, times});
  return out;
}

TEST(UnigramSeeds, AreThoseOfTheReferencesOwnTest) {
  const TrainingWords words({{"This is a", 1}, {"こんにちは友達", 1}});
  const StopRequest stop;
  const auto pieces = seed_pieces(words, 16, 1'000'000, 1, stop);
  std::vector<std::string> texts;
  for (size_t id = 1; id < pieces.size(); ++id) texts.push_back(words.text(pieces.symbols(id)));
  EXPECT_EQ(texts, (std::vector<std::string>{"s", "i", " ", "達", "友", "ん", "は", "に", "ち",
                                             "こ", "h", "a", "T", "is ", "s "}));
  EXPECT_DOUBLE_EQ(pieces.score(1), std::log(2.0) - std::log(26.0));
  EXPECT_DOUBLE_EQ(pieces.score(14), std::log(6.0) - std::log(26.0));
}

TEST(UnigramSeeds, AreAllSubstringsThatBranch) {
  const TrainingWords words(some_words(300, 3));
  const StopRequest stop;
  constexpr size_t kLongest = 5;
  std::map<std::string, std::pair<int64_t, std::set<Symbol>>> found;  // places, what follows
  for (size_t i = 0; i < words.size(); ++i) {
    const auto word = words.word(i);
    for (size_t begin = 0; begin < word.size(); ++begin)
      for (size_t size = 2; size <= kLongest && begin + size <= word.size(); ++size) {
        auto& [places, next] = found[words.text(word.subspan(begin, size))];
        ++places;
        next.insert(begin + size < word.size() ? word[begin + size] : kEnd);
      }
  }
  std::vector<std::string> want, got;
  for (const auto& [text, entry] : found)
    if (entry.second.size() > 1) want.push_back(text);
  for (const int threads : {1, 3}) {
    const auto pieces = seed_pieces(words, kLongest, 1'000'000, threads, stop);
    got.clear();
    for (size_t id = 1; id < pieces.size(); ++id)
      if (pieces.symbols(id).size() > 1) got.push_back(words.text(pieces.symbols(id)));
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, want);
  }
  // The best ones when there is no room for all; one substring at least.
  const auto all = seed_pieces(words, kLongest, 1'000'000, 1, stop);
  const auto few = seed_pieces(words, kLongest, 40, 2, stop);
  ASSERT_EQ(few.size() - 1, 40U);
  for (size_t id = 1; id < few.size(); ++id)
    EXPECT_EQ(words.text(few.symbols(id)), words.text(all.symbols(id)));
  EXPECT_EQ(seed_pieces(words, kLongest, 1, 1, stop).size() - 1, words.symbols() - 1 + 1);
}

// Every cut of a word by trying them all.
struct Cut {
  double score = 0;
  std::vector<uint32_t> ids = {};
};
void try_all(std::span<const Symbol> word, const Model& model, Cut& so_far,
             std::vector<Cut>& cuts) {
  if (word.empty()) return cuts.push_back(so_far);
  const auto go = [&](size_t size, uint32_t id, double score) {
    Cut longer = so_far;
    longer.score += score;
    longer.ids.push_back(id);
    try_all(word.subspan(size), model, longer, cuts);
  };
  bool single = false;
  for (uint32_t id = 1; id < model.pieces.size(); ++id) {
    const auto piece = model.pieces.symbols(id);
    if (piece.size() > word.size() || !std::equal(piece.begin(), piece.end(), word.begin()))
      continue;
    single = single || piece.size() == 1;
    go(piece.size(), id, model.pieces.score(id));
  }
  if (!single) go(1, 0, model.unknown_score);
}

TEST(UnigramLattice, SumsAndBestCutsAreThoseOfAllCuts) {
  const TrainingWords words(some_words(60, 5));
  const StopRequest stop;
  auto pieces = seed_pieces(words, 4, 60, 1, stop);
  Rng rng(9);
  for (size_t id = 1; id < pieces.size(); ++id) pieces.set_score(id, -1 - 5 * rng.uniform());
  Pieces without;  // of the most frequent letter: it is unknown
  for (size_t id = 2; id < pieces.size(); ++id) without.take(pieces, id, pieces.score(id));
  Lattice lattice;
  for (const Pieces* some : {&pieces, &without}) {
    const Model model(*some);
    for (size_t i = 0; i < words.size(); ++i) {
      std::vector<Cut> cuts;
      Cut empty;
      try_all(words.word(i), model, empty, cuts);
      std::sort(cuts.begin(), cuts.end(),
                [](const Cut& a, const Cut& b) { return a.score > b.score; });
      double sum = 0;
      std::vector<double> want(some->size(), 0.0), got(some->size(), 0.0);
      for (const auto& cut : cuts) sum += std::exp(cut.score);
      for (const auto& cut : cuts)
        for (const uint32_t id : cut.ids) want[id] += std::exp(cut.score) / sum;
      lattice.set(words.word(i), model);
      EXPECT_NEAR(lattice.marginals([&](uint32_t id, double p) { got[id] += p; }), std::log(sum),
                  1e-9);
      for (size_t id = 0; id < want.size(); ++id) ASSERT_NEAR(got[id], want[id], 1e-9) << id;
      // Cuts of the same pieces in another order are as likely.
      const auto score = [&](const std::vector<uint32_t>& ids) {
        double all = 0;
        for (const uint32_t id : ids) all += id == 0 ? model.unknown_score : some->score(id);
        return all;
      };
      const auto best = lattice.best();
      EXPECT_NEAR(score(best), cuts[0].score, 1e-12);
      const auto two = lattice.two_best();
      ASSERT_EQ(two.cuts, std::min<size_t>(2, cuts.size()));
      EXPECT_EQ(two.first_size, cuts[0].ids.size());
      if (two.cuts == 2) {
        EXPECT_NEAR(score(two.second), cuts[1].score, 1e-12);
        EXPECT_TRUE(std::any_of(cuts.begin(), cuts.end(),
                                [&](const Cut& cut) { return cut.ids == two.second; }));
      }
    }
  }
}

TEST(UnigramAgenda, GivesTheLargestFirst) {
  Rng rng(1);
  Agenda agenda;
  std::vector<double> bounds;
  for (uint32_t i = 0; i < 1000; ++i) {
    bounds.push_back(static_cast<double>(rng.below(200)));
    agenda.push({bounds.back(), i});
  }
  std::sort(bounds.begin(), bounds.end(), std::greater<>());
  agenda.keep_best(600);
  ASSERT_EQ(agenda.size(), 600U);
  for (size_t i = 0; i < 600; ++i) EXPECT_EQ(agenda.pop().bound, bounds[i]);
  EXPECT_TRUE(agenda.empty());
}

TEST(UnigramTraining, ThreadsAndTheOrderOfWordsDoNotShow) {
  auto words = some_words(4000, 11);
  UnigramTrainOptions options{.vocab_size = 120, .special_tokens = {"<s>", "</s>"}};
  options.settings.shrinking_factor = 0.6;
  const auto one = train(words, options);
  EXPECT_GT(one.seeds, 1000);
  ASSERT_EQ(one.vocabulary.size(), 120U);
  std::reverse(words.begin(), words.end());
  options.threads = 3;
  const auto three = train(words, options);
  EXPECT_EQ(one.vocabulary, three.vocabulary);
  EXPECT_EQ(one.vocabulary[0].first, "<unk>");
  EXPECT_EQ(one.vocabulary[2].first, "</s>");
  EXPECT_EQ(one.unk_id, 0);
  for (size_t i = 4; i < one.vocabulary.size(); ++i)
    EXPECT_GE(one.vocabulary[i - 1].second, one.vocabulary[i].second) << i;
}

TEST(UnigramTraining, TheUnknownTokenStandsWhereItIsNamed) {
  const std::vector<CountedWord> words = {{"The", 12}, {"are", 11}};
  const auto first = [&](const std::vector<std::string>& special, const std::string& unk) {
    UnigramTrainOptions options{.vocab_size = 100, .special_tokens = special};
    options.settings.unk = unk;
    const auto trained = train(words, options);
    std::vector<std::string> names;
    for (size_t i = 0; i < 3; ++i) names.push_back(trained.vocabulary[i].first);
    return std::pair(names, trained.unk_id);
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(first({"[SEP]", "[CLS]"}, "[UNK]"),
            std::pair(Names({"[UNK]", "[SEP]", "[CLS]"}), std::optional<int64_t>(0)));
  EXPECT_EQ(first({"[SEP]", "[CLS]", "[UNK]"}, "[UNK]"),
            std::pair(Names({"[SEP]", "[CLS]", "[UNK]"}), std::optional<int64_t>(2)));
  EXPECT_EQ(first({}, "").first[0], "e");
  EXPECT_EQ(first({}, "").second, std::nullopt);
}

TEST(UnigramTraining, CharactersStayAndNeedRoom) {
  UnigramTrainOptions options{.vocab_size = 12};
  options.settings.initial_alphabet = "xyz";
  const auto trained = train(some_words(500, 2), options);
  ASSERT_EQ(trained.vocabulary.size(), 12U);  // <unk>, ▁, five letters, 나, 가, xyz
  for (const char* text : {"▁", "a", "e", "나", "x", "z"})
    EXPECT_TRUE(std::any_of(trained.vocabulary.begin(), trained.vocabulary.end(),
                            [&](const auto& entry) { return entry.first == text; }))
        << text;
  options.vocab_size = 11;
  EXPECT_THROW(train(some_words(500, 2), options), Error);
}

TEST(UnigramJson, IsReadBackAndSpellsNumbersInFull) {
  const UnigramTrainOptions options{.special_tokens = {"<s>"}};
  const TrainedUnigram trained{
      .vocabulary = {{"<unk>", 0.0}, {"<s>", 0.0}, {"▁", -1.5}, {"\"\n", -2.0}}, .unk_id = 0};
  const auto text = tokenizer_json(trained, options);
  EXPECT_NE(text.find("      [\n        \"\\\"\\n\",\n        -2.0\n      ]\n    ],"),
            std::string::npos)
      << text;
  const Json json = Json::parse(text);
  EXPECT_EQ(json["added_tokens"][0]["id"], 1);
  EXPECT_EQ(json["model"]["vocab"].size(), 4U);
  std::vector<std::string> words;
  word_cutter(options).cut("a <s>  b", [&](std::string_view word) { words.emplace_back(word); });
  EXPECT_EQ(words, (std::vector<std::string>{"▁a", "▁<s>", "▁", "▁b"}));
}

}  // namespace
}  // namespace helio::text
