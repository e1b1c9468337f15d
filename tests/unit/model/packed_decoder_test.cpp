// Packed decoders beside the general one, for every recorded family (tests/fixtures/families).
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <cstdlib>
#include <numeric>
#include <set>

#include "checkpoint/hf_config.h"
#include "checkpoint/safetensors.h"
#include "core/error.h"
#include "model/decoder.h"
#include "model/paged_cache.h"
#include "nn/packed_weight.h"
#include "nn/tensor_io.h"
#include "tiny.h"

namespace helio::model {
namespace {

using nn::WeightFormat;

constexpr int64_t kPageTokens = 8;

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(fixture("families")))
    if (std::filesystem::exists(entry.path() / "config.json"))
      names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// Sequences side by side, each in pages of its own that lie apart, fed in pieces.
class Paged {
 public:
  Paged(const Decoder& decoder, int64_t sequences, int64_t longest)
      : decoder_(decoder),
        each_((longest + kPageTokens - 1) / kPageTokens),
        sequences_(sequences),
        cache_(decoder.config(), each_ * sequences, kPageTokens, decoder.dtype()) {
    for (int64_t s = 0; s < sequences; ++s) {
      pages_.emplace_back();
      for (int64_t i = 0; i < each_; ++i)
        pages_.back().push_back(static_cast<int32_t>(i * sequences + s));
    }
  }

  // Logits of the next `fresh` tokens of each sequence, [sequences][fresh, V].
  std::vector<at::Tensor> feed(const std::vector<std::vector<int64_t>>& rows, int64_t past,
                               int64_t fresh) {
    std::vector<int64_t> ids;
    std::vector<nn::PagedStep> steps;
    for (size_t s = 0; s < rows.size(); ++s) {
      ids.insert(ids.end(), rows[s].begin() + past, rows[s].begin() + past + fresh);
      steps.push_back({.pages = pages_[s], .past = past, .fresh = fresh});
    }
    return decoder_.logits(decoder_.hidden(id_tensor(ids).reshape({-1}), cache_, steps))
        .split(fresh);
  }

 private:
  const Decoder& decoder_;
  int64_t each_, sequences_;
  PagedCache cache_;
  std::vector<std::vector<int32_t>> pages_ = {};
};

// Of all numbers together: the root of the mean square.
double relative_norm(const at::Tensor& got, const at::Tensor& expected) {
  return ((got - expected).norm() / expected.norm()).item<double>();
}

double relative(const at::Tensor& got, const at::Tensor& expected) {
  return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

class PackedFamily : public testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path dir() const { return fixture("families/" + GetParam()); }
  std::vector<std::vector<int64_t>> rows() const { return read_id_rows(dir() / "ids.jsonl"); }
  bool has_experts() const { return checkpoint::load_decoder_config(dir()).experts.count > 0; }
  bool follows_length() const {
    return checkpoint::load_decoder_config(dir()).rope.follows_length();
  }
  // Two sequences of the longest row's length: the row, and the row backwards.
  std::vector<std::vector<int64_t>> two() const {
    auto all = rows();
    auto longest = *std::max_element(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    std::vector<int64_t> backwards(longest.rbegin(), longest.rend());
    return {longest, backwards};
  }
  // A beginning at once, a piece of several tokens, then one by one, beside the whole rows through
  // the general path of `expected`. The largest relative difference.
  double worst_step(const Decoder& decoder, const Decoder& expected) const {
    const auto sequences = two();
    const auto length = static_cast<int64_t>(sequences.front().size());
    std::vector<at::Tensor> whole;
    for (const auto& row : sequences)
      whole.push_back(
          expected.logits(expected.hidden(PackedBatch::rows(id_tensor(row)))).squeeze(0));
    Paged paged(decoder, 2, length);
    double worst = 0;
    int64_t past = 0;
    const std::vector<int64_t> pieces = follows_length() ? std::vector<int64_t>{length}
                                                         // see Decoder::alike
                                                         : std::vector<int64_t>{length / 2, 6, 3};
    for (size_t i = 0; past < length; ++i) {
      const int64_t fresh = std::min(i < pieces.size() ? pieces[i] : 1, length - past);
      const auto logits = paged.feed(sequences, past, fresh);
      for (size_t s = 0; s < 2; ++s)
        worst = std::max(worst, relative(logits[s], whole[s].slice(0, past, past + fresh)));
      past += fresh;
    }
    return worst;
  }
  c10::AutoGradMode no_grad_ = c10::AutoGradMode(false);
};

TEST_P(PackedFamily, F32StepsEqualTheGeneralPath) {
  const Decoder general = Decoder::load(dir());
  EXPECT_LT(worst_step(Decoder::load_packed(dir(), WeightFormat::f32), general), 1e-5);
}

// The formats' general path (packed products between tensor operators) and their steps agree,
// whether or not there are kernels for the processor.
TEST_P(PackedFamily, StepsEqualTheGeneralPathInEveryFormat) {
  for (const auto& [format, bound] :
       {std::pair(WeightFormat::bf16, 1e-5), std::pair(WeightFormat::bf16_both, 0.04),
        std::pair(WeightFormat::int8, 0.06)}) {
    const Decoder decoder = Decoder::load_packed(dir(), format);
    EXPECT_LT(worst_step(decoder, decoder), bound) << nn::weight_format_name(format);
  }
}

// Beside float32: what rounding the weights, and for int8 and int4 the activations, does to the
// logits of small random models, whose own weights are bfloat16. docs/models.md has the figures.
TEST_P(PackedFamily, LogitsStayNearFloat32) {
  for (const auto& [format, bound] :
       {std::pair(WeightFormat::bf16, 1e-5),
        // Rounding may send a token to another expert.
        std::pair(WeightFormat::bf16_both, has_experts() ? 0.04 : 0.02),
        std::pair(WeightFormat::int8, 0.1), std::pair(WeightFormat::int4, 0.7)}) {
    const Decoder decoder = Decoder::load_packed(dir(), format);
    EXPECT_EQ(decoder.packed_as(), format);
    const checkpoint::SafeTensors recorded(dir() / "logits.safetensors");
    double worst = 0;
    const auto ids = rows();
    for (size_t i = 0; i < ids.size(); ++i) {
      const at::Tensor logits =
          decoder.logits(decoder.hidden(PackedBatch::rows(id_tensor(ids[i])))).squeeze(0);
      worst = std::max(
          worst,
          relative_norm(logits,
                        nn::read_tensor(recorded, recorded.at(std::to_string(i))).to(at::kFloat)));
    }
    RecordProperty(std::string(nn::weight_format_name(format)), std::to_string(worst));
    EXPECT_LT(worst, bound) << nn::weight_format_name(format);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PackedFamily, testing::ValuesIn(families()),
                         [](const auto& info) { return info.param; });

TEST(PackedDecoder, HoldsNoFloatsOfWhatItPacked) {
  const auto dir = fixture("llama_tiny/gqa_untied");
  const Decoder decoder = Decoder::load_packed(dir, WeightFormat::int8);
  for (const auto& parameter : decoder.parameters()) EXPECT_EQ(parameter.tensor.dim(), 1);
  EXPECT_GT(decoder.packed_bytes(), 0U);
  EXPECT_LT(decoder.packed_bytes(),
            static_cast<size_t>(decoder.config().parameters()) * 3);  // padded to blocks
  EXPECT_EQ(Decoder::load(dir).packed_as(), std::nullopt);
}

TEST(PackedDecoder, SaysWhichTokenIsOutsideTheVocabulary) {
  const Decoder decoder =
      Decoder::load_packed(fixture("llama_tiny/gqa_untied"), WeightFormat::int8);
  const c10::AutoGradMode no_grad(false);
  EXPECT_THROW(decoder.hidden(PackedBatch::rows(id_tensor({1 << 20}))), Error);
}

}  // namespace
}  // namespace helio::model
