#include "text/tokenizer/normal_changes.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "text/tokenizer/character_classes.h"

namespace helio::text {
namespace {

struct Range {
  char32_t first, last;
};

// Measured on every code point with HF tokenizers 0.23.3 (tests/peers/test_tokenizer.py).
constexpr Range kLeftAlone[] = {{0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},   {0xAB69, 0xAB69},
                                {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA},
                                {0x11938, 0x11938}, {0x1E030, 0x1E06D}, {0x1F16C, 0x1F16C},
                                {0x1FBF0, 0x1FBF9}};

int combining_class(char32_t code) {
  // Marks of a younger Unicode than HF's stay where they are.
  if (!is_combining_mark(code)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class;
}

// The character that two make, or 0.
char32_t compose(char32_t first, char32_t second) {
  // U+11A7 is no final letter of a syllable, though utf8proc 2.8 takes it for one.
  if (second < 0x300 || second == 0x11A7) return 0;
  utf8proc_int32_t pair[3] = {static_cast<utf8proc_int32_t>(first),
                              static_cast<utf8proc_int32_t>(second), 0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (utf8proc_normalize_utf32(pair, 2, options) != 1) return 0;
  const auto code = static_cast<char32_t>(pair[0]);
  return left_alone(code) ? 0 : code;
}

struct Placed {
  int order = 0;  // canonical combining class
  Change change = {};
};

std::vector<Placed> decomposed(std::string_view text, NormalForm form) {
  const bool compatible = form == NormalForm::nfkc || form == NormalForm::nfkd;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                                      (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<Placed> out;
  out.reserve(text.size());
  size_t pending = 0;  // from here on marks wait for their order
  const auto sort = [&] {
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(pending), out.end(),
                     [](const Placed& a, const Placed& b) { return a.order < b.order; });
  };
  const auto put = [&](char32_t code, int change) {
    const int order = combining_class(code);
    if (order == 0) {
      if (out.size() > pending + 1) sort();
      pending = out.size();
    }
    out.push_back({order, {code, change}});
    if (order == 0) pending = out.size();
  };
  for_each_code_point(text, [&](char32_t code, std::string_view) {
    utf8proc_int32_t parts[64];
    utf8proc_ssize_t count = 1;
    int boundary = 0;
    if (code < 0x80 || left_alone(code)) parts[0] = static_cast<utf8proc_int32_t>(code);
    else
      count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts, std::size(parts),
                                      options, &boundary);
    for (utf8proc_ssize_t i = 0; i < count; ++i)
      put(static_cast<char32_t>(parts[i]), i == 0 ? 0 : 1);
  });
  sort();
  return out;
}

}  // namespace

bool has_younger_marks(std::string_view text) {
  // The first half of U+11938, which is younger than HF's tables of compositions.
  constexpr char32_t kYoungerFirst = 0x11935;
  // By blocks of 256 code points: whether one of them is a mark that HF does not know.
  static const std::vector<uint8_t> blocks = [] {
    std::vector<uint8_t> flags(0x1100, 0);
    for (char32_t code = 0x300; code < 0x110000; ++code)
      if (utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class != 0 &&
          !is_combining_mark(code))
        flags[code >> 8] = 1;
    flags[kYoungerFirst >> 8] = 1;
    return flags;
  }();
  for (size_t at = 0; at < text.size();) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const auto point = decode_utf8(text, at);
    at += point.size;
    if (point.value == kYoungerFirst) return true;
    if (blocks[point.value >> 8] &&
        utf8proc_get_property(static_cast<utf8proc_int32_t>(point.value))->combining_class != 0 &&
        !is_combining_mark(point.value))
      return true;
  }
  return false;
}

bool left_alone(char32_t code) {
  if (code < kLeftAlone[0].first) return false;
  for (const auto& range : kLeftAlone)
    if (code >= range.first && code <= range.last) return true;
  return false;
}

std::vector<Change> normal_form_changes(std::string_view text, NormalForm form) {
  const auto parts = decomposed(text, form);
  std::vector<Change> out;
  out.reserve(parts.size());
  if (form == NormalForm::nfd || form == NormalForm::nfkd) {
    for (const auto& part : parts) out.push_back(part.change);
    return out;
  }
  constexpr size_t kNone = ~size_t(0);
  size_t starter = kNone;  // in `out`: what a mark may be composed with
  int last = -1;           // class of the last mark left behind it
  for (const auto& part : parts) {
    if (starter != kNone && last < part.order) {
      if (const char32_t made = compose(out[starter].code, part.change.code)) {
        out[starter] = {made, out[starter].change + part.change.change - 1};
        continue;
      }
    }
    if (part.order == 0) {
      starter = out.size();
      last = -1;
    } else {
      last = part.order;
    }
    out.push_back(part.change);
  }
  return out;
}

}  // namespace helio::text
