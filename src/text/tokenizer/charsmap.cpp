#include "text/tokenizer/charsmap.h"

#include <utf8proc.h>

#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr const char* kOf = "Precompiled's charsmap";

std::string decode_base64(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  size_t padding = 0;
  if (text.size() % 4 != 0) throw malformed(std::string(kOf) + " is no base64");
  for (const char c : text) {
    int value = -1;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    else if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    else if (c >= '0' && c <= '9') value = c - '0' + 52;
    else if (c == '+') value = 62;
    else if (c == '/') value = 63;
    else if (c == '=' && padding < 2) {
      ++padding;
      continue;
    }
    if (value < 0 || padding > 0) throw malformed(std::string(kOf) + " is no base64");
    bits = (bits << 6) | static_cast<uint32_t>(value);
    if ((held += 6) >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((bits >> held) & 0xFF));
    }
  }
  return out;
}

uint32_t read_u32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i)
    value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return value;
}

uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

// End of the grapheme that begins at `at`.
size_t grapheme_end(std::string_view text, size_t at) {
  auto before = decode_utf8(text, at);
  size_t end = at + before.size;
  utf8proc_int32_t state = 0;
  while (end < text.size()) {
    const auto next = decode_utf8(text, end);
    if (before.value < 0x80 && next.value < 0x80) {
      if (before.value != '\r' || next.value != '\n') break;
    } else if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before.value),
                                                static_cast<utf8proc_int32_t>(next.value),
                                                &state)) {
      break;
    }
    end += next.size;
    before = next;
  }
  return end;
}

// Writes `by` over `old_count` characters.
void put(std::vector<Change>& out, int old_count, std::string_view by) {
  int count = 0;
  for_each_code_point(by, [&](char32_t code, std::string_view) {
    out.push_back({code, 0});
    ++count;
  });
  const int more = count - old_count;
  for (int i = 0; i < more; ++i) out[out.size() - 1 - static_cast<size_t>(i)].change = 1;
  if (more < 0 && !out.empty()) out.back().change += more;
}

}  // namespace

Charsmap::Charsmap(std::string_view base64) {
  const std::string bytes = decode_base64(base64);
  if (bytes.size() < 4) throw malformed(std::string(kOf) + " is too short");
  const size_t units = read_u32(bytes, 0) / 4;
  if (units == 0 || units > (bytes.size() - 4) / 4)
    throw malformed(std::string(kOf) + " says its trie is longer than the map, or empty");
  trie_.reserve(units);
  for (size_t i = 0; i < units; ++i) trie_.push_back(read_u32(bytes, 4 + 4 * i));
  texts_ = bytes.substr(4 + 4 * units);
  if (!is_valid_utf8(texts_))
    throw malformed(std::string(kOf) + " has replacements that are no UTF-8");
}

template <class Found>
void Charsmap::walk(std::string_view part, Found&& found) const {
  const auto unit = [&](size_t at) {
    if (at >= trie_.size()) throw malformed(std::string(kOf) + " points outside its trie");
    return trie_[at];
  };
  size_t node = offset_of(unit(0));
  for (size_t i = 0; i < part.size(); ++i) {
    const auto byte = static_cast<uint8_t>(part[i]);
    if (byte == 0) return;
    node ^= byte;
    const uint32_t at = unit(node);
    if ((at & ((1u << 31) | 0xFF)) != byte) return;
    node ^= offset_of(at);
    if (((at >> 8) & 1) == 0) continue;
    const size_t begin = unit(node) & ((1u << 31) - 1);
    if (begin > texts_.size()) throw malformed(std::string(kOf) + " points outside its texts");
    const std::string_view rest = std::string_view(texts_).substr(begin);
    const auto text = rest.substr(0, rest.find('\0'));
    if (!is_valid_utf8(text)) throw malformed(std::string(kOf) + " points inside a character");
    if (!found(i + 1, text)) return;
  }
}

// HF takes the shortest entry that `part` begins with, for the whole part.
std::optional<std::string_view> Charsmap::look_up(std::string_view part) const {
  std::optional<std::string_view> by;
  walk(part, [&](size_t, std::string_view text) {
    by = text;
    return false;
  });
  return by;
}

std::optional<Charsmap::Entry> Charsmap::longest(std::string_view text) const {
  std::optional<Entry> entry;
  walk(text, [&](size_t size, std::string_view by) {
    entry = {size, by};
    return true;
  });
  // An entry of hostile files can end inside a character.
  if (entry && entry->size < text.size() &&
      (static_cast<uint8_t>(text[entry->size]) & 0xC0) == 0x80)
    throw malformed(std::string(kOf) + " has a rule that ends inside a character");
  return entry;
}

bool Charsmap::changes(std::string_view text, std::vector<Change>& out, size_t limit) const {
  bool any = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = grapheme_end(text, at);
    const std::string_view grapheme = text.substr(at, end - at);
    at = end;
    check_made(out.size(), limit);
    if (grapheme.size() < 6)
      if (const auto by = look_up(grapheme)) {
        put(out, static_cast<int>(count_code_points(grapheme)), *by);
        any = true;
        continue;
      }
    for_each_code_point(grapheme, [&](char32_t code, std::string_view part) {
      const auto by = look_up(part);
      if (by) put(out, 1, *by);
      else out.push_back({code, 0});
      any |= by.has_value();
    });
  }
  return any;
}

}  // namespace helio::text
