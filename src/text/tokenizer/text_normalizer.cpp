#include "text/tokenizer/text_normalizer.h"

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

struct Range {
  char32_t first, last;
};

// HF's normalizers come from an older Unicode than ours and leave these characters as they are.
// Measured on every code point with HF tokenizers 0.23.3 (tests/peers/test_tokenizer.py).
constexpr Range kLeftAlone[] = {{0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},   {0xAB69, 0xAB69},
                                {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA},
                                {0x11938, 0x11938}, {0x1E030, 0x1E06D}, {0x1F16C, 0x1F16C},
                                {0x1FBF0, 0x1FBF9}};

bool left_alone(char32_t code) {
  if (code < kLeftAlone[0].first) return false;
  for (const auto& range : kLeftAlone)
    if (code >= range.first && code <= range.last) return true;
  return false;
}

std::string apply_form(std::string_view text, NormalForm form) {
  if (form == NormalForm::nfc) return normalize(text, form);
  std::string out;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text, at);
    if (left_alone(point.value)) {
      out += normalize(text.substr(begin, at - begin), form);
      out += text.substr(at, point.size);
      begin = at + point.size;
    }
    at += point.size;
  }
  return out += normalize(text.substr(begin), form);
}

}  // namespace

TextNormalizer::TextNormalizer(const Json& json) { read(json); }

void TextNormalizer::read(const Json& json) {
  if (json.is_null()) return;
  const std::string type = text_member(json, "type", "normalizer");
  if (type == "NFC") forms_.push_back(NormalForm::nfc);
  else if (type == "NFD") forms_.push_back(NormalForm::nfd);
  else if (type == "NFKC") forms_.push_back(NormalForm::nfkc);
  else if (type == "NFKD") forms_.push_back(NormalForm::nfkd);
  else if (type == "Sequence") {
    const Json& list = member(json, "normalizers", "Sequence");
    if (!list.is_array()) throw malformed("Sequence's normalizers must be a list");
    for (const auto& step : list) read(step);
  } else {
    throw unsupported("normalizer", type, "NFC, NFD, NFKC, NFKD, Sequence, null");
  }
}

std::string TextNormalizer::apply(std::string_view text) const {
  std::string out(text);
  for (const auto form : forms_) out = apply_form(out, form);
  return out;
}

}  // namespace helio::text
