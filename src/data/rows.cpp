#include "data/rows.h"

#include <array>
#include <charconv>
#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/json.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 256; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// Where the next character stands that is not written as it is, from `at` on.
size_t next_escaped(std::string_view text, size_t at) {
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const int found = _mm_movemask_epi8(_mm_or_si128(controls, _mm_or_si128(quotes, slashes)));
    if (found) return at + size_t(__builtin_ctz(unsigned(found)));
  }
#endif
  while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

void put_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

void put_field(std::string& out, const char* name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  put_json_string(out, text);
}

void put_number(std::string& out, double value) {
  // As the rest of our JSON has it (0.5, 1.0, 1e-07), without a tree and a string for each.
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[64];
  out.append(digits, nlohmann::detail::to_chars(digits, digits + sizeof digits, value));
}

void put_fields(std::string& out, const Document& document, const std::vector<Step>& steps) {
  out += "{\"id\":";
  put_json_string(out, document.id);
  put_field(out, "text", document.text);
  put_field(out, "lot", document.lot);
  put_field(out, "partner", document.partner);
  if (!document.licence.empty()) put_field(out, "licence", document.licence);
  put_field(out, "language", document.language);
  put_field(out, "split", document.split);
  put_field(out, "path", document.path);
  out += ",\"number\":" + std::to_string(document.order);
  if (document.row >= 0) out += ",\"row\":" + std::to_string(document.row);
  if (!document.url.empty()) put_field(out, "url", document.url);
  if (!document.meta.empty()) (out += ",\"meta\":") += document.meta;
  if (!document.cluster_id.empty()) put_field(out, "cluster", document.cluster_id);
  out += ",\"scores\":{";
  bool first = true;
  for (const auto& [name, score] : document.scores) {
    if (!first) out += ',';
    first = false;
    put_json_string(out, name);
    out += ':';
    put_number(out, score);
  }
  out += "},\"changed\":[";
  first = true;
  for (const uint16_t step : document.changed) {
    if (!first) out += ',';
    first = false;
    put_json_string(out, steps[step].name);
  }
  out += ']';
}

}  // namespace

void put_json_string(std::string& out, std::string_view text) {
  std::string repaired;
  if (!text::is_valid_utf8(text)) {
    repaired = text::repair_utf8(text);
    text = repaired;
  }
  out += '"';
  size_t begin = 0;
  for (size_t at = next_escaped(text, 0); at < text.size(); at = next_escaped(text, begin)) {
    out.append(text, begin, at - begin);
    put_escape(out, static_cast<unsigned char>(text[at]));
    begin = at + 1;
  }
  out.append(text, begin, text.size() - begin);
  out += '"';
}

void put_row(std::string& out, const Document& document, const std::vector<Step>& steps) {
  put_fields(out, document, steps);
  out += "}\n";
}

void put_dropped_row(std::string& out, const Dropped& dropped, const std::vector<Step>& steps) {
  put_fields(out, dropped.document, steps);
  put_field(out, "step", steps[dropped.step].name);
  put_field(out, "reason", dropped.verdict.reason);
  out += ",\"value\":";
  put_number(out, dropped.verdict.value);
  out += "}\n";
}

}  // namespace helio::data
