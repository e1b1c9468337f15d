#include "club/statement_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/rng.h"

namespace helio::club {
namespace {

// Two partners, three lots, a dataset of them, shards and a run, as the stages leave them.
class StatementInputsTest : public testing::Test {
 protected:
  void SetUp() override {
    add_lot("news", "신문사", {"하나 둘 셋 넷", "shared by two partners"});
    add_lot("law", "법제처", {"제1조 목적", "shared by two partners", "dropped"});
    add_lot("more", "신문사", {"다섯 여섯"});
    seal_roster(dir() / "lots", {"news", "law", "more"}, {}, {.name = "lots"});
    save("dataset/dataset.json",
         {{"lots",
           {lot_row("news", "신문사", 2, 2, 8), lot_row("law", "법제처", 3, 1, 2),
            lot_row("more", "신문사", 1, 1, 2)}}});
    LineWriter part(dir() / "dataset" / "part-00000.jsonl.zst");
    part.write(document("news/1", "news", "신문사", "하나 둘 셋 넷", "train"));
    part.write(document("news/2", "news", "신문사", "shared by two partners", "train"));
    part.write(document("law/1", "law", "법제처", "제1조 목적", "train"));
    part.write(document("more/1", "more", "신문사", "다섯 여섯", "heldout"));
    part.commit();
    clusters(
        R"({"cluster":"c1","kept":"news/2","members":[{"id":"news/2","lot":"news","partner":"신문사"},{"id":"law/2","lot":"law","partner":"법제처"}]})");
    save("tokens/tokens.json", {{"tokens", 30},
                                {"lots",
                                 {token_row("news", "신문사", 16), token_row("law", "법제처", 10),
                                  token_row("more", "신문사", 4)}}});
    save("runs/base/lots.json",
         {{"total", 130},
          {"lots", {token_row("news", "신문사", 80), token_row("law", "법제처", 50)}}});
  }

  const std::filesystem::path& dir() const { return temp_.path(); }
  void add_lot(const std::string& lot, const std::string& partner,
               const std::vector<std::string>& texts) {
    LotWriter writer(dir() / "lots" / lot,
                     {.lot = lot, .partner = partner, .licence = "CC0-1.0", .language = "ko"});
    int row = 0;
    for (const std::string& text : texts)
      writer.add({.id = lot + "/" + std::to_string(++row), .text = text});
    writer.finish({});
  }
  void save(const std::string& name, const OrderedJson& json) {
    write_file_atomic(dir() / name, pretty(json));
  }
  void clusters(const std::string& lines) {
    write_file_atomic(dir() / "dataset/duplicates.jsonl", lines + "\n");
  }
  static OrderedJson lot_row(const char* lot, const char* partner, int in, int out, int words) {
    return {{"lot", lot},
            {"partner", partner},
            {"documents_in", in},
            {"documents_out", out},
            {"words_out", words}};
  }
  static OrderedJson token_row(const char* lot, const char* partner, int tokens) {
    return {{"lot", lot}, {"partner", partner}, {"tokens", tokens}};
  }
  static std::string document(const char* id, const char* lot, const char* partner,
                              const char* text, const char* split) {
    return compact(
        {{"id", id}, {"text", text}, {"lot", lot}, {"partner", partner}, {"split", split}});
  }
  StatementSources sources() const {
    return {.lots = dir() / "lots",
            .dataset = dir() / "dataset",
            .tokens = dir() / "tokens",
            .runs = {dir() / "runs/base"}};
  }
  Statement statement(SharedText rule = SharedText::split) const {
    return make_statement(gather_statement_inputs(sources(), rule));
  }
  ErrorKind kind_of_error() const {
    try {
      statement();
    } catch (const Error& error) {
      return error.kind();
    }
    ADD_FAILURE() << "no error";
    return ErrorKind::internal;
  }

  TempDir temp_ = {};
};

TEST_F(StatementInputsTest, FiguresAreThoseOfTheArtefacts) {
  const Statement made = statement();
  ASSERT_EQ(made.partners.size(), 2u);
  const PartnerStatement& law = made.partners[0];
  EXPECT_EQ(law.partner, "법제처");
  EXPECT_EQ(law.documents_in, 3);
  EXPECT_EQ(law.words_in, 7);
  EXPECT_EQ(law.documents_surviving, 1);
  EXPECT_EQ(law.tokens, 10);
  EXPECT_EQ(law.trained, 50);
  EXPECT_EQ(made.partners[1].lots, (std::vector<std::string>{"more", "news"}));
  EXPECT_EQ(made.totals.tokens, 30);
  EXPECT_EQ(made.totals.amount, 1'000'000);
}

TEST_F(StatementInputsTest, SharedTextIsSplitByTheWordsOfTheKeptCopy) {
  // Half of the words of lot news that are trained on are also the law's: 80 tokens, 40 of them
  // shared by two.
  const Statement made = statement();
  EXPECT_EQ(made.partners[0].received, 20);
  EXPECT_EQ(made.partners[0].credited, 70);
  EXPECT_EQ(made.partners[1].credited, 60);
  EXPECT_EQ(statement(SharedText::first).partners[0].credited, 50);
}

TEST_F(StatementInputsTest, ClustersWithADocumentInCommonAreOne) {
  clusters(
      R"({"cluster":"a","kept":"law/2","members":[{"id":"law/2","lot":"law","partner":"법제처"},{"id":"x/1","lot":"x","partner":"셋째"}]})"
      "\n"
      R"({"cluster":"b","kept":"news/2","members":[{"id":"news/2","lot":"news","partner":"신문사"},{"id":"law/2","lot":"law","partner":"법제처"}]})");
  const auto holders = shared_holders(dir() / "dataset");
  ASSERT_EQ(holders.size(), 1u);
  const auto& news = holders.at("news");
  ASSERT_EQ(news.size(), 3u);
  EXPECT_EQ(news.at("셋째"), news.at("법제처"));
  EXPECT_EQ(news.at("신문사"), 4 * news.at("셋째"));  // four words alone, a third of four shared
}

// The value of a set of partners is the number of words they cover; a partner's Shapley value is
// what it adds on average over all orders of arrival.
TEST_F(StatementInputsTest, EqualPartsAreTheShapleyValue) {
  const std::vector<std::string> partners = {"a", "b", "c", "d"};
  Rng rng(11);
  std::string lines;
  std::vector<std::pair<int, std::vector<bool>>> texts;  // words, who gave it
  std::map<std::string, int64_t> own_words;
  LineWriter part(dir() / "dataset" / "part-00000.jsonl.zst");
  for (int i = 0; i < 60; ++i) {
    const int words = 1 + static_cast<int>(rng.below(50));
    std::vector<bool> gave(partners.size());
    gave[rng.below(partners.size())] = true;
    for (size_t p = 0; p < partners.size(); ++p) gave[p] = gave[p] || rng.below(3) == 0;
    const auto first =
        static_cast<size_t>(std::find(gave.begin(), gave.end(), true) - gave.begin());
    OrderedJson members = OrderedJson::array();
    for (size_t p = 0; p < partners.size(); ++p)
      if (gave[p])
        members.push_back({{"id", partners[p] + "/" + std::to_string(i)},
                           {"lot", partners[p]},
                           {"partner", partners[p]}});
    std::string text;
    for (int w = 0; w < words; ++w) text += "w ";
    const std::string id = partners[first] + "/" + std::to_string(i);
    part.write(document(id.c_str(), partners[first].c_str(), partners[first].c_str(), text.c_str(),
                        "train"));
    if (members.size() > 1)
      lines += compact({{"cluster", i}, {"kept", id}, {"members", members}}) + "\n";
    texts.emplace_back(words, gave);
    own_words[partners[first]] += words * int64_t{720'720};
  }
  part.commit();
  clusters(lines);

  std::vector<size_t> order(partners.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<double> shapley(partners.size(), 0.0);
  int orders = 0;
  do {
    ++orders;
    std::vector<bool> covered(texts.size());
    for (const size_t p : order)
      for (size_t t = 0; t < texts.size(); ++t) {
        if (covered[t] || !texts[t].second[p]) continue;
        covered[t] = true;
        shapley[p] += texts[t].first;
      }
  } while (std::next_permutation(order.begin(), order.end()));

  // A lot without shared text is not listed: all of it is its partner's.
  const auto by_lot = shared_holders(dir() / "dataset");
  std::map<std::string, int64_t> weights = own_words;
  for (const auto& [lot, holders] : by_lot) weights[lot] = 0;
  for (const auto& [lot, holders] : by_lot)
    for (const auto& [partner, weight] : holders) weights[partner] += weight;
  for (size_t p = 0; p < partners.size(); ++p)
    EXPECT_NEAR(static_cast<double>(weights[partners[p]]) / 720'720.0, shapley[p] / orders, 1e-6)
        << partners[p];
}

TEST_F(StatementInputsTest, CopiesOfOnePartnerEarnNothing) {
  clusters(
      R"({"cluster":"a","kept":"news/2","members":[{"id":"news/2","lot":"news","partner":"신문사"},{"id":"more/9","lot":"more","partner":"신문사"}]})");
  EXPECT_TRUE(shared_holders(dir() / "dataset").empty());
  fs::remove(dir() / "dataset/duplicates.jsonl");
  EXPECT_TRUE(shared_holders(dir() / "dataset").empty());
}

TEST_F(StatementInputsTest, AModelsFolderStandsForItsRun) {
  make_dirs(dir() / "models/base");
  EXPECT_EQ(find_run_lots(dir() / "models/base/"), dir() / "runs/base/lots.json");
  EXPECT_EQ(find_run_lots(dir() / "runs/base"), dir() / "runs/base/lots.json");
  try {
    find_run_lots(dir() / "models/other");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

TEST_F(StatementInputsTest, ARunCountsOnceAndAgreesWithItsModel) {
  StatementSources twice = sources();
  make_dirs(dir() / "models/base");
  twice.runs.push_back(dir() / "models/base/");
  EXPECT_THROW(gather_statement_inputs(twice, SharedText::first), Error);

  StatementSources by_model = sources();
  by_model.runs = {dir() / "models/base"};
  Manifest manifest{.kind = "model", .name = "base"};
  manifest.facts = {
      {"tokens_by_lot", {token_row("news", "신문사", 80), token_row("law", "법제처", 50)}}};
  seal_artefact(dir() / "models/base", manifest);
  EXPECT_EQ(gather_statement_inputs(by_model, SharedText::first).runs[0].tokens, 130);
  save("runs/base/lots.json",
       {{"total", 130},
        {"lots", {token_row("news", "신문사", 90), token_row("law", "법제처", 40)}}});
  try {
    gather_statement_inputs(by_model, SharedText::first);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::check);
  }
}

TEST_F(StatementInputsTest, DisagreementsAreCheckErrors) {
  save("runs/base/lots.json", {{"total", 131}, {"lots", {token_row("news", "신문사", 130)}}});
  EXPECT_EQ(kind_of_error(), ErrorKind::check);
  save("runs/base/lots.json", {{"total", 130}, {"lots", {token_row("news", "법제처", 130)}}});
  EXPECT_EQ(kind_of_error(), ErrorKind::check);
  save("runs/base/lots.json", {{"total", 130}, {"lots", {token_row("unknown", "신문사", 130)}}});
  EXPECT_EQ(kind_of_error(), ErrorKind::check);
  SetUp();
  save("tokens/tokens.json", {{"tokens", 31}, {"lots", {token_row("news", "신문사", 30)}}});
  EXPECT_EQ(kind_of_error(), ErrorKind::check);
  SetUp();
  save("dataset/dataset.json", {{"lots", {lot_row("news", "신문사", 5, 2, 8)}}});
  EXPECT_EQ(kind_of_error(), ErrorKind::check);
}

TEST_F(StatementInputsTest, ADatasetOfOtherLotsIsACheckError) {
  Manifest manifest{.kind = "dataset", .name = "dataset"};
  manifest.inputs = {describe_input("lots", dir() / "lots")};
  seal_artefact(dir() / "dataset", manifest);
  EXPECT_NO_THROW(statement());
  add_lot("late", "신문사", {"늦게"});
  seal_roster(dir() / "lots", {"news", "law", "more", "late"}, {}, {.name = "lots"});
  EXPECT_EQ(kind_of_error(), ErrorKind::check);
}

TEST_F(StatementInputsTest, DamagedFilesAreNamed) {
  write_file_atomic(dir() / "tokens/tokens.json", "{\"tokens\": \"many\", \"lots\": []}");
  try {
    statement();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_NE(error.message().find("tokens.json"), std::string::npos);
  }
  clusters("{\"members\": [{\"id\": 3}]}");
  EXPECT_EQ(kind_of_error(), ErrorKind::invalid);
}

}  // namespace
}  // namespace helio::club
