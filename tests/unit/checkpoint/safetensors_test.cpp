#include "checkpoint/safetensors.h"

#include <cstring>

#include "checkpoint/safetensors_header.h"
#include "checkpoint_test.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

std::string parse_error(const std::string& bytes) {
  return error_of([&] { parse_safetensors_header(bytes, bytes.size(), "x.safetensors"); });
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(SafeTensors, FilesMadeByTransformersComeBackByteForByte) {
  TempDir dir;
  int files = 0;
  for (const auto& path : list_files(fixture(""), {"model.safetensors"})) {
    const SafeTensors source(path);
    std::vector<TensorToWrite> tensors;
    for (const auto& tensor : source.tensors())
      tensors.push_back({.name = tensor.name,
                         .dtype = tensor.dtype,
                         .shape = tensor.shape,
                         .data = source.data(tensor)});
    write_safetensors(dir / "out.safetensors", tensors, source.metadata());
    EXPECT_EQ(read_file(dir / "out.safetensors"), read_file(path)) << path;
    ++files;
  }
  EXPECT_GE(files, 10);
}

TEST(SafeTensors, EveryDtypeAndShapeRoundTrips) {
  TempDir dir;
  const std::vector<DType> dtypes = {DType::boolean, DType::u8,  DType::i8,  DType::f8_e5m2,
                                     DType::f8_e4m3, DType::i16, DType::u16, DType::f16,
                                     DType::bf16,    DType::i32, DType::u32, DType::f32,
                                     DType::f64,     DType::i64, DType::u64};
  std::vector<std::string> data;
  for (size_t i = 0; i < dtypes.size(); ++i)
    data.emplace_back(6 * dtype_size(dtypes[i]), static_cast<char>('a' + i));
  const std::string one(4, 'q');
  std::vector<TensorToWrite> tensors = {
      {.name = "scalar", .dtype = DType::f32, .shape = {}, .data = bytes_of(one)},
      {.name = "empty", .dtype = DType::f32, .shape = {0, 7}, .data = {}},
      {.name = "이름 \"q\"\n", .dtype = DType::f32, .shape = {1}, .data = bytes_of(one)}};
  for (size_t i = 0; i < dtypes.size(); ++i) {
    EXPECT_EQ(parse_dtype(dtype_name(dtypes[i])), dtypes[i]);
    tensors.push_back({.name = "t" + std::to_string(i),
                       .dtype = dtypes[i],
                       .shape = {2, 3},
                       .data = bytes_of(data[i])});
  }
  write_safetensors(dir / "all.safetensors", tensors);
  const SafeTensors back(dir / "all.safetensors");
  ASSERT_EQ(back.tensors().size(), tensors.size());
  EXPECT_EQ(back.metadata().at("format"), "pt");
  for (const auto& tensor : tensors) {
    const auto& got = back.at(tensor.name);
    EXPECT_EQ(got.shape, tensor.shape);
    EXPECT_EQ(got.dtype, tensor.dtype);
    const auto view = back.data(got);
    EXPECT_TRUE(std::equal(view.begin(), view.end(), tensor.data.begin(), tensor.data.end()))
        << tensor.name;
  }
  EXPECT_EQ(back.at("scalar").elements(), 1);
  EXPECT_EQ(back.at("empty").elements(), 0);
  EXPECT_TRUE(contains(error_of([&] { back.at("t99"); }), "no tensor 't99'"));
}

TEST(SafeTensors, WritingRefusesWhatCannotBeRead) {
  TempDir dir;
  const std::string data(4, 'x');
  const TensorToWrite good{.name = "a", .dtype = DType::f32, .shape = {1}, .data = bytes_of(data)};
  TensorToWrite reserved = good, latin = good, large = good;
  reserved.name = "__metadata__";
  latin.name = "caf\xe9";
  large.shape = {int64_t(1) << 40, int64_t(1) << 40};
  const auto attempt = [&](std::vector<TensorToWrite> tensors) {
    return error_of([&] { write_safetensors(dir / "bad.safetensors", std::move(tensors)); });
  };
  EXPECT_TRUE(contains(attempt({good, good}), "'a': it is there twice"));
  EXPECT_TRUE(contains(attempt({reserved}), "the name is reserved"));
  EXPECT_TRUE(contains(attempt({latin}), "is not UTF-8"));
  EXPECT_TRUE(contains(attempt({large}), "overflows"));
  EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(SafeTensorsHeader, AcceptsWhatTheFormatAllows) {
  const std::string spaced = file_of(
      R"({"a":{"shape":[2],"dtype":"U8","data_offsets":[1,3]},"b":{"dtype":"I8","shape":[],"data_offsets":[0,1]}}      )",
      3);
  const auto header = parse_safetensors_header(spaced, spaced.size(), "x");
  ASSERT_EQ(header.tensors.size(), 2U);
  EXPECT_EQ(header.tensors[0].name, "b");
  EXPECT_EQ(header.tensors[1].offset, header.data_begin + 1);
  const std::string none = file_of("{}", 0);
  EXPECT_TRUE(parse_safetensors_header(none, none.size(), "x").tensors.empty());
}

// One row: what is wrong, the file, what the message must say.
struct Hostile {
  const char* about;
  std::string bytes;
  const char* says;
};

TEST(SafeTensorsHeader, HostileFilesAreOneClearError) {
  const auto one = [](const std::string& rest) { return "{\"a\":{" + rest + "}}"; };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  std::string huge = file_of("{}", 0), past_end = file_of("{}", 0);
  std::memset(huge.data(), 0xff, 8);
  past_end[0] = 100;
  std::string over_limit = file_of("{}", 0);
  const uint64_t limit = kMaxHeaderBytes + 1;
  std::memcpy(over_limit.data(), &limit, 8);
  const std::vector<Hostile> rows = {
      {"empty file", "", "only 0 bytes"},
      {"seven bytes", "1234567", "only 7 bytes"},
      {"length of 2^64-1", huge, "100000000 are the most"},
      {"length over the limit", over_limit, "says it has 100000001 bytes"},
      {"length past the end", past_end, "truncated"},
      {"no header at all", file_of("", 0), "does not begin with '{'"},
      {"leading space", file_of(" {}", 0), "does not begin with '{'"},
      {"a list", file_of("[]", 0), "does not begin with '{'"},
      {"half of it", file_of("{\"a\":", 0), "not valid JSON"},
      {"two values", file_of("{} {}", 0), "not valid JSON"},
      {"text after a NUL", file_of(std::string("{}\0zz", 5), 0), "NUL"},
      {"bad UTF-8", file_of(one("\"dtype\":\"\xff\""), 0), "not valid JSON"},
      {"tensor is a number", file_of(R"({"a":1})", 0), "a number at 'a'"},
      {"tensor is null", file_of(R"({"a":null})", 0), "null at 'a'"},
      {"tensor is a list", file_of(R"({"a":[]})", 0), "a list at 'a'"},
      {"metadata is not text", file_of(R"({"__metadata__":{"a":1}})", 0), "a number at 'a'"},
      {"metadata twice", file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0),
       "metadata 'a' is there twice"},
      {"a tensor twice", file_of("{\"a\":{" + good + "},\"a\":{" + good + "}}", 8),
       "'a' is there twice"},
      {"a key twice", file_of(one(good + R"(,"dtype":"F32")"), 8), "key 'dtype' is there twice"},
      {"a key too many", file_of(one(good + R"(,"device":"cuda")"), 8), "unknown key 'device'"},
      {"no dtype", file_of(one(R"("shape":[2],"data_offsets":[0,8])"), 8), "no 'dtype'"},
      {"no shape", file_of(one(R"("dtype":"F32","data_offsets":[0,8])"), 8), "no 'shape'"},
      {"no offsets", file_of(one(R"("dtype":"F32","shape":[2])"), 8), "no 'data_offsets'"},
      {"unknown dtype", file_of(one(R"("dtype":"F33","shape":[2],"data_offsets":[0,8])"), 8),
       "unknown dtype 'F33'"},
      {"dtype is a list", file_of(one(R"("dtype":["F32"],"shape":[2],"data_offsets":[0,8])"), 8),
       "a list at 'dtype'"},
      {"shape is text", file_of(one(R"("dtype":"F32","shape":"2","data_offsets":[0,8])"), 8),
       "a string at 'shape'"},
      {"nested shape", file_of(one(R"("dtype":"F32","shape":[[2]],"data_offsets":[0,8])"), 8),
       "a list at 'shape'"},
      {"negative dimension", file_of(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), 8),
       "a negative number"},
      {"broken dimension", file_of(one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), 8),
       "not a whole number"},
      {"dimension of 2^64",
       file_of(one(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])"), 8),
       "not a whole number"},
      {"dimension of 2^63",
       file_of(one(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8])"), 8),
       "a dimension larger"},
      {"product wraps to 8",
       file_of(one(R"("dtype":"F32","shape":[4611686018427387904,2,2],"data_offsets":[0,8])"), 8),
       "overflows"},
      {"three offsets", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), 8),
       "more than two data_offsets"},
      {"one offset", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), 8),
       "data_offsets are not two"},
      {"backwards", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), 8),
       "run backwards"},
      {"too short for its shape",
       file_of(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), 8),
       "need 12 bytes, data_offsets give 8"},
      {"outside the file", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 7),
       "the file has 7"},
      {"offsets near 2^64",
       file_of(
           one(R"("dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615])"),
           1),
       "the file has 1"},
      {"a hole", file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2), "(hole)"},
      {"an overlap",
       file_of(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
           3),
       "(overlap)"},
      {"bytes left over", file_of("{\"a\":{" + good + "}}", 9), "1 bytes after the last tensor"},
      {"a zip of pickles", std::string("PK\x03\x04") + std::string(60, 'z'), "PyTorch pickle"},
  };
  for (const auto& row : rows) {
    const std::string error = parse_error(row.bytes);
    EXPECT_TRUE(contains(error, row.says)) << row.about << ": " << error;
    EXPECT_TRUE(contains(error, "x.safetensors") && contains(error, "hint: "))
        << row.about << ": " << error;
    EXPECT_LT(error.size(), 600U) << row.about;
  }
}

TEST(SafeTensorsHeader, DeepOrWideJsonCostsNothing) {
  EXPECT_TRUE(
      contains(parse_error(file_of("{\"a\":" + std::string(1'000'000, '['), 0)), "a list at 'a'"));
  EXPECT_TRUE(
      contains(parse_error(file_of("{" + std::string(1'000'000, '{'), 0)), "not valid JSON"));
  std::string shape = R"({"a":{"dtype":"U8","shape":[)";
  for (int i = 0; i < 100'000; ++i) shape += "1,";
  EXPECT_TRUE(contains(parse_error(file_of(shape, 0)), "more than 64 dimensions"));
  const std::string name(1'000'000, 'n');
  EXPECT_LT(parse_error(file_of("{\"" + name + "\":1}", 0)).size(), 600U);
}

// A sharded checkpoint of two files whose index can be spoilt.
class Sharded : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string data(4, 'x');
    write_safetensors(dir_ / "one.safetensors",
                      {{.name = "a", .dtype = DType::f32, .shape = {1}, .data = bytes_of(data)}});
    write_safetensors(dir_ / "two.safetensors",
                      {{.name = "b", .dtype = DType::f32, .shape = {1}, .data = bytes_of(data)}});
  }
  std::string with_index(const std::string& text) {
    write_bytes(dir_ / "model.safetensors.index.json", text);
    return error_of([&] { SafeTensors loaded(dir_.path()); });
  }
  TempDir dir_;
};

TEST_F(Sharded, TheIndexAndTheShardsMustAgree) {
  EXPECT_EQ(
      with_index(
          R"({"metadata":{"total_size":8},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"),
      "no error");
  EXPECT_EQ(error_of([&] { SafeTensors loaded(dir_ / "model.safetensors.index.json"); }),
            "no error");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({"weight_map":{"a":"one.safetensors","b":"three.safetensors"}})",
       "names 'three.safetensors', which is not there"},
      {R"({"weight_map":{"a":"one.safetensors","b":"../two.safetensors"}})",
       "'b' is not given the name of a file in this folder"},
      {R"({"weight_map":{"a":"one.safetensors","b":"/etc/passwd"}})",
       "'b' is not given the name of a file"},
      {R"({"weight_map":{"a":"one.safetensors","b":".."}})", "'b' is not given the name of a file"},
      {R"({"weight_map":{"a":"one.safetensors","b":""}})", "'b' is not given the name of a file"},
      {R"({"weight_map":{"a":"one.safetensors","b":7}})", "'b' is not given the name of a file"},
      {R"({"weight_map":{"a":"one.safetensors","b":"one.safetensors"}})",
       "'b' is missing from one.safetensors"},
      {R"({"weight_map":{"a":"two.safetensors","b":"one.safetensors"}})",
       "'a' is in one.safetensors, not in two.safetensors"},
      {R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"two.safetensors"}})",
       "'c' is missing from two.safetensors"},
      {R"({"weight_map":{"a":"one.safetensors","a":"two.safetensors"}})", "'a' is there twice"},
      {R"({"weight_map":{}})", "weight_map is empty"},
      {R"({"weight_map":[]})", "no \"weight_map\""},
      {R"({"weight_map":)", "not valid JSON"},
      {R"({"metadata":{"total_size":1e999},"weight_map":{}})", "a number that is too large"},
      {R"({"x":)" + std::string(5000, '['), "nested too deeply"},
  };
  for (const auto& [text, says] : rows) {
    const std::string error = with_index(text);
    EXPECT_TRUE(contains(error, says)) << text << "\n" << error;
  }
}

TEST_F(Sharded, ATensorInTwoShardsIsAnError) {
  fs::copy_file(dir_ / "one.safetensors", dir_ / "three.safetensors");
  fs::remove(dir_ / "two.safetensors");
  const std::string error =
      with_index(R"({"weight_map":{"a":"one.safetensors","x":"three.safetensors"}})");
  EXPECT_TRUE(contains(error, "'a' is in two shards") ||
              contains(error, "'a' is in three.safetensors"))
      << error;
}

TEST(SafeTensors, AdviceWhereThereAreNone) {
  TempDir dir;
  EXPECT_EQ(kind_of([&] { SafeTensors loaded(dir / "nowhere"); }), ErrorKind::not_found);
  EXPECT_TRUE(contains(error_of([&] { SafeTensors loaded(dir.path()); }), "no model.safetensors"));
  write_bytes(dir / "pytorch_model.bin", "PK\x03\x04zzzzzzzzzzzzzzzzzzz");
  EXPECT_TRUE(contains(error_of([&] { SafeTensors loaded(dir.path()); }),
                       "holds PyTorch pickles (pytorch_model.bin)"));
  EXPECT_TRUE(contains(error_of([&] { SafeTensors loaded(dir / "pytorch_model.bin"); }),
                       "safe_serialization=True"));
}

}  // namespace
}  // namespace helio::checkpoint
