#include "data/fasttext/model.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "data/fasttext/dictionary.h"
#include "data/fasttext/loss.h"
#include "data/model_file.h"

namespace helio::data::fasttext {
namespace {

std::vector<std::string_view> plain_labels(const ModelFile& file) {
  std::vector<std::string_view> labels;
  for (std::string_view label : file.labels) {
    if (label.starts_with(kLabelPrefix)) label.remove_prefix(kLabelPrefix.size());
    labels.push_back(label);
  }
  return labels;
}

constexpr size_t kMostWordSums = size_t(64) << 20;  // bytes

}  // namespace

struct Model::Impl {
  MappedFile mapped = {};
  ModelFile file;
  Dictionary dictionary;
  Rows input;
  Output output;
  std::vector<std::string_view> labels;
  size_t dim;
  // Of each known word, its row and its n-grams' added up, and how many rows that are.
  std::vector<float> word_sums = {};
  std::vector<uint32_t> word_rows = {};

  Impl(MappedFile map, std::string_view bytes, const std::string& source)
      : mapped(std::move(map)),
        file(parse_model_file(bytes, source)),
        dictionary(file),
        input(file.input),
        output(file),
        labels(plain_labels(file)),
        dim(size_t(file.args.dim)) {
    const size_t words = file.words.size();
    if (words > kMostWordSums / sizeof(float) / dim) return;
    word_sums.assign(words * dim, 0.0f);
    word_rows.assign(words, 0);
    Scratch scratch(*this);
    for (size_t i = 0; i < words; ++i)
      word_rows[i] = add_word(file.words[i], int32_t(i), word_sums.data() + i * dim, scratch);
  }

  struct Scratch {
    explicit Scratch(const Impl& impl) : word(impl.dim), hidden(impl.dim) {}
    std::vector<float> word, hidden;
    std::string padded = {};
    std::vector<uint32_t> hashes = {};  // of the words, when n-grams of words are wanted
  };

  // Adds the rows of a word to `sum`; their number. The order is that of the file's features, and
  // a word's rows are added up on their own first, so that a sum kept beforehand is the same float.
  uint32_t add_word(std::string_view word, int32_t id, float* sum, Scratch& scratch) const {
    uint32_t rows = 0;
    const auto add = [&](const int32_t* ids, size_t count) {
      rows += uint32_t(count);
      if (dim == 16 && input.dense(0)) {
        add_rows_16(ids, count, sum);
      } else {
        for (size_t i = 0; i < count; ++i) input.add_to(sum, ids[i]);
      }
    };
    if (id >= 0) add(&id, 1);
    if (file.args.maxn > 0 && word != kEndOfLine)
      dictionary.char_ngram_rows(word, scratch.padded, add);
    return rows;
  }

  // lid.176's width, with the sums in registers.
  void add_rows_16(const int32_t* rows, size_t count, float* sum) const {
    const char* at = reinterpret_cast<const char*>(sum);
    Lanes a = load_lanes(at), b = load_lanes(at + 16), c = load_lanes(at + 32),
          d = load_lanes(at + 48);
    const char* const base = input.dense(0);
    for (size_t i = 0; i < count; ++i) {
      const char* const from = base + size_t(rows[i]) * 64;
      a += load_lanes(from), b += load_lanes(from + 16);
      c += load_lanes(from + 32), d += load_lanes(from + 48);
    }
    store_lanes(sum, a), store_lanes(sum + 4, b);
    store_lanes(sum + 8, c), store_lanes(sum + 12, d);
  }

  uint64_t add_token(std::string_view token, Scratch& scratch) const {
    const uint32_t hash = hash_of(token);
    const int32_t id = dictionary.find(token, hash);
    // A label within the text, known or not, is no word.
    if (id >= int32_t(file.words.size()) || (id < 0 && token.starts_with(kLabelPrefix))) return 0;
    if (file.args.word_ngrams > 1) scratch.hashes.push_back(hash);
    if (id >= 0 && !word_rows.empty()) {
      add_floats(scratch.hidden.data(),
                 reinterpret_cast<const char*>(word_sums.data() + size_t(id) * dim), dim);
      return word_rows[size_t(id)];
    }
    std::fill(scratch.word.begin(), scratch.word.end(), 0.0f);
    const uint32_t rows = add_word(token, id, scratch.word.data(), scratch);
    add_floats(scratch.hidden.data(), reinterpret_cast<const char*>(scratch.word.data()), dim);
    return rows;
  }

  // The mean of the text's rows; false when it has none.
  bool embed(std::span<const std::string_view> parts, Scratch& scratch) const {
    uint64_t rows = 0;
    for (const std::string_view part : parts)
      if (!for_each_token(part, [&](std::string_view token) { rows += add_token(token, scratch); }))
        break;
    rows += add_token(kEndOfLine, scratch);
    if (file.args.word_ngrams > 1)
      for_each_word_ngram(scratch.hashes, file.args.word_ngrams, [&](uint64_t hash) {
        const int32_t row = dictionary.word_ngram_row(hash);
        if (row < 0) return;
        input.add_to(scratch.hidden.data(), row);
        ++rows;
      });
    if (rows == 0) return false;
    const float share = float(1.0 / double(rows));
    for (float& value : scratch.hidden) value *= share;
    return true;
  }
};

Model::Model(const std::filesystem::path& path) {
  MappedFile mapped(path);
  const std::string_view bytes = mapped.text();
  impl_ = std::make_unique<Impl>(std::move(mapped), bytes, path.string());
}
Model::Model(std::string_view bytes, const std::string& source)
    : impl_(std::make_unique<Impl>(MappedFile(), bytes, source)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

const std::vector<std::string_view>& Model::labels() const { return impl_->labels; }

std::vector<Prediction> Model::predict(std::span<const std::string_view> parts, int32_t k,
                                       float threshold) const {
  Impl::Scratch scratch(*impl_);
  if (!impl_->embed(parts, scratch)) return {};
  std::vector<Prediction> result;
  for (const auto& [score, label] : impl_->output.best(scratch.hidden, k, threshold))
    result.push_back({impl_->labels[size_t(label)], score});
  return result;
}

std::vector<std::string_view> sample_parts(std::string_view text, size_t bytes) {
  if (bytes == 0 || text.size() <= 3 * bytes) return {text};
  // From the first separator at or after `at`, or from a character's start when none is near.
  const auto cut = [&](size_t at) {
    for (size_t i = at; i < std::min(at + 64, text.size()); ++i)
      if (is_separator(text[i])) return i;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    return at;
  };
  const size_t middle = text.size() / 2 - bytes / 2;
  const auto piece = [&](size_t begin, size_t end) { return text.substr(begin, end - begin); };
  return {piece(0, cut(bytes)), piece(cut(middle), cut(middle + bytes)),
          piece(cut(text.size() - bytes), text.size())};
}

std::shared_ptr<const Model> load_shared(const std::filesystem::path& path) {
  return load_shared_model<Model>(path);
}

}  // namespace helio::data::fasttext
