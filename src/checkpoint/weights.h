// The tensors of a checkpoint of any format under Hugging Face's names, read as values: what
// comparing, checking and converting look at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

struct Weight {
  std::string name = {};
  std::string type = {};  // as stored: "BF16", "Q4_K"
  std::vector<int64_t> shape = {};
  uint64_t size = 0;   // bytes as stored
  bool floats = true;  // false: whole numbers, which read() refuses
  size_t index = 0;    // of the implementation

  int64_t elements() const;
  // A row is the last dimension; what has none or one dimension is one row.
  int64_t width() const;
  int64_t rows() const;
};

class Weights {
 public:
  virtual ~Weights() = default;
  const std::vector<Weight>& tensors() const { return tensors_; }  // by name
  const Weight* find(std::string_view name) const;
  // Whole rows from `first_row` as f32: out.size() is a multiple of the width. Safe on many
  // threads.
  virtual void read(const Weight& weight, int64_t first_row, std::span<float> out) const = 0;
  // The stored bytes, for an exact comparison of two tensors of one type; empty where the order of
  // the stored values is another.
  virtual std::span<const std::byte> bytes(const Weight& weight) const = 0;

 protected:
  void sort_tensors();
  std::vector<Weight> tensors_ = {};
};

// Safetensors (file, folder, index) or a .gguf file; pickles are refused with advice.
std::unique_ptr<Weights> open_weights(const std::filesystem::path& path);

// How many rows make a piece of about a million values: what is read, changed and written at once.
inline constexpr int64_t kPieceValues = int64_t(1) << 20;
int64_t rows_of_a_piece(const Weight& weight);

}  // namespace helio::checkpoint
