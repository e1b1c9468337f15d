#include "model/decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include "checkpoint/safetensors.h"
#include "core/error.h"
#include "model/kv_cache.h"
#include "nn/tensor_io.h"
#include "tiny.h"

namespace helio::model {
namespace {

// tests/fixtures/llama_tiny: transformers 5.23, recorded by tools/record/llama_tiny.py.
class RecordedLlama : public testing::TestWithParam<std::string> {};

TEST_P(RecordedLlama, LogitsEqualTransformers) {
  const c10::AutoGradMode no_grad(false);
  const auto dir = fixture("llama_tiny/" + GetParam());
  const Decoder decoder = Decoder::load(dir);
  const checkpoint::SafeTensors recorded(dir / "logits.safetensors");
  const auto rows = read_id_rows(dir / "ids.jsonl");
  ASSERT_EQ(rows.size(), recorded.tensors().size());
  double worst = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const at::Tensor logits =
        decoder.logits(decoder.hidden(PackedBatch::rows(id_tensor(rows[i])))).squeeze(0);
    const at::Tensor expected = nn::read_tensor(recorded, recorded.at(std::to_string(i)));
    worst = std::max(worst, max_difference(logits, expected));
  }
  RecordProperty("max_logit_difference", std::to_string(worst));
  EXPECT_LT(worst, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(All, RecordedLlama,
                         testing::Values("gqa_untied", "tied_theta", "llama3_rope", "bf16"),
                         [](const auto& info) { return info.param; });

TEST(Decoder, PackedDocumentsGiveWhatSeparateOnesGive) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = tiny_decoder();
  const std::vector<std::vector<int64_t>> documents = {random_ids(5, 1), random_ids(11, 2),
                                                       random_ids(8, 3), random_ids(8, 4)};
  const auto options = at::TensorOptions(at::kLong);
  PackedBatch batch;
  batch.ids_BT = at::cat({at::cat({id_tensor(documents[0]), id_tensor(documents[1])}, 1),
                          at::cat({id_tensor(documents[2]), id_tensor(documents[3])}, 1)});
  batch.positions_BT = at::stack({at::cat({at::arange(5, options), at::arange(11, options)}),
                                  at::cat({at::arange(8, options), at::arange(8, options)})});
  batch.starts = {{0, 5}, {0, 8}};
  const at::Tensor packed = decoder.hidden(batch).view({32, -1});
  int64_t at = 0;
  for (const auto& document : documents) {
    const at::Tensor alone = decoder.hidden(PackedBatch::rows(id_tensor(document))).squeeze(0);
    EXPECT_LT(max_difference(packed.slice(0, at, at + alone.size(0)), alone), 1e-5);
    at += alone.size(0);
  }
}

TEST(Decoder, GradientsOfPackedDocumentsAreTheSumOfSeparateOnes) {
  const auto first = random_ids(9, 5), second = random_ids(14, 6);
  const auto gradients = [&](bool packed) {
    const Decoder decoder = tiny_decoder();
    const auto options = at::TensorOptions(at::kLong);
    if (packed) {
      PackedBatch batch;
      batch.ids_BT = at::cat({id_tensor(first), id_tensor(second)}, 1);
      batch.positions_BT = at::cat({at::arange(9, options), at::arange(14, options)}).unsqueeze(0);
      batch.starts = {{0, 9}};
      decoder.hidden(batch).sin().sum().backward();
    } else {
      for (const auto& ids : {first, second})
        decoder.hidden(PackedBatch::rows(id_tensor(ids))).sin().sum().backward();
    }
    std::vector<at::Tensor> list;
    for (const auto& parameter : decoder.parameters()) list.push_back(parameter.tensor.grad());
    return list;
  };
  const auto together = gradients(true), apart = gradients(false);
  for (size_t i = 0; i + 1 < together.size(); ++i) {  // the last one, the head, has no part in it
    const double size = apart[i].abs().max().item<double>();
    EXPECT_LT(max_difference(together[i], apart[i]), 1e-5 * (1 + size)) << i;
  }
}

TEST(Decoder, PaddingAtTheEndChangesNothingBeforeIt) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = tiny_decoder();
  const auto ids = random_ids(7, 7);
  auto padded = ids;
  padded.resize(20, 0);
  const at::Tensor alone = decoder.hidden(PackedBatch::rows(id_tensor(ids)));
  const at::Tensor longer = decoder.hidden(PackedBatch::rows(id_tensor(padded)));
  EXPECT_LT(max_difference(longer.slice(1, 0, 7), alone), 1e-5);
}

TEST(Decoder, CachedStepsGiveWhatTheWholeRowGives) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = tiny_decoder();
  const at::Tensor ids =
      at::cat({id_tensor(random_ids(40, 8)), id_tensor(random_ids(40, 9))});  // two rows
  const at::Tensor whole = decoder.hidden(PackedBatch::rows(ids));
  KvCache cache(decoder.config(), 2, 40, at::kFloat);
  int64_t at = 0;
  for (const int64_t step : {17, 1, 1, 9, 12}) {  // a prompt, single tokens, pieces of a prompt
    const at::Tensor part = decoder.hidden(ids.slice(1, at, at + step), cache);
    EXPECT_LT(max_difference(part, whole.slice(1, at, at + step)), 1e-5) << "at " << at;
    at += step;
  }
  EXPECT_EQ(cache.length(), 40);
  EXPECT_THROW(decoder.hidden(ids.slice(1, 0, 1), cache), Error);
}

TEST(Decoder, InitialisationIsDecidedBySeedAndName) {
  const c10::AutoGradMode no_grad(false);
  auto deeper = tiny_config();
  deeper.layers = 3;
  const Decoder a = tiny_decoder(tiny_config(), 5), b = tiny_decoder(tiny_config(), 5),
                c = tiny_decoder(tiny_config(), 6), d = tiny_decoder(deeper, 5);
  for (size_t i = 0; i < a.parameters().size(); ++i) {
    const auto& [name, tensor] = a.parameters()[i];
    EXPECT_TRUE(at::equal(tensor, b.parameters()[i].tensor)) << name;
    EXPECT_EQ(at::equal(tensor, c.parameters()[i].tensor), tensor.dim() == 1) << name;
  }
  EXPECT_EQ(d.parameters()[2].name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_TRUE(at::equal(a.parameters()[2].tensor, d.parameters()[2].tensor));
}

TEST(Decoder, InitialisationHasTheDeviationAskedFor) {
  const c10::AutoGradMode no_grad(false);
  auto config = tiny_config();
  config.hidden_size = 256;
  config.intermediate_size = 512;
  Decoder decoder(config);
  decoder.initialise(3, 0.02);
  for (const auto& [name, tensor] : decoder.parameters()) {
    if (tensor.dim() == 1) {
      EXPECT_TRUE((tensor == 1).all().item<bool>()) << name;
      continue;
    }
    const bool residual = name.find("o_proj") != name.npos || name.find("down_proj") != name.npos;
    EXPECT_NEAR(tensor.std().item<double>(), residual ? 0.01 : 0.02, 0.0006) << name;
    EXPECT_NEAR(tensor.mean().item<double>(), 0, 0.0009) << name;
  }
}

TEST(Decoder, RefusesIdsOutsideTheVocabularyAndPositionsBeyondTheModel) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = tiny_decoder();
  EXPECT_THROW(decoder.hidden(PackedBatch::rows(id_tensor({1, 61}))), Error);
  EXPECT_THROW(decoder.hidden(PackedBatch::rows(id_tensor({1, -1}))), Error);
  EXPECT_THROW(decoder.hidden(PackedBatch::rows(id_tensor(random_ids(65, 1)))), Error);
}

}  // namespace
}  // namespace helio::model
