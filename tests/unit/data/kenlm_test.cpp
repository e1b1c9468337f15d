// KenLM models: equal to KenLM's answers and tables (recorded by tools/record/kenlm_models.py), and
// safe whatever the file holds.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/rng.h"
#include "data/kenlm/arpa.h"
#include "data/kenlm/perplexity.h"
#include "temp_dir.h"
#include "text/unicode.h"

namespace helio::data::kenlm {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/kenlm";

const Json& golden() {
  static const Json json = load_json(kFixtures / "golden.json");
  return json;
}

// Where the tables begin in a binary file of this order.
size_t header_of(size_t order) { return (88 + 20 + 8 * order + 7) / 8 * 8; }

class KenlmModels : public testing::TestWithParam<const char*> {};

TEST_P(KenlmModels, ScoreAsKenlmDoesToTheLastBit) {
  const Model model(kFixtures / GetParam());
  const Json& recorded = golden()["models"].at(GetParam());
  EXPECT_EQ(model.order(), recorded["order"].get<size_t>());
  const Json& sentences = golden()["sentences"];
  ASSERT_EQ(sentences.size(), recorded["scores"].size());
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto sentence = sentences[i].get<std::string>();
    EXPECT_EQ(model.score_sentence(text::split_words(sentence)), recorded["scores"][i].get<float>())
        << sentence;
  }
}

INSTANTIATE_TEST_SUITE_P(Data, KenlmModels,
                         testing::Values("good.arpa", "bad.arpa", "bigram.arpa", "no_unk.arpa",
                                         "pruned.arpa", "good.bin", "good_no_words.bin",
                                         "bigram.bin", "no_unk.bin", "pruned.bin",
                                         "pruned_default.bin"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

// Blanks for pruned n-grams included: what an ARPA file becomes is what build_binary writes.
TEST(Kenlm, TablesFromArpaAreBuildBinarysBytes) {
  for (const auto& [arpa, binary] :
       {std::pair("good.arpa", "good.bin"), std::pair("bigram.arpa", "bigram.bin"),
        std::pair("no_unk.arpa", "no_unk.bin"), std::pair("pruned.arpa", "pruned_default.bin")}) {
    const Built built = read_arpa(kFixtures / arpa);
    const std::string file = read_file(kFixtures / binary);
    const std::string body =
        file.substr(header_of(built.parts.tables.size() + 1), built.parts.size);
    ASSERT_EQ(built.bytes.size(), body.size()) << arpa;
    EXPECT_TRUE(built.bytes == body) << arpa;
  }
}

TEST(Kenlm, CompressedArpaIsTheSameModel) {
  EXPECT_EQ(read_arpa(kFixtures / "good.arpa.gz").bytes, read_arpa(kFixtures / "good.arpa").bytes);
}

TEST(Kenlm, TextsAreNormalisedAsDatatroveAndCcnetDo) {
  const Json& texts = golden()["normalized"]["texts"];
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto text = texts[i].get<std::string>();
    EXPECT_EQ(normalize(text, Normalization::datatrove),
              golden()["normalized"]["datatrove"][i].get<std::string>());
    EXPECT_EQ(normalize(text, Normalization::ccnet),
              golden()["normalized"]["ccnet"][i].get<std::string>());
  }
}

TEST(Kenlm, PerplexityOfDocumentsIsDatatroves) {
  const Json& documents = golden()["documents"];
  for (const char* form : {"none", "datatrove"}) {
    const Perplexity perplexity((kFixtures / "good.bin").string(), {.normalization = form});
    for (size_t i = 0; i < documents["texts"].size(); ++i) {
      const double expected = documents[form][i].get<double>();
      EXPECT_NEAR(perplexity.of(documents["texts"][i].get<std::string>()), expected,
                  1e-9 * expected);
    }
  }
}

std::string refused(const std::function<void()>& open) {
  try {
    open();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(Kenlm, OtherStructuresAreNamedWithTheWayOut) {
  const std::string trie = refused([] { const Model model(kFixtures / "trie.bin"); });
  EXPECT_NE(trie.find("its data structure is 'trie'"), std::string::npos) << trie;
  EXPECT_NE(trie.find("build_binary probing"), std::string::npos) << trie;
  EXPECT_THROW(Model(fs::path("/nonexistent/m.bin")), Error);
}

TEST(Kenlm, WhatIsWrongInAnArpaFileIsToldWithItsLine) {
  TempDir dir;
  const std::string good = read_file(kFixtures / "good.arpa");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    const size_t at = bytes.find(from);
    EXPECT_NE(at, bytes.npos) << from;
    bytes.replace(at, from.size(), to);
    const fs::path file = dir.write("x.arpa", bytes);
    return refused([&] { read_arpa(file); });
  };
  const auto has = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(with("\\data\\", "data"), "x.arpa:2: it does not begin with \\data\\");
  has(with("ngram 2=", "ngram 2=9"), "fewer 2-grams than");
  has(with("ngram 2=", "ngram 2=9999999999"), "fewer 2-grams than");
  has(with("ngram 2=", "ngram 2=99999999999999"), "more n-grams are claimed");
  has(with("ngram 1=", "ngram 1=4294967295"), "");
  has(with("\\3-grams:", "\\4-grams:"), "'\\3-grams:' is wanted here");
  has(with("\t</s>\t", "\t<end>\t"), "there is no unigram </s>");
  has(with("\\end\\", ""), "ends in the middle");
  has(with("-99\t<s>", "nan\t<s>"), "'nan' is no number");
  has(with("-99\t<s>", "1\t<s>"), "above 0");
  has(refused([&] { read_arpa(dir.write("y.arpa", std::string(3 << 20, 'x'))); }), "y.arpa");
}

// Cut short anywhere, or with bytes changed anywhere: an Error or a model that still answers, but
// never a fault (run under the sanitizers too).
TEST(Kenlm, DamagedFilesNeverHarm) {
  TempDir dir;
  int told = 0, accepted = 0;
  const auto words = text::split_words("the results 결과는 표와 unknown click here are shown");
  const auto attempt = [&](const std::string& bytes, const std::string& name) {
    try {
      const auto score = [&](const Model& model) {
        model.score_sentence(words);
        ++accepted;
      };
      if (name.ends_with(".bin")) score(Model(bytes, name));
      else score(Model(dir.write(name, bytes)));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.what();
      ++told;
    }
  };
  Rng rng(5);
  for (const char* name : {"good.bin", "pruned.bin", "pruned.arpa", "good.arpa.gz"}) {
    const std::string good = read_file(kFixtures / name);
    for (int i = 0; i < 60; ++i) attempt(good.substr(0, rng.below(good.size())), name);
    if (std::string_view(name).ends_with(".bin"))
      for (size_t at = 0; at < 160; ++at)
        for (const int value : {0, 1, 0x7F, 0x80, 0xFF}) {
          std::string bad = good;
          bad[at] = char(value);
          attempt(bad, name);
        }
    for (int i = 0; i < 300; ++i) {
      std::string bad = good;
      for (uint64_t n = 1 + rng.below(4); n > 0; --n)
        bad[rng.below(bad.size())] = char(rng.below(256));
      attempt(bad, name);
    }
  }
  // No free bucket and none that fits: a search still ends.
  std::string full = read_file(kFixtures / "good.bin");
  std::fill(full.begin() + long(header_of(3)) + 8, full.end(), '\x55');
  attempt(full, "full.bin");
  EXPECT_GT(told, 300);
  EXPECT_GT(accepted, 300);
}

}  // namespace
}  // namespace helio::data::kenlm
