// The steps of pre-tokenizers: those that cut pieces and those that rewrite them. Private to
// pre_tokenizer.cpp, which reads them from JSON.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/character_classes.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/split_classes.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/text_pattern.h"
#include "text/unicode.h"

namespace helio::text::steps {

using Pieces = std::vector<std::string_view>;

enum class Behaviour { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct Part {
  size_t begin = 0, end = 0;
  bool matched = false;
};

// What becomes of the parts that match and those between (HF's SplitDelimiterBehavior).
inline void arrange(const std::vector<Part>& parts, Behaviour behaviour, std::string_view text,
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
  void split(std::vector<AlignedText>& texts) const final {
    std::vector<AlignedText> out;
    Pieces pieces;
    for (const auto& text : texts) {
      const std::string_view whole = text.text();
      pieces.clear();
      if (!whole.empty()) cut(whole, pieces);
      for (const auto piece : pieces) {
        const auto begin = static_cast<size_t>(piece.data() - whole.data());
        if (!piece.empty()) out.push_back(text.slice(begin, begin + piece.size()));
      }
    }
    texts.swap(out);
  }

 protected:
  // Appends parts of `piece`, which is not empty.
  virtual void cut(std::string_view piece, Pieces& out) const = 0;
};

// A step that rewrites one piece at a time.
class Changer : public PreTokenizer {
 public:
  void split(PieceBuffers& buffers) const override {
    for (auto& piece : buffers.pieces) {
      if (piece.empty()) continue;
      AlignedText text(piece, AlignedText::Track::no);
      change(text, piece.data() == buffers.text_begin ? Place::first : Place::later);
      piece = buffers.made.emplace_back(text.text());
    }
  }
  void split(std::vector<AlignedText>& texts) const override {
    for (auto& text : texts)
      if (!text.text().empty()) change(text, text.shift() == 0 ? Place::first : Place::later);
  }

 protected:
  enum class Place { first, later };  // whether the original text begins with this piece
  virtual void change(AlignedText& text, Place place) const = 0;
};

class KnownPattern final : public Cutter {
 public:
  explicit KnownPattern(KnownSplit split) : split_(split) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override { split_all(split_, piece, out); }

 private:
  KnownSplit split_;
};

enum class Invert { no, yes };

class RegexPattern final : public Cutter {
 public:
  RegexPattern(TextPattern pattern, Behaviour behaviour, Invert invert)
      : pattern_(std::move(pattern)), behaviour_(behaviour), inverted_(invert == Invert::yes) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    size_t before = 0;
    if (behaviour_ == Behaviour::isolated) {
      const auto put = [&](size_t begin, size_t end) {
        if (end > begin) out.push_back(piece.substr(begin, end - begin));
      };
      pattern_.for_each_match(piece, [&](Match match) {
        put(before, match.begin);
        put(match.begin, match.end);
        before = match.end;
      });
      return put(before, piece.size());
    }
    std::vector<Part> parts;
    pattern_.for_each_match(piece, [&](Match match) {
      if (match.begin > before) parts.push_back({before, match.begin, inverted_});
      parts.push_back({match.begin, match.end, !inverted_});
      before = match.end;
    });
    if (before < piece.size()) parts.push_back({before, piece.size(), inverted_});
    arrange(parts, behaviour_, piece, out);
  }

 private:
  TextPattern pattern_;
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

// Cuts at characters of a class, which are matches as of a pattern.
template <auto is_delimiter>
class AtCharacters final : public Cutter {
 public:
  explicit AtCharacters(Behaviour behaviour) : behaviour_(behaviour) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    std::vector<Part> parts;
    size_t before = 0;
    for (size_t at = 0; at < piece.size();) {
      const auto point = decode_utf8(piece, at);
      if (is_delimiter(point.value)) {
        if (at > before) parts.push_back({before, at, false});
        before = at + point.size;
        parts.push_back({at, before, true});
      }
      at += point.size;
    }
    if (before < piece.size()) parts.push_back({before, piece.size(), false});
    arrange(parts, behaviour_, piece, out);
  }

 private:
  Behaviour behaviour_;
};

// CharDelimiterSplit, and the cuts of Metaspace.
class AtText final : public Cutter {
 public:
  AtText(std::string text, Behaviour behaviour) : text_(std::move(text)), behaviour_(behaviour) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    if (behaviour_ == Behaviour::removed) {
      size_t begin = 0;
      for (size_t at; (at = piece.find(text_, begin)) != std::string_view::npos;
           begin = at + text_.size())
        if (at > begin) out.push_back(piece.substr(begin, at - begin));
      if (begin < piece.size()) out.push_back(piece.substr(begin));
      return;
    }
    // A delimiter goes with what follows it, or stands alone before another one.
    size_t begin = 0;
    for (size_t at = piece.find(text_, 1); at != std::string_view::npos;
         at = piece.find(text_, at + 1)) {
      out.push_back(piece.substr(begin, at - begin));
      begin = at;
    }
    out.push_back(piece.substr(begin));
  }

 private:
  std::string text_;
  Behaviour behaviour_;
};

// \w+|[^\w\s]+
class Words final : public Cutter {
 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    enum class Kind { space, word, other };
    size_t begin = 0;
    Kind now = Kind::space;
    const auto end_at = [&](size_t at) {
      if (now != Kind::space) out.push_back(piece.substr(begin, at - begin));
    };
    for (size_t at = 0; at < piece.size();) {
      const auto point = decode_utf8(piece, at);
      const Kind kind = is_white_space(point.value)      ? Kind::space
                        : is_word_character(point.value) ? Kind::word
                                                         : Kind::other;
      if (kind != now) {
        end_at(at);
        begin = at;
        now = kind;
      }
      at += point.size;
    }
    end_at(piece.size());
  }
};

class Scripts final : public Cutter {
 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    // Characters of no script before the first one that has one are lost, as in HF.
    size_t begin = std::string_view::npos;
    int script = -1;
    for (size_t at = 0; at < piece.size();) {
      const auto point = decode_utf8(piece, at);
      const int here = script_of(point.value);
      if (here >= 0 && here != script) {
        if (begin != std::string_view::npos) out.push_back(piece.substr(begin, at - begin));
        begin = at;
        script = here;
      }
      at += point.size;
    }
    if (begin != std::string_view::npos) out.push_back(piece.substr(begin));
  }
};

class FixedLength final : public Cutter {
 public:
  explicit FixedLength(size_t length) : length_(length) {}

 protected:
  void cut(std::string_view piece, Pieces& out) const override {
    size_t begin = 0, count = 0;
    for (size_t at = 0; at < piece.size(); at += decode_utf8(piece, at).size)
      if (count++ == length_) {
        out.push_back(piece.substr(begin, at - begin));
        begin = at;
        count = 1;
      }
    out.push_back(piece.substr(begin));
  }

 private:
  size_t length_;
};

// ByteLevel's add_prefix_space: every piece begins with a space.
class PrefixSpace final : public Changer {
 public:
  void split(PieceBuffers& buffers) const override {
    for (auto& piece : buffers.pieces)
      if (!piece.empty() && piece.front() != ' ')
        piece = buffers.made.emplace_back(" ").append(piece);
  }
  using Changer::split;

 protected:
  void change(AlignedText& text, Place) const override {
    if (text.text().front() != ' ') text.prepend(" ");
  }
};

class Letters final : public Changer {
 protected:
  void change(AlignedText& text, Place) const override { write_byte_letters(text); }
};

enum class PrependScheme { first, never, always };

// Spaces by the replacement, and one before the text.
class Metaspace final : public Changer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme)
      : replacement_(std::move(replacement)), scheme_(scheme) {}
  void split(PieceBuffers& buffers) const override {
    for (auto& piece : buffers.pieces) {
      if (piece.empty()) continue;
      const bool first = piece.data() == buffers.text_begin;
      auto& made = buffers.made.emplace_back();
      made.reserve(piece.size() + piece.size() / 2 + 8);
      if (is_prepended(first ? Place::first : Place::later) && piece.front() != ' ' &&
          !piece.starts_with(replacement_))
        made = replacement_;
      for (size_t at = 0; at < piece.size();) {
        const size_t space = std::min(piece.find(' ', at), piece.size());
        made.append(piece.substr(at, space - at));
        if (space < piece.size()) made += replacement_;
        at = space + 1;
      }
      piece = made;
    }
  }
  using Changer::split;

 protected:
  void change(AlignedText& text, Place place) const override {
    std::vector<AlignedText::Part> spaces;
    const auto& written = text.text();
    for (size_t at = written.find(' '); at != std::string::npos; at = written.find(' ', at + 1))
      spaces.push_back({at, at + 1});
    text.replace(spaces, replacement_);
    if (is_prepended(place) && !text.text().starts_with(replacement_)) text.prepend(replacement_);
  }

 private:
  bool is_prepended(Place place) const {
    return scheme_ == PrependScheme::always ||
           (scheme_ == PrependScheme::first && place == Place::first);
  }
  std::string replacement_;
  PrependScheme scheme_;
};

class Sequence final : public PreTokenizer {
 public:
  void add(std::unique_ptr<PreTokenizer> step) { steps_.push_back(std::move(step)); }
  void split(PieceBuffers& buffers) const override {
    for (const auto& step : steps_) step->split(buffers);
  }
  void split(std::vector<AlignedText>& texts) const override {
    for (const auto& step : steps_) step->split(texts);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_ = {};
};

}  // namespace helio::text::steps
