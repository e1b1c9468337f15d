#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

#include <functional>

#include "checkpoint/safetensors.h"
#include "core/error.h"
#include "core/fs.h"
#include "nn/tensor_io.h"
#include "tiny.h"

namespace helio::model {
namespace {

class DecoderFiles : public testing::Test {
 protected:
  DecoderFiles() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    dir_ =
        std::filesystem::path(testing::TempDir()) / ("helio_decoder_" + std::string(test->name()));
    std::filesystem::remove_all(dir_);
    make_dirs(dir_);
  }
  ~DecoderFiles() override { std::filesystem::remove_all(dir_); }

  // What loading the folder says is wrong.
  std::string refusal() const {
    try {
      Decoder::load(dir_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      return error.message();
    }
    return "";
  }
  // Saves a tiny decoder, then writes its tensors again as `change` leaves them.
  void save_changed(const std::function<void(std::vector<nn::NamedTensor>&)>& change) const {
    const c10::AutoGradMode no_grad(false);
    const Decoder decoder = tiny_decoder();
    decoder.save(dir_);
    std::vector<nn::NamedTensor> tensors;
    for (const auto& [name, tensor] : decoder.parameters()) tensors.push_back({name, tensor});
    change(tensors);
    nn::write_tensors(dir_ / "model.safetensors", tensors);
  }

  std::filesystem::path dir_;
};

TEST_F(DecoderFiles, SavedThenLoadedIsTheSameToTheBit) {
  for (const bool tied : {false, true}) {
    auto config = tiny_config();
    config.tied_embeddings = tied;
    config.eos = 0;
    config.pad = 1;
    const Decoder decoder = tiny_decoder(config);
    decoder.save(dir_);
    const Decoder again = Decoder::load(dir_);
    ASSERT_EQ(decoder.parameters().size(), again.parameters().size());
    for (size_t i = 0; i < decoder.parameters().size(); ++i)
      EXPECT_TRUE(at::equal(decoder.parameters()[i].tensor, again.parameters()[i].tensor));
    EXPECT_EQ(again.config().eos, 0);
    EXPECT_EQ(again.config().tied_embeddings, tied);
    EXPECT_EQ(checkpoint::SafeTensors(dir_).find("lm_head.weight") == nullptr, tied);
  }
}

TEST_F(DecoderFiles, Bfloat16IsWrittenAndReadBackRounded) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = tiny_decoder();
  decoder.save(dir_, at::kBFloat16);
  EXPECT_EQ(load_json(dir_ / "config.json").at("dtype"), "bfloat16");
  const Decoder again = Decoder::load(dir_, at::kFloat);
  for (size_t i = 0; i < decoder.parameters().size(); ++i) {
    const at::Tensor rounded = decoder.parameters()[i].tensor.to(at::kBFloat16).to(at::kFloat);
    EXPECT_TRUE(at::equal(rounded, again.parameters()[i].tensor));
  }
}

TEST_F(DecoderFiles, AMissingTensorIsNamed) {
  save_changed([](auto& tensors) { tensors.erase(tensors.begin() + 3); });
  EXPECT_EQ(refusal(), "tensor 'model.layers.0.self_attn.k_proj.weight' is missing");
}

TEST_F(DecoderFiles, AnExtraTensorIsNamed) {
  save_changed([](auto& tensors) {
    tensors.push_back({"model.layers.7.mlp.up_proj.weight", tensors[0].tensor});
  });
  EXPECT_EQ(refusal(), "tensor 'model.layers.7.mlp.up_proj.weight' is not part of this model");
}

TEST_F(DecoderFiles, AWrongShapeIsNamedWithBothShapes) {
  save_changed([](auto& tensors) { tensors[0].tensor = tensors[0].tensor.slice(0, 0, 60); });
  EXPECT_EQ(refusal(),
            "tensor 'model.embed_tokens.weight' has shape [60, 24], the model needs [61, 24]");
}

TEST_F(DecoderFiles, IntegersAreNoWeights) {
  save_changed([](auto& tensors) { tensors[0].tensor = tensors[0].tensor.to(at::kInt); });
  EXPECT_NE(refusal().find("must be floating point"), std::string::npos);
}

}  // namespace
}  // namespace helio::model
