// Hashes that are computed while a file is written, and what a manifest makes of them.
#include "core/following_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/manifest.h"

namespace helio {
namespace {

TEST(FollowingHash, IsThatOfTheWholeFileHoweverItCame) {
  const TempDir dir;
  const fs::path path = dir.path() / "weights";
  std::string text;
  for (int64_t i = 0; i < 700000; ++i) text += std::to_string(i * 7919);
  std::ofstream file(path, std::ios::binary);
  FollowingHash hash(path);
  for (size_t at = 0, size = 1; at < text.size(); at += size, size = size * 3 + 1) {
    size = std::min(size, text.size() - at);
    file.write(text.data() + at, static_cast<std::streamsize>(size));
    file.flush();
    hash.written(at + size);
  }
  EXPECT_EQ(hash.hex(), sha256_hex(text));
}

TEST(FollowingHash, OfNothing) {
  const TempDir dir;
  write_file_atomic(dir.path() / "empty", "");
  FollowingHash hash(dir.path() / "empty");
  EXPECT_EQ(hash.hex(), sha256_hex(""));
}

TEST(FollowingHash, GivesUpWhenDropped) {
  const TempDir dir;
  write_file_atomic(dir.path() / "half", "half");
  FollowingHash hash(dir.path() / "half");
  hash.written(4);
}

TEST(FollowingHash, SaysThatTheFileIsShorter) {
  const TempDir dir;
  write_file_atomic(dir.path() / "short", "abc");
  FollowingHash hash(dir.path() / "short");
  hash.written(10);
  EXPECT_THROW(hash.hex(), Error);
  FollowingHash missing(dir.path() / "missing");
  EXPECT_THROW(missing.hex(), Error);
}

TEST(SealArtefact, KeepsTheHashesOfFilesThatWereHashedWhileWritten) {
  const TempDir dir;
  write_file_atomic(dir.path() / "a", "alpha");
  write_file_atomic(dir.path() / "b", "beta");
  Manifest whole{.kind = "model", .name = "m", .made_by = "test"};
  seal_artefact(dir.path(), whole);
  Manifest known{.kind = "model", .name = "m", .made_by = "test"};
  known.files = {{.path = "b", .size = 4, .sha256 = sha256_hex("beta")},
                 {.path = "a", .size = 4, .sha256 = sha256_hex("alph")},  // its size is another
                 {.path = "gone", .size = 1, .sha256 = sha256_hex("x")}};
  seal_artefact(dir.path(), known);
  EXPECT_EQ(known.content, whole.content);
  ASSERT_EQ(known.files.size(), 2u);
  EXPECT_EQ(known.files[1].sha256, sha256_hex("beta"));
  EXPECT_NO_THROW(verify_artefact(dir.path()));
}

}  // namespace
}  // namespace helio
