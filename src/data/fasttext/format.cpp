#include "data/fasttext/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"

namespace helio::data::fasttext {
namespace {

static_assert(std::endian::native == std::endian::little, "model files are little-endian");

class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::invalid,
                fmt::format("{}: not a usable fastText model: {} (at byte {} of {})", source_, what,
                            at_, bytes_.size()))
        .with_hint("give a supervised model as fastText saves it: .bin, or .ftz when quantised");
  }
  void expect(bool good, const char* what) const {
    if (!good) fail(what);
  }

  template <class T>
  T number() {
    T value;
    const std::string_view raw = take(sizeof value, 1);
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  // count * size bytes; the product cannot overflow because it must fit in what is left.
  std::string_view take(uint64_t count, uint64_t size) {
    const uint64_t left = bytes_.size() - at_;
    if (size != 0 && count > left / size) fail("the file is too short");
    const std::string_view part = bytes_.substr(at_, count * size);
    at_ += count * size;
    return part;
  }
  bool flag() {
    const auto value = number<uint8_t>();
    if (value > 1) fail("a flag is neither 0 nor 1");
    return value == 1;
  }
  std::string_view word() {
    const size_t end = bytes_.find('\0', at_);
    if (end == std::string_view::npos) fail("a dictionary entry does not end");
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }
  uint64_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_;
  const std::string& source_;
  uint64_t at_ = 0;
};

Args read_args(Cursor& in, int32_t version) {
  Args args;
  int32_t loss = 0;
  for (int32_t* field :
       {&args.dim, &args.ws, &args.epoch, &args.min_count, &args.neg, &args.word_ngrams, &loss,
        &args.model, &args.bucket, &args.minn, &args.maxn, &args.lr_update_rate})
    *field = in.number<int32_t>();
  args.t = in.number<double>();
  in.expect(args.model == 3, "it holds word vectors, not a classifier");
  in.expect(loss >= 1 && loss <= 4, "unknown loss");
  args.loss = Loss(loss);
  // Version 11 had no character n-grams in classifiers, whatever these fields say.
  if (version == 11) args.maxn = 0;
  in.expect(args.dim >= 1 && args.dim <= 8192, "dimension out of range");
  in.expect(args.bucket >= 0, "negative number of buckets");
  in.expect(args.word_ngrams >= 0 && args.word_ngrams <= 64, "word n-gram length out of range");
  in.expect(args.minn >= 0 && args.maxn >= 0 && args.maxn <= 64,
            "character n-gram length out of range");
  in.expect(args.bucket > 0 || (args.word_ngrams <= 1 && args.maxn == 0),
            "n-grams without buckets");
  return args;
}

void read_dictionary(Cursor& in, ModelFile& file) {
  const auto size = in.number<int32_t>(), words = in.number<int32_t>(),
             labels = in.number<int32_t>();
  file.tokens = in.number<int64_t>();
  const auto pruned = in.number<int64_t>();
  in.expect(words >= 0 && labels >= 1 && int64_t(words) + labels == size,
            "words and labels do not add up");
  // The least entry is an empty word: a terminator, a count and a kind.
  in.expect(uint64_t(size) <= in.left() / 10, "more dictionary entries than bytes");
  file.words.reserve(size_t(words));
  file.labels.reserve(size_t(labels));
  for (int32_t i = 0; i < size; ++i) {
    const std::string_view text = in.word();
    const auto count = in.number<int64_t>();
    const auto kind = in.number<int8_t>();
    // The Huffman tree of hierarchical softmax takes 10^15 as endless.
    in.expect(count >= 0 && count < int64_t(1'000'000'000'000'000) / size, "a count out of range");
    in.expect(kind == (i < words ? 0 : 1), "words and labels are mixed");
    (kind == 0 ? file.words : file.labels).push_back(text);
    (kind == 0 ? file.word_counts : file.label_counts).push_back(count);
  }
  file.pruned = pruned >= 0;
  if (pruned <= 0) return;
  in.expect(uint64_t(pruned) <= in.left() / 8, "more pruned buckets than bytes");
  file.kept_buckets.reserve(size_t(pruned));
  for (int64_t i = 0; i < pruned; ++i) {
    const auto bucket = in.number<int32_t>(), row = in.number<int32_t>();
    in.expect(bucket >= 0 && bucket < file.args.bucket && row >= 0 && row < pruned,
              "a pruned bucket out of range");
    file.kept_buckets.emplace_back(bucket, row);
  }
  std::sort(file.kept_buckets.begin(), file.kept_buckets.end());
  const auto twice =
      std::adjacent_find(file.kept_buckets.begin(), file.kept_buckets.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; });
  in.expect(twice == file.kept_buckets.end(), "a bucket is listed twice");
}

ProductQuantizer read_quantizer(Cursor& in, int64_t dim) {
  ProductQuantizer pq;
  for (int32_t* field : {&pq.dim, &pq.parts, &pq.width, &pq.last_width})
    *field = in.number<int32_t>();
  in.expect(pq.dim == dim && pq.parts >= 1 && pq.width >= 1 && pq.last_width >= 1 &&
                pq.last_width <= pq.width &&
                int64_t(pq.parts - 1) * pq.width + pq.last_width == dim,
            "a product quantiser whose parts do not make a row");
  pq.centroids = in.take(uint64_t(dim) * 256, sizeof(float));
  return pq;
}

Matrix read_matrix(Cursor& in, bool quantised, int64_t columns) {
  Matrix matrix;
  matrix.quantised = quantised;
  const bool norms = quantised && in.flag();
  matrix.rows = in.number<int64_t>();
  matrix.columns = in.number<int64_t>();
  in.expect(matrix.rows >= 1 && matrix.rows < INT32_MAX && matrix.columns == columns,
            "a matrix of the wrong shape");
  if (!quantised) {
    matrix.dense = in.take(uint64_t(matrix.rows), uint64_t(columns) * sizeof(float));
    return matrix;
  }
  const auto code_size = in.number<int32_t>();
  in.expect(code_size >= 1 && code_size % matrix.rows == 0, "codes that do not fill the rows");
  matrix.codes = in.take(uint64_t(code_size), 1);
  matrix.quantizer = read_quantizer(in, columns);
  in.expect(matrix.rows * matrix.quantizer.parts == code_size, "codes that do not fill the rows");
  if (norms) {
    matrix.norm_codes = in.take(uint64_t(matrix.rows), 1);
    matrix.norm_quantizer = read_quantizer(in, 1);
  }
  return matrix;
}

}  // namespace

ModelFile parse_model_file(std::string_view bytes, const std::string& source) {
  Cursor in(bytes, source);
  ModelFile file;
  in.expect(in.left() >= 8 && in.number<int32_t>() == kMagic, "it does not begin like one");
  file.version = in.number<int32_t>();
  in.expect(file.version == 11 || file.version == 12, "neither format version 11 nor 12");
  file.args = read_args(in, file.version);
  read_dictionary(in, file);
  const bool quantised = in.flag();
  in.expect(quantised || !file.pruned, "a pruned dictionary without quantisation");
  file.input = read_matrix(in, quantised, file.args.dim);
  const bool output_quantised = in.flag() && quantised;
  file.output = read_matrix(in, output_quantised, file.args.dim);

  const bool ngrams = file.args.word_ngrams > 1 || file.args.maxn > 0;
  const int64_t buckets = !ngrams       ? 0
                          : file.pruned ? int64_t(file.kept_buckets.size())
                                        : int64_t(file.args.bucket);
  in.expect(file.input.rows >= int64_t(file.words.size()) + buckets,
            "fewer input rows than words and buckets");
  in.expect(file.output.rows == int64_t(file.labels.size()), "output rows are not the labels");
  return file;
}

}  // namespace helio::data::fasttext
