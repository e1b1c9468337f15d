// A GGUF model seen as a Hugging Face one: tensors under transformers' names with transformers'
// values, and the config.json that its metadata stand for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/gguf/families.h"
#include "checkpoint/weights.h"
#include "core/gguf.h"

namespace helio::checkpoint {

class GgufModel final : public Weights {
 public:
  // Throws invalid for an architecture that is not known, a tensor whose name or type is not, one
  // file of several.
  explicit GgufModel(const std::filesystem::path& path);

  const GgufFile& file() const { return file_; }
  const GgufFamily& family() const { return *family_; }
  // Without "dtype", which the one who writes the weights knows. Throws invalid naming the key when
  // metadata is missing, contradicts the tensors or says what config.json cannot.
  OrderedJson config() const;
  OrderedJson generation_config() const;
  // Keys of the architecture that config() does not read; ones that change numbers are errors.
  std::vector<std::string> unread_keys() const;
  // The dtype that holds most weights exactly: of F16 and BF16 files theirs, else F32.
  DType natural_dtype() const;
  const GgufTensor& stored(const Weight& weight) const;

  // Undoes llama.cpp's order of q and k rows, and the 1 it adds to norms.
  void read(const Weight& weight, int64_t first_row, std::span<float> out) const override;
  std::span<const std::byte> bytes(const Weight& weight) const override;

 private:
  struct Stored {
    const GgufTensor* tensor = nullptr;
    int64_t heads = 0;  // rows are interleaved within each of so many heads; 0: they are not
    bool plus_one = false;
  };
  std::string key(std::string_view rest) const;
  void place(const GgufTensor& tensor);
  void check_rope_tensor() const;

  GgufFile file_;
  const GgufFamily* family_ = nullptr;
  std::vector<Stored> stored_ = {};
  const GgufTensor* rope_freqs_ = nullptr;
  const GgufTensor *rope_long_ = nullptr, *rope_short_ = nullptr;
};

// The row of the file that has row `row` of transformers' tensor, for heads of `size` rows.
int64_t interleaved_row(int64_t row, int64_t size);
// The other way.
int64_t separated_row(int64_t row, int64_t size);

}  // namespace helio::checkpoint
