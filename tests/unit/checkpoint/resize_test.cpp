#include "checkpoint/resize.h"

#include <cstring>

#include "checkpoint_test.h"
#include "core/json.h"
#include "core/manifest.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr int64_t kWidth = 3;

std::vector<float> table(int64_t rows, float start) {
  std::vector<float> values;
  for (int64_t i = 0; i < rows * kWidth; ++i) values.push_back(start + 0.1F * float(i * i % 97));
  return values;
}

// A model of `rows` rows, with an output head of its own or without, and the folder of a tokenizer.
struct Model {
  TempDir dir = {};
  std::vector<float> embedding, head, other = table(4, 9);
  fs::path path = dir / "model", tokenizer = dir / "tokenizer";

  explicit Model(int64_t rows, bool tied = false)
      : embedding(table(rows, 0)), head(tied ? std::vector<float>{} : table(rows, -5)) {
    std::vector<TensorToWrite> tensors = {
        {"model.embed_tokens.weight",
         DType::f32,
         {rows, kWidth},
         std::as_bytes(std::span(embedding))},
        {"model.norm.weight", DType::f32, {4, kWidth}, std::as_bytes(std::span(other))}};
    if (!tied)
      tensors.push_back(
          {"lm_head.weight", DType::f32, {rows, kWidth}, std::as_bytes(std::span(head))});
    write_safetensors(path / "model.safetensors", tensors);
    write_file_atomic(path / "config.json", pretty({{"architectures", {"LlamaForCausalLM"}},
                                                    {"eos_token_id", 1},
                                                    {"tie_word_embeddings", tied},
                                                    {"vocab_size", rows},
                                                    {"last", 1e-5}}));
    write_file_atomic(path / "tokenizer.json", "old");
    write_file_atomic(path / "merges.txt", "old");
    write_file_atomic(path / "generation_config.json", "{\"eos_token_id\": [1, 5]}");
    write_file_atomic(tokenizer / "tokenizer.json", "new");
  }

  ResizeOptions options(const char* name = "out") const {
    ResizeOptions options;
    options.model = path.string();
    options.tokenizer = tokenizer.string();
    options.out = (dir / name).string();
    return options;
  }
  Resize::Plan resize(const ResizeOptions& options, const VocabularyChange& change) const {
    SilentMonitor silent;
    const StopRequest stop;
    const Resize resize(options, change);
    resize.write(silent, stop);
    return resize.plan();
  }
};

std::vector<float> read(const fs::path& dir, const char* name) {
  const SafeTensors weights(dir);
  const auto bytes = weights.data(weights.at(name));
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}
std::vector<float> row_of(const std::vector<float>& table, int64_t row) {
  return {table.begin() + row * kWidth, table.begin() + (row + 1) * kWidth};
}
std::vector<float> mean_of(const std::vector<float>& table, const std::vector<int64_t>& rows) {
  std::vector<float> out;
  for (int64_t column = 0; column < kWidth; ++column) {
    double sum = 0;
    for (const int64_t row : rows) sum += table[size_t(row * kWidth + column)];
    out.push_back(float(sum / double(rows.size())));
  }
  return out;
}

TEST(Resize, NewRowsAreTheMeanOfTheirPiecesInEmbeddingAndHead) {
  const Model model(6);
  const auto plan = model.resize(
      model.options(),
      {.tokens = 9, .base_tokens = 6, .pieces = {{6, {0, 3}}, {7, {5, 5, 1}}, {8, {}}}});
  EXPECT_EQ(plan.rows_after, 9);
  EXPECT_EQ(plan.with_pieces, 2);
  EXPECT_EQ(plan.parameters_after - plan.parameters_before, 2 * 3 * kWidth);
  for (const auto& [name, old] : {std::pair{"model.embed_tokens.weight", model.embedding},
                                  std::pair{"lm_head.weight", model.head}}) {
    const auto now = read(model.dir / "out", name);
    ASSERT_EQ(now.size(), size_t(9 * kWidth));
    EXPECT_TRUE(std::equal(old.begin(), old.end(), now.begin())) << name;
    EXPECT_EQ(row_of(now, 6), mean_of(old, {0, 3}));
    EXPECT_EQ(row_of(now, 7), mean_of(old, {5, 5, 1}));
    EXPECT_EQ(row_of(now, 8), mean_of(old, {0, 1, 2, 3, 4, 5}));
  }
  EXPECT_EQ(read(model.dir / "out", "model.norm.weight"), model.other);
  const auto before = OrderedJson::parse(read_file(model.path / "config.json"));
  auto after = OrderedJson::parse(read_file(model.dir / "out/config.json"));
  EXPECT_EQ(after["vocab_size"], 9);
  after["vocab_size"] = 6;
  EXPECT_EQ(after.dump(), before.dump());
  EXPECT_EQ(read_file(model.dir / "out/tokenizer.json"), "new");
  EXPECT_FALSE(fs::exists(model.dir / "out/merges.txt"));
  EXPECT_EQ(Resize(model.options(), {.tokens = 9}).left_out(),
            (std::vector<std::string>{"merges.txt"}));
  verify_artefact(model.dir / "out");
  const auto manifest = load_manifest(model.dir / "out");
  EXPECT_EQ(manifest.made_by, "model resize");
  EXPECT_EQ(manifest.inputs.size(), 2U);
}

TEST(Resize, PaddingOfTheBaseIsUsedFirstAndTheRestOfItStays) {
  const Model model(8, true);
  auto options = model.options();
  // 5 tokens on 8 rows; 2 new ones: rows 5 and 6 are theirs, 7 stays.
  auto plan =
      model.resize(options, {.tokens = 7, .base_tokens = 5, .pieces = {{5, {2}}, {6, {0, 4}}}});
  EXPECT_EQ(plan.rows_after, 8);
  EXPECT_EQ(plan.reused_rows, 2);
  EXPECT_EQ(plan.padding_rows, 1);
  auto now = read(model.dir / "out", "model.embed_tokens.weight");
  ASSERT_EQ(now.size(), model.embedding.size());
  EXPECT_EQ(row_of(now, 4), row_of(model.embedding, 4));
  EXPECT_EQ(row_of(now, 5), row_of(model.embedding, 2));
  EXPECT_EQ(row_of(now, 6), mean_of(model.embedding, {0, 4}));
  EXPECT_EQ(row_of(now, 7), row_of(model.embedding, 7));
  EXPECT_EQ(SafeTensors(model.dir / "out").find("lm_head.weight"), nullptr);
  // Padded further: the new padding is the mean of the rows that were in use.
  options.pad_to_multiple = 5;
  plan = model.resize(options, {.tokens = 7, .base_tokens = 5});
  EXPECT_EQ(plan.rows_after, 10);
  now = read(model.dir / "out", "model.embed_tokens.weight");
  EXPECT_EQ(row_of(now, 7), row_of(model.embedding, 7));
  for (const int64_t row : {5, 6, 8, 9})
    EXPECT_EQ(row_of(now, row), mean_of(model.embedding, {0, 1, 2, 3, 4})) << row;
}

TEST(Resize, OtherBeginnings) {
  const Model model(6);
  auto options = model.options();
  const VocabularyChange change = {.tokens = 400, .base_tokens = 6, .pieces = {{6, {0}}}};
  const auto made = [&](const char* init) {
    options.init = init;
    model.resize(options, change);
    return read(model.dir / "out", "model.embed_tokens.weight");
  };
  EXPECT_EQ(row_of(made("zero"), 6), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(row_of(made("copy-mean-of-all"), 6), mean_of(model.embedding, {0, 1, 2, 3, 4, 5}));
  const auto noise = made("normal");
  EXPECT_EQ(noise, made("normal"));
  double square = 0, sum = 0;
  for (size_t i = 6 * kWidth; i < noise.size(); ++i) {
    square += double(noise[i]) * noise[i];
    sum += noise[i];
  }
  const double count = double(noise.size()) - 6 * kWidth;
  EXPECT_NEAR(std::sqrt(square / count), 0.02, 0.002);
  EXPECT_NEAR(sum / count, 0, 0.002);
  EXPECT_NE(noise, read(model.dir / "out", "lm_head.weight"));
  options.seed = 1;
  EXPECT_NE(noise, made("normal"));
}

TEST(Resize, ShrinkingTakesPaddingOffAndNothingElse) {
  const Model model(16);
  auto options = model.options();
  options.shrink = true;
  const auto plan = model.resize(options, {.tokens = 9, .base_tokens = 9});
  EXPECT_EQ(plan.rows_after, 9);
  const auto now = read(model.dir / "out", "lm_head.weight");
  EXPECT_TRUE(std::equal(now.begin(), now.end(), model.head.begin()));
  EXPECT_EQ(now.size(), size_t(9 * kWidth));
  const auto refused = [&](const VocabularyChange& change) {
    return error_of([&] { Resize(options, change); });
  };
  EXPECT_TRUE(contains(refused({.tokens = 8, .base_tokens = 9}), "1 ids that are in use"));
  EXPECT_TRUE(contains(refused({.tokens = 9}), "7 ids that are in use"));
  EXPECT_TRUE(contains(refused({.tokens = 5, .base_tokens = 5}), "'eos_token_id' is 5"));
  options.shrink = false;
  EXPECT_EQ(model.resize(options, {.tokens = 9, .base_tokens = 9}).rows_after, 16);
  EXPECT_EQ(read(model.dir / "out", "lm_head.weight"), model.head);
}

TEST(Resize, ShardsKeepTheirTensors) {
  TempDir dir;
  const fs::path source = fixture("dus_tiny/f32/input_sharded");
  write_file_atomic(dir / "tokenizer/tokenizer.json", "new");
  ResizeOptions options;
  options.model = source.string();
  options.tokenizer = (dir / "tokenizer").string();
  options.out = (dir / "out").string();
  SilentMonitor silent;
  const StopRequest stop;
  const Resize resize(options, {.tokens = 1000});
  resize.write(silent, stop);
  const SafeTensors before(source), after(dir / "out");
  ASSERT_EQ(after.files().size(), before.files().size());
  ASSERT_GT(after.files().size(), 1U);
  for (const auto& tensor : before.tensors()) {
    const auto& now = after.at(tensor.name);
    EXPECT_EQ(now.file, tensor.file) << tensor.name;
    const auto a = before.data(tensor), b = after.data(now);
    ASSERT_GE(b.size(), a.size());
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin())) << tensor.name;
    const bool grows =
        tensor.name == "model.embed_tokens.weight" || tensor.name == "lm_head.weight";
    EXPECT_EQ(now.shape[0], grows ? 1000 : tensor.shape[0]) << tensor.name;
  }
  uint64_t bytes = 0;
  for (const auto& tensor : after.tensors()) bytes += tensor.size;
  EXPECT_EQ(load_json(dir / "out/model.safetensors.index.json")["metadata"]["total_size"], bytes);
}

TEST(Resize, WhatCannotBeResizedIsNamed) {
  const Model model(6);
  const auto refused = [&](const VocabularyChange& change) {
    return error_of([&] { Resize(model.options(), change); });
  };
  EXPECT_TRUE(contains(refused({.tokens = 9, .base_tokens = 7}), "7 tokens"));
  EXPECT_TRUE(contains(refused({.tokens = 9, .base_tokens = 6, .pieces = {{5, {1}}}}), "token 5"));
  EXPECT_TRUE(contains(refused({.tokens = 9, .base_tokens = 6, .pieces = {{9, {1}}}}), "token 9"));
  EXPECT_TRUE(
      contains(refused({.tokens = 9, .base_tokens = 6, .pieces = {{6, {6}}}}), "a piece 6"));
  EXPECT_TRUE(
      contains(refused({.tokens = 9, .base_tokens = 6, .pieces = {{6, {-1}}}}), "a piece -1"));
  auto config = OrderedJson::parse(read_file(model.path / "config.json"));
  config["vocab_size"] = 7;
  write_file_atomic(model.path / "config.json", pretty(config));
  EXPECT_TRUE(contains(refused({.tokens = 9}), "'vocab_size' is 7"));
  config.erase("vocab_size");
  write_file_atomic(model.path / "config.json", pretty(config));
  EXPECT_TRUE(contains(refused({.tokens = 9}), "'vocab_size' is not a number"));

  const std::vector<uint8_t> bytes(6 * kWidth, 0);
  const auto with = [&](const char* name, DType dtype) {
    write_safetensors(model.path / "model.safetensors",
                      {{name, dtype, {6, kWidth}, std::as_bytes(std::span(bytes))}});
    config["vocab_size"] = 6;
    config["tie_word_embeddings"] = true;
    write_file_atomic(model.path / "config.json", pretty(config));
    return refused({.tokens = 9});
  };
  EXPECT_TRUE(contains(with("model.embed_tokens.weight", DType::i8), "is I8"));
  EXPECT_TRUE(contains(with("gpt_neox.embed_in.weight", DType::u8), "LlamaForCausalLM"));
  auto options = model.options();
  options.out = (model.tokenizer / "inside").string();
  EXPECT_TRUE(contains(error_of([&] { Resize(options, {.tokens = 9}); }), "share a folder"));
}

}  // namespace
}  // namespace helio::checkpoint
