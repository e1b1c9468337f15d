#include "jobs/registry.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "jobs/lineage.h"

namespace helio::jobs {
namespace {

// lots -> dataset -> tokens -> base -> up -> evaluation, as the recipe makes them.
class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    make("lots/club/news", "lot", {});
    make("lots/club/law", "lot", {});
    make("lots/club", "lots", {{"lot", "lots/club/news"}, {"lot", "lots/club/law"}});
    make("datasets/clean", "dataset", {{"lots", "lots/club"}});
    make("tokens/clean", "tokens", {{"dataset", "datasets/clean"}});
    make("models/base", "model", {{"tokens", "tokens/clean"}});
    make("models/up", "model", {{"model", "models/base"}});
    make("evals/all", "evaluation", {{"models", "models/base"}, {"models", "models/up"}});
  }
  void make(const std::string& path, const std::string& kind,
            const std::vector<std::pair<std::string, std::string>>& inputs,
            const std::string& text = "") {
    Manifest manifest{.kind = kind,
                      .name = fs::path(path).filename().string(),
                      .made_by = "test",
                      .version = "0",
                      .code = "0"};
    if (kind == "lot") manifest.facts = {{"partner", "신문사"}, {"words", 12}};
    for (const auto& [role, from] : inputs)
      manifest.inputs.push_back(describe_input(role, workspace_ / from));
    write_file_atomic(workspace_ / path / "data.txt", text.empty() ? path : text);
    seal_artefact(workspace_ / path, manifest, {kManifestName});
  }

  static std::vector<std::string> paths(const Registry& registry,
                                        const std::vector<LineageStep>& steps) {
    std::vector<std::string> out;
    for (const LineageStep& step : steps)
      out.push_back(step.artefact < 0 ? "(" + step.input.name + ")"
                                      : registry.artefacts()[size_t(step.artefact)].path +
                                            (step.repeated ? " again" : ""));
    return out;
  }

  ErrorKind kind_of_find(const std::string& name) const {
    try {
      Registry(workspace_).find(name);
    } catch (const Error& error) {
      hint_ = error.hint();
      return error.kind();
    }
    ADD_FAILURE() << name << " was found";
    return ErrorKind::internal;
  }

  const TempDir temp_;
  const fs::path workspace_ = temp_.path();
  mutable std::string hint_ = {};
};

using Paths = std::vector<std::string>;

TEST_F(RegistryTest, IndexesEveryManifest) {
  const Registry registry(workspace_);
  Paths found;
  for (const Artefact& artefact : registry.artefacts()) found.push_back(artefact.path);
  EXPECT_EQ(found, (Paths{"datasets/clean", "evals/all", "lots/club", "lots/club/law",
                          "lots/club/news", "models/base", "models/up", "tokens/clean"}));
  EXPECT_EQ(registry.artefacts()[4].facts.at("partner"), "신문사");
  EXPECT_TRUE(registry.problems().empty());
  EXPECT_TRUE(fs::exists(workspace_ / kRegistryName));
}

TEST_F(RegistryTest, WalksBackToTheLotsAndForwardToTheEvaluations) {
  const Registry registry(workspace_);
  const Lineage up = trace(registry, registry.find("models/up"));
  EXPECT_EQ(paths(registry, up.made_from), (Paths{"models/base", "tokens/clean", "datasets/clean",
                                                  "lots/club", "lots/club/news", "lots/club/law"}));
  EXPECT_EQ(paths(registry, up.used_by), (Paths{"evals/all"}));
  ASSERT_EQ(up.lots.size(), 2u);
  EXPECT_EQ(registry.artefacts()[up.lots[0]].path, "lots/club/law");

  const Lineage news = trace(registry, registry.find("news"));
  EXPECT_TRUE(news.made_from.empty());
  EXPECT_EQ(paths(registry, news.used_by),
            (Paths{"lots/club", "datasets/clean", "tokens/clean", "models/base", "evals/all",
                   "models/up", "evals/all again"}));
  EXPECT_EQ(news.lots.size(), 1u);
}

TEST_F(RegistryTest, DepthAndLastDescribeTheTree) {
  const Registry registry(workspace_);
  const Lineage lineage = trace(registry, registry.find("datasets/clean"));
  ASSERT_EQ(lineage.made_from.size(), 3u);
  EXPECT_EQ(lineage.made_from[0].depth, 1);
  EXPECT_TRUE(lineage.made_from[0].last);
  EXPECT_EQ(lineage.made_from[1].depth, 2);
  EXPECT_FALSE(lineage.made_from[1].last);
  EXPECT_TRUE(lineage.made_from[2].last);
}

TEST_F(RegistryTest, AnInputThatIsGoneIsStillNamed) {
  fs::remove_all(workspace_ / "tokens");
  const Registry registry(workspace_);
  const Lineage base = trace(registry, registry.find("base"));
  EXPECT_EQ(paths(registry, base.made_from), (Paths{"(clean)"}));
  EXPECT_EQ(base.made_from[0].input.kind, "tokens");
}

TEST_F(RegistryTest, FindsByPathOnDiskAndByHash) {
  const Registry registry(workspace_);
  const size_t base = registry.find("models/base");
  EXPECT_EQ(registry.find("models/base/"), base);
  EXPECT_EQ(registry.find((workspace_ / "models/base").string()), base);
  EXPECT_EQ(registry.find(registry.artefacts()[base].content.substr(0, 12)), base);
}

TEST_F(RegistryTest, UnknownAndAmbiguousNamesSayWhatThereIs) {
  EXPECT_EQ(kind_of_find("modles/base"), ErrorKind::not_found);
  EXPECT_NE(hint_.find("did you mean 'models/base'"), std::string::npos) << hint_;
  EXPECT_EQ(kind_of_find("clean"), ErrorKind::usage);
  EXPECT_EQ(kind_of_find("0123456789abcdef"), ErrorKind::not_found);
  EXPECT_THROW(Registry(workspace_ / "none"), Error);
}

TEST_F(RegistryTest, EqualContentIsToldApartByName) {
  make("models/copy", "model", {{"model", "models/base"}}, "models/base");
  make("models/child", "model", {{"model", "models/copy"}});
  const Registry registry(workspace_);
  ASSERT_EQ(registry.artefacts()[registry.find("copy")].content,
            registry.artefacts()[registry.find("base")].content);
  const Lineage child = trace(registry, registry.find("child"));
  EXPECT_EQ(paths(registry, child.made_from)[0], "models/copy");
  EXPECT_EQ(paths(registry, child.made_from)[1], "models/base");
}

TEST_F(RegistryTest, FollowsChangesAndRemovals) {
  { const Registry registry(workspace_); }
  make("models/base", "model", {{"tokens", "tokens/clean"}}, "trained again");
  fs::remove_all(workspace_ / "evals");
  make("models/new", "model", {{"model", "models/base"}});
  const Registry registry(workspace_);
  EXPECT_EQ(registry.artefacts()[registry.find("base")].content,
            load_manifest(workspace_ / "models/base").content);
  EXPECT_EQ(kind_of_find("evals/all"), ErrorKind::not_found);
  EXPECT_EQ(paths(registry, trace(registry, registry.find("base")).used_by), Paths{"models/new"});
}

TEST_F(RegistryTest, ADamagedOrForeignIndexIsMadeAgain) {
  const size_t count = Registry(workspace_).artefacts().size();
  const auto file = workspace_ / kRegistryName;
  const std::string whole = read_file(file);
  std::string scrambled = whole;
  for (size_t i = 4096; i < scrambled.size(); ++i) scrambled[i] = static_cast<char>(i * 37);
  for (const std::string& bytes :
       {std::string("not a database at all, but long enough to be read as one"),
        whole.substr(0, whole.size() / 2), scrambled, std::string()}) {
    write_file_atomic(file, bytes);
    EXPECT_EQ(Registry(workspace_).artefacts().size(), count);
    EXPECT_GT(fs::file_size(file), 4096u);
  }
  fs::remove(file);
  EXPECT_EQ(Registry(workspace_).artefacts().size(), count);
}

TEST_F(RegistryTest, WorksWhereTheIndexCannotBeKept) {
  fs::create_directories(workspace_ / kRegistryName / "in the way");
  EXPECT_EQ(Registry(workspace_).artefacts().size(), 8u);
}

TEST_F(RegistryTest, ADamagedManifestIsReportedAndTheRestStands) {
  write_file_atomic(workspace_ / "models/up" / kManifestName, "{\"kind\": \"mod");
  const Registry registry(workspace_);
  EXPECT_EQ(registry.artefacts().size(), 7u);
  ASSERT_EQ(registry.problems().size(), 1u);
  EXPECT_NE(registry.problems()[0].find("models/up"), std::string::npos);
}

TEST_F(RegistryTest, HalfMadeFoldersAreNotArtefacts) {
  make("models/.helio-tmp-x", "model", {});
  EXPECT_EQ(Registry(workspace_).artefacts().size(), 8u);
}

TEST_F(RegistryTest, ManyMayUseItAtOnce) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 10; ++round) {
        if (t == 0) make("models/t", "model", {{"model", "models/base"}}, std::to_string(round));
        if (t == 1 && round % 3 == 0) fs::remove(workspace_ / kRegistryName);
        try {
          const size_t count = Registry(workspace_).artefacts().size();
          if (count != 8 && count != 9) ++wrong;
        } catch (const std::exception&) {
          ++wrong;
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Registry(workspace_).artefacts().size(), 9u);
}

}  // namespace
}  // namespace helio::jobs
