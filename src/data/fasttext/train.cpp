#include "data/fasttext/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/rng.h"
#include "data/fasttext/dictionary.h"
#include "data/fasttext/matrix.h"
#include "data/fasttext/model.h"

namespace helio::data::fasttext {
namespace {

using Counted = std::vector<std::pair<std::string, int64_t>>;

Counted by_count(const std::map<std::string, int64_t, std::less<>>& counts, int64_t least) {
  Counted all;
  for (const auto& [text, count] : counts)
    if (count >= least) all.emplace_back(text, count);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return all;
}

void count_one(std::map<std::string, int64_t, std::less<>>& counts, std::string_view text) {
  const auto at = counts.find(text);
  if (at != counts.end()) ++at->second;
  else counts.emplace(std::string(text), 1);
}

class Trainer {
 public:
  Trainer(const std::vector<Example>& examples, const TrainOptions& options)
      : examples_(examples), options_(options), dim_(size_t(options.dim)) {
    std::map<std::string, int64_t, std::less<>> words, labels;
    for (const Example& example : examples) {
      if (example.label.empty() ||
          std::any_of(example.label.begin(), example.label.end(), is_separator))
        throw Error(
            ErrorKind::invalid,
            fmt::format("'{}' cannot be a label: it is empty or has white space", example.label));
      count_one(labels, example.label);
      for_each_token(example.text, [&](std::string_view token) {
        if (!token.starts_with(kLabelPrefix)) count_one(words, token), ++file_.tokens;
      });
      count_one(words, kEndOfLine);
      file_.tokens += 2;  // the line's end and the label
    }
    if (labels.size() < 2)
      throw Error(ErrorKind::invalid, fmt::format("a classifier needs examples of two labels or "
                                                  "more, these have {}",
                                                  labels.size()));
    words_ = by_count(words, options.min_count);
    labels_ = by_count(labels, 1);
    for (auto& [label, count] : labels_) label.insert(0, kLabelPrefix);
    for (const auto& [word, count] : words_) file_.words.push_back(word);
    for (const auto& [label, count] : labels_) file_.labels.push_back(label);
    auto& args = file_.args;
    args.dim = int32_t(options.dim);
    args.epoch = int32_t(options.epochs);
    args.min_count = int32_t(std::min<int64_t>(options.min_count, INT32_MAX));
    args.word_ngrams = int32_t(options.word_ngrams);
    args.minn = int32_t(options.minn), args.maxn = int32_t(options.maxn);
    args.bucket = args.word_ngrams > 1 || args.maxn > 0 ? int32_t(options.buckets) : 0;
    args.loss = Loss::softmax;
    if (file_.words.empty() && args.bucket == 0)
      throw Error(ErrorKind::invalid, "no word comes often enough to learn from")
          .with_hint("lower min_count, or take n-grams");
  }

  void take_features(int threads) {
    const Dictionary dictionary(file_);
    features_.resize(examples_.size());
    targets_.resize(examples_.size());
    std::map<std::string_view, int32_t> numbers;
    for (size_t i = 0; i < file_.labels.size(); ++i)
      numbers[file_.labels[i].substr(kLabelPrefix.size())] = int32_t(i);
    parallel_slices(examples_.size(), threads, 64, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i) {
        targets_[i] = numbers.at(examples_[i].label);
        features_[i] = features_of(dictionary, examples_[i].text);
      }
    });
  }

  void descend(Monitor& monitor, const StopRequest& stop) {
    const size_t rows = file_.words.size() + size_t(file_.args.bucket);
    input_.resize(rows * dim_);
    output_.assign(labels_.size() * dim_, 0.0f);
    Rng start = Rng::stream(uint64_t(options_.seed), "fasttext.weights");
    for (float& weight : input_) weight = float((2 * start.uniform() - 1) / double(dim_));
    std::vector<uint32_t> order(examples_.size());
    std::iota(order.begin(), order.end(), 0);
    const int64_t total = options_.epochs * int64_t(order.size());
    monitor.begin("training", total, "examples");
    int64_t done = 0;
    double loss = 0;
    int64_t since = 0;
    for (int64_t epoch = 0; epoch < options_.epochs; ++epoch) {
      Rng::stream(uint64_t(options_.seed), "fasttext.order", uint64_t(epoch))
          .shuffle(std::span(order));
      for (const uint32_t i : order) {
        const double left = 1.0 - double(done) / double(total);
        loss += step(i, float(options_.lr * left)), ++since;
        if (++done % 512 == 0) {
          stop.check();
          monitor.at(done, fmt::format("loss {:.4f}", loss / double(since)));
          if (since >= 8192) loss = 0, since = 0;
        }
      }
    }
    monitor.end();
  }

  std::string bytes() const {
    std::string out;
    const auto put = [&out](const auto& value) {
      out.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    const Args& args = file_.args;
    put(kMagic), put(kVersion);
    for (const int32_t value :
         {args.dim, args.ws, args.epoch, args.min_count, args.neg, args.word_ngrams,
          int32_t(args.loss), args.model, args.bucket, args.minn, args.maxn, args.lr_update_rate})
      put(value);
    put(args.t);
    put(int32_t(words_.size() + labels_.size()));
    put(int32_t(words_.size())), put(int32_t(labels_.size()));
    put(file_.tokens), put(int64_t(-1));
    for (const auto* entries : {&words_, &labels_})
      for (const auto& [text, count] : *entries) {
        out.append(text).push_back('\0');
        put(count), put(int8_t(entries == &labels_));
      }
    for (const auto* matrix : {&input_, &output_}) {
      put(uint8_t(0));
      put(int64_t(matrix->size() / dim_)), put(int64_t(dim_));
      out.append(reinterpret_cast<const char*>(matrix->data()), matrix->size() * sizeof(float));
    }
    return out;
  }

 private:
  // The rows of a text, as Model takes them.
  std::vector<int32_t> features_of(const Dictionary& dictionary, std::string_view text) const {
    std::vector<int32_t> rows;
    std::vector<uint32_t> hashes;
    std::string padded;
    const auto words = int32_t(file_.words.size());
    const auto add = [&](std::string_view token) {
      const uint32_t hash = hash_of(token);
      const int32_t id = dictionary.find(token, hash);
      if (id >= words || (id < 0 && token.starts_with(kLabelPrefix))) return;
      hashes.push_back(hash);
      if (id >= 0) rows.push_back(id);
      if (file_.args.maxn > 0 && token != kEndOfLine)
        dictionary.char_ngram_rows(token, padded, [&](const int32_t* ids, size_t count) {
          rows.insert(rows.end(), ids, ids + count);
        });
    };
    for_each_token(text, add);
    add(kEndOfLine);
    for_each_word_ngram(hashes, file_.args.word_ngrams,
                        [&](uint64_t hash) { rows.push_back(dictionary.word_ngram_row(hash)); });
    return rows;
  }

  // One example: the loss before the step.
  double step(size_t example, float lr) {
    const std::vector<int32_t>& rows = features_[example];
    if (rows.empty()) return 0;
    hidden_.assign(dim_, 0.0f);
    for (const int32_t row : rows)
      add_floats(hidden_.data(), reinterpret_cast<const char*>(&input_[size_t(row) * dim_]), dim_);
    const float share = 1.0f / float(rows.size());
    for (float& value : hidden_) value *= share;

    const size_t labels = labels_.size();
    scores_.resize(labels);
    for (size_t j = 0; j < labels; ++j)
      scores_[j] = std::inner_product(hidden_.begin(), hidden_.end(),
                                      output_.begin() + int64_t(j * dim_), 0.0f);
    const float most = *std::max_element(scores_.begin(), scores_.end());
    float sum = 0;
    for (float& score : scores_) sum += score = std::exp(score - most);
    const auto target = size_t(targets_[example]);
    const double loss = -std::log(std::max(1e-12, double(scores_[target] / sum)));

    gradient_.assign(dim_, 0.0f);
    for (size_t j = 0; j < labels; ++j) {
      const float pull = lr * ((j == target ? 1.0f : 0.0f) - scores_[j] / sum);
      float* const weights = &output_[j * dim_];
      for (size_t i = 0; i < dim_; ++i) {
        gradient_[i] += pull * weights[i];
        weights[i] += pull * hidden_[i];
      }
    }
    for (float& value : gradient_) value *= share;
    for (const int32_t row : rows)
      add_floats(&input_[size_t(row) * dim_], reinterpret_cast<const char*>(gradient_.data()),
                 dim_);
    return loss;
  }

  const std::vector<Example>& examples_;
  const TrainOptions& options_;
  size_t dim_;
  Counted words_ = {}, labels_ = {};
  ModelFile file_ = {};  // views of words_ and labels_
  std::vector<std::vector<int32_t>> features_ = {};
  std::vector<int32_t> targets_ = {};
  std::vector<float> input_ = {}, output_ = {}, hidden_ = {}, scores_ = {}, gradient_ = {};
};

}  // namespace

std::string train(const std::vector<Example>& examples, const TrainOptions& options, int threads,
                  Monitor& monitor, const StopRequest& stop) {
  if (options.minn > options.maxn) throw Error(ErrorKind::invalid, "minn is above maxn");
  Trainer trainer(examples, options);
  trainer.take_features(threads);
  trainer.descend(monitor, stop);
  return trainer.bytes();
}

Evaluation evaluate(const Model& model, const std::vector<Example>& examples, int threads) {
  std::vector<std::string_view> found(examples.size());
  parallel_slices(examples.size(), threads, 64, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) {
      const auto best = model.predict(examples[i].text);
      if (!best.empty()) found[i] = best.front().label;
    }
  });
  std::map<std::string, LabelScore, std::less<>> labels;
  for (const std::string_view label : model.labels()) labels[std::string(label)];
  Evaluation result;
  for (size_t i = 0; i < examples.size(); ++i) {
    const bool right = found[i] == examples[i].label;
    ++result.examples, result.right += right;
    LabelScore& given = labels[examples[i].label];
    ++given.examples, given.right += right;
    if (!found[i].empty()) ++labels[std::string(found[i])].predicted;
  }
  for (auto& [label, score] : labels) {
    score.label = label;
    result.labels.push_back(score);
  }
  return result;
}

bool held_out(const std::string& text, double share, int64_t seed) {
  const uint64_t hash = xxh3_64(text, uint64_t(seed));
  return double(hash >> 11) * 0x1.0p-53 < share;
}

}  // namespace helio::data::fasttext
