// helio align score: per-pair figures are those training would see.
#include "train/score.h"

#include <cmath>

#include "run_fixture.h"
#include "train/align.h"

namespace helio::train {
namespace {

class Scores : public Runs {
 protected:
  ScoreOptions score_options() {
    ScoreOptions o;
    o.model = base();
    o.data =
        write_rows("pairs.jsonl", {{{"id", "one"},
                                    {"prompt", "a"},
                                    {"chosen", "good"},
                                    {"rejected", "bad bad"},
                                    {"source", "s"}},
                                   {{"prompt", "b"}, {"chosen", "yes"}, {"rejected", "no"}},
                                   {{"prompt", "c"}, {"chosen", "same"}, {"rejected", "same"}}});
    o.max_length = 64;
    o.threads = 2;
    return o;
  }
  std::vector<OrderedJson> rows_of(const ScoreOptions& options) {
    std::vector<OrderedJson> rows;
    summary_ = score_preferences(options, monitor_, stop_,
                                 [&](const OrderedJson& row) { rows.push_back(row); });
    return rows;
  }
  ScoreSummary summary_;
};

TEST_F(Scores, AModelAgainstItselfHasNoMargin) {
  auto o = score_options();
  o.reference = o.model;
  const auto rows = rows_of(o);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["id"], "one");
  EXPECT_EQ(rows[0]["source"], "s");
  for (const auto& row : rows) {
    EXPECT_EQ(row["margin"], 0.0);
    EXPECT_EQ(row["log_probs"], row["reference_log_probs"]);
    EXPECT_NEAR(row["loss"].get<double>(), std::log(2.0), 1e-12);
  }
  EXPECT_EQ(summary_.refused.at("equal_sides"), 1);
}

TEST_F(Scores, KeptLogProbabilitiesAreThoseOfTheModelAndNoOther) {
  auto o = score_options();
  const auto rows = rows_of(o);
  o.references = (dir_ / "kept").string();
  EXPECT_EQ(rows_of(o), rows);
  const auto files = list_files(dir_ / "kept");
  ASSERT_EQ(files.size(), 1u);
  const auto written = fs::last_write_time(files[0]);
  EXPECT_EQ(rows_of(o), rows);
  EXPECT_EQ(fs::last_write_time(files[0]), written);
  std::string text = read_file(files[0]);
  const size_t at = text.find("\"model\":\"") + 9;
  text[at] = text[at] == '0' ? '1' : '0';
  write_file_atomic(files[0], text);
  EXPECT_EQ(kind_of([&] { rows_of(o); }), ErrorKind::invalid);
}

TEST_F(Scores, WithoutAReferenceRewardsAreOfTheLogProbabilities) {
  auto o = score_options();
  for (const auto& row : rows_of(o)) {
    EXPECT_FALSE(row.contains("reference_log_probs"));
    for (size_t i = 0; i < 2; ++i)
      EXPECT_NEAR(row["rewards"][i].get<double>(), 0.1 * row["log_probs"][i].get<double>(), 1e-12);
  }
  o.loss = "simpo";
  for (const auto& row : rows_of(o))
    EXPECT_NEAR(row["rewards"][0].get<double>(),
                0.1 * row["log_probs"][0].get<double>() / row["tokens"][0].get<double>(), 1e-12);
}

TEST_F(Scores, LossesAreTheObjectives) {
  auto o = score_options();
  const auto model = model::Decoder::load(o.model);
  const auto tokenizer = text::load_tokenizer(o.model);
  const auto format = text::ChatFormat::load(o.model, *tokenizer);
  const auto pairs =
      encode_preferences(text::load_preferences(o.data, 0).rows, format, 64, 0).train;
  const c10::AutoGradMode no_grad(false);
  for (const char* loss : {"orpo", "cpo", "sigmoid+sft"}) {
    o.loss = loss;
    const auto rows = rows_of(o);
    const auto objective = preference_objective(loss_formula(o));
    for (size_t i = 0; i < pairs.size(); ++i) {
      const PreferenceBatches one({pairs[i]}, {PairScore{}}, {.order = {.batch_size = 1}});
      EXPECT_NEAR(objective->loss(model, one.step(1).front()).sum.item<double>(),
                  rows[i]["loss"].get<double>(), 1e-4)
          << loss;
    }
  }
  o.loss = "kto";
  for (const auto& row : rows_of(o)) EXPECT_TRUE(std::isfinite(row["loss"].get<double>()));
}

}  // namespace
}  // namespace helio::train
