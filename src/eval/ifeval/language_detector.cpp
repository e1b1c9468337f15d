#include "eval/ifeval/language_detector.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "eval/ifeval/embedded.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_regex.h"
#include "eval/python_random.h"
#include "text/utf8.h"

namespace helio::eval::ifeval {
namespace {

// langdetect's constants (detector.py).
constexpr double kAlpha = 0.5, kAlphaWidth = 0.05, kBase = 10000, kConverged = 0.99999,
                 kThreshold = 0.1;
constexpr int kTrials = 7, kIterations = 1000;
constexpr size_t kLongest = 10000;  // characters looked at

std::string_view take(std::string_view& text, char until) {
  const size_t at = text.find(until);
  const std::string_view out = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return out;
}

int64_t number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  HELIO_CHECK(error == std::errc() && end == text.data() + text.size(), "a profile's number");
  return value;
}

uint64_t key_of(std::u32string_view gram) {
  uint64_t key = 0;
  for (const char32_t c : gram) key = key << 21 | c;
  return key;
}

// random.random() and random.gauss() of CPython.
double uniform(PythonRandom& random) {
  const uint32_t a = random.bits() >> 5, b = random.bits() >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}
class Gauss {
 public:
  double next(PythonRandom& random) {
    kept_ = !kept_;
    if (!kept_) return second_;
    const double angle = uniform(random) * (2.0 * std::numbers::pi);
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(random)));
    second_ = std::sin(angle) * radius;
    return std::cos(angle) * radius;
  }

 private:
  bool kept_ = false;
  double second_ = 0;
};

}  // namespace

LanguageDetector::LanguageDetector() {
  const std::string all = langdetect_text();
  std::vector<std::array<int64_t, 3>> words;
  for (std::string_view rest = all; !rest.empty();) {
    std::string_view line = take(rest, '\n');
    const size_t tab = line.find('\t');
    if (tab != line.npos) {
      const std::u32string gram = text::to_code_points(line.substr(0, tab));
      Gram& place = grams_[key_of(gram)];
      place.begin = static_cast<uint32_t>(shares_.size());
      for (std::string_view list = line.substr(tab + 1); !list.empty();) {
        std::string_view entry = take(list, ' ');
        const auto language = static_cast<uint32_t>(number(take(entry, ':')));
        const auto total = static_cast<double>(words.at(language).at(gram.size() - 1));
        shares_.push_back({language, static_cast<double>(number(entry)) / total});
      }
      place.end = static_cast<uint32_t>(shares_.size());
      continue;
    }
    const std::string_view kind = take(line, ' ');
    if (kind == "language") {
      languages_.emplace_back(take(line, ' '));
      auto& counts = words.emplace_back();
      for (auto& count : counts) count = number(take(line, ' '));
    } else if (kind == "alike") {
      const std::u32string same = text::to_code_points(line);
      for (const char32_t c : same) alike_[c] = same[0];
    } else {
      uint32_t mark = 0;
      const std::string_view hex = take(line, ' ');
      std::from_chars(hex.data(), hex.data() + hex.size(), mark, 16);
      const std::u32string plain = text::to_code_points(take(line, ' ')),
                           composed = text::to_code_points(line);
      for (size_t i = 0; i < plain.size(); ++i)
        composed_[uint64_t(plain[i]) << 32 | mark] = composed[i];
    }
  }
}

const LanguageDetector& LanguageDetector::shared() {
  static const LanguageDetector detector;
  return detector;
}

// URLs, addresses and repeated spaces go; Latin letters too where they are the smaller part.
std::u32string LanguageDetector::clean(std::string_view text) const {
  static const PythonRegex url("https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}");
  static const PythonRegex mail("[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}");
  std::string kept(text);
  if (kept.find("http") != kept.npos) kept = url.sub(kept, " ");
  if (kept.find('@') != kept.npos) kept = mail.sub(kept, " ");
  std::u32string points = text::to_code_points(kept), composed;
  composed.reserve(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const auto found = i + 1 < points.size()
                           ? composed_.find(uint64_t(points[i]) << 32 | points[i + 1])
                           : composed_.end();
    composed.push_back(found == composed_.end() ? points[i] : found->second);
    if (found != composed_.end()) ++i;
  }
  std::u32string out;
  for (size_t i = 0; i < std::min(composed.size(), kLongest); ++i)
    if (composed[i] != ' ' || i == 0 || composed[i - 1] != ' ') out.push_back(composed[i]);
  int64_t latin = 0, other = 0;
  for (const char32_t c : out) {
    if (c >= 'A' && c <= 'z') ++latin;
    else if (c >= 0x300 && !(c >= 0x1E00 && c <= 0x1EFF)) ++other;
  }
  if (latin * 2 < other) std::erase_if(out, [](char32_t c) { return c >= 'A' && c <= 'z'; });
  return out;
}

char32_t LanguageDetector::normalized(char32_t c) const {
  if (c < 0x80) return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ? c : U' ';
  if (c < 0x100) return c == 0xA0 || c == 0xAB || c == 0xB0 || c == 0xBB ? U' ' : c;
  if (c == 0x219) return 0x15F;
  if (c == 0x21B) return 0x163;
  if (c >= 0x2000 && c <= 0x206F) return U' ';
  if (c == 0x6CC) return 0x64A;
  if (c >= 0x1EA0 && c <= 0x1EFF) return 0x1EC3;
  if (c >= 0x3040 && c <= 0x309F) return 0x3042;
  if (c >= 0x30A0 && c <= 0x30FF) return 0x30A2;
  if ((c >= 0x3100 && c <= 0x312F) || (c >= 0x31A0 && c <= 0x31BF)) return 0x3105;
  if (c >= 0x4E00 && c <= 0x9FFF) {
    const auto found = alike_.find(c);
    return found == alike_.end() ? c : found->second;
  }
  if (c >= 0xAC00 && c <= 0xD7AF) return 0xAC00;
  return c;
}

std::vector<LanguageDetector::Gram> LanguageDetector::grams_of(const std::u32string& text) const {
  std::vector<Gram> out;
  std::u32string window = U" ";
  bool capitals = false;  // two in a row: an acronym, which is left out
  for (const char32_t raw : text) {
    const char32_t c = normalized(raw), last = window.back();
    bool added = true;
    if (last == ' ') {
      window = U" ";
      capitals = false;
      added = c != ' ';
    } else if (window.size() >= 3) {
      window.erase(0, 1);
    }
    if (added) {
      window.push_back(c);
      if (is_uppercase(c)) capitals = capitals || is_uppercase(last);
      else capitals = false;
    }
    if (capitals) continue;
    for (size_t n = 1; n <= std::min<size_t>(3, window.size()); ++n) {
      const auto gram = std::u32string_view(window).substr(window.size() - n);
      if (gram == U" ") continue;
      if (const auto found = grams_.find(key_of(gram)); found != grams_.end())
        out.push_back(found->second);
    }
  }
  return out;
}

std::optional<std::string> LanguageDetector::detect(std::string_view text) const {
  const auto grams = grams_of(clean(text));
  if (grams.empty()) return std::nullopt;
  const size_t count = languages_.size();
  std::vector<double> mean(count, 0), prob(count), factor(count);
  PythonRandom random(0);
  Gauss gauss;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::fill(prob.begin(), prob.end(), 1.0 / static_cast<double>(count));
    const double alpha = kAlpha + gauss.next(random) * kAlphaWidth;
    const double weight = alpha / kBase;
    for (int i = 0;; ++i) {
      const Gram& gram = grams[random.below(static_cast<uint32_t>(grams.size()))];
      std::fill(factor.begin(), factor.end(), weight);
      for (uint32_t j = gram.begin; j < gram.end; ++j)
        factor[shares_[j].language] = weight + shares_[j].probability;
      for (size_t j = 0; j < count; ++j) prob[j] *= factor[j];
      if (i % 5) continue;
      double sum = 0, largest = 0;
      for (const double p : prob) sum += p;
      for (double& p : prob) {
        p /= sum;
        largest = std::max(largest, p);
      }
      if (largest > kConverged || i >= kIterations) break;
    }
    for (size_t j = 0; j < count; ++j) mean[j] += prob[j] / kTrials;
  }
  const auto best = std::max_element(mean.begin(), mean.end());  // of equals the first
  if (!(*best > kThreshold)) return "unknown";
  return languages_[static_cast<size_t>(best - mean.begin())];
}

}  // namespace helio::eval::ifeval
