#include "data/clean/mojibake.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <optional>

#include "text/unicode.h"

namespace helio::data {
namespace {

// The byte that Windows-1252 or Latin-1 shows as `c`; -1 for none, and for ASCII.
int wrong_byte(char32_t c) {
  if (c >= 0x80 && c <= 0xFF) return int(c);
  // What Windows-1252 has at 0x80..0x9F.
  static constexpr std::array<char32_t, 32> high = {
      0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
  if (c < 0x100) return -1;
  for (size_t i = 0; i < high.size(); ++i)
    if (high[i] == c) return int(0x80 + i);
  return -1;
}

// Characters that texts are made of; a wrong reading seldom hits only them.
bool is_expected(char32_t c) {
  return text::is_hangul_syllable(c) || (c >= 0x3131 && c <= 0x3163) || (c >= 0xA0 && c <= 0x17F) ||
         (c >= 0x391 && c <= 0x3C9) || (c >= 0x400 && c <= 0x45F) || (c >= 0x2010 && c <= 0x2026) ||
         (c >= 0x2030 && c <= 0x203B) || c == 0x20A9 || c == 0x20AC || c == 0x2122 ||
         (c >= 0x2190 && c <= 0x2193) || c == 0x2212 || (c >= 0x2460 && c <= 0x2473) ||
         (c >= 0x2500 && c <= 0x257F) || (c >= 0x25A0 && c <= 0x25CF) ||
         (c >= 0x2600 && c <= 0x27BF) || (c >= 0x3000 && c <= 0x30FF) ||
         (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xFF01 && c <= 0xFF5E) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || c == 0x200B || c == 0xFEFF ||
         (c >= 0x3200 && c <= 0x33FF) || c == 0xFE0F || c == 0x200D;
}

// Latin letters come of two bytes: Ã and Â with a sign behind them. Others of two bytes (É® is ɮ,
// Ð° is а) need company.
enum class Proof { none, weak, strong };

Proof proof_of(std::string_view bytes) {
  int strong = 0, weak = 0;
  bool all = true;
  text::for_each_code_point(bytes, [&](char32_t c, std::string_view one) {
    if (!is_expected(c) || one.size() < 2) all = false;
    const auto lead = static_cast<unsigned char>(one[0]);
    if (one.size() >= 3 || lead == 0xC3 || lead == 0xC2) ++strong;
    else ++weak;
  });
  if (!all) return Proof::none;
  if (strong > 0) return Proof::strong;
  return weak >= 3 ? Proof::strong : Proof::weak;
}

// Calls `visit(run, bytes)` for each run of characters that a misreading yields and `other(bytes)`
// for what lies between.
template <class Run, class Other>
void for_each_run(std::string_view text, Run&& run, Other&& other) {
  size_t begin = 0;
  std::string bytes;
  const auto flush = [&](size_t end) {
    if (!bytes.empty()) run(text.substr(begin, end - begin), std::string_view(bytes));
    bytes.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const auto point = text::decode_utf8(text, at);
    const int byte = point.status == text::Utf8::valid ? wrong_byte(point.value) : -1;
    if (byte >= 0) {
      if (bytes.empty()) begin = at;
      bytes += char(byte);
    } else {
      flush(at);
      other(text.substr(at, point.size));
    }
    at += point.size;
  }
  flush(text.size());
}

// Whether any of the text could be such a misreading: lead bytes of UTF-8 read as one-byte
// characters are U+00C2..U+00F4, two bytes of UTF-8 that begin with C3.
bool has_latin1_letters(std::string_view text) {
  for (size_t at = text.find('\xC3'); at != text.npos; at = text.find('\xC3', at + 1)) return true;
  return false;
}

// U+0080..U+009F, which no text means: twice misread text has them after one repair.
bool has_c1_controls(std::string_view text) {
  for (size_t at = text.find('\xC2'); at != text.npos; at = text.find('\xC2', at + 1))
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0) return true;
  return false;
}

constexpr int kMisreadings = 3;  // the most in a row that are undone

Repaired once(std::string_view text, int depth = 1) {
  Repaired result;
  result.text.reserve(text.size());
  for_each_run(
      text,
      [&](std::string_view run, std::string_view bytes) {
        const bool valid = bytes.size() > 1 && text::is_valid_utf8(bytes);
        if (valid && proof_of(bytes) == Proof::strong) {
          result.text += bytes;
          ++result.runs;
          return;
        }
        if (valid && depth < kMisreadings && has_c1_controls(bytes)) {
          const Repaired deeper = once(bytes, depth + 1);
          if (deeper.runs > 0 && !has_c1_controls(deeper.text)) {
            result.text += deeper.text;
            result.runs += 1 + deeper.runs;
            return;
          }
        }
        result.text += run;
      },
      [&](std::string_view other) { result.text += other; });
  return result;
}

class Cp949 {
 public:
  Cp949() : handle_(iconv_open("UTF-8", "CP949")) {}
  ~Cp949() {
    if (known()) iconv_close(handle_);
  }
  Cp949(const Cp949&) = delete;
  Cp949& operator=(const Cp949&) = delete;
  bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  std::optional<std::string> read(std::string_view bytes) {
    if (!known()) return std::nullopt;
    std::string in(bytes), out(bytes.size() * 2 + 4, '\0');
    char *from = in.data(), *to = out.data();
    size_t left = in.size(), room = out.size();
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    if (iconv(handle_, &from, &left, &to, &room) == size_t(-1) || left > 0) return std::nullopt;
    out.resize(out.size() - room);
    return out;
  }

 private:
  iconv_t handle_;
};

// The syllables that make up some two thirds of Korean text.
bool is_common_syllable(char32_t c) {
  static constexpr std::u32string_view common =
      U"가각간갈감갑값강갖같개거건걸검것게겠겨격결경계고공과관광교구국군권그극근글금급기길김까끝나"
      U"난날남내너네년"
      U"노놓는능니다단달당대더데도독동되된될두드든들등때또라란람랑래러런레려력로록료루류르른를름리"
      U"린립마만많말"
      U"매면명모목못무문물미민바박반받발방배백버번법변별보복본부북분불비사산상새생서선설성세소속수"
      U"술스습시식신실"
      U"십싶아안않알암았양어언얼업없에여역연열였영예오온올와완왔요용우운원월위유육으은을음의이인일"
      U"임입있자작잘잡장"
      U"재저적전점정제조종좋주중즉증지직진질집차참책처천첫청체초최추출충취치친카크타터테토통트특파"
      U"판편평포표품피필"
      U"하학한할함합해했행향허현형호화확환활황회후흐희히힘";
  return common.find(c) != common.npos;
}

// A line is repaired for three common syllables at least. Their bytes, B0 to C8 and A1 to FE, are
// shown as U+00A1..U+00FE, whose UTF-8 begins with C2 or C3: six of these there must be.
bool may_be_cp949(std::string_view text) {
  constexpr int kLeast = 6;
  int seen = 0;
  for (const char lead : {'\xC2', '\xC3'})
    for (size_t at = text.find(lead); at != text.npos; at = text.find(lead, at + 1))
      if (++seen == kLeast) return true;
  return false;
}

}  // namespace

Repaired repair_utf8_mojibake(std::string_view text) {
  Repaired result;
  if (!has_latin1_letters(text)) return result;
  std::string now(text);
  for (int round = 0; round < kMisreadings; ++round) {
    Repaired better = once(now);
    if (better.runs == 0) break;
    result.runs += better.runs;
    now = std::move(better.text);
  }
  result.text = std::move(now);
  return result;
}

Repaired repair_cp949_mojibake(std::string_view text) {
  Repaired result;
  if (!may_be_cp949(text)) return result;
  thread_local Cp949 cp949;  // opening one takes longer than reading a text
  std::string out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (!may_be_cp949(line)) {
      out += line;
      if (end < text.size()) out += '\n';
      begin = end + 1;
      continue;
    }
    std::string better;
    int64_t runs = 0, syllables = 0, common = 0, failed = 0, letters = 0;
    for_each_run(
        line,
        [&](std::string_view run, std::string_view bytes) {
          const auto read = cp949.read(bytes);
          if (!read) {
            ++failed;
            better += run;
            return;
          }
          ++runs;
          text::for_each_code_point(*read, [&](char32_t c, std::string_view) {
            ++letters;
            if (!text::is_hangul_syllable(c)) return;
            ++syllables;
            common += is_common_syllable(c);
          });
          better += *read;
        },
        [&](std::string_view other) { better += other; });
    const bool clearly = failed == 0 && syllables >= 3 && 10 * common >= 7 * syllables &&
                         10 * syllables >= 7 * letters;
    if (clearly) {
      result.runs += runs;
      out += better;
    } else {
      out += line;
    }
    if (end < text.size()) out += '\n';
    begin = end + 1;
  }
  if (result.runs > 0) result.text = std::move(out);
  return result;
}

}  // namespace helio::data
