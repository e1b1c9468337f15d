#include "checkpoint/weights.h"

#include <algorithm>

#include "checkpoint/cast.h"
#include "checkpoint/gguf/model.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

class SafeWeights final : public Weights {
 public:
  explicit SafeWeights(const fs::path& path) : source_(path) {
    for (size_t i = 0; i < source_.tensors().size(); ++i) {
      const auto& tensor = source_.tensors()[i];
      tensors_.push_back({.name = tensor.name,
                          .type = std::string(dtype_name(tensor.dtype)),
                          .shape = tensor.shape,
                          .size = tensor.size,
                          .floats = is_castable(tensor.dtype),
                          .index = i});
    }
    sort_tensors();
  }

  void read(const Weight& weight, int64_t first_row, std::span<float> out) const override {
    const auto& tensor = source_.tensors()[weight.index];
    const size_t each = dtype_size(tensor.dtype);
    const size_t begin = static_cast<size_t>(first_row * weight.width()) * each;
    to_floats(tensor.dtype, source_.data(tensor).subspan(begin, out.size() * each), out);
  }
  std::span<const std::byte> bytes(const Weight& weight) const override {
    return source_.data(source_.tensors()[weight.index]);
  }

 private:
  SafeTensors source_;
};

}  // namespace

int64_t Weight::elements() const {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}
int64_t Weight::width() const { return shape.empty() ? 1 : shape.back(); }
int64_t Weight::rows() const { return width() == 0 ? 0 : elements() / width(); }

const Weight* Weights::find(std::string_view name) const {
  const auto it = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const Weight& tensor, std::string_view key) { return tensor.name < key; });
  return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

void Weights::sort_tensors() {
  std::sort(tensors_.begin(), tensors_.end(),
            [](const Weight& a, const Weight& b) { return a.name < b.name; });
}

std::unique_ptr<Weights> open_weights(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored) && is_gguf(path)) return std::make_unique<GgufModel>(path);
  return std::make_unique<SafeWeights>(path);
}

int64_t rows_of_a_piece(const Weight& weight) {
  return std::max<int64_t>(1, kPieceValues / std::max<int64_t>(1, weight.width()));
}

}  // namespace helio::checkpoint
