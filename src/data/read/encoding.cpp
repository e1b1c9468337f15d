#include "data/read/encoding.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "text/html_text.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

unsigned char byte(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

class Converter {
 public:
  explicit Converter(const char* from) : handle_(iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (known()) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  // Bytes that cannot be read become U+FFFD; `bad` counts them. At most `allowed` of them.
  bool run(std::string_view in, size_t allowed, std::string& out) {
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    out.clear();
    out.reserve(in.size() + in.size() / 2 + 16);
    char* from = const_cast<char*>(in.data());
    size_t left = in.size(), bad = 0;
    char chunk[8192];
    while (left > 0) {
      char* to = chunk;
      size_t room = sizeof chunk;
      const size_t status = iconv(handle_, &from, &left, &to, &room);
      const int problem = errno;
      out.append(chunk, sizeof chunk - room);
      if (status != static_cast<size_t>(-1) || problem == E2BIG) continue;
      if (++bad > allowed) return false;
      out += "\xEF\xBF\xBD";
      ++from, --left;
    }
    return true;
  }

 private:
  iconv_t handle_;
};

struct Share {
  size_t good = 0, bad = 0, common = 0;
};

// Multi-byte sequences of UTF-8. A sequence cut off at the end is neither good nor bad.
Share utf8_share(std::string_view text, bool whole) {
  Share share;
  for (size_t at = 0; at < text.size();) {
    if (byte(text, at) < 0x80) {
      ++at;
      continue;
    }
    const auto point = text::decode_utf8(text, at);
    if (point.status == text::Utf8::valid) ++share.good;
    else if (whole || at + 4 <= text.size()) ++share.bad;
    at += point.size;
  }
  return share;
}

// Double bytes of CP949; common: Hangul syllables of KS X 1001.
Share cp949_share(std::string_view text, bool whole) {
  Share share;
  for (size_t at = 0; at < text.size();) {
    const unsigned char lead = byte(text, at);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (at + 1 == text.size()) {
      share.bad += whole;
      break;
    }
    const unsigned char trail = byte(text, at + 1);
    const bool wansung = lead >= 0xA1 && lead <= 0xFD && trail >= 0xA1 && trail != 0xFF;
    const bool extended = lead >= 0x81 && lead <= 0xC6 &&
                          ((trail >= 0x41 && trail <= 0x5A) || (trail >= 0x61 && trail <= 0x7A) ||
                           (trail >= 0x81 && trail <= 0xFE));
    if (wansung || extended) {
      ++share.good;
      share.common += lead >= 0xB0 && lead <= 0xC8 && trail >= 0xA1;
      at += 2;
    } else {
      ++share.bad;
      ++at;
    }
  }
  return share;
}

bool spells_korean(const Share& share) {
  return share.good > 0 && share.bad * 3 <= share.good && share.common * 2 >= share.good;
}

// How many of the 16-bit units are what texts are made of, in percent.
int utf16_plausible(std::string_view text, size_t high) {
  size_t good = 0, units = text.size() / 2;
  for (size_t i = 0; i < units; ++i) {
    const unsigned unit = byte(text, 2 * i + high) * 256u + byte(text, 2 * i + 1 - high);
    good += (unit >= 0x20 && unit < 0x7F) || unit == '\n' || unit == '\r' || unit == '\t' ||
            (unit >= 0xAC00 && unit <= 0xD7A3) || (unit >= 0x3000 && unit <= 0x30FF) ||
            (unit >= 0x2010 && unit <= 0x2027);
  }
  return units < 2 ? 0 : static_cast<int>(good * 100 / units);
}

class Utf16Stream final : public ByteStream {
 public:
  Utf16Stream(Stream source, Encoding encoding)
      : source_(std::move(source)), high_(encoding == Encoding::utf16le ? 1 : 0) {}

  size_t read(char* to, size_t size) override {
    while (at_ == text_.size()) {
      text_.clear();
      at_ = 0;
      if (ended_) return 0;
      refill();
    }
    const size_t n = std::min(size, text_.size() - at_);
    std::memcpy(to, text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  void refill() {
    char raw[16384];
    raw[0] = odd_;
    const size_t kept = has_odd_;
    const size_t n = source_->read(raw + kept, sizeof raw - kept);
    const std::string_view in(raw, n + kept);
    has_odd_ = false;
    ended_ = n == 0;
    for (size_t i = 0; i + 1 < in.size(); i += 2)
      unit(byte(in, i + high_) * 256u + byte(in, i + 1 - high_));
    if (in.size() % 2) has_odd_ = !ended_, odd_ = in.back();
    if (ended_ && (pair_ || in.size() % 2)) text_ += '\xFF', pair_ = 0;
  }
  void unit(unsigned value) {
    if (pair_) {
      const unsigned high = std::exchange(pair_, 0);
      if (value >= 0xDC00 && value <= 0xDFFF) {
        text::append_utf8(text_, 0x10000 + ((high - 0xD800) << 10) + (value - 0xDC00));
        return;
      }
      text_ += '\xFF';
    }
    if (value >= 0xD800 && value <= 0xDBFF) pair_ = value;
    else if (value >= 0xDC00 && value <= 0xDFFF) text_ += '\xFF';
    else text::append_utf8(text_, value);
  }

  Stream source_;
  size_t high_;  // which byte of a pair is the high one
  std::string text_ = {};
  size_t at_ = 0;
  unsigned pair_ = 0;
  char odd_ = 0;
  bool has_odd_ = false, ended_ = false;
};

bool is_utf8_name(const std::string& name) {
  return name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii";
}

// What browsers take these names to mean (the WHATWG encoding standard).
std::string iconv_name(std::string name) {
  for (const char* korean :
       {"euc-kr", "cp949", "ks_c_5601-1987", "ks_c_5601-1989", "ksc5601", "ksc_5601", "korean",
        "windows-949", "uhc", "x-windows-949", "euckr", "ms949"})
    if (name == korean) return "CP949";
  for (const char* western :
       {"iso-8859-1", "latin1", "iso8859-1", "iso_8859-1", "windows-1252", "cp1252"})
    if (name == western) return "CP1252";
  if (name == "shift_jis" || name == "sjis" || name == "x-sjis") return "CP932";
  if (name == "gb2312" || name == "gbk") return "GB18030";
  if (name == "utf-16") return "UTF-16LE";
  return name;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

// The page is UTF-8 now: its own <meta charset> or XML declaration must not say otherwise.
void mend_claim(std::string& page) {
  for (int turn = 0; turn < 4; ++turn) {
    const std::string claim = text::html_charset(page);
    if (claim.empty() || is_utf8_name(claim)) return;
    const std::string head = lower(page.substr(0, 4096));
    size_t at = head.find(claim);
    while (at != std::string::npos) {
      const std::string before = head.substr(at < 24 ? 0 : at - 24, std::min<size_t>(at, 24));
      if (before.find("charset") != std::string::npos ||
          before.find("encoding") != std::string::npos)
        break;
      at = head.find(claim, at + 1);
    }
    if (at == std::string::npos) return;
    page.replace(at, claim.size(), "utf-8");
  }
}

}  // namespace

Encoding detect_encoding(std::string_view head, bool whole) {
  if (head.starts_with("\xEF\xBB\xBF")) return Encoding::utf8;
  if (head.starts_with("\xFF\xFE")) return Encoding::utf16le;
  if (head.starts_with("\xFE\xFF")) return Encoding::utf16be;
  const Share utf8 = utf8_share(head, whole);
  if (utf8.bad == 0 || head.find('\0') != std::string_view::npos) {
    // Without a mark: half the bytes of Western text are zeros, and of Korean text all units are
    // Hangul, letters and spaces.
    const int little = utf16_plausible(head, 1), big = utf16_plausible(head, 0);
    if (head.find('\0') != std::string_view::npos && std::max(little, big) >= 95)
      return little >= big ? Encoding::utf16le : Encoding::utf16be;
    if (utf8.bad == 0) return utf8.good > 0 ? Encoding::utf8 : Encoding::unknown;
  }
  if (utf8.bad * 10 <= utf8.good) return Encoding::utf8;  // a few broken characters
  return spells_korean(cp949_share(head, whole)) ? Encoding::cp949 : Encoding::utf8;
}

std::optional<std::string> to_utf8(std::string_view bytes, Encoding encoding) {
  if (encoding != Encoding::cp949 && text::is_valid_utf8(bytes)) return std::string(bytes);
  if (encoding == Encoding::cp949 ||
      (encoding == Encoding::unknown && spells_korean(cp949_share(bytes, true)))) {
    thread_local Converter converter("CP949");
    if (!converter.known())
      throw Error(ErrorKind::failed, "this machine's C library cannot convert CP949")
          .with_hint("install its gconv modules (Debian: libc6), or convert the files to UTF-8");
    std::string out;
    if (converter.run(bytes, 0, out)) return out;
  }
  return std::nullopt;
}

std::optional<std::string> to_utf8(std::string_view bytes, const std::string& charset) {
  if (charset.empty() || charset.size() > 32 ||
      charset.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:") != std::string::npos)
    return std::nullopt;
  Converter converter(iconv_name(charset).c_str());
  const auto beyond_ascii =
      static_cast<size_t>(std::count_if(bytes.begin(), bytes.end(), [](char c) { return c < 0; }));
  std::string out;
  if (!converter.known() || !converter.run(bytes, beyond_ascii / 20, out)) return std::nullopt;
  return out;
}

Stream utf16_stream(Stream source, Encoding encoding) {
  return std::make_unique<Utf16Stream>(std::move(source), encoding);
}

std::optional<std::string> page_to_utf8(std::string page, const std::string& stated,
                                        std::string& why) {
  const std::string claimed = text::html_charset(page);
  if (page.starts_with("\xFF\xFE") || page.starts_with("\xFE\xFF")) {
    auto converted =
        to_utf8(std::string_view(page).substr(2), page[0] == '\xFF' ? "utf-16le" : "utf-16be");
    if (converted) mend_claim(*converted);
    else why = "its bytes are not valid UTF-16";
    return converted;
  }
  if (page.starts_with("\xEF\xBB\xBF")) page.erase(0, 3);
  if (!text::is_valid_utf8(page)) {
    std::string tried;
    std::optional<std::string> found;
    // The header comes first, as in browsers; but servers that say a Western default for every page
    // are common, so what the page says of itself goes before such a one.
    std::vector<std::string> names = {lower(stated), claimed};
    if (iconv_name(names[0]) == "CP1252" && !claimed.empty()) std::swap(names[0], names[1]);
    if (detect_encoding(page, true) == Encoding::cp949) names.push_back("cp949");
    for (const std::string& name : names) {
      if (name.empty() || found) continue;
      found = to_utf8(page, name);
      if (tried.empty()) tried = name;
    }
    if (!found) {
      why = tried.empty() || is_utf8_name(tried)
                ? "its bytes are not UTF-8"
                : "its bytes are not what it says they are (" + tried + ")";
      return std::nullopt;
    }
    page = std::move(*found);
  }
  mend_claim(page);
  return page;
}

}  // namespace helio::data
