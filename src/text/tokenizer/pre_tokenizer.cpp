#include "text/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "text/tokenizer/split_classes.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/split_regex.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Pieces = std::vector<std::string_view>;
using KnownSplit = void (*)(std::string_view, Pieces&);

enum class Behaviour { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct Part {
  size_t begin = 0, end = 0;
  bool matched = false;
};

// What becomes of the parts that match and those between (HF's SplitDelimiterBehavior).
void arrange(const std::vector<Part>& parts, Behaviour behaviour, std::string_view text,
             Pieces& out) {
  std::vector<Part> kept;
  switch (behaviour) {
    case Behaviour::isolated:
      kept = parts;
      break;
    case Behaviour::removed:
      for (const auto& part : parts)
        if (!part.matched) kept.push_back(part);
      break;
    case Behaviour::contiguous:
      for (const auto& part : parts)
        if (!kept.empty() && kept.back().matched == part.matched) kept.back().end = part.end;
        else kept.push_back(part);
      break;
    case Behaviour::merged_with_previous: {
      bool before = false;
      for (const auto& part : parts) {
        if (part.matched && !before && !kept.empty()) kept.back().end = part.end;
        else kept.push_back(part);
        before = part.matched;
      }
      break;
    }
    case Behaviour::merged_with_next: {
      bool after = false;
      for (size_t i = parts.size(); i-- > 0;) {
        if (parts[i].matched && !after && !kept.empty()) kept.back().begin = parts[i].begin;
        else kept.push_back(parts[i]);
        after = parts[i].matched;
      }
      std::reverse(kept.begin(), kept.end());
      break;
    }
  }
  for (const auto& part : kept)
    if (part.end > part.begin) out.push_back(text.substr(part.begin, part.end - part.begin));
}

// A step that cuts one piece at a time.
class Cutter : public PreTokenizer {
 public:
  void split(PieceBuffers& buffers) const final {
    buffers.next.clear();
    for (const auto piece : buffers.pieces)
      if (!piece.empty()) cut(piece, buffers.next);
    buffers.pieces.swap(buffers.next);
  }

 protected:
  virtual void cut(std::string_view piece, Pieces& out) const = 0;
};

class KnownPattern final : public Cutter {
 public:
  explicit KnownPattern(KnownSplit split) : split_(split) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override { split_(piece, out); }

 private:
  KnownSplit split_;
};

enum class Invert { no, yes };

class RegexPattern final : public Cutter {
 public:
  RegexPattern(const std::string& pattern, Behaviour behaviour, Invert invert)
      : regex_(pattern), behaviour_(behaviour), inverted_(invert == Invert::yes) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    std::vector<Part> parts;
    size_t before = 0;
    regex_.for_each_match(piece, [&](Match match) {
      if (match.begin > before) parts.push_back({before, match.begin, inverted_});
      parts.push_back({match.begin, match.end, !inverted_});
      before = match.end;
    });
    if (before < piece.size()) parts.push_back({before, piece.size(), inverted_});
    arrange(parts, behaviour_, piece, out);
  }

 private:
  SplitRegex regex_;
  Behaviour behaviour_;
  bool inverted_;
};

class Digits final : public Cutter {
 public:
  explicit Digits(Behaviour behaviour) : behaviour_(behaviour) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    size_t begin = 0;  // of the part being read
    bool numeric = false;
    for (size_t at = 0; at < piece.size();) {
      const auto point = decode_utf8(piece, at);
      const bool digit = is_numeric_for_digits(point.value);
      if (at > begin && (digit != numeric || (digit && behaviour_ == Behaviour::isolated))) {
        out.push_back(piece.substr(begin, at - begin));
        begin = at;
      }
      numeric = digit;
      at += point.size;
    }
    if (begin < piece.size()) out.push_back(piece.substr(begin));
  }

 private:
  Behaviour behaviour_;
};

// ByteLevel's add_prefix_space: every piece begins with a space.
class PrefixSpace final : public PreTokenizer {
 public:
  void split(PieceBuffers& buffers) const override {
    for (auto& piece : buffers.pieces)
      if (!piece.empty() && piece.front() != ' ')
        piece = buffers.made.emplace_back(" ").append(piece);
  }
};

class Sequence final : public PreTokenizer {
 public:
  void add(std::unique_ptr<PreTokenizer> step) { steps_.push_back(std::move(step)); }
  void split(PieceBuffers& buffers) const override {
    for (const auto& step : steps_) step->split(buffers);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_ = {};
};

std::string escaped(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (std::string_view("\\.+*?()|[]{}^$#&-~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

Behaviour read_behaviour(const std::string& name) {
  for (const auto& [known, behaviour] :
       {std::pair{"Removed", Behaviour::removed}, std::pair{"Isolated", Behaviour::isolated},
        std::pair{"MergedWithPrevious", Behaviour::merged_with_previous},
        std::pair{"MergedWithNext", Behaviour::merged_with_next},
        std::pair{"Contiguous", Behaviour::contiguous}})
    if (name == known) return behaviour;
  throw unsupported("split behaviour", name,
                    "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

std::unique_ptr<PreTokenizer> read_split(const Json& json) {
  const Json& pattern = member(json, "pattern", "Split");
  const Behaviour behaviour = read_behaviour(text_member(json, "behavior", "Split"));
  const bool invert = flag_member(json, "invert", "Split", false);
  std::string regex;
  if (pattern.is_object() && pattern.contains("Regex"))
    regex = text_member(pattern, "Regex", "Split's pattern");
  else if (pattern.is_object() && pattern.contains("String"))
    regex = escaped(text_member(pattern, "String", "Split's pattern"));
  else throw malformed("Split's pattern must be {\"Regex\": ...} or {\"String\": ...}");
  if (behaviour == Behaviour::isolated && !invert) {
    if (regex == kGpt2Pattern) return std::make_unique<KnownPattern>(split_gpt2);
    if (regex == kLlama3Pattern) return std::make_unique<KnownPattern>(split_llama3);
    if (regex == kQwen2Pattern) return std::make_unique<KnownPattern>(split_qwen2);
  }
  return std::make_unique<RegexPattern>(regex, behaviour, invert ? Invert::yes : Invert::no);
}

constexpr const char* kSupported = "ByteLevel, Split, Digits, Sequence (with ByteLevel last)";

void read_step(const Json& json, Sequence& steps, bool& byte_level) {
  const std::string type = text_member(json, "type", "pre_tokenizer");
  if (byte_level) throw unsupported("pre-tokenizer after ByteLevel", type, kSupported);
  if (type == "Sequence") {
    const Json& list = member(json, "pretokenizers", "Sequence");
    if (!list.is_array()) throw malformed("Sequence's pretokenizers must be a list");
    for (const auto& step : list) read_step(step, steps, byte_level);
  } else if (type == "Split") {
    steps.add(read_split(json));
  } else if (type == "Digits") {
    steps.add(std::make_unique<Digits>(flag_member(json, "individual_digits", "Digits", false)
                                           ? Behaviour::isolated
                                           : Behaviour::contiguous));
  } else if (type == "ByteLevel") {
    byte_level = true;
    if (flag_member(json, "add_prefix_space", "ByteLevel", true))
      steps.add(std::make_unique<PrefixSpace>());
    if (flag_member(json, "use_regex", "ByteLevel", true))
      steps.add(std::make_unique<KnownPattern>(split_gpt2));
  } else {
    throw unsupported("pre-tokenizer", type, kSupported);
  }
}

}  // namespace

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const Json& json) {
  auto steps = std::make_unique<Sequence>();
  bool byte_level = false;
  if (!json.is_null()) read_step(json, *steps, byte_level);
  if (!byte_level)
    throw unsupported("pre-tokenizer", json.is_null() ? "null" : "without ByteLevel", kSupported);
  return steps;
}

}  // namespace helio::text
