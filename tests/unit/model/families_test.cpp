// Every family beside transformers: tests/fixtures/families, recorded by tools/record/families.py
// with transformers 5.23 (small random weights; eager attention).
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

#include <set>

#include "checkpoint/hf_config.h"
#include "checkpoint/safetensors.h"
#include "core/fs.h"
#include "model/kv_cache.h"
#include "nn/linear_loss.h"
#include "nn/tensor_io.h"
#include "tiny.h"

namespace helio::model {
namespace {

// Those that have `file`.
std::vector<std::string> variants(const std::string& file = "config.json") {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(fixture("families")))
    if (std::filesystem::exists(entry.path() / file)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class RecordedFamily : public testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path dir() const { return fixture("families/" + GetParam()); }
  std::vector<std::vector<int64_t>> rows() const { return read_id_rows(dir() / "ids.jsonl"); }

  // Of each position of all rows the largest difference to the logits recorded in `file`, as a
  // share of the row's largest.
  at::Tensor differences(const Decoder& decoder, const std::string& file) const {
    const c10::AutoGradMode no_grad(false);
    const checkpoint::SafeTensors recorded(dir() / file);
    std::vector<at::Tensor> all;
    for (size_t i = 0; i < rows().size(); ++i) {
      const at::Tensor logits =
          decoder.logits(decoder.hidden(PackedBatch::rows(id_tensor(rows()[i])))).squeeze(0);
      const at::Tensor expected =
          nn::read_tensor(recorded, recorded.at(std::to_string(i))).to(at::kFloat);
      EXPECT_EQ(logits.sizes(), expected.sizes());
      all.push_back((logits - expected).abs().amax(-1) / expected.abs().max());
    }
    return at::cat(all);
  }
  double worst(const Decoder& decoder, const std::string& file) const {
    return differences(decoder, file).max().item<double>();
  }
};

TEST_P(RecordedFamily, LogitsEqualTransformers) {
  const double difference = worst(Decoder::load(dir()), "logits.safetensors");
  RecordProperty("relative_difference", std::to_string(difference * 1e6) + "e-6");
  EXPECT_LT(difference, 1e-5);
}

class RecordedBfloat16 : public RecordedFamily {};
class RecordedGradients : public RecordedFamily {};

// Where two experts are about as likely, rounding decides which one a token goes to, here as there:
// such positions differ by more than rounding.
TEST_P(RecordedBfloat16, LogitsStayNear) {
  const Decoder decoder = Decoder::load(dir(), at::kBFloat16);
  const at::Tensor found = differences(decoder, "bf16.safetensors");
  const double far = (found > 0.04).to(at::kFloat).mean().item<double>();
  RecordProperty("relative_difference", std::to_string(found.max().item<double>()));
  RecordProperty("share_above", std::to_string(far));
  EXPECT_LE(far, decoder.config().experts.count > 0 ? 0.1 : 0.0);
  EXPECT_LT(found.median().item<double>(), 0.02);
}

TEST_P(RecordedGradients, EqualTransformers) {
  const Decoder decoder = Decoder::load(dir());
  const auto ids = rows()[1];
  const at::Tensor hidden = decoder.hidden(PackedBatch::rows(id_tensor(ids))).squeeze(0);
  const auto length = static_cast<int64_t>(ids.size());
  nn::linear_cross_entropy_sum(hidden.slice(0, 0, length - 1), decoder.head(),
                               id_tensor(ids).squeeze(0).slice(0, 1), 16)
      .backward();
  const checkpoint::SafeTensors recorded(dir() / "grads.safetensors");
  ASSERT_EQ(decoder.parameters().size(), recorded.tensors().size());
  for (const auto& [name, tensor] : decoder.parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    const at::Tensor expected = nn::read_tensor(recorded, recorded.at(name));
    const double size = expected.abs().max().item<double>();
    EXPECT_LT(max_difference(tensor.grad(), expected), 1e-4 * size + 1e-6) << name;
  }
}

// A prompt, single tokens and pieces of a prompt; windows are full and lengths are crossed on the
// way.
TEST_P(RecordedFamily, CachedStepsGiveWhatTheWholeRowGives) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = Decoder::load(dir());
  const at::Tensor row = id_tensor(rows()[2]);
  const at::Tensor ids = at::cat({row, row.flip(1)});
  KvCache cache(decoder.config(), 2, ids.size(1), at::kFloat);
  int64_t at = 0;
  for (const int64_t step : {17, 1, 1, 13, 1, 20, 17}) {
    const at::Tensor part = decoder.hidden(ids.slice(1, at, at + step), cache);
    at += step;
    const at::Tensor whole = decoder.hidden(PackedBatch::rows(ids.slice(1, 0, at)));
    EXPECT_LT(max_difference(part, whole.slice(1, at - step)), 2e-5) << "up to " << at;
  }
  EXPECT_EQ(at, ids.size(1));
}

TEST_P(RecordedFamily, PackedDocumentsGiveWhatSeparateOnesGive) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = Decoder::load(dir());
  PackedBatch batch{.starts = {{}}};
  std::vector<at::Tensor> ids, positions, alone;
  int64_t start = 0;
  for (const auto& row : rows()) {
    const PackedBatch one = PackedBatch::rows(id_tensor(row));
    ids.push_back(one.ids_BT);
    positions.push_back(one.positions_BT);
    alone.push_back(decoder.hidden(one).squeeze(0));
    batch.starts[0].push_back(start);
    start += one.ids_BT.size(1);
  }
  batch.ids_BT = at::cat(ids, 1);
  batch.positions_BT = at::cat(positions, 1);
  EXPECT_LT(max_difference(decoder.hidden(batch).squeeze(0), at::cat(alone)), 2e-5);
}

TEST_P(RecordedFamily, SavedThenLoadedIsTheSameToTheBit) {
  const c10::AutoGradMode no_grad(false);
  const TempDir saved;
  const Decoder decoder = Decoder::load(dir(), at::kBFloat16);  // what the files hold
  make_dirs(saved / "model");
  decoder.save(saved / "model", at::kBFloat16);
  const checkpoint::SafeTensors before(dir()), after(saved / "model");
  ASSERT_EQ(before.tensors().size(), after.tensors().size());
  for (const auto& tensor : before.tensors()) {
    EXPECT_TRUE(
        at::equal(nn::read_tensor(before, tensor), nn::read_tensor(after, after.at(tensor.name))))
        << tensor.name;
  }
  EXPECT_EQ(decoder_config_json(checkpoint::load_decoder_config(saved / "model")),
            decoder_config_json(decoder.config()));
  EXPECT_LT(worst(Decoder::load(saved / "model"), "logits.safetensors"), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, RecordedFamily, testing::ValuesIn(variants()),
                         [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(All, RecordedBfloat16, testing::ValuesIn(variants("bf16.safetensors")),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(All, RecordedGradients, testing::ValuesIn(variants("grads.safetensors")),
                         [](const auto& info) { return info.param; });

TEST(Families, EveryOneHasARecording) {
  std::set<std::string> recorded;
  for (const std::string& name : variants())
    recorded.insert(checkpoint::load_decoder_config(fixture("families") / name).architecture);
  for (const std::string& name : checkpoint::decoder_architectures())
    EXPECT_TRUE(recorded.contains(name)) << name;
}

TEST(Families, InitialNormsMultiplyByOneAndBiasesAreZero) {
  for (const std::string name : {"gemma3", "qwen2", "mixtral"}) {
    Decoder decoder(checkpoint::load_decoder_config(fixture("families") / name));
    decoder.initialise(7, 0.02);
    for (const auto& [weight, tensor] : decoder.parameters()) {
      if (tensor.dim() != 1) {
        EXPECT_GT(tensor.std().item<double>(), 0) << weight;
        continue;
      }
      const double value = weight.find("norm") != weight.npos && name != "gemma3" ? 1 : 0;
      EXPECT_TRUE((tensor == value).all().item<bool>()) << weight;
    }
  }
}

}  // namespace
}  // namespace helio::model
