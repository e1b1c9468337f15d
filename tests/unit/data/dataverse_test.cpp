// Dataverse's configurations, unmodified: what becomes of every block, and what is refused.
#include "data/dataverse/dataverse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "data/steps.h"

namespace helio::data {
namespace {

DataverseRecipe read(const std::string& yaml) {
  return read_dataverse(parse_yaml(yaml, "dv.yaml"));
}

std::string problem(const std::string& yaml) {
  try {
    read(yaml);
  } catch (const Error& error) {
    return error.message() + " | " + error.hint();
  }
  return "no error";
}

std::string with_blocks(const std::string& blocks) {
  return "etl:\n  - name: data_ingestion___parquet___pq2raw\n    args: {path: in.parquet}\n" +
         blocks;
}

std::string block(const std::string& name, const std::string& args = "") {
  return "  - name: " + name + "\n" + (args.empty() ? "" : "    args: {" + args + "}\n");
}

// The one step a block becomes, as JSON on one line, after a check that helio can make it.
std::string step_of(const std::string& name, const std::string& args = "") {
  const DataverseRecipe recipe = read(with_blocks(block(name, args)));
  EXPECT_EQ(recipe.steps.items().size(), 1u) << name;
  read_steps(recipe.steps);
  return recipe.steps.items().at(0).json().dump();
}

TEST(Dataverse, AConfigurationIsToldFromARecipe) {
  EXPECT_TRUE(is_dataverse(parse_yaml("spark: {master: local}\netl: []\n", "x")));
  EXPECT_TRUE(is_dataverse(parse_yaml("etl: []\n", "x")));
  EXPECT_FALSE(is_dataverse(parse_yaml("steps: []\n", "x")));
  EXPECT_FALSE(is_dataverse(parse_yaml("- a\n", "x")));
}

// The quick start of Dataverse's page in form: settings, a hub's data set by a local copy,
// sampling, fuzzy duplicates of one column, Parquet.
TEST(Dataverse, AQuickStartRunsAsItIs) {
  const DataverseRecipe recipe = read(R"(spark:
  appname: ETL
  driver: {memory: 16g}
  master: local[4]
etl:
  - name: data_ingestion___huggingface___hf2raw
    args: {name_or_path: ./ai2_arc, split: train, from_disk: True}
  - name: utils___sampling___random
    args: {sample_n_or_frac: 0.5}
  - name: deduplication___minhash___lsh_jaccard
    args: {threshold: 0.1, ngram_size: 5, subset: question}
  - name: data_save___parquet___ufl2parquet
    args: {save_path: ./guideline/etl/sample/quickstart.parquet}
)");
  ASSERT_EQ(recipe.inputs.size(), 1u);
  EXPECT_EQ(recipe.inputs[0].json().dump(),
            R"({"path":"./ai2_arc/train/**/*.arrow","format":"arrow","keep_columns":true,)"
            R"("text_column":"question"})");
  ASSERT_EQ(recipe.outputs.size(), 1u);
  EXPECT_EQ(recipe.outputs[0].json().dump(),
            R"({"path":"./guideline/etl/sample/quickstart.parquet","format":"parquet"})");
  const auto steps = read_steps(recipe.steps);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].name, "mix.sample");
  EXPECT_EQ(steps[1].name, "dedup.minhash");
  EXPECT_EQ(recipe.notes,
            (std::vector<std::string>{
                "dv.yaml:2:3: spark.appname is not used: there is no application to name",
                "dv.yaml:3:12: spark.driver.memory is not used: --memory bounds what a run holds",
                "dv.yaml:4:3: spark.master is not used: helio runs on this machine; --threads says "
                "on how many cores"}));
}

TEST(Dataverse, AllFortyThreeNamesAndTheLostOneAreKnown) {
  std::set<std::string> names;
  int older = 0;
  for (const std::string& name : dataverse_blocks()) {
    names.insert(name);
    older += name.starts_with("data_load___");
  }
  EXPECT_EQ(older, 4);  // the names that data_save's blocks had before
  EXPECT_EQ(names.size(), 44u + 4u);
  EXPECT_TRUE(names.contains("cleaning___korean___filter_by_ratio"));
}

TEST(Dataverse, CleaningBlocksAreOurOperatorsWithTheOriginalsDefaults) {
  EXPECT_EQ(step_of("cleaning___char___normalize_whitespace"), R"({"op":"clean.whitespace"})");
  EXPECT_EQ(step_of("cleaning___char___remove_unprintable"),
            R"({"op":"clean.control","invisible":"keep"})");
  EXPECT_EQ(step_of("cleaning___char___remove_accent"), R"({"op":"clean.accents"})");
  EXPECT_EQ(step_of("cleaning___unicode___remove_punct"),
            R"({"op":"clean.punctuation","mode":"remove"})");
  EXPECT_EQ(step_of("cleaning___unicode___replace_punct"), R"({"op":"clean.punctuation"})");
  EXPECT_EQ(step_of("cleaning___unicode___normalize"), R"({"op":"clean.unicode","layout":"keep"})");
  EXPECT_EQ(step_of("cleaning___html___extract_plain_text", "use_trafilatura: True"),
            R"({"op":"extract.html","documents":"all"})");
  EXPECT_EQ(step_of("cleaning___korean___filter_by_ratio"),
            R"({"op":"filter.hangul_ratio","unit":"word","min_ratio":0.5})");
  EXPECT_EQ(step_of("cleaning___korean___filter_by_ratio", "filter_type: char, korean_ratio: 0.3"),
            R"({"op":"filter.hangul_ratio","unit":"char","min_ratio":0.3})");
  EXPECT_EQ(step_of("cleaning___korean___reduce_emoticon"),
            R"({"op":"clean.emoticons","num_repeats":2})");
  EXPECT_EQ(step_of("cleaning___length___char_len_filter", "min_len: 10"),
            R"({"op":"filter.length","min_words":0,"min_chars":10,"max_chars":0})");
  EXPECT_EQ(step_of("cleaning___length___word_len_filter", "max_len: 50"),
            R"({"op":"filter.length","min_words":0,"max_words":50})");
  EXPECT_EQ(step_of("cleaning___number___normalize"), R"({"op":"clean.numbers","assign":0})");
  EXPECT_EQ(step_of("cleaning___number___normalize", "assign_number: 7"),
            R"({"op":"clean.numbers","assign":7})");
}

TEST(Dataverse, OtherBlocksToo) {
  EXPECT_EQ(step_of("deduplication___exact___column"), R"({"op":"dedup.exact"})");
  EXPECT_EQ(step_of("deduplication___exact___column", "subset: [text]"), R"({"op":"dedup.exact"})");
  EXPECT_EQ(step_of("deduplication___common_crawl___exact_line"),
            R"({"op":"dedup.lines","min_chars":1})");
  EXPECT_EQ(step_of("deduplication___polyglot___minhash"),
            R"({"op":"dedup.minhash","n_grams":15,"buckets":5,"hashes_per_bucket":11,"seed":1,)"
            R"("min_similarity":0.8})");
  EXPECT_EQ(step_of("pii___card___replace_card_number"),
            R"({"op":"pii.mask","kinds":["card"],"mode":"surrogate"})");
  EXPECT_EQ(step_of("pii___nin___replace_korean_rrn", "replace_pii: True, start_token: <"),
            R"({"op":"pii.mask","kinds":["rrn","frn"],"mode":"tag","tag":"[NIN]","before":"<"})");
  EXPECT_EQ(step_of("pii___card___replace_card_number", "random_pii: False, end_token: '>'"),
            R"({"op":"pii.mask","kinds":["card"],"mode":"keep","after":">"})");
  // Making this one needs lid.176.ftz.
  const DataverseRecipe languages =
      read(with_blocks(block("quality___language___fasttext_filter", "whitelist: [ko, en]")));
  EXPECT_EQ(languages.steps.items().at(0).json().dump(),
            R"({"op":"language.fasttext","languages":["ko","en"],"threshold":0,)"
            R"("compare":"at_least","top_k":1,"score_rounding":2})");
  EXPECT_EQ(step_of("utils___sampling___random"),
            R"({"op":"mix.sample","fraction":0.1,"seed":42})");
  EXPECT_EQ(step_of("utils___sampling___random", "sample_n_or_frac: 100, seed: 7"),
            R"({"op":"mix.sample","documents":100,"seed":7})");
  const DataverseRecipe counted = read(with_blocks(block("utils___log___count")));
  EXPECT_TRUE(counted.steps.items().empty());
  EXPECT_EQ(counted.notes.size(), 1u);
}

TEST(Dataverse, EveryReadingBlockNamesItsFiles) {
  const auto inputs = [](const std::string& name, const std::string& args) {
    std::string out;
    for (const Node& input : read("etl:\n" + block("data_ingestion___" + name, args)).inputs)
      out += input.json().dump();
    return out;
  };
  EXPECT_EQ(inputs("arrow___hf2raw", "path: data"),
            R"({"path":"data/**/*.arrow","format":"arrow","keep_columns":true})");
  EXPECT_EQ(inputs("common_crawl___wet2raw", "wet_path: wet/"),
            R"({"path":"wet/**/*.wet*","format":"wet"})");
  EXPECT_EQ(inputs("csv___csv2raw", "path: [a.csv, b.csv]"),  // two crash the original
            R"({"path":"a.csv","format":"csv","keep_columns":true})"
            R"({"path":"b.csv","format":"csv","keep_columns":true})");
  EXPECT_EQ(inputs("red_pajama___parquet2ufl", "input_paths: [x.parquet]"),
            R"({"path":"x.parquet","format":"parquet","keep_columns":true})");
  EXPECT_EQ(inputs("slim_pajama___hf2ufl", "name_or_path: ./slim"),
            R"({"path":"./slim","keep_columns":true})");
  EXPECT_EQ(inputs("huggingface___hf2raw", "name_or_path: ./d, split: train"),
            R"({"path":"./d/**/*train*","keep_columns":true})");
  for (const std::string name :
       {"common_crawl___raw2ufl", "cultura_x___raw2ufl", "red_pajama___raw2ufl_templatev1",
        "red_pajama___raw2ufl_templatev2"})
    EXPECT_TRUE(read(with_blocks(block("data_ingestion___" + name))).steps.items().empty());
}

TEST(Dataverse, TwoColumnsPutTogetherAreTwoReadings) {
  const DataverseRecipe recipe =
      read(with_blocks(block("cleaning___table___merge_col_vertical", "col1: q, col2: a") +
                       block("cleaning___char___remove_accent", "subset: merge_col")));
  ASSERT_EQ(recipe.inputs.size(), 2u);
  EXPECT_EQ(recipe.inputs[0].find("text_column")->text(), "q");
  EXPECT_EQ(recipe.inputs[1].find("text_column")->text(), "a");
}

TEST(Dataverse, BlocksThatSaveNameTheirFolderAndForm) {
  for (const std::string family : {"data_save___", "data_load___"}) {
    const DataverseRecipe recipe =
        read(with_blocks(block(family + "huggingface___ufl2hf", "save_path: out, repartition: 1")));
    ASSERT_EQ(recipe.outputs.size(), 1u);
    EXPECT_EQ(recipe.outputs[0].json().dump(), R"({"path":"out","format":"arrow"})");
    EXPECT_EQ(recipe.notes.size(), 1u);
    EXPECT_NE(problem(with_blocks(block(family + "huggingface___ufl2hf_hub", "hub_path: a/b")))
                  .find("does not upload"),
              std::string::npos);
    EXPECT_EQ(read(with_blocks(block(family + "huggingface___ufl2hf_obj"))).notes.size(), 1u);
  }
}

TEST(Dataverse, WhatIsUnknownIsAnErrorWithItsPlaceAndTheNearestName) {
  EXPECT_EQ(problem("spark: {mastr: x}\netl: []\n"),
            "dv.yaml:1:9: unknown key of spark 'mastr' | did you mean 'master'? known are master, "
            "appname, driver, driver, executor, local, ui, verbose");
  EXPECT_EQ(problem("sparks: {}\netl: []\n").substr(0, 69),
            "dv.yaml:1:1: unknown key 'sparks' | did you mean 'spark'? known are s");
  EXPECT_EQ(problem(with_blocks(block("cleaning___unicode___normalise"))),
            "dv.yaml:4:11: unknown block 'cleaning___unicode___normalise' | did you mean "
            "'cleaning___unicode___normalize'? ");
  EXPECT_EQ(problem(with_blocks(block("cleaning___number___normalize", "asign_number: 1"))),
            "dv.yaml:5:12: unknown argument of cleaning___number___normalize 'asign_number' | did "
            "you mean 'assign_number'? known are subset, assign_number");
  EXPECT_EQ(problem(with_blocks(block("cleaning___number___normalize", "assign_number: x"))),
            "dv.yaml:5:27: 'assign_number' is a whole number, not 'x' | ");
  EXPECT_EQ(problem("etl:\n  - nam: x\n").substr(0, 40),
            "dv.yaml:2:5: unknown key of a block 'nam");
  EXPECT_EQ(problem("etl: []\n"), "dv.yaml:1:6: 'etl' lists the blocks to run | ");
  EXPECT_EQ(problem("etl:\n" + block("cleaning___unicode___normalize")).substr(0, 38),
            "dv.yaml:2:3: no block reads anything |");
}

TEST(Dataverse, WhatCannotBeDoneSaysWhatToDoInstead) {
  const auto says = [](const std::string& yaml, const std::string& text) {
    EXPECT_NE(problem(yaml).find(text), std::string::npos) << problem(yaml);
  };
  says("etl:\n" + block("data_ingestion___huggingface___hf2raw", "name_or_path: [ai2_arc, X]"),
       "write name_or_path: ./FOLDER");
  says("etl:\n" + block("data_ingestion___red_pajama___hf2raw"), "dataset of a hub");
  says("etl:\n" + block("data_ingestion___common_crawl___dump2raw", "dump: CC-MAIN-2023-23"),
       "data_ingestion___common_crawl___wet2raw");
  says("etl:\n" + block("data_ingestion___test___generate_fake_ufl"), "JSONL");
  says("etl:\n" + block("data_ingestion___arrow___hf2raw", "path: a, sample_n: 3"),
       "utils___sampling___random");
  says(with_blocks(block("cleaning___document___split_by_word") +
                   block("cleaning___unicode___normalize")),
       "to just before the saving");
  says(with_blocks(block("utils___statistics___korean_nouns")), "leave the block out");
  says(with_blocks(block("utils___sampling___random", "replace: True")), "replace: false");
  says(with_blocks(block("cleaning___length___char_len_filter")), "one of 'min_len' and 'max_len'");
  says(with_blocks(block("pii___card___replace_card_number", "pattern: abc")), "takes no pattern");
  says(with_blocks(block("cleaning___unicode___normalize") +
                   block("cleaning___char___remove_accent", "subset: title")),
       "an earlier one on 'text' (dv.yaml:4:11)");
  says(with_blocks(block("data_save___parquet___ufl2parquet", "save_path: x") +
                   block("cleaning___unicode___normalize")),
       "no block can follow");
}

TEST(Dataverse, DocumentsAreCutAsTheyAreWritten) {
  const DataverseRecipe recipe =
      read(with_blocks(block("cleaning___document___split_by_word", "word_per_chunk: 7") +
                       block("data_save___parquet___ufl2parquet", "save_path: x")));
  EXPECT_TRUE(recipe.steps.items().empty());
  EXPECT_EQ(recipe.outputs.at(0).json().dump(),
            R"({"path":"x","format":"parquet","chunk_words":7})");
}

TEST(Dataverse, ArgumentsWithoutMeaningHereAreNoted) {
  const DataverseRecipe recipe =
      read("etl:\n" + block("data_ingestion___parquet___pq2raw", "path: a, repartition: 20") +
           block("deduplication___minhash___lsh_jaccard",
                 "id_col: x, duplicates_save_path: d, min_length: 9") +
           "emr: {id: 1}\n");
  ASSERT_EQ(recipe.notes.size(), 5u);
  const auto& notes = recipe.notes;
  for (const char* note :
       {"dv.yaml:3:34: 'repartition' is not used: a setting of Spark's partitions",
        "dv.yaml:6:1: emr is not used: helio starts no clusters"})
    EXPECT_EQ(std::count(notes.begin(), notes.end(), note), 1) << note;
}

// datasketch's optimal_param(threshold, permutations, 0.5, 0.5), recorded from the original's
// package by tools/record/dataverse_blocks.py.
TEST(Dataverse, BandsAreThoseOfTheOriginal) {
  const auto bands = [](double threshold, int permutations) {
    const MinHashBands best = best_bands(threshold, permutations);
    return std::pair(best.bands, best.rows);
  };
  EXPECT_EQ(bands(0.7, 256), std::pair(25, 10));
  EXPECT_EQ(bands(0.7, 250), std::pair(25, 10));
  EXPECT_EQ(bands(0.1, 250), std::pair(117, 2));
  EXPECT_EQ(bands(0.9, 128), std::pair(5, 25));
  EXPECT_EQ(bands(0.5, 64), std::pair(14, 4));
  EXPECT_EQ(bands(0.8, 64), std::pair(5, 11));
}

}  // namespace
}  // namespace helio::data
