#include "club/statement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "club/apportion.h"
#include "core/error.h"
#include "core/rng.h"

namespace helio::club {
namespace {

constexpr int kRounds = 300;

LotUse lot(std::string name, std::string partner, int64_t tokens, int64_t trained) {
  return {.lot = std::move(name),
          .partner = std::move(partner),
          .language = "ko",
          .licence = "CC0-1.0",
          .documents_in = 10,
          .words_in = 100,
          .documents_surviving = 8,
          .words_surviving = 80,
          .tokens = tokens,
          .trained = trained};
}

// Totals that agree with the lots.
StatementInputs balanced(std::vector<LotUse> lots, int64_t pool = 1'000'000) {
  StatementInputs inputs{.pool = pool, .lots = std::move(lots)};
  int64_t trained = 0;
  for (const LotUse& each : inputs.lots) {
    inputs.tokens_total += each.tokens;
    trained += each.trained;
  }
  inputs.runs = {{.name = "base", .tokens = trained / 3},
                 {.name = "recovered", .tokens = trained - trained / 3}};
  return inputs;
}

enum class Holders { none, some };

StatementInputs random_inputs(Rng& rng, Holders holders) {
  std::vector<LotUse> lots;
  const uint64_t count = 1 + rng.below(12);
  for (uint64_t i = 0; i < count; ++i) {
    const auto tokens = static_cast<int64_t>(1 + rng.below(1'000'000'000));
    LotUse use = lot("lot" + std::to_string(i), "partner" + std::to_string(rng.below(5)), tokens,
                     static_cast<int64_t>(rng.below(10'000'000'000)));
    if (holders == Holders::some && rng.below(2) == 1) {
      use.holders[use.partner] = static_cast<int64_t>(1 + rng.below(1000));
      use.holders["partner" + std::to_string(rng.below(6))] += static_cast<int64_t>(rng.below(900));
    }
    lots.push_back(std::move(use));
  }
  lots[0].trained += 1;
  return balanced(std::move(lots), static_cast<int64_t>(rng.below(2'000'000'000'000)));
}

ErrorKind kind_of(StatementInputs inputs) {
  try {
    make_statement(std::move(inputs));
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

TEST(Apportion, SumsToTheWholeAndStaysWithinOneOfTheExactShare) {
  Rng rng(7);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<int64_t> weights(1 + rng.below(20));
    for (int64_t& weight : weights) weight = static_cast<int64_t>(rng.below(1'000'000));
    weights[0] += 1;
    const auto whole = static_cast<int64_t>(rng.below(1'000'000'000));
    const std::vector<int64_t> shares = apportion(whole, weights);
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), int64_t{0}), whole);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (size_t i = 0; i < shares.size(); ++i) {
      const double exact = static_cast<double>(whole) * static_cast<double>(weights[i]) / total;
      EXPECT_LT(std::abs(static_cast<double>(shares[i]) - exact), 1.0 + 1e-6);
    }
  }
}

TEST(Apportion, GivesTheUnitsLeftToTheLargestRemaindersThenTheFirst) {
  EXPECT_EQ(apportion(10, std::vector<int64_t>{1, 1, 1}), (std::vector<int64_t>{4, 3, 3}));
  EXPECT_EQ(apportion(10, std::vector<int64_t>{5, 4, 6}), (std::vector<int64_t>{3, 3, 4}));
  EXPECT_EQ(apportion(0, std::vector<int64_t>{0}), (std::vector<int64_t>{0}));
}

TEST(Apportion, HoldsWhereTheProductPasses64Bits) {
  const std::vector<int64_t> weights = {int64_t{1} << 61, int64_t{1} << 61};
  EXPECT_EQ(apportion(int64_t{1} << 62, weights),
            (std::vector<int64_t>{int64_t{1} << 61, int64_t{1} << 61}));
}

TEST(Apportion, RefusesWhatCannotBeShared) {
  EXPECT_THROW(apportion(1, std::vector<int64_t>{}), Error);
  EXPECT_THROW(apportion(1, std::vector<int64_t>{0, 0}), Error);
  EXPECT_THROW(apportion(1, std::vector<int64_t>{-1, 2}), Error);
  EXPECT_THROW(apportion(-1, std::vector<int64_t>{1}), Error);
}

TEST(Statement, AmountsSumToThePool) {
  Rng rng(1);
  for (int round = 0; round < kRounds; ++round) {
    const StatementInputs inputs = random_inputs(rng, Holders::some);
    const Statement statement = make_statement(inputs);
    int64_t amount = 0, credited = 0, trained = 0;
    for (const PartnerStatement& partner : statement.partners) {
      amount += partner.amount;
      credited += partner.credited;
      trained += partner.trained;
    }
    EXPECT_EQ(amount, inputs.pool) << "round " << round;
    EXPECT_EQ(credited, trained) << "round " << round;
  }
}

TEST(Statement, TheOrderOfLotsAndRunsChangesNothing) {
  Rng rng(2);
  for (int round = 0; round < kRounds; ++round) {
    StatementInputs inputs = random_inputs(rng, Holders::some);
    const std::string before = make_statement(inputs).json().dump();
    rng.shuffle(std::span<LotUse>(inputs.lots));
    EXPECT_EQ(make_statement(inputs).json().dump(), before) << "round " << round;
  }
}

TEST(Statement, CuttingALotInTwoChangesNoAmount) {
  Rng rng(3);
  for (int round = 0; round < kRounds; ++round) {
    StatementInputs inputs = random_inputs(rng, Holders::none);
    const Statement before = make_statement(inputs);
    LotUse& first = inputs.lots[rng.below(inputs.lots.size())];
    LotUse second = first;
    second.lot += "-rest";
    second.tokens = first.tokens / 3;
    second.trained = second.tokens > 0 ? first.trained / 3 : 0;
    second.documents_in = second.documents_surviving = 4;
    second.words_in = second.words_surviving = 40;
    first.tokens -= second.tokens;
    first.trained -= second.trained;
    first.documents_in -= 4;
    first.documents_surviving -= 4;
    first.words_in -= 40;
    first.words_surviving -= 40;
    inputs.lots.push_back(second);
    const Statement after = make_statement(inputs);
    ASSERT_EQ(after.partners.size(), before.partners.size());
    for (size_t i = 0; i < after.partners.size(); ++i) {
      EXPECT_EQ(after.partners[i].amount, before.partners[i].amount) << "round " << round;
      EXPECT_EQ(after.partners[i].words_surviving, before.partners[i].words_surviving);
    }
  }
}

TEST(Statement, AddingAnotherPartnerNeverRaisesACredit) {
  Rng rng(4);
  for (int round = 0; round < kRounds; ++round) {
    StatementInputs inputs = random_inputs(rng, Holders::none);
    const Statement before = make_statement(inputs);
    inputs.lots.push_back(lot("zz", "another", 10, 1'000'000));
    const Statement after = make_statement(balanced(inputs.lots, inputs.pool));
    for (const PartnerStatement& partner : before.partners) {
      const auto same = std::find_if(
          after.partners.begin(), after.partners.end(),
          [&](const PartnerStatement& other) { return other.partner == partner.partner; });
      ASSERT_NE(same, after.partners.end());
      EXPECT_EQ(same->credited, partner.credited);
      EXPECT_LE(after.share(*same), before.share(partner));
    }
  }
}

TEST(Statement, SharedTextIsCreditedInEqualParts) {
  StatementInputs inputs = balanced({lot("a", "가", 100, 900), lot("b", "나", 100, 100)}, 1000);
  // Two thirds of lot a's words were also given by 나 and 다: 300 its own, 600 in three parts.
  inputs.lots[0].holders = {{"가", 5}, {"나", 2}, {"다", 2}};
  const Statement statement = make_statement(inputs);
  ASSERT_EQ(statement.partners.size(), 3u);
  EXPECT_EQ(statement.partners[0].credited, 500);
  EXPECT_EQ(statement.partners[0].given, 400);
  EXPECT_EQ(statement.partners[1].credited, 300);
  EXPECT_EQ(statement.partners[1].received, 200);
  EXPECT_EQ(statement.partners[2].credited, 200);
  EXPECT_EQ(statement.partners[2].amount, 200);

  inputs.shared_text = SharedText::first;
  const Statement first = make_statement(inputs);
  EXPECT_EQ(first.partners[0].credited, 900);
  EXPECT_EQ(first.totals.given, 0);
}

TEST(Statement, AnAccountThatDoesNotAddUpIsACheckError) {
  const StatementInputs good = balanced({lot("a", "가", 100, 50), lot("b", "나", 100, 60)});
  EXPECT_NO_THROW(make_statement(good));
  StatementInputs bad = good;
  bad.tokens_total += 1;
  EXPECT_EQ(kind_of(bad), ErrorKind::check);
  bad = good;
  bad.runs[0].tokens -= 1;
  EXPECT_EQ(kind_of(bad), ErrorKind::check);
  bad = good;
  bad.lots[1].lot = "a";
  EXPECT_EQ(kind_of(bad), ErrorKind::check);
  bad = good;
  bad.lots[0].documents_surviving = 11;
  EXPECT_EQ(kind_of(bad), ErrorKind::check);
  bad = good;
  bad.lots[0].tokens = 0;
  bad.tokens_total -= 100;
  EXPECT_EQ(kind_of(bad), ErrorKind::check);
  bad = good;
  bad.lots[0].partner = "";
  EXPECT_EQ(kind_of(bad), ErrorKind::invalid);
  EXPECT_EQ(kind_of(balanced({lot("a", "가", 100, 0)})), ErrorKind::invalid);
}

TEST(Statement, TheTableIsRfc4180) {
  const Statement statement =
      make_statement(balanced({lot("a", "한빛, \"신문\"", 100, 1), lot("b", "나", 9, 2)}, 10));
  const std::string csv = statement.csv();
  EXPECT_NE(csv.find("\"한빛, \"\"신문\"\"\",a,10,100,8,80,100,1,0,0,1,0.333333,3,KRW\n"),
            std::string::npos)
      << csv;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
}

}  // namespace
}  // namespace helio::club
