#include "core/gguf.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "../../fuzz/gguf_fuzz.h"
#include "../support/mutate.h"
#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/gguf_write.h"

namespace helio {
namespace {

std::string le(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string text(const std::string& value) { return le(value.size(), 8) + value; }

struct Part {  // a file written by hand
  std::string metadata = {}, infos = {}, data = {};
  uint64_t values = 0, tensors = 0;
  uint32_t version = 3;

  Part& value(const std::string& key, uint32_t type, const std::string& bytes) {
    metadata += text(key) + le(type, 4) + bytes;
    ++values;
    return *this;
  }
  Part& tensor(const std::string& name, std::vector<uint64_t> dims, uint32_t type,
               uint64_t offset) {
    infos += text(name) + le(dims.size(), 4);
    for (const uint64_t size : dims) infos += le(size, 8);
    infos += le(type, 4) + le(offset, 8);
    ++tensors;
    return *this;
  }
  Part& bytes(size_t count) {
    data.append(count, 'x');
    return *this;
  }
  std::string file() const {
    std::string out = "GGUF" + le(version, 4) + le(tensors, 8) + le(values, 8) + metadata + infos;
    out.resize((out.size() + 31) / 32 * 32);
    return out + data;
  }
  std::string error() const {
    const std::string whole = file();
    try {
      parse_gguf(whole, "x.gguf");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      EXPECT_FALSE(error.hint().empty());
      return error.what();
    }
    return "no error";
  }
};

#define EXPECT_SAYS(error, part) EXPECT_NE((error).find(part), std::string::npos) << (error)

TEST(Gguf, ReadsEveryKindThatPythonsPackageWrites) {
  const GgufFile file(fixture("gguf/kinds.gguf"));
  EXPECT_EQ(file.header().version, 3u);
  EXPECT_EQ(file.header().alignment, 64u);
  EXPECT_TRUE(file.header().packed);
  EXPECT_EQ(file.string("general.architecture"), "llama");
  EXPECT_EQ(file.integer("test.uint8"), 200);
  EXPECT_EQ(file.integer("test.int8"), -100);
  EXPECT_EQ(file.integer("test.uint16"), 60000);
  EXPECT_EQ(file.integer("test.int16"), -30000);
  EXPECT_EQ(file.integer("test.uint32"), 4'000'000'000);
  EXPECT_EQ(file.integer("test.int32"), -2'000'000'000);
  EXPECT_EQ(file.integer("test.uint64"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(file.integer("test.int64"), -(int64_t(1) << 62));
  EXPECT_THROW(file.integer("test.huge"), Error);
  EXPECT_EQ(file.number("test.huge"), 18446744073709551615.0);
  EXPECT_EQ(file.number("test.float32"), double(1e-5f));
  EXPECT_EQ(file.number("test.float64"), 1e-300);
  EXPECT_EQ(file.boolean("test.bool"), true);
  EXPECT_EQ(file.string("test.string"), std::string("한국어 \0 \" end", 17));
  EXPECT_EQ(file.at("test.strings").strings(),
            (std::vector<std::string_view>{"", "a", "나", "a longer one"}));
  EXPECT_EQ(file.at("test.int32s").integers(), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(file.at("test.float32s").numbers(), (std::vector<double>{0.5, -1.25}));
  EXPECT_EQ(file.at("test.bools").integers(), (std::vector<int64_t>{1, 0, 1}));
  EXPECT_EQ(file.at("test.bytes").integers(), (std::vector<int64_t>{0, 255, 16}));
  EXPECT_EQ(file.integer("no.such.key"), std::nullopt);

  EXPECT_EQ(file.find_tensor("one")->shape, (std::vector<int64_t>{5}));
  EXPECT_EQ(file.find_tensor("two")->shape, (std::vector<int64_t>{2, 3}));
  const auto* four = file.find_tensor("four");
  EXPECT_EQ(four->shape, (std::vector<int64_t>{2, 3, 4, 2}));
  EXPECT_EQ(ggml_type_info(four->type).name, "I32");
  const auto view = file.data(*four);
  ASSERT_EQ(view.size(), 48u * 4);
  for (int32_t i = 0, value = 0; i < 48; ++i) {
    std::memcpy(&value, view.data() + 4 * i, 4);
    ASSERT_EQ(value, i);
  }
}

TEST(Gguf, ReadingAsAnotherTypeNamesTheKey) {
  const GgufFile file(fixture("gguf/kinds.gguf"));
  const auto says = [&](auto&& body, const char* part) {
    try {
      body();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      EXPECT_SAYS(std::string(error.what()), part);
    }
  };
  says([&] { file.integer("test.string"); }, "'test.string' is string");
  says([&] { file.string("test.uint8"); }, "'test.uint8' is uint8, not string");
  says([&] { file.boolean("test.uint8"); }, "not bool");
  says([&] { file.integer("test.bool"); }, "'test.bool' is bool");
  says([&] { file.number("test.strings"); }, "array of 4 string");
  says([&] { file.at("test.strings").integers(); }, "test.strings");
  says([&] { file.at("test.float32s").integers(); }, "test.float32s");
  says([&] { file.at("test.int32s").strings(); }, "test.int32s");
  says([&] { file.at("nowhere"); }, "no metadata 'nowhere'");
}

TEST(Gguf, WhatIsWrittenIsWhatPythonsPackageWrites) {
  const std::string want = read_file(fixture("gguf/blocks.gguf"));
  const GgufFile source(fixture("gguf/blocks.gguf"));
  GgufPlan plan;
  for (const auto& value : source.metadata()) plan.copy(value);
  for (const auto& tensor : source.tensors())
    plan.add_tensor(tensor.name, tensor.type, tensor.shape);
  TempDir dir;
  GgufWriter writer(dir / "out.gguf", plan);
  for (const auto& tensor : source.tensors()) {
    ASSERT_EQ(writer.next()->name, tensor.name);
    const auto data = source.data(tensor);
    writer.write(data.first(data.size() / 3));  // pieces of any size
    EXPECT_FALSE(fs::exists(dir / "out.gguf"));
    writer.write(data.subspan(data.size() / 3));
  }
  EXPECT_EQ(writer.next(), nullptr);
  writer.commit();
  EXPECT_EQ(read_file(dir / "out.gguf"), want);
  EXPECT_EQ(plan.file_size(), want.size());
}

TEST(Gguf, EveryKindSurvivesBeingWritten) {
  GgufPlan plan(128);
  plan.set_boolean("b", true);
  plan.set_u32("u32", 7);
  plan.set_i32("i32", -7);
  plan.set_u64("u64", uint64_t(1) << 40);
  plan.set_f32("f32", 1e-5f);
  plan.set_f64("f64", 0.1);
  plan.set_string("s", "이름");
  plan.set_booleans("bs", {true, false});
  plan.set_bytes("bytes", std::string_view("\0\xff", 2));
  plan.set_u32s("u32s", {1, 2});
  plan.set_i32s("i32s", {-1, 2});
  plan.set_f32s("f32s", {0.25f});
  plan.set_strings("ss", {"", "x"});
  plan.add_tensor("empty", GgmlType::f32, {0, 4});
  plan.add_tensor("scalar", GgmlType::f32, {});
  plan.add_tensor("rows", GgmlType::q4_k, {3, 512});
  TempDir dir;
  GgufWriter writer(dir / "x.gguf", plan);
  const std::vector<std::byte> data(4 + 3 * 288, std::byte(9));
  writer.write(std::span(data).first(4));
  writer.write(std::span(data).subspan(4));
  writer.commit();
  const GgufFile file(dir / "x.gguf");
  EXPECT_EQ(file.size(), plan.file_size());
  EXPECT_EQ(file.header().alignment, 128u);
  EXPECT_EQ(file.boolean("b"), true);
  EXPECT_EQ(file.integer("u32"), 7);
  EXPECT_EQ(file.integer("i32"), -7);
  EXPECT_EQ(file.integer("u64"), int64_t(1) << 40);
  EXPECT_EQ(file.number("f32"), double(1e-5f));
  EXPECT_EQ(file.number("f64"), 0.1);
  EXPECT_EQ(file.string("s"), "이름");
  EXPECT_EQ(file.at("bs").integers(), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(file.at("bytes").integers(), (std::vector<int64_t>{0, 255}));
  EXPECT_EQ(file.at("u32s").integers(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(file.at("i32s").integers(), (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(file.at("f32s").numbers(), (std::vector<double>{0.25}));
  EXPECT_EQ(file.at("ss").strings(), (std::vector<std::string_view>{"", "x"}));
  EXPECT_EQ(file.find_tensor("rows")->size, 3u * 2 * 144);
  EXPECT_EQ(file.find_tensor("rows")->shape, (std::vector<int64_t>{3, 512}));
  EXPECT_EQ(file.find_tensor("scalar")->elements(), 1);
}

TEST(Gguf, WritingRefusesWhatCannotBeRead) {
  GgufPlan plan;
  plan.set_u32("a", 1);
  plan.add_tensor("t", GgmlType::f32, {2});
  EXPECT_THROW(plan.set_u32("a", 2), Error);
  EXPECT_THROW(plan.add_tensor("t", GgmlType::f32, {2}), Error);
  EXPECT_THROW(plan.add_tensor(std::string(64, 'n'), GgmlType::f32, {2}), Error);
  EXPECT_THROW(plan.add_tensor("q", GgmlType::q4_0, {4, 48}), Error);
  EXPECT_THROW(plan.add_tensor("five", GgmlType::f32, {1, 1, 1, 1, 1}), Error);
  TempDir dir;
  GgufWriter writer(dir / "x.gguf", plan);
  const std::vector<std::byte> data(9);
  EXPECT_THROW(writer.write(data), Error);
  EXPECT_THROW(writer.commit(), Error);
  EXPECT_FALSE(fs::exists(dir / "x.gguf"));
}

TEST(Gguf, ErrorsNameWhatIsWrong) {
  const std::string one = le(1, 4), number = le(4, 4);
  EXPECT_EQ(Part().error(), "no error");
  EXPECT_EQ(Part().tensor("t", {4, 2}, 0, 0).bytes(32).error(), "no error");
  EXPECT_SAYS(Part{.version = 1}.error(), "GGUF version 1");
  EXPECT_SAYS(Part{.version = 0x03000000}.error(), "big-endian");
  EXPECT_SAYS(Part{.version = 9}.error(), "GGUF version 9");
  EXPECT_SAYS(Part().value("k", 4, one).value("k", 4, one).error(), "'k' is there twice");
  EXPECT_SAYS(Part().value("k", 13, one).error(), "unknown type 13");
  EXPECT_SAYS(Part().value("k", 7, le(2, 1)).error(), "neither 0 nor 1");
  EXPECT_SAYS(Part().value("k", 9, le(9, 4) + le(1, 8)).error(), "array of arrays");
  EXPECT_SAYS(Part().value("k", 9, number + le(uint64_t(1) << 62, 8)).error(),
              "more than the file");
  EXPECT_SAYS(Part().value("k", 8, le(~uint64_t(0), 8)).error(), "truncated");
  EXPECT_SAYS(Part().value("general.alignment", 4, le(48, 4)).error(), "power of two");
  EXPECT_SAYS(Part().value("general.alignment", 4, le(0, 4)).error(), "power of two");
  EXPECT_SAYS((Part{.values = uint64_t(1) << 60}.error()), "room for");
  EXPECT_SAYS((Part{.tensors = uint64_t(1) << 60}.error()), "room for");
  EXPECT_SAYS(Part().tensor("t", {1}, 0, 0).tensor("t", {1}, 0, 32).bytes(64).error(),
              "'t' is there twice");
  EXPECT_SAYS(Part().tensor("t", {16}, 0, 0).tensor("u", {1}, 0, 32).bytes(64).error(),
              "'t' and 'u' overlap");
  EXPECT_SAYS(Part().tensor("t", {9}, 0, 0).bytes(32).error(), "'t' of 36 bytes");
  EXPECT_SAYS(Part().tensor("t", {1}, 0, uint64_t(1) << 63).bytes(32).error(), "truncated");
  EXPECT_SAYS(Part().tensor("t", {1}, 0, 8).bytes(32).error(), "multiple of the alignment");
  EXPECT_SAYS(Part().tensor("t", {1, 1, 1, 1, 1}, 0, 0).bytes(32).error(), "5 dimensions");
  EXPECT_SAYS(Part().tensor("t", {uint64_t(1) << 40, uint64_t(1) << 40}, 0, 0).bytes(32).error(),
              "overflows");
  EXPECT_SAYS(Part().tensor("t", {33}, 2, 0).bytes(32).error(), "Q4_0's block of 32");
  EXPECT_SAYS(Part().tensor("t", {32}, 4, 0).bytes(32).error(), "unknown type 4");
  // A hole is read; llama.cpp would not.
  const std::string hole = Part().tensor("t", {1}, 0, 32).bytes(64).file();
  EXPECT_FALSE(parse_gguf(hole, "x").packed);
}

TEST(Gguf, EveryCutOfAFileIsRefusedAndMutationsAreReadOrRefused) {
  constexpr std::array<std::string_view, 6> pieces = {"GGUF",
                                                      std::string_view("\0\0\0\0\0\0\0\0", 8),
                                                      "\xff\xff\xff\xff",
                                                      std::string_view("\x09\0\0\0", 4),
                                                      "general.alignment",
                                                      std::string_view("\x01\0\0\0\0\0\0\0a", 9)};
  std::vector<std::string> seeds = {read_file(fixture("gguf/kinds.gguf")),
                                    read_file(fixture("gguf/blocks.gguf"))};
  for (const auto& seed : seeds) {
    ASSERT_EQ(fuzz::try_gguf(seed), fuzz::Outcome::accepted);
    const uint64_t end = parse_gguf(seed, "x").data_end;
    for (size_t length = 0; length < end; ++length)
      ASSERT_EQ(fuzz::try_gguf(std::string_view(seed).substr(0, length)), fuzz::Outcome::refused)
          << length;
  }
  Rng rng(20261127);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 20'000; ++round)
    (fuzz::try_gguf(mutate(seeds[rng.below(seeds.size())], pieces, rng)) == fuzz::Outcome::accepted
         ? accepted
         : refused) += 1;
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 2'000);
}

}  // namespace
}  // namespace helio
