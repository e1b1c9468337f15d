#include "data/kenlm/arpa.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"
#include "core/lines.h"
#include "data/kenlm/builder.h"

namespace helio::data::kenlm {
namespace {

constexpr size_t kMostLine = size_t(1) << 20;
constexpr std::string_view kSpaces = " \t\r";

// Words may hold any other white space.
void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (size_t at = line.find_first_not_of(kSpaces); at != line.npos;) {
    const size_t end = std::min(line.find_first_of(kSpaces, at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kSpaces, end);
  }
}

bool is_unknown(std::string_view word) { return word == "<unk>" || word == "<UNK>"; }

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : name_(path.string()), lines_(path, kMostLine) {}

  Built read() {
    read_counts();
    read_unigrams();
    for (size_t n = 2; n <= counts_.size(); ++n) read_ngrams(n);
    if (next() != "\\end\\") fail("the n-grams do not end with \\end\\");
    return std::move(*builder_).finish();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::invalid, fmt::format("{}:{}: {}", name_, lines_.number(), what))
        .with_hint("an ARPA file is wanted: \\data\\, ngram 1=..., \\1-grams: and so on");
  }

  // The next line that is not blank.
  std::string_view next() {
    std::string_view line;
    while (lines_.next(line)) {
      const size_t end = line.find_last_not_of(kSpaces);
      if (end != line.npos) return line.substr(0, end + 1);
    }
    fail("the file ends in the middle");
  }

  void read_counts() {
    std::string_view line = next();
    while (line.starts_with('#')) line = next();
    if (line != "\\data\\") fail("it does not begin with \\data\\");
    for (line = next(); line.starts_with("ngram "); line = next()) {
      const std::string prefix = fmt::format("ngram {}=", counts_.size() + 1);
      uint64_t count = 0;
      const char* const end = line.data() + line.size();
      if (!line.starts_with(prefix)) fail(fmt::format("'{}...' is wanted here", prefix));
      const auto read = std::from_chars(line.data() + prefix.size(), end, count);
      if (read.ec != std::errc() || read.ptr != end) fail("a count that is no number");
      counts_.push_back(count);
    }
    if (counts_.size() < 2 || counts_.size() > kMaxOrder)
      fail(fmt::format("n-grams of order 2 to {} are wanted, these are of order {}", kMaxOrder,
                       counts_.size()));
    expect_header(line, 1);
  }

  void expect_header(std::string_view line, size_t n) const {
    if (line != fmt::format("\\{}-grams:", n))
      fail(fmt::format("'\\{}-grams:' is wanted here: the number of {}-grams is not {}", n,
                       std::max<size_t>(n, 2) - 1, counts_[std::max<size_t>(n, 2) - 2]));
  }

  float number(std::string_view field) const {
    if (field.starts_with('+')) field.remove_prefix(1);
    float value = 0;
    const char* const end = field.data() + field.size();
    const auto read = std::from_chars(field.data(), end, value);
    if (read.ec == std::errc::result_out_of_range && read.ptr == end) {
      double wide = 1;  // nearer to 0 than a float can be: 0
      const auto again = std::from_chars(field.data(), end, wide);
      if (again.ec == std::errc() && std::fabs(wide) < 1) return kNoExtension;
    }
    if (read.ec != std::errc() || read.ptr != end || std::isnan(value))
      fail(fmt::format("'{}' is no number", field));
    return value;
  }

  // The fields of the next n-gram's line.
  void read_fields(size_t n, Weights& weights) {
    const std::string_view line = next();
    if (line.starts_with('\\') && line.find('\t') == line.npos)
      fail(fmt::format("fewer {}-grams than the {} of 'ngram {}='", n, counts_[n - 1], n));
    split(line, fields_);
    if (fields_.size() != n + 1 && fields_.size() != n + 2)
      fail(fmt::format("a probability, {} words and perhaps a backoff are wanted", n));
    weights.probability = number(fields_[0]);
    if (weights.probability > 0) fail("a log10 probability above 0");
    weights.backoff = fields_.size() == n + 2 ? number(fields_.back()) : 0;
    if (std::isinf(weights.backoff)) fail("an infinite backoff");
    if (n == counts_.size() && weights.backoff != 0) fail("a backoff of the longest n-grams");
    if (weights.backoff == 0) weights.backoff = kNoExtension;
  }

  // Tables are made when as many n-grams have been read as the file claims: a wrong count allocates
  // nothing.
  void read_unigrams() {
    struct Word {
      Weights weights;
      uint64_t hash;
    };
    std::vector<Word> words;
    if (counts_[0] >= std::numeric_limits<uint32_t>::max()) fail("too many words");
    for (uint64_t i = 0; i < counts_[0]; ++i) {
      Weights weights;
      read_fields(1, weights);
      const std::string_view word = fields_[1];
      words.push_back({weights, is_unknown(word) ? 0 : hash_of_word(word)});
    }
    builder_.emplace(counts_);
    for (const Word& word : words) builder_->add_word(word.hash, word.weights);
    for (const char* mark : {"<s>", "</s>"})
      if (builder_->find(mark) == 0) fail(fmt::format("there is no unigram {}", mark));
  }

  void read_ngrams(size_t n) {
    expect_header(next(), n);
    std::vector<Weights> weights;
    std::vector<uint32_t> ids;  // n of each, the last word first
    for (uint64_t i = 0; i < counts_[n - 1]; ++i) {
      read_fields(n, weights.emplace_back());
      for (size_t k = n; k > 0; --k) {
        const std::string_view word = fields_[k];
        ids.push_back(builder_->find(word));
        if (ids.back() == 0 && !is_unknown(word))
          fail(fmt::format("'{}' is not among the 1-grams", word));
      }
    }
    builder_->begin_order(n);
    for (size_t i = 0; i < weights.size(); ++i)
      if (const char* why = builder_->add(std::span(ids).subspan(i * n, n), weights[i]))
        fail(fmt::format("{}-gram {}: {}", n, i + 1, why));
  }

  std::string name_;
  LineReader lines_;
  std::vector<uint64_t> counts_ = {};
  std::vector<std::string_view> fields_ = {};
  std::optional<Builder> builder_ = {};
};

}  // namespace

Built read_arpa(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace helio::data::kenlm
