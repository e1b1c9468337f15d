// A fastText classifier, read from its file and asked for labels. Same labels and, within rounding
// of sums, same scores as libfasttext; several times its speed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data::fasttext {

struct Prediction {
  std::string_view label = {};  // without "__label__"; lives as long as the model
  float score = 0;              // as fastText reports it: up to 1.00001
};

class Model {
 public:
  // Maps the file. Error{not_found}, or Error{invalid} when it is no such model.
  explicit Model(const std::filesystem::path& path);
  // Over bytes that outlive the model.
  Model(std::string_view bytes, const std::string& source);
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  const std::vector<std::string_view>& labels() const;  // without "__label__"

  // The k best labels (all when k is 0) whose score is at least `threshold`, best first; equal
  // scores in label order. New lines count as spaces. Parts are read as one text, with a break
  // between words where they meet. Empty when the text has nothing the model knows.
  std::vector<Prediction> predict(std::span<const std::string_view> parts, int32_t k = 1,
                                  float threshold = 0) const;
  std::vector<Prediction> predict(std::string_view text, int32_t k = 1, float threshold = 0) const {
    return predict(std::span(&text, 1), k, threshold);
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// At most three pieces of about `bytes` each from the beginning, the middle and the end of a text,
// cut between words where there are any; the text itself when it is no longer than that.
std::vector<std::string_view> sample_parts(std::string_view text, size_t bytes);

// The same file is loaded once, however many operators name it.
std::shared_ptr<const Model> load_shared(const std::filesystem::path& path);

}  // namespace helio::data::fasttext
