// Merges against mergekit's tensors (tests/fixtures/merge_tiny), and what is refused.
#include "checkpoint/merge/merge.h"

#include <cmath>
#include <cstring>

#include "checkpoint/cast.h"
#include "checkpoint_test.h"
#include "core/manifest.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

MergeOptions options_for(const fs::path& plan, const fs::path& models, const fs::path& out) {
  MergeOptions options;
  options.plan = plan.string();
  options.out = out.string();
  options.threads = 2;
  for (const char* name : {"base", "ko", "chat"})
    options.models.push_back((models / name).string());
  return options;
}

int64_t merge(const MergeOptions& options) {
  SilentMonitor silent;
  const StopRequest stop;
  const Merge job(options);
  job.write(silent, stop);
  return job.assembly().not_numbers();
}

std::vector<float> floats_of(const SafeTensors& file, const TensorInfo& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  to_floats(tensor.dtype, file.data(tensor), values);
  return values;
}

// The fixtures' plans say ./base: as a name given beside the plan, "base".
fs::path local_plan(const fs::path& plan, const TempDir& dir) {
  std::string text = read_file(plan);
  for (size_t at = text.find("./"); at != std::string::npos; at = text.find("./", at))
    text.erase(at, 2);
  const fs::path out = dir / plan.filename();
  write_bytes(out, text);
  return out;
}

class LikeMergekit : public ::testing::TestWithParam<const char*> {};

TEST_P(LikeMergekit, TensorsAreTheSame) {
  TempDir dir;
  const fs::path here = fixture("merge_tiny") / GetParam();
  int plans = 0;
  for (const auto& found : list_files(here / "plans")) {
    const fs::path plan = found.is_absolute() ? found : here / "plans" / found;
    const std::string name = plan.stem().string();
    const fs::path out = dir / name;
    merge(options_for(local_plan(plan, dir), here, out));
    const SafeTensors got(out), want(here / "expected" / (name + ".safetensors"));
    ++plans;
    const bool sums = name == "slerp" || (name == "ties_plain" && GetParam() == std::string("f32"));
    if (!sums) {
      SCOPED_TRACE(name);
      expect_same_tensors(got, want);
      continue;
    }
    // What is summed over a whole tensor (slerp's angle, rescale), torch sums in f32, in an order
    // that depends on the processor; here it is f64. That is a unit or two in the last place of the
    // factors, and of f32 results.
    ASSERT_EQ(got.tensors().size(), want.tensors().size());
    int64_t other = 0, all = 0;
    for (const auto& tensor : want.tensors()) {
      const auto a = floats_of(got, got.at(tensor.name)), b = floats_of(want, tensor);
      ASSERT_EQ(got.at(tensor.name).dtype, tensor.dtype);
      const float near = tensor.dtype == DType::f32 ? 1e-6f : 8e-3f;
      for (size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], near * std::max(0.1f, std::fabs(b[i]))) << tensor.name;
        other += a[i] != b[i];
        ++all;
      }
    }
    if (std::string(GetParam()) == "bf16") {
      EXPECT_LT(other * 1000, all);  // after rounding all but none
    }
  }
  EXPECT_GE(plans, 4);
}
INSTANTIATE_TEST_SUITE_P(Dtypes, LikeMergekit, ::testing::Values("f32", "bf16", "mixed"));

class MergePlans : public ::testing::Test {
 protected:
  std::string attempt(const std::string& plan) {
    write_bytes(dir_ / "plan.yaml", plan);
    return error_of(
        [&] { merge(options_for(dir_ / "plan.yaml", fixture("merge_tiny/f32"), dir_ / "out")); });
  }
  static std::string linear(const std::string& rest) {
    return "merge_method: linear\nmodels:\n- {model: base, parameters: {weight: 1}}\n" + rest;
  }
  // base with one tensor other than it was.
  fs::path spoilt(const std::function<bool(TensorToWrite&)>& keep) {
    fs::copy(fixture("merge_tiny/f32/ko"), dir_ / "spoilt");
    const SafeTensors source(dir_ / "spoilt");
    std::vector<TensorToWrite> tensors;
    for (const auto& tensor : source.tensors()) {
      TensorToWrite one{.name = tensor.name,
                        .dtype = tensor.dtype,
                        .shape = tensor.shape,
                        .data = source.data(tensor)};
      if (keep(one)) tensors.push_back(one);
    }
    write_safetensors(dir_ / "spoilt/new.safetensors", tensors);
    fs::rename(dir_ / "spoilt/new.safetensors", dir_ / "spoilt/model.safetensors");
    return dir_ / "spoilt";
  }
  std::string attempt_spoilt() {
    return attempt(linear("- {model: spoilt, parameters: {weight: 1}}\n"));
  }
  TempDir dir_;
};

TEST_F(MergePlans, ErrorsSayWhereAndWhatWasMeant) {
  const auto expect = [&](const std::string& plan, const std::string& where,
                          const std::string& what) {
    const std::string error = attempt(plan);
    EXPECT_TRUE(contains(error, where) && contains(error, what)) << error;
  };
  expect("merge_methd: linear\n", "plan.yaml:1:1", "did you mean 'merge_method'?");
  expect("merge_method: liner\nmodels: []\n", "plan.yaml:1:15", "did you mean 'linear'?");
  expect("merge_method: breadcrumbs\nmodels: []\n", "of mergekit is not done here",
         "methods: pass");
  expect(linear("  wieght: 1\n"), "plan.yaml:4:3", "not valid YAML");
  expect("merge_method: linear\nmodels:\n- {model: base, parameters: {wieght: 1}}\n",
         "plan.yaml:3:30", "did you mean 'weight'?");
  expect("merge_method: linear\nmodels:\n- {model: base, parameters: {weight: much}}\n",
         "plan.yaml:3:38", "'weight' must be a finite number, not 'much'");
  expect("merge_method: linear\nmodels:\n- {model: base, layer_range: [0, 1]}\n", "plan.yaml:3:17",
         "unknown key 'layer_range'");
  expect("merge_method: passthrough\nslices:\n- sources: [{model: base, layer_range: [3, 9]}]\n",
         "plan.yaml:3:13", "'base' has layers 0 to 3");
  expect("merge_method: passthrough\nslices:\n- sources: [{model: base, layer_range: [2, 2]}]\n",
         "plan.yaml:3:40", "holds no layer");
  expect(
      "merge_method: passthrough\nslices:\n- sources: [{model: base, layer_range: [0, "
      "1000000000]}]\n",
      "plan.yaml:3:44", "from 0 to 10000");
  expect(
      "merge_method: passthrough\nslices:\n- sources: [{model: base, layer_range: [0, 2]}, "
      "{model: ko, layer_range: [0, 2]}]\n",
      "plan.yaml:3:3", "exactly 1 model for each layer, and 2 are given");
  expect(
      "merge_method: slerp\nbase_model: ko\nslices:\n- sources:\n  - {model: base, layer_range: "
      "[0, 2]}\n  - {model: chat, layer_range: [0, 2]}\n",
      "plan.yaml:4:3", "'ko' is not among the sources");
  expect("merge_method: slerp\nmodels: [{model: base}, {model: ko}]\n", "plan.yaml:2:9",
         "needs a 'base_model'");
  expect("merge_method: ties\nbase_model: base\nmodels: [{model: ko}]\n", "plan.yaml",
         "ties needs 'weight'");
  expect("merge_method: slerp\nbase_model: base\nmodels: [{model: base}, {model: ko}]\n",
         "plan.yaml", "slerp needs 't'");
  expect(linear("tokenizer_source: union\n"), "plan.yaml:4:19", "'union' is not supported");
  expect(linear("tokenizer: {source: base}\n"), "plan.yaml:4:1", "'tokenizer' is not supported");
  expect(linear("modules: {a: b}\n"), "plan.yaml:4:1", "'modules' is not supported");
  expect(linear("chat_template: auto\n"), "plan.yaml:4:1", "'chat_template' is not supported");
  expect(linear("dtype: int64\n"), "plan.yaml:4:8", "choose float32");
  expect(linear("- {model: base, parameters: {weight: 1}}\n"), "plan.yaml:4:3", "twice");
  expect(linear("- {model: nobody, parameters: {weight: 1}}\n"), "plan.yaml:4:3",
         "there is no model 'nobody'");
  expect(linear("- {model: 'ko+adapter', parameters: {weight: 1}}\n"), "ko+adapter", "LoRA");
  expect(linear("- {model: ko, parameters: {weight: -1}}\n"), "add up to 0", "normalize: false");
  expect("merge_method: linear\nmodels: 3\n", "plan.yaml:2:9", "must be a list");
  expect("- 1\n", "plan.yaml:1:1", "a map of keys");
  expect("merge_method: linear\n", "plan.yaml", "either 'models' or 'slices'");
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

TEST_F(MergePlans, IgnoredParametersAreNoted) {
  const auto plan =
      parse_merge_plan(linear("parameters: {density: 0.5, normalize: true}\n"), "p.yaml");
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_TRUE(contains(plan.notes[0], "p.yaml:4:14: linear has no parameter 'density'"));
}

TEST_F(MergePlans, GradientsAndFilters) {
  const auto plan = parse_merge_plan(linear("parameters:\n  normalize: [true, false]\n  weight:\n  "
                                            "- {filter: mlp, value: [0, 1, 4]}\n"
                                            "  - {filter: self, value: 2}\n"),
                                     "p.yaml");
  const Setting& weight = plan.parameters.at("weight");
  EXPECT_EQ(weight.at("a.mlp.b", 0), 0);
  EXPECT_EQ(weight.at("a.mlp.b", 0.5), 1);
  EXPECT_EQ(weight.at("a.mlp.b", 0.75), 2.5);
  EXPECT_EQ(weight.at("a.mlp.b", 1), 4);
  EXPECT_EQ(weight.at("self_attn", 1), 2);
  EXPECT_FALSE(weight.at("norm", 1).has_value());
  EXPECT_EQ(plan.parameters.at("normalize").at("x", 0.9), 1);  // switches do not mix
  EXPECT_EQ(plan.parameters.at("normalize").at("x", 1), 0);
}

TEST_F(MergePlans, ModelsThatDoNotFit) {
  std::string data(31 * 8 * sizeof(float), '\0');
  spoilt([&](TensorToWrite& tensor) {
    if (tensor.name == "model.embed_tokens.weight") {
      tensor.shape = {31, 8};
      tensor.data = std::as_bytes(std::span(data.data(), data.size()));
    }
    return true;
  });
  EXPECT_TRUE(contains(attempt_spoilt(), "has shape [160, 16] in 'base' and [31, 8] in 'spoilt'"));
  EXPECT_TRUE(contains(attempt_spoilt(), "helio model resize"));
  fs::remove_all(dir_ / "spoilt");
  spoilt([](TensorToWrite& tensor) { return tensor.name != "model.layers.2.mlp.up_proj.weight"; });
  EXPECT_TRUE(contains(attempt_spoilt(), "no tensor 'model.layers.2.mlp.up_proj.weight'"));
  fs::remove_all(dir_ / "spoilt");
  const auto set = [&](const char* key, const Json& value) {
    fs::remove_all(dir_ / "spoilt");
    fs::copy(fixture("merge_tiny/f32/ko"), dir_ / "spoilt");
    Json config = load_json(dir_ / "spoilt/config.json");
    config[key] = value;
    write_bytes(dir_ / "spoilt/config.json", config.dump());
  };
  set("architectures", {"MistralForCausalLM"});
  EXPECT_TRUE(contains(attempt_spoilt(), "only models of one architecture are merged"));
  set("num_attention_heads", 8);
  EXPECT_TRUE(contains(attempt_spoilt(), "'num_attention_heads' is 4 in 'base' and 8 in 'spoilt'"));
  set("rms_norm_eps", 0.5);
  write_bytes(dir_ / "plan.yaml", linear("- {model: spoilt, parameters: {weight: 1}}\n"));
  const Merge merge(options_for(dir_ / "plan.yaml", fixture("merge_tiny/f32"), dir_ / "out"));
  ASSERT_EQ(merge.assembly().notes().size(), 1U);
  EXPECT_TRUE(contains(merge.assembly().notes()[0], "'rms_norm_eps' is 1e-05 in 'base' and 0.5"));
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

TEST_F(MergePlans, TheBasesTokenizerIsForModelsOfOneVocabulary) {
  for (const char* name : {"a", "b"}) fs::copy(fixture("merge_tiny/f32/ko"), dir_ / name);
  const auto tokens = [&](const char* name, const std::string& vocab, const std::string& added) {
    write_bytes(dir_ / name / "tokenizer.json",
                R"({"model": {"vocab": )" + vocab + R"(}, "added_tokens": )" + added + "}");
  };
  const std::string plan =
      "merge_method: linear\ntokenizer_source: base\nbase_model: a\nmodels:\n"
      "- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}\n";
  EXPECT_TRUE(contains(attempt(plan), "tokenizer.json'"));
  tokens("a", R"({"x": 0, "y": 1})", R"([{"id": 2, "content": "<s>"}])");
  tokens("b", R"([["x", -1.5], ["y", -2]])", R"([{"id": 2, "content": "<s>"}])");
  EXPECT_EQ(attempt(plan), "no error");
  tokens("b", R"({"x": 0, "y": 1})", R"([{"id": 2, "content": "</s>"}])");
  EXPECT_TRUE(contains(attempt(plan), "token 2 is '<s>' in")) << attempt(plan);
  tokens("b", R"({"x": 0, "y": 1})", "[]");
  EXPECT_TRUE(contains(attempt(plan), "and nothing in"));
  tokens("b", R"({"x": "0"})", "[]");
  EXPECT_TRUE(contains(attempt(plan), "not a tokenizer's"));
}

TEST_F(MergePlans, NotNumbersAreCounted) {
  const float bad[16] = {NAN, 1, NAN};
  spoilt([&](TensorToWrite& tensor) {
    if (tensor.name == "model.norm.weight") tensor.data = std::as_bytes(std::span(bad));
    return true;
  });
  write_bytes(dir_ / "plan.yaml", linear("- {model: spoilt, parameters: {weight: 1}}\n"));
  EXPECT_EQ(merge(options_for(dir_ / "plan.yaml", fixture("merge_tiny/f32"), dir_ / "out")), 2);
  EXPECT_EQ(load_manifest(dir_ / "out").facts["not_numbers"], 2);
}

TEST_F(MergePlans, ManifestTellsFromWhatAndThreadsDoNotShow) {
  write_bytes(dir_ / "plan.yaml",
              "merge_method: dare_ties\nbase_model: base\nmodels:\n- {model: ko, parameters: "
              "{weight: 0.5, density: 0.4}}\n- {model: chat, parameters: {weight: 0.5, density: "
              "0.6}}\n");
  auto options = options_for(dir_ / "plan.yaml", fixture("merge_tiny/bf16"), dir_ / "one/m");
  options.threads = 1;
  merge(options);
  options.out = (dir_ / "two/m").string();
  options.threads = 3;
  merge(options);
  EXPECT_EQ(read_file(dir_ / "one/m/model.safetensors"),
            read_file(dir_ / "two/m/model.safetensors"));
  options.out = (dir_ / "seed/m").string();
  options.seed = 1;
  merge(options);
  EXPECT_NE(read_file(dir_ / "one/m/model.safetensors"),
            read_file(dir_ / "seed/m/model.safetensors"));
  verify_artefact(dir_ / "one/m");
  const Manifest manifest = load_manifest(dir_ / "one/m");
  EXPECT_EQ(manifest.made_by, "merge");
  EXPECT_EQ(manifest.facts["method"], "dare_ties");
  EXPECT_EQ(manifest.facts["base"], "base");
  EXPECT_EQ(manifest.facts["models"], OrderedJson({"ko", "chat", "base"}));
  EXPECT_EQ(manifest.facts["layer_sources"][3], OrderedJson::parse("[[0,3],[1,3],[2,3]]"));
  ASSERT_EQ(manifest.inputs.size(), 4U);
  EXPECT_EQ(manifest.inputs[3].role, "plan");
}

// A model of one large tensor kind, so that chance has something to show and pieces have borders.
class LargeMerge : public MergePlans {
 protected:
  static constexpr int64_t kRows = 12'000;  // x 16: three pieces
  void make(const char* name, float base, float spread, DType dtype = DType::f32) {
    fs::copy(fixture("merge_tiny/f32/base"), dir_ / name);
    Json config = load_json(dir_ / name / "config.json");
    config["vocab_size"] = kRows;
    write_bytes(dir_ / name / "config.json", config.dump());
    const SafeTensors source(fixture("merge_tiny/f32/base"));
    std::vector<float> values(kRows * 16);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = base + spread * static_cast<float>(int(i * 2654435761U % 2001) - 1000) / 1000;
    std::vector<std::byte> stored(values.size() * dtype_size(dtype));
    from_floats(dtype, values, stored);
    std::vector<TensorToWrite> tensors;
    for (const auto& tensor : source.tensors()) {
      TensorToWrite one{.name = tensor.name,
                        .dtype = tensor.dtype,
                        .shape = tensor.shape,
                        .data = source.data(tensor)};
      if (tensor.name == "model.embed_tokens.weight")
        one = {.name = tensor.name, .dtype = dtype, .shape = {kRows, 16}, .data = stored};
      tensors.push_back(one);
    }
    write_safetensors(dir_ / name / "model.safetensors", tensors);
  }
  std::vector<float> embedding_of(const std::string& plan) {
    fs::remove_all(dir_ / "out");
    write_bytes(dir_ / "plan.yaml", plan);
    MergeOptions options;
    options.plan = (dir_ / "plan.yaml").string();
    options.out = (dir_ / "out").string();
    merge(options);
    const SafeTensors out(dir_ / "out");
    return floats_of(out, out.at("model.embed_tokens.weight"));
  }
};

TEST_F(LargeMerge, DareKeepsItsShareAndTheSumOfMagnitudes) {
  make("a", 0, 0);
  make("b", 0, 1);
  const auto merged = embedding_of(
      "merge_method: dare_linear\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, "
      "density: 0.3}}]\n");
  double kept = 0, sum = 0, before = 0;
  const SafeTensors b(dir_ / "b");
  const auto whole = floats_of(b, b.at("model.embed_tokens.weight"));
  for (size_t i = 0; i < merged.size(); ++i) {
    kept += merged[i] != 0;
    sum += std::fabs(double(merged[i]));
    before += std::fabs(double(whole[i]));
  }
  const double n = double(merged.size());
  EXPECT_NEAR(kept / n, 0.3, 5 * std::sqrt(0.3 * 0.7 / n) + 1e-3);  // 1 in 2001 is zero anyway
  EXPECT_NEAR(sum / before, 1, 1e-4);
}

TEST_F(LargeMerge, TiesKeepsExactlyTheLargest) {
  make("a", 0, 0, DType::bf16);
  make("b", 0, 1, DType::bf16);
  const auto merged = embedding_of(
      "merge_method: ties\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, density: "
      "0.2}}]\n");
  const SafeTensors b(dir_ / "b");
  const auto whole = floats_of(b, b.at("model.embed_tokens.weight"));
  std::vector<size_t> order(whole.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return std::fabs(whole[x]) > std::fabs(whole[y]); });
  std::vector<float> want(whole.size(), 0.0f);
  for (size_t i = 0; i < whole.size() / 5; ++i) want[order[i]] = whole[order[i]];
  EXPECT_EQ(merged, want);  // of equally large ones, the first
}

TEST_F(LargeMerge, SlerpStaysOnTheSphereBetweenItsEnds) {
  make("a", 0.5, 1);
  make("b", -0.5, 1);
  const auto plan = [](const char* t) {
    return std::string(
               "merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}]\n"
               "parameters: {t: ") +
           t + "}\n";
  };
  const SafeTensors a(dir_ / "a"), b(dir_ / "b");
  const auto first = floats_of(a, a.at("model.embed_tokens.weight"));
  const auto last = floats_of(b, b.at("model.embed_tokens.weight"));
  EXPECT_EQ(embedding_of(plan("0")), first);
  EXPECT_EQ(embedding_of(plan("1")), last);
  const auto norm = [](const std::vector<float>& x) {
    double sum = 0;
    for (const float value : x) sum += double(value) * double(value);
    return std::sqrt(sum);
  };
  // Both ends have one length, so all between have it too.
  EXPECT_NEAR(norm(embedding_of(plan("0.3"))) / norm(first), 1, 1e-3);
}

TEST(MergeLoopSets, TheFastAndThePortableOnesGiveTheSameNumbers) {
  const MergeLoops &a = merge_loops(), &b = portable_merge_loops();
  constexpr size_t n = 1003;
  std::vector<float> base(n), deltas(2 * n);
  for (size_t i = 0; i < n; ++i)
    base[i] = std::sin(float(i)), deltas[i] = std::cos(float(i)) * 0.01f,
    deltas[n + i] = std::sin(3.0f * float(i)) * 0.02f;
  deltas[5] = NAN;
  base[7] = INFINITY;
  for (const DType work : {DType::f32, DType::bf16, DType::f16}) {
    const float weights[2] = {0.3f, 0.7f};
    for (const bool consensus : {false, true}) {
      const TaskMix how{.work = work,
                        .weights = weights,
                        .consensus = consensus,
                        .normalize = consensus,
                        .lambda = 0.9f};
      std::vector<float> da = deltas, db = deltas, oa(n), ob(n);
      a.mix(how, da.data(), n, base.data(), oa.data(), n);
      b.mix(how, db.data(), n, base.data(), ob.data(), n);
      EXPECT_EQ(std::memcmp(oa.data(), ob.data(), n * 4), 0);
    }
    std::vector<float> sa = base, sb = base;
    a.add_product(0.37f, deltas.data(), sa.data(), n);
    b.add_product(0.37f, deltas.data(), sb.data(), n);
    EXPECT_EQ(std::memcmp(sa.data(), sb.data(), n * 4), 0);
    a.keep_by_chance(99, 12, 0.4f, sa.data(), n);
    b.keep_by_chance(99, 12, 0.4f, sb.data(), n);
    EXPECT_EQ(std::memcmp(sa.data(), sb.data(), n * 4), 0);
    EXPECT_EQ(a.count_nan(deltas.data(), 2 * n), 1U);
    std::vector<std::byte> ra(n * 4), rb(n * 4);
    a.narrow(work, base.data(), ra.data(), n);
    b.narrow(work, base.data(), rb.data(), n);
    EXPECT_EQ(ra, rb);
  }
}

}  // namespace
}  // namespace helio::checkpoint
