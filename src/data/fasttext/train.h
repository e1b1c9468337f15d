// Training classifiers in fastText's way and writing them in its format.
//
// One file's bytes depend on the examples in their order, the options and the seed: features are
// taken by many threads, but the descent itself is one thread's, so that the number of threads
// cannot show. (libfasttext's own threads race.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/monitor.h"
#include "core/options.h"

namespace helio::data::fasttext {

struct Example {
  std::string text = {};
  std::string label = {};  // without "__label__"
};

struct TrainOptions {
  int64_t dim = 16, epochs = 5, word_ngrams = 2, min_count = 2, minn = 0, maxn = 0;
  int64_t buckets = 200000, seed = 1;
  double lr = 0.2;

  void describe(Fields& f) {
    f("dim", dim, "Numbers a word or n-gram has.", between(1, 1024));
    f("epochs", epochs, "Times each example is seen.", between(1, 1000));
    f("lr", lr, "Learning rate at the start; it falls linearly to nothing.", between(1e-6, 10));
    f("word_ngrams", word_ngrams, "Longest run of words that is a feature.", between(1, 16));
    f("min_count", min_count, "Rarer words are no features of their own.", at_least(1));
    f("minn", minn, "Shortest character n-gram; 0 with maxn 0 takes none.", between(0, 16));
    f("maxn", maxn, "Longest character n-gram.", between(0, 16));
    f("buckets", buckets, "Rows that n-grams share.", between(1, 50e6));
    f("seed", seed, "Seed of the first weights and of the order of examples.", at_least(0));
  }
};

// The model as a .bin file's bytes. Error{invalid} when there are fewer than two labels, or a label
// is empty or has white space.
std::string train(const std::vector<Example>& examples, const TrainOptions& options, int threads,
                  Monitor& monitor, const StopRequest& stop);

// How the labels predicted fit those given.
struct LabelScore {
  std::string label = {};
  int64_t examples = 0, predicted = 0, right = 0;
  double precision() const { return predicted ? double(right) / double(predicted) : 0; }
  double recall() const { return examples ? double(right) / double(examples) : 0; }
  double f1() const {
    const double sum = precision() + recall();
    return sum > 0 ? 2 * precision() * recall() / sum : 0;
  }
};
struct Evaluation {
  int64_t examples = 0, right = 0;
  std::vector<LabelScore> labels = {};  // in byte order of their names
  double accuracy() const { return examples ? double(right) / double(examples) : 0; }
};
class Model;
Evaluation evaluate(const Model& model, const std::vector<Example>& examples, int threads);

// Whether an example is held out, by its text alone: the same for any order or further examples.
bool held_out(const std::string& text, double share, int64_t seed);

}  // namespace helio::data::fasttext
