#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <csignal>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/file_hashes.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/metrics.h"
#include "core/rng.h"

namespace helio {
namespace {

class Files : public ::testing::Test {
 protected:
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(dir_), {}));
  }
  const TempDir temp_;
  const fs::path dir_ = temp_.path();
};

std::vector<std::string> lines_of(const fs::path& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  std::string_view line;
  while (reader.next(line)) lines.emplace_back(line);
  return lines;
}

TEST_F(Files, AnAtomicFileAppearsOnlyOnCommit) {
  {
    AtomicFile file(dir_ / "x");
    file.write("half");
    EXPECT_FALSE(fs::exists(dir_ / "x"));
  }
  EXPECT_EQ(entries(), 0u);  // the temporary is gone too
  write_file_atomic(dir_ / "x", "whole");
  EXPECT_EQ(read_file(dir_ / "x"), "whole");
}

TEST_F(Files, AFullDiskGivesOneErrorAndLeavesNothing) {
  // A limit on file size stands for a full disk: write(2) fails in the middle.
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int code = 1;
    try {
      AtomicFile file(dir_ / "big");
      for (int i = 0; i < 4; ++i) file.write(std::string(1 << 20, 'x'));
      file.commit();
    } catch (const Error& error) {
      code = std::string(error.what()).find("cannot write") != std::string::npos ? 0 : 2;
    }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(entries(), 0u);
}

TEST_F(Files, AStagedFolderReplacesTheOldOneWhole) {
  write_file_atomic(dir_ / "out" / "old", "1");
  {
    StagedDir staged(dir_ / "out");
    write_file_atomic(staged.path() / "new", "2");
  }
  EXPECT_TRUE(fs::exists(dir_ / "out" / "old"));
  StagedDir staged(dir_ / "out");
  write_file_atomic(staged.path() / "new", "2");
  staged.commit();
  EXPECT_FALSE(fs::exists(dir_ / "out" / "old"));
  EXPECT_EQ(read_file(dir_ / "out" / "new"), "2");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, StagingOfADeadProcessIsCleared) {
  const pid_t child = fork();
  if (child == 0) {
    StagedDir staged(dir_ / "out");
    write_file_atomic(staged.path() / "half", "x");
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_EQ(entries(), 1u);
  StagedDir staged(dir_ / "out");
  staged.commit();
  EXPECT_EQ(entries(), 1u);
  EXPECT_TRUE(fs::is_empty(dir_ / "out"));
}

TEST_F(Files, AFileThatChangedIsHashedAnew) {
  FileHashes hashes;
  const fs::path file = dir_ / "weights";
  const auto written = [&](const std::string& text, int seconds) {
    write_file_atomic(file, text);
    fs::last_write_time(file, fs::file_time_type(std::chrono::seconds(seconds)));
    return hashes.of(file);
  };
  EXPECT_EQ(written("one", 1000), sha256_hex("one"));
  EXPECT_EQ(written("two", 1000), sha256_hex("one")) << "size and time as before: not read";
  EXPECT_EQ(written("two", 1001), sha256_hex("two"));
  EXPECT_EQ(written("three", 1001), sha256_hex("three"));
  EXPECT_THROW(hashes.of(dir_ / "none"), Error);
}

TEST_F(Files, LinesComeOutOfPlainGzipAndZstd) {
  const std::string text = "하나\r\n둘\n\n마지막";
  write_file_atomic(dir_ / "a.txt", text);
  gzFile gz = gzopen((dir_ / "a.gz").c_str(), "wb");
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  LineWriter writer(dir_ / "a.zst");
  for (const char* line : {"하나", "둘", "", "마지막"}) writer.write(line);
  writer.commit();
  const std::vector<std::string> want = {"하나", "둘", "", "마지막"};
  EXPECT_EQ(lines_of(dir_ / "a.txt"), want);
  EXPECT_EQ(lines_of(dir_ / "a.gz"), want);
  EXPECT_EQ(lines_of(dir_ / "a.zst"), want);
}

TEST_F(Files, ATruncatedStreamIsAnErrorThatNamesTheFile) {
  LineWriter writer(dir_ / "a.zst");
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) writer.write(std::to_string(rng.next()));
  writer.commit();
  const std::string bytes = read_file(dir_ / "a.zst");
  write_file_atomic(dir_ / "cut.zst", bytes.substr(0, bytes.size() / 2));
  try {
    lines_of(dir_ / "cut.zst");
    FAIL() << "a truncated file was read as whole";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_NE(std::string(error.what()).find("cut.zst"), std::string::npos);
  }
}

TEST_F(Files, BadJsonlNamesLineAndColumn) {
  write_file_atomic(dir_ / "a.jsonl", "{\"a\":1}\n\n{\"a\":}\n");
  try {
    read_jsonl(dir_ / "a.jsonl", [](const Json&, int64_t) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a.jsonl:3:6"), std::string::npos) << error.what();
  }
  EXPECT_THROW(parse_json(std::string(300, '['), "deep"), Error);
}

TEST_F(Files, OverlongLinesAreRefused) {
  write_file_atomic(dir_ / "a", std::string(5000, 'x'));
  LineReader reader(dir_ / "a", 1000);
  std::string_view line;
  EXPECT_THROW(while (reader.next(line)){}, Error);
}

TEST_F(Files, ManifestsTellContentAndDamage) {
  write_file_atomic(dir_ / "m" / "a.txt", "one");
  write_file_atomic(dir_ / "m" / "log.txt", "12:00");
  Manifest manifest{.kind = "dataset", .name = "m", .made_by = "test", .version = "1", .code = "c"};
  manifest.facts["documents"] = 3;
  seal_artefact(dir_ / "m", manifest, {"log.txt"});
  const Manifest back = load_manifest(dir_ / "m");
  EXPECT_EQ(back.content, manifest.content);
  EXPECT_EQ(back.files.size(), 1u);
  EXPECT_EQ(describe_input("x", dir_ / "m").kind, "dataset");
  verify_artefact(dir_ / "m");
  write_file_atomic(dir_ / "m" / "a.txt", "two");
  EXPECT_THROW(verify_artefact(dir_ / "m"), Error);
  write_file_atomic(dir_ / "m" / kManifestName, "{\"kind\": 3}");
  EXPECT_THROW(load_manifest(dir_ / "m"), Error);
}

TEST_F(Files, MetricsAreCutBackToTheStepResumedFrom) {
  {
    MetricsWriter w(dir_ / "run", 0);
    for (int s = 1; s <= 5; ++s) w.write(s, {{"loss", 1.0 / s}});
  }
  {
    MetricsWriter w(dir_ / "run", 3);
    w.write(4, {{"loss", 0.25}});
  }
  const auto lines = lines_of(dir_ / "run" / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(Json::parse(lines[3])["step"], 4);
}

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(xxh64("a b c d e"), 10121740836305097868ull);  // datatrove's shingle hash
  EXPECT_EQ(crc32c("123456789", 9), 0xe3069283u);
}

TEST(Rng, IsTheSameEverywhere) {
  Rng rng(0);
  EXPECT_EQ(rng.next(), 0xe220a8397b1dcdafull);  // SplitMix64's published first output for seed 0
  std::vector<int> order = {0, 1, 2, 3, 4, 5, 6, 7};
  Rng a = Rng::stream(7, "shuffle", 1), b = Rng::stream(7, "shuffle", 2);
  EXPECT_NE(a.next(), b.next());
  Rng(3).shuffle(std::span(order));
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace helio
