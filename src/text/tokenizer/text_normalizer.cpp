#include "text/tokenizer/text_normalizer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/character_classes.h"
#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/normal_changes.h"
#include "text/tokenizer/sentencepiece_normalizer.h"
#include "text/tokenizer/text_pattern.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/unicode.h"

namespace helio::text {
namespace {

class Form final : public NormalizerStep {
 public:
  explicit Form(NormalForm form) : form_(form) {}
  void apply(AlignedText& text) const override {
    if (text.tracked() || has_younger_marks(text.text()))
      text.transform(normal_form_changes(text.text(), form_));
    else text.set_text(apply_form(text.text()));
  }
  bool rewrite(std::string_view text, std::string& out) const override {
    if (form_ == NormalForm::nfc) return rewrite_nfc(text, out);
    return NormalizerStep::rewrite(text, out);
  }

 private:
  // Only what stands between characters that stay as they are, with the one before it, can change.
  static bool rewrite_nfc(std::string_view text, std::string& out) {
    out.clear();
    size_t done = 0, stays = 0;  // written; the last character that stays
    const auto inert = [&](size_t at, size_t& end) {
      const auto first = static_cast<uint8_t>(text[at]);
      if (first < 0x80) return ++end, true;
      if (first == 0xEB || first == 0xEC) return end += 3, true;  // Hangul syllables
      const auto point = decode_utf8(text, at);
      end += point.size;
      return stays_in_nfc(point.value);
    };
    for (size_t at = 0; at < text.size();) {
      size_t end = at;
      if (inert(at, end)) {
        stays = at;
        at = end;
        continue;
      }
      for (size_t next = end; next < text.size() && !inert(next, next);) end = next;
      const std::string_view part = text.substr(stays, end - stays);
      std::string changed;
      if (has_younger_marks(part)) {
        AlignedText aligned(part, AlignedText::Track::no);
        aligned.transform(normal_form_changes(part, NormalForm::nfc));
        changed = aligned.text();
      } else {
        changed = normalize(part, NormalForm::nfc);
      }
      if (changed != part) {
        out.append(text.substr(done, stays - done)).append(changed);
        done = end;
      }
      at = stays = end;
    }
    if (done == 0) return false;
    out.append(text.substr(done));
    return true;
  }
  std::string apply_form(std::string_view text) const {
    if (form_ == NormalForm::nfc) return normalize(text, form_);
    std::string out;
    size_t begin = 0;
    for (size_t at = 0; at < text.size();) {
      const auto point = decode_utf8(text, at);
      if (left_alone(point.value)) {
        out += normalize(text.substr(begin, at - begin), form_);
        out += text.substr(at, point.size);
        begin = at + point.size;
      }
      at += point.size;
    }
    return out += normalize(text.substr(begin), form_);
  }
  NormalForm form_;
};

// Leaves out the characters that are not kept.
template <class Keep>
void filter(AlignedText& text, Keep&& keep) {
  std::vector<Change> changes;
  changes.reserve(text.text().size());
  size_t before = 0;  // removed before the first one kept
  bool any = false;
  for_each_code_point(text.text(), [&](char32_t code, std::string_view) {
    if (keep(code)) {
      changes.push_back({code, 0});
      return;
    }
    any = true;
    if (changes.empty()) ++before;
    else --changes.back().change;
  });
  if (any) text.transform(changes, before);
}

// Each character by another one.
template <class To>
void map(AlignedText& text, To&& to) {
  std::vector<Change> changes;
  changes.reserve(text.text().size());
  for_each_code_point(text.text(), [&](char32_t code, std::string_view) {
    changes.push_back({to(code), 0});
  });
  text.transform(changes);
}

void lowercase(AlignedText& text) {
  std::vector<Change> changes;
  changes.reserve(text.text().size());
  std::u32string lower;
  for_each_code_point(text.text(), [&](char32_t code, std::string_view) {
    lower.clear();
    append_lower(lower, code);
    for (size_t i = 0; i < lower.size(); ++i) changes.push_back({lower[i], i == 0 ? 0 : 1});
  });
  text.transform(changes);
}

class Lowercase final : public NormalizerStep {
  void apply(AlignedText& text) const override { lowercase(text); }
};

class StripAccents final : public NormalizerStep {
  void apply(AlignedText& text) const override {
    filter(text, [](char32_t c) { return !is_combining_mark(c); });
  }
};

class Nmt final : public NormalizerStep {
  void apply(AlignedText& text) const override {
    filter(text, [](char32_t c) {
      return !((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
               c == 0x8F || c == 0x9F);
    });
    map(text, [](char32_t c) -> char32_t {
      const bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
                         c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
      return space ? ' ' : c;
    });
  }
};

enum class Side { left, right, both };

class Strip final : public NormalizerStep {
 public:
  explicit Strip(Side side) : side_(side) {}
  void apply(AlignedText& text) const override {
    const auto codes = to_code_points(text.text());
    size_t begin = 0, end = codes.size();
    if (side_ != Side::right)
      while (begin < end && is_white_space(codes[begin])) ++begin;
    if (side_ != Side::left)
      while (end > begin && is_white_space(codes[end - 1])) --end;
    if (begin == 0 && end == codes.size()) return;
    std::vector<Change> changes;
    for (size_t i = begin; i < end; ++i) changes.push_back({codes[i], 0});
    text.transform(changes, begin);
  }

 private:
  Side side_;
};

class Prepend final : public NormalizerStep {
 public:
  explicit Prepend(std::string before) : before_(std::move(before)) {}
  void apply(AlignedText& text) const override { text.prepend(before_); }
  bool rewrite(std::string_view text, std::string& out) const override {
    if (text.empty()) return false;
    out.clear();
    out.reserve(before_.size() + text.size());
    out.append(before_).append(text);
    return true;
  }

 private:
  std::string before_;
};

class Replace final : public NormalizerStep {
 public:
  Replace(TextPattern pattern, std::string by) : pattern_(std::move(pattern)), by_(std::move(by)) {}
  void apply(AlignedText& text) const override {
    std::vector<AlignedText::Part> parts;
    pattern_.for_each_match(text.text(), [&](Match match) {
      parts.push_back({match.begin, match.end});
    });
    text.replace(parts, by_);
  }
  bool rewrite(std::string_view text, std::string& out) const override {
    const std::string* const literal = pattern_.literal();
    if (literal && literal->size() == 1 && by_.size() <= 8)
      return replace_byte(text, (*literal)[0], out);
    size_t done = 0;
    out.clear();
    pattern_.for_each_match(text, [&](Match match) {
      out.append(text.substr(done, match.begin - done)).append(by_);
      check_made(out.size(), largest_made(text.size()));
      done = match.end;
    });
    if (done == 0 && out.empty()) return false;
    out.append(text.substr(done));
    return true;
  }

 private:
  // Spaces to U+2581 and the like: every byte writes eight, of which one or by_ is kept.
  bool replace_byte(std::string_view text, char what, std::string& out) const {
    const auto count = static_cast<size_t>(std::count(text.begin(), text.end(), what));
    if (count == 0) return false;
    out.resize(text.size() - count + count * by_.size() + 8);
    char by[8] = {};
    std::copy(by_.begin(), by_.end(), by);
    char* to = out.data();
    for (const char c : text) {
      std::memcpy(to, by, 8);
      const bool replaced = c == what;
      *to = replaced ? by[0] : c;
      to += replaced ? by_.size() : 1;
    }
    out.resize(static_cast<size_t>(to - out.data()));
    return true;
  }

  TextPattern pattern_;
  std::string by_;
};

class ByteLetters final : public NormalizerStep {
  void apply(AlignedText& text) const override { write_byte_letters(text); }
};

class Precompiled final : public NormalizerStep {
 public:
  explicit Precompiled(std::string_view base64) : map_(base64) {}
  void apply(AlignedText& text) const override {
    std::vector<Change> changes;
    changes.reserve(text.text().size());
    if (map_.changes(text.text(), changes, text.limit())) text.transform(changes);
  }

 private:
  Charsmap map_;
};

struct BertOptions {
  bool clean = true, chinese = true, accents = true, lower = true;
};

class Bert final : public NormalizerStep {
 public:
  explicit Bert(BertOptions options) : options_(options) {}
  void apply(AlignedText& text) const override {
    if (options_.clean) {
      filter(text, [](char32_t c) { return !is_bert_control(c); });
      map(text, [](char32_t c) { return is_white_space(c) ? U' ' : c; });
    }
    if (options_.chinese) space_out_chinese(text);
    if (options_.accents) {
      Form(NormalForm::nfd).apply(text);
      filter(text, [](char32_t c) { return !is_nonspacing_mark(c); });
    }
    if (options_.lower) lowercase(text);
  }

 private:
  static bool is_chinese(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
  }
  static void space_out_chinese(AlignedText& text) {
    std::vector<Change> changes;
    changes.reserve(text.text().size());
    for_each_code_point(text.text(), [&](char32_t code, std::string_view) {
      if (is_chinese(code)) changes.insert(changes.end(), {{' ', 0}, {code, 1}, {' ', 1}});
      else changes.push_back({code, 0});
    });
    text.transform(changes);
  }
  BertOptions options_;
};

BertOptions read_bert(const Json& json) {
  const char* of = "BertNormalizer";
  BertOptions options;
  options.clean = flag_member(json, "clean_text", of, true);
  options.chinese = flag_member(json, "handle_chinese_chars", of, true);
  options.lower = flag_member(json, "lowercase", of, true);
  options.accents = flag_member(json, "strip_accents", of, options.lower);
  return options;
}

}  // namespace

TextNormalizer::TextNormalizer(const Json& json) { read(json); }
TextNormalizer::~TextNormalizer() = default;

void TextNormalizer::read(const Json& json) {
  if (json.is_null()) return;
  const std::string type = text_member(json, "type", "normalizer");
  const auto add = [&](std::unique_ptr<NormalizerStep> step) { steps_.push_back(std::move(step)); };
  for (const auto& [name, form] :
       {std::pair{"NFC", NormalForm::nfc}, std::pair{"NFD", NormalForm::nfd},
        std::pair{"NFKC", NormalForm::nfkc}, std::pair{"NFKD", NormalForm::nfkd}})
    if (type == name) return add(std::make_unique<Form>(form));
  if (type == "Sequence") {
    const Json& list = member(json, "normalizers", "Sequence");
    if (!list.is_array()) throw malformed("Sequence's normalizers must be a list");
    for (const auto& step : list) read(step);
  } else if (type == "Lowercase") {
    add(std::make_unique<Lowercase>());
  } else if (type == "StripAccents") {
    add(std::make_unique<StripAccents>());
  } else if (type == "Nmt") {
    add(std::make_unique<Nmt>());
  } else if (type == "ByteLevel") {
    add(std::make_unique<ByteLetters>());
  } else if (type == "BertNormalizer" || type == "Bert") {
    add(std::make_unique<Bert>(read_bert(json)));
  } else if (type == "Strip") {
    const bool left = flag_member(json, "strip_left", "Strip", true),
               right = flag_member(json, "strip_right", "Strip", true);
    if (left || right)
      add(std::make_unique<Strip>(left && right ? Side::both : left ? Side::left : Side::right));
  } else if (type == "Prepend") {
    add(std::make_unique<Prepend>(text_member(json, "prepend", "Prepend")));
  } else if (type == "Replace") {
    add(std::make_unique<Replace>(TextPattern(member(json, "pattern", "Replace"), "Replace"),
                                  text_member(json, "content", "Replace")));
  } else if (type == "SentencePiece") {
    add(read_sentencepiece_normalizer(json));
  } else if (type == "Precompiled") {
    add(std::make_unique<Precompiled>(text_member(json, "precompiled_charsmap", "Precompiled")));
  } else {
    throw unsupported("normalizer", type,
                      "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, "
                      "Precompiled, Prepend, Replace, Sequence, Strip, StripAccents, null");
  }
}

void TextNormalizer::apply(AlignedText& text) const {
  for (const auto& step : steps_) step->apply(text);
}

bool NormalizerStep::rewrite(std::string_view text, std::string& out) const {
  AlignedText aligned(text, AlignedText::Track::no);
  apply(aligned);
  out = aligned.text();
  return true;
}

std::string_view TextNormalizer::apply(std::string_view text, std::string& made) const {
  std::string other;
  const size_t limit = largest_made(text.size());
  for (const auto& step : steps_) {
    if (!step->rewrite(text, other)) continue;
    check_made(other.size(), limit);
    made.swap(other);
    text = made;
  }
  return text;
}

std::string TextNormalizer::apply(std::string_view text) const {
  std::string made;
  return std::string(apply(text, made));
}

}  // namespace helio::text
