#include "checkpoint/surgery.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "checkpoint/gguf/export.h"
#include "checkpoint_test.h"
#include "core/gguf.h"
#include "core/manifest.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

UpscaleOptions options_for(const fs::path& model, const fs::path& out, int64_t drop = 2) {
  UpscaleOptions options;
  options.model = model.string();
  options.out = out.string();
  options.drop = drop;
  return options;
}
void upscale(const UpscaleOptions& options) {
  SilentMonitor silent;
  const StopRequest stop;
  Upscale(options).write(silent, stop);
}
std::map<std::string, std::string> content_of(const fs::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& path : list_files(dir))
    files[fs::relative(path, dir).string()] = read_file(path);
  return files;
}

TEST(Dus, SolarsLayerMapAndParameters) {
  const auto plan = plan_upscale(32, 8);
  ASSERT_EQ(plan.layers.size(), 48U);
  EXPECT_EQ(plan.seam, 24);
  for (int64_t i = 0; i < 48; ++i) {
    EXPECT_EQ(plan.layers[size_t(i)].layer, i < 24 ? i : i - 16);
    EXPECT_EQ(plan.layers[size_t(i)].copy, i < 24 ? 1 : 2);
  }
  const DecoderConfig mistral{.vocab_size = 32000,
                              .hidden_size = 4096,
                              .intermediate_size = 14336,
                              .layers = 32,
                              .heads = 32,
                              .kv_heads = 8,
                              .head_dim = 128,
                              .tied_embeddings = false};
  EXPECT_EQ(mistral.parameters(), 7'241'732'096);
  EXPECT_EQ(upscaled_parameters(mistral, plan), 10'731'524'096);
}

TEST(Dus, TheRuleHoldsForEveryDepthAndDrop) {
  for (int64_t n = 1; n <= 70; ++n)
    for (int64_t m = 0; m <= (n - 1) / 2; ++m) {
      const auto plan = plan_upscale(n, m);
      ASSERT_EQ(int64_t(plan.layers.size()), 2 * (n - m));
      ASSERT_GT(int64_t(plan.layers.size()), n);
      for (int64_t i = 0; i < 2 * (n - m); ++i)
        ASSERT_EQ(plan.layers[size_t(i)].layer, i < n - m ? i : i - (n - 2 * m))
            << n << " " << m << " " << i;
      EXPECT_EQ(plan.layers.back().layer, n - 1);
    }
}

TEST(Dus, ADropThatMakesNothingDeeperSaysWhatIsPossible) {
  for (const int64_t drop : {4, 5, 8, 9, -1}) {
    const auto error = error_of([&] { plan_upscale(8, drop); });
    EXPECT_TRUE(contains(error, "to 3; SOLAR drops a quarter: 2")) << error;
  }
  EXPECT_EQ(kind_of([] { plan_upscale(8, 4); }), ErrorKind::usage);
  EXPECT_EQ(kind_of([] { plan_upscale(0, 0); }), ErrorKind::usage);
}

UpscaleOptions variant(const std::function<void(UpscaleOptions&)>& set) {
  UpscaleOptions options;
  set(options);
  return options;
}

TEST(Dus, MoreCopiesInterleavedAndIdentity) {
  const auto three = plan_upscale(8, variant([](auto& o) { o.drop = 2, o.copies = 3; }));
  std::vector<int64_t> map;
  for (const auto& layer : three.layers) map.push_back(layer.layer);
  EXPECT_EQ(map, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(three.seams(), (std::vector<int64_t>{6, 10}));
  const auto pro = plan_upscale(
      8, variant([](auto& o) { o.method = "interleave", o.every = 4, o.init = "identity"; }));
  ASSERT_EQ(pro.layers.size(), 10U);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(pro.layers[i].identity, i == 4 || i == 9) << i;
  EXPECT_EQ(pro.layers[4].layer, 3);
  EXPECT_EQ(pro.layers[9].layer, 7);
  // SOLAR's layers with the repeated ones passing on: what is left is the base, in its order.
  const auto same = plan_upscale(8, variant([](auto& o) { o.drop = 2, o.init = "identity"; }));
  std::vector<int64_t> left;
  for (const auto& layer : same.layers)
    if (!layer.identity) left.push_back(layer.layer);
  EXPECT_EQ(left, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Dus, AveragedSeamsMeetTheOtherCopyAtTheSameDepth) {
  const auto plan =
      plan_upscale(8, variant([](auto& o) { o.drop = 2, o.seam = "average", o.seam_width = 2; }));
  const std::vector<int64_t> with = {-1, -1, -1, -1, 0, 1, 6, 7, -1, -1, -1, -1};
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(plan.layers[i].mean_with, with[i]) << i;
  const auto refused = [](const std::function<void(UpscaleOptions&)>& set) {
    return error_of([&] { plan_upscale(8, variant(set)); });
  };
  EXPECT_TRUE(contains(refused([](auto& o) { o.drop = 0, o.seam = "average"; }), "--drop"));
  EXPECT_TRUE(contains(refused([](auto& o) { o.drop = 1, o.seam = "average", o.seam_width = 2; }),
                       "--seam-width can be 1 to 1"));
  EXPECT_TRUE(contains(
      refused([](auto& o) { o.drop = 3, o.seam = "average", o.seam_width = 2, o.copies = 3; }),
      "meet in a copy of 2 layers"));
  EXPECT_TRUE(contains(
      refused([](auto& o) { o.drop = 1, o.seam = "average", o.init = "identity"; }), "contradict"));
  EXPECT_TRUE(contains(refused([](auto& o) { o.method = "interleave"; }), "add --every"));
  EXPECT_TRUE(contains(refused([](auto& o) { o.method = "interleave", o.every = 9; }), "is none"));
  EXPECT_TRUE(contains(refused([](auto& o) { o.method = "interleave", o.every = 2, o.drop = 1; }),
                       "--drop belongs to"));
  EXPECT_TRUE(contains(refused([](auto& o) { o.drop = 1, o.every = 2; }), "--every belongs to"));
  EXPECT_TRUE(contains(refused([](auto&) {}), "add --drop M"));
  EXPECT_TRUE(contains(
      error_of([&] { plan_upscale(9000, variant([](auto& o) { o.drop = 1, o.copies = 64; })); }),
      "10000 are the most"));
}

TEST(Dus, IdentityBlocksAreZeroWhereTheyWriteAndCopiesElsewhere) {
  TempDir dir;
  auto options = options_for(fixture("dus_tiny/bf16/input"), dir / "out");
  options.init = "identity";
  upscale(options);
  const SafeTensors in(fixture("dus_tiny/bf16/input")), out(dir / "out");
  const auto bytes = [](const SafeTensors& file, const std::string& name) {
    const auto data = file.data(file.at(name));
    return std::string(reinterpret_cast<const char*>(data.data()), data.size());
  };
  for (const char* part : {"self_attn.o_proj.weight", "mlp.down_proj.weight"}) {
    const std::string zero = bytes(out, std::string("model.layers.7.") + part);
    EXPECT_EQ(zero, std::string(zero.size(), '\0'));
    EXPECT_NE(bytes(out, std::string("model.layers.11.") + part),
              std::string(zero.size(), '\0'));  // layer 7's first
  }
  EXPECT_EQ(bytes(out, "model.layers.7.mlp.up_proj.weight"),
            bytes(in, "model.layers.3.mlp.up_proj.weight"));
  EXPECT_EQ(load_manifest(dir / "out").facts["identity_layers"], OrderedJson({6, 7, 8, 9}));
}

TEST(Dus, PlansInMergekitsYaml) {
  TempDir dir;
  for (const char* variant : {"f32", "bf16", "f32_tied"}) {
    const fs::path golden = fixture("dus_tiny") / variant;
    UpscaleOptions options;
    options.plan = (golden / "plan.yaml").string();  // names ./input, which lies beside it
    options.out = (dir / variant).string();
    upscale(options);
    expect_same_tensors(SafeTensors(dir / variant), SafeTensors(golden / "expected"));
    const Manifest manifest = load_manifest(dir / variant);
    EXPECT_EQ(manifest.facts["layer_map"], OrderedJson::parse("[0,1,2,3,4,5,2,3,4,5,6,7]"));
    EXPECT_EQ(manifest.facts["seam"], 6);
    EXPECT_FALSE(manifest.facts.contains("drop"));
  }
  write_bytes(dir / "slerp.yaml",
              "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n");
  UpscaleOptions options;
  options.plan = (dir / "slerp.yaml").string();
  EXPECT_TRUE(contains(error_of([&] { Upscale{options}; }), "helio merge --plan"));
  options.drop = 2;
  EXPECT_TRUE(contains(error_of([&] { Upscale{options}; }), "so does another flag"));
  options.model = "x";
  EXPECT_TRUE(contains(error_of([&] { Upscale{options}; }), "names the models itself"));
  EXPECT_TRUE(contains(error_of([&] { Upscale{UpscaleOptions{}}; }), "no model to make deeper"));
}

TEST(Dus, GgufSaysWhatTheLayersDoOrWhyNot) {
  TempDir dir;
  const auto exported = [&](const char* variant) {
    fs::create_directories(dir / variant);
    fs::copy(fixture("families") / variant / "model.safetensors", dir / variant);
    OrderedJson config(load_json(fixture("families") / variant / "config_v4.json"));
    if (config.contains("query_pre_attn_scalar"))  // of the fixture: more than GGUF can say
      config["query_pre_attn_scalar"] = config["head_dim"];
    write_bytes(dir / variant / "config.json", config.dump());
    const fs::path deep = dir / (std::string(variant) + "-deep");
    upscale(options_for(dir / variant, deep, 1));
    GgufExportOptions options;
    options.model = deep.string();
    options.out = (dir / variant / "deep.gguf").string();
    options.type = "f32";
    SilentMonitor silent;
    const StopRequest stop;
    GgufExport(options).write([](GgufPlan&) {}, silent, stop);
    return fs::path(options.out);
  };
  // Gemma's windows, layer by layer: 0 1 2 1 2 3 of sliding, full, ... and of the recorded list.
  const GgufFile two(exported("gemma2")), three(exported("gemma3"));
  const std::vector<int64_t> every_other = {1, 0, 1, 0, 1, 0}, listed = {1, 1, 0, 1, 0, 1};
  EXPECT_EQ(two.at("gemma2.attention.sliding_window_pattern").integers(), every_other);
  EXPECT_EQ(three.at("gemma3.attention.sliding_window_pattern").integers(), listed);
  EXPECT_EQ(GgufFile(exported("qwen2_yarn")).integer("qwen2.block_count"), 4);
  EXPECT_EQ(GgufFile(exported("phi3")).integer("phi3.block_count"), 4);
  EXPECT_TRUE(contains(error_of([&] { exported("qwen2"); }), "sliding window are not written"));
  EXPECT_TRUE(contains(error_of([&] { exported("mixtral"); }), "'MixtralForCausalLM'"));
}

TEST(Dus, TensorsEqualMergekitsPassthrough) {
  TempDir dir;
  for (const char* variant : {"f32", "bf16", "f32_tied"}) {
    const fs::path golden = fixture("dus_tiny") / variant, out = dir / variant;
    upscale(options_for(golden / "input", out));
    expect_same_tensors(SafeTensors(out), SafeTensors(golden / "expected"));
    EXPECT_EQ(load_json(out / "config.json"), load_json(golden / "expected/config.json"));
    EXPECT_EQ(read_file(out / "generation_config.json"),
              read_file(golden / "input/generation_config.json"));
    EXPECT_EQ(SafeTensors(out).find("lm_head.weight") == nullptr,
              std::string(variant) == "f32_tied");
    int64_t elements = 0;
    const SafeTensors weights(out);
    for (const auto& tensor : weights.tensors()) elements += tensor.elements();
    EXPECT_EQ(upscaled_parameters(load_decoder_config(golden / "input"), plan_upscale(8, 2)),
              elements);
  }
}

TEST(Dus, ShardsInAndOutHoldTheSameTensors) {
  TempDir dir;
  const SafeTensors want(fixture("dus_tiny/f32/expected"));
  auto options = options_for(fixture("dus_tiny/f32/input_sharded"), dir / "like-source");
  upscale(options);
  const SafeTensors like_source(dir / "like-source");
  EXPECT_GT(like_source.files().size(), 1U);
  expect_same_tensors(like_source, want);
  options.out = (dir / "small").string();
  options.shard_size = 9000;
  upscale(options);
  const SafeTensors small(dir / "small");
  expect_same_tensors(small, want);
  EXPECT_GT(small.files().size(), like_source.files().size());
  for (const auto& file : small.files()) EXPECT_LE(fs::file_size(file), 9000U) << file;
  const Json index = load_json(dir / "small/model.safetensors.index.json");
  EXPECT_EQ(index["metadata"]["total_size"], 24432 * 4);
  EXPECT_EQ(index["weight_map"].size(), want.tensors().size());
  // Smaller than the largest tensor: that one stands alone, all others keep to the size.
  options.out = (dir / "tiny").string();
  options.shard_size = 1;
  upscale(options);
  EXPECT_EQ(SafeTensors(dir / "tiny").files().size(), want.tensors().size());
  expect_same_tensors(SafeTensors(dir / "tiny"), want);
  // One file again when it fits.
  options.out = (dir / "one").string();
  options.shard_size = int64_t(1) << 30;
  upscale(options);
  EXPECT_TRUE(fs::exists(dir / "one/model.safetensors"));
  expect_same_tensors(SafeTensors(dir / "one"), want);
}

TEST(Dus, TheManifestTellsWhereEachLayerComesFrom) {
  TempDir dir;
  upscale(options_for(fixture("dus_tiny/f32/input"), dir / "deep/"));
  verify_artefact(dir / "deep");
  const Manifest manifest = load_manifest(dir / "deep");
  EXPECT_EQ(manifest.kind, "model");
  EXPECT_EQ(manifest.name, "deep");
  EXPECT_EQ(manifest.made_by, "upscale");
  EXPECT_EQ(manifest.facts["layer_map"], OrderedJson::parse("[0,1,2,3,4,5,2,3,4,5,6,7]"));
  EXPECT_EQ(manifest.facts["layer_copy"], OrderedJson::parse("[1,1,1,1,1,1,2,2,2,2,2,2]"));
  EXPECT_EQ(manifest.facts["seam"], 6);
  EXPECT_EQ(manifest.facts["parameters"], 24432);
  ASSERT_EQ(manifest.inputs.size(), 1U);
  EXPECT_EQ(manifest.inputs[0].content,
            describe_input("model", fixture("dus_tiny/f32/input")).content);
  // The next one names this one as its base, by content.
  upscale(options_for(dir / "deep", dir / "deeper", 4));
  EXPECT_EQ(load_manifest(dir / "deeper").inputs[0].content, manifest.content);
  EXPECT_EQ(load_manifest(dir / "deeper").facts["layers"], 16);
}

TEST(Dus, TheSameBytesWhereverAndHoweverOften) {
  TempDir dir;
  upscale(options_for(fixture("dus_tiny/bf16/input"), dir / "a/model"));
  upscale(options_for(fixture("dus_tiny/bf16/input"), dir / "b/model"));
  upscale(
      options_for(fixture("dus_tiny/bf16/input"), dir / "b/model"));  // replaces what helio made
  EXPECT_EQ(content_of(dir / "a/model"), content_of(dir / "b/model"));
}

TEST(Dus, TokenizerAndLicenceComeAlongOtherWeightsDoNot) {
  TempDir dir;
  fs::copy(fixture("dus_tiny/f32/input"), dir / "in");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
                           "LICENSE", "pytorch_model.bin", "README.md", "optimizer.pt"})
    write_bytes(dir / "in" / name, std::string("content of ") + name);
  fs::create_symlink(dir / "in/LICENSE", dir / "in/NOTICE");
  upscale(options_for(dir / "in", dir / "out"));
  std::set<std::string> names;
  for (const auto& [name, bytes] : content_of(dir / "out")) names.insert(name);
  EXPECT_EQ(names,
            (std::set<std::string>{"config.json", "generation_config.json", "helio_manifest.json",
                                   "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                                   "chat_template.jinja", "LICENSE", "NOTICE"}));
  EXPECT_EQ(read_file(dir / "out/tokenizer.json"), "content of tokenizer.json");
  EXPECT_FALSE(fs::is_symlink(dir / "out/NOTICE"));
}

TEST(Dus, ListsPerLayerFollowTheirSourceLayer) {
  OrderedJson config = {{"architectures", {"Qwen2ForCausalLM"}},
                        {"num_hidden_layers", 4},
                        {"layer_types", {"a", "b", "c", "d"}}};
  const auto plan = plan_upscale(4, 1);
  EXPECT_EQ(upscaled_config(config, plan, "c")["layer_types"],
            OrderedJson({"a", "b", "c", "b", "c", "d"}));
  EXPECT_EQ(upscaled_config(config, plan, "c")["num_hidden_layers"], 6);
  config["layer_types"] = {"a", "b"};
  EXPECT_TRUE(contains(error_of([&] { upscaled_config(config, plan, "c"); }),
                       "'layer_types' does not have one entry"));
  config.erase("layer_types");
  config["use_sliding_window"] = true;
  config["max_window_layers"] = 3;
  EXPECT_EQ(upscaled_config(config, plan, "c")["layer_types"],
            OrderedJson({"full_attention", "full_attention", "full_attention", "full_attention",
                         "full_attention", "sliding_attention"}));
  config.erase("layer_types");
  config.erase("use_sliding_window");
  config["architectures"] = {"Gemma2ForCausalLM"};
  const OrderedJson two = upscaled_config(config, plan, "c")["layer_types"];
  EXPECT_EQ(two, OrderedJson({"sliding_attention", "full_attention", "sliding_attention",
                              "full_attention", "sliding_attention", "full_attention"}));
  config["architectures"] = {"Gemma3ForCausalLM"};
  config["sliding_window_pattern"] = 3;
  const OrderedJson three = upscaled_config(config, plan, "c")["layer_types"];
  EXPECT_EQ(three, OrderedJson({"sliding_attention", "sliding_attention", "full_attention",
                                "sliding_attention", "full_attention", "sliding_attention"}));
  config["architectures"] = {"Qwen3MoeForCausalLM"};
  config["mlp_only_layers"] = {1};
  const OrderedJson some = upscaled_config(config, plan, "c");
  EXPECT_EQ(some["mlp_only_layers"], OrderedJson({1, 3}));
  config["decoder_sparse_step"] = 2;  // 0 and 2 have no experts either
  const OrderedJson step = upscaled_config(config, plan, "c");
  EXPECT_EQ(step["mlp_only_layers"], OrderedJson({0, 1, 2, 3, 4}));
  EXPECT_EQ(step["decoder_sparse_step"], 1);
  config["architectures"] = {"Gemma3nForCausalLM"};
  EXPECT_TRUE(contains(error_of([&] { upscaled_config(config, plan, "c"); }),
                       "'Gemma3nForCausalLM' cannot be up-scaled"));
}

// A copy of a fixture whose config or weights can be spoilt.
class DusRefusals : public ::testing::Test {
 protected:
  void SetUp() override { fs::copy(fixture("dus_tiny/f32/input"), dir_ / "in"); }
  std::string attempt(const std::string& out = "out") {
    return error_of([&] { upscale(options_for(dir_ / "in", dir_ / out)); });
  }
  void set(const char* key, const Json& value) {
    Json config = load_json(dir_ / "in/config.json");
    config[key] = value;
    write_bytes(dir_ / "in/config.json", config.dump());
  }
  void without(const std::string& dropped) {
    const SafeTensors source(dir_ / "in");
    std::vector<TensorToWrite> kept;
    for (const auto& tensor : source.tensors())
      if (tensor.name != dropped)
        kept.push_back({.name = tensor.name,
                        .dtype = tensor.dtype,
                        .shape = tensor.shape,
                        .data = source.data(tensor)});
    write_safetensors(dir_ / "in/model.safetensors", kept);
  }
  TempDir dir_;
};

TEST_F(DusRefusals, WeightsThatDoNotMatchTheConfig) {
  set("num_hidden_layers", 7);
  EXPECT_TRUE(
      contains(attempt(), "belongs to a layer that config.json, with 7 layers, does not have"));
  set("num_hidden_layers", 9);
  EXPECT_TRUE(contains(attempt(), "no tensor 'model.layers.8.")) << attempt();
  set("num_hidden_layers", "8");
  EXPECT_TRUE(contains(attempt(), "'num_hidden_layers' is not a number"));
  fs::remove(dir_ / "in/config.json");
  EXPECT_TRUE(contains(attempt(), "config.json'"));
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

TEST_F(DusRefusals, MissingTensorsAreNamed) {
  for (const char* name : {"model.layers.5.mlp.up_proj.weight", "model.norm.weight",
                           "model.embed_tokens.weight", "lm_head.weight"}) {
    fs::copy_file(fixture("dus_tiny/f32/input/model.safetensors"), dir_ / "in/model.safetensors",
                  fs::copy_options::overwrite_existing);
    without(name);
    EXPECT_TRUE(contains(attempt(), "no tensor '" + std::string(name) + "'")) << attempt();
  }
}

TEST_F(DusRefusals, FoldersThatMustNotBeReplaced) {
  EXPECT_TRUE(contains(attempt("in"), "share a folder"));
  EXPECT_TRUE(contains(attempt("in/deeper"), "share a folder"));
  EXPECT_TRUE(contains(attempt("."), "share a folder"));
  write_bytes(dir_ / "mine/thesis.txt", "years of work");
  EXPECT_TRUE(contains(attempt("mine"), "holds files that helio did not make"));
  EXPECT_EQ(read_file(dir_ / "mine/thesis.txt"), "years of work");
}

TEST_F(DusRefusals, StoppingLeavesNothing) {
  SilentMonitor silent;
  StopRequest stop;
  stop.raise();
  const Upscale job(options_for(dir_ / "in", dir_ / "stopped/out"));
  EXPECT_EQ(kind_of([&] { job.write(silent, stop); }), ErrorKind::interrupted);
  EXPECT_TRUE(fs::is_empty(dir_ / "stopped"));
}

TEST_F(DusRefusals, ATruncatedSourceLeavesNothing) {
  const Upscale job(options_for(dir_ / "in", dir_ / "torn/out"));
  fs::resize_file(dir_ / "in/model.safetensors", 40000);  // after its header was checked
  SilentMonitor silent;
  const StopRequest stop;
  EXPECT_TRUE(contains(error_of([&] { job.write(silent, stop); }), "became shorter"));
  EXPECT_TRUE(fs::is_empty(dir_ / "torn"));
}

// Runs `body` in a child whose files cannot grow beyond `limit` bytes; what it printed comes back.
std::string under_file_limit(rlim_t limit, const fs::path& report,
                             const std::function<std::string()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    std::ofstream out(report);
    const rlimit cap{limit, limit};
    setrlimit(RLIMIT_FSIZE, &cap);
    out << body() << std::flush;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? read_file(report) : "the child died";
}

TEST_F(DusRefusals, AFullDiskIsOneErrorAndLeavesNothing) {
  // 50,000 bytes stop the weights (108,888); 2,000 already stop what comes after the first shard.
  for (const rlim_t limit : {rlim_t(50'000), rlim_t(2'000)}) {
    const fs::path out = dir_ / ("full-" + std::to_string(limit));
    make_dirs(out);
    const std::string said = under_file_limit(limit, dir_ / "report.txt", [&] {
      return error_of([&] { upscale(options_for(dir_ / "in", out / "model")); });
    });
    EXPECT_TRUE(contains(said, "cannot write '") && contains(said, "File too large")) << said;
    EXPECT_TRUE(contains(said, "hint: a file size limit") &&
                contains(said, "while writing the up-scaled model"))
        << said;
    EXPECT_TRUE(fs::is_empty(out)) << limit;
  }
}

TEST_F(DusRefusals, AFullDiskWhileWritingTensorsLeavesNothing) {
  make_dirs(dir_ / "weights");
  const std::string data(100'000, 'x');
  const std::string said = under_file_limit(50'000, dir_ / "report.txt", [&] {
    return error_of([&] {
      write_safetensors(dir_ / "weights/model.safetensors",
                        {{.name = "a",
                          .dtype = DType::u8,
                          .shape = {100'000},
                          .data = std::as_bytes(std::span(data.data(), data.size()))}});
    });
  });
  EXPECT_TRUE(contains(said, "cannot write '") && contains(said, "while writing ")) << said;
  EXPECT_TRUE(fs::is_empty(dir_ / "weights"));
}

}  // namespace
}  // namespace helio::checkpoint
