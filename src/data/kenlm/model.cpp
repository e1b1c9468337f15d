#include "data/kenlm/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/fs.h"
#include "data/kenlm/arpa.h"

namespace helio::data::kenlm {
namespace {

bool has_extension(float backoff) {
  return std::bit_cast<uint32_t>(backoff) != std::bit_cast<uint32_t>(kNoExtension);
}
float as_probability(float stored) {
  return -std::bit_cast<float>(std::bit_cast<uint32_t>(stored) & 0x7FFFFFFF);
}
bool ends_nothing_longer(float stored) { return std::bit_cast<uint32_t>(stored) >> 31; }

}  // namespace

struct Model::Bytes {
  MappedFile mapped = {};
  Built built = {};
};

Model::Model(const std::filesystem::path& path) : bytes_(std::make_unique<Bytes>()) {
  bytes_->mapped = MappedFile(path);
  if (is_binary(bytes_->mapped.text())) {
    tables_ = parse_binary(bytes_->mapped.text(), path.string());
  } else {
    bytes_->mapped = MappedFile();
    bytes_->built = read_arpa(path);
    tables_ = bytes_->built.tables();
  }
  prepare(path.string());
}
Model::Model(std::string_view bytes, const std::string& source)
    : tables_(parse_binary(bytes, source)) {
  prepare(source);
}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

void Model::prepare(const std::string& source) {
  const uint32_t begin = find("<s>");
  end_of_sentence_ = find("</s>");
  if (begin == 0 || end_of_sentence_ == 0)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: the model does not know <s> and </s>", source));
  begin_.words[0] = begin;
  begin_.backoffs[0] = unigram(begin).backoff;
  begin_.length = 1;
}

uint32_t Model::find(uint64_t hash) const {
  const char* const found = tables_.vocabulary.find(hash);
  if (!found) return 0;
  const auto id = load<uint32_t>(found + 8);
  return id < tables_.words ? id : 0;  // a damaged file's ids may be anything
}

// lm/model.cc, ScoreExceptBackoff and ResumeScore: from the word alone to ever longer n-grams that
// end with it. `length` is that of the longest one found.
float Model::score_without_backoff(const State& state, uint32_t word, State& out,
                                   size_t& length) const {
  const Weights alone = unigram(word);
  float stored = alone.probability;
  out.words[0] = word;
  out.backoffs[0] = alone.backoff;
  out.length = has_extension(alone.backoff) ? 1 : 0;
  length = 1;
  uint64_t key = word;
  const size_t order = tables_.order();
  for (size_t i = 0; i < state.length && !ends_nothing_longer(stored); ++i) {
    key = hash_with(key, state.words[i]);
    if (i + 2 == order) {
      if (const char* const found = tables_.longest.find(key)) {
        length = order;
        return load<float>(found + 8);
      }
      break;
    }
    const char* const found = tables_.middle[i].find(key);
    if (!found) break;
    const auto weights = load<Weights>(found + 8);
    stored = weights.probability;
    out.backoffs[i + 1] = weights.backoff;
    length = i + 2;
    if (has_extension(weights.backoff)) out.length = length;
  }
  return as_probability(stored);
}

float Model::score(const State& state, uint32_t word, State& out) const {
  size_t length = 0;
  float probability = score_without_backoff(state, word, out, length);
  for (size_t i = 1; i < out.length; ++i) out.words[i] = state.words[i - 1];
  for (size_t i = length - 1; i < state.length; ++i) probability += state.backoffs[i];
  return probability;
}

// Tables are far larger than caches: what a word needs is fetched while those before it are scored.
float Model::score_sentence(std::span<const std::string_view> words) const {
  constexpr size_t kAhead = 6;
  thread_local std::vector<uint64_t> hashes;
  thread_local std::vector<uint32_t> ids;  // <s> first, </s> last
  hashes.clear();
  for (const std::string_view word : words) {
    hashes.push_back(hash_of_word(word));
    tables_.vocabulary.prefetch(hashes.back());
  }
  ids.assign(1, begin_.words[0]);
  for (const uint64_t hash : hashes) ids.push_back(find(hash));
  ids.push_back(end_of_sentence_);

  const auto fetch = [&](size_t at) {
    uint64_t key = ids[at];
    __builtin_prefetch(tables_.unigrams + key * kUnigramEntry);
    const size_t context = std::min(at, order() - 1);
    for (size_t i = 1; i <= context; ++i) {
      key = hash_with(key, ids[at - i]);
      (i + 1 == order() ? tables_.longest : tables_.middle[i - 1]).prefetch(key);
    }
  };
  for (size_t at = 1; at < std::min(ids.size(), kAhead); ++at) fetch(at);
  State states[2] = {begin_, {}};
  State *now = &states[0], *next = &states[1];
  float sum = 0;
  for (size_t at = 1; at < ids.size(); ++at) {
    if (at - 1 + kAhead < ids.size()) fetch(at - 1 + kAhead);
    sum += score(*now, ids[at], *next);
    std::swap(now, next);
  }
  return sum;
}

}  // namespace helio::data::kenlm
