// Postal addresses, as far as their form goes: a Korean one needs the names of its province, city
// or district before the road or the quarter, an American one the kind of street behind a
// capitalised name.
#include <algorithm>

#include "data/pii/scan.h"
#include "text/utf8.h"

namespace helio::data::pii {
namespace {

bool is_hangul_lead(char c) { return static_cast<unsigned char>(c) >= 0xEA; }

// The word that ends at `end`: Hangul, letters and digits. Where it begins.
size_t word_begin(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && end - begin < 60) {
    const auto c = static_cast<unsigned char>(text[begin - 1]);
    if (c < 0x80 && !is_alnum(char(c)) && c != '.') break;
    --begin;
  }
  while (begin < end && !is_hangul_lead(text[begin]) && !is_alnum(text[begin])) ++begin;
  return begin;
}

size_t syllables(std::string_view word) { return size_t(text::count_code_points(word)); }

bool is_province(std::string_view word) {
  for (const std::string_view name :
       {"서울", "부산",     "대구",     "인천",     "광주",     "대전",     "울산",    "세종",
        "경기", "강원",     "충북",     "충남",     "전북",     "전남",     "경북",    "경남",
        "제주", "충청북도", "충청남도", "전라북도", "전라남도", "경상북도", "경상남도"})
    if (word.starts_with(name)) {
      const std::string_view rest = word.substr(name.size());
      if (rest.empty() || rest == "시" || rest == "도" || rest == "특별시" || rest == "광역시" ||
          rest == "특별자치시" || rest == "특별자치도")
        return true;
    }
  return false;
}

bool has_ending(std::string_view word, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return word.ends_with(ending); });
}

// "분당구", "성남시", "가평군", "설악면": not "다시", "친구", "반드시".
bool is_unit(std::string_view word) {
  if (!has_ending(word, {"시", "군", "구", "읍", "면"})) return false;
  const size_t count = syllables(word);
  if (count < 2 || count > 6) return false;
  for (const char c : word)
    if (static_cast<unsigned char>(c) < 0x80) return false;
  static constexpr std::string_view common[] = {
      "다시", "잠시",   "반드시", "혹시",   "역시",   "즉시",   "당시", "필시", "일시",
      "친구", "누구",   "연구",   "요구",   "도구",   "지구",   "인구", "입구", "출구",
      "항구", "가구",   "하면",   "되면",   "라면",   "이면",   "보면", "가면", "오면",
      "반면", "화면",   "장면",   "측면",   "표면",   "정면",   "국면", "방면", "전면",
      "으면", "있으면", "없으면", "그러면", "아니면", "만약에", "표시", "지시", "제시",
      "무시", "도시",   "감시",   "실시",   "동시",   "임시",   "매시", "수시", "미군",
      "국군", "공군",   "해군",   "육군",   "적군",   "장군",   "축구", "농구", "야구",
      "배구", "탁구",   "영구",   "청구",   "추구",   "한국시", "하시", "촉구"};
  return std::find(std::begin(common), std::end(common), word) == std::end(common);
}

struct Chain {
  size_t begin = 0;
  int units = 0;
  bool province = false;
  bool proves(int units_needed) const { return province ? units > 0 : units >= units_needed; }
};

// The names of provinces, cities and districts that end before `end`, one behind the other.
Chain chain_before(std::string_view text, size_t end) {
  Chain chain{.begin = end};
  for (int i = 0; i < 5; ++i) {
    size_t stop = chain.begin;
    while (stop > 0 && end - stop < 160 && (text[stop - 1] == ' ' || text[stop - 1] == ',')) --stop;
    if (stop == chain.begin || stop == 0) break;
    const size_t begin = word_begin(text, stop);
    const std::string_view word = text.substr(begin, stop - begin);
    if (is_province(word)) {
      chain.begin = begin;
      chain.province = true;
      if (!word.ends_with("시")) break;
      ++chain.units;  // "서울시", "제주시" are cities as well
      continue;
    }
    if (!is_unit(word)) break;
    chain.begin = begin;
    ++chain.units;
  }
  return chain;
}

size_t digits_end(std::string_view text, size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// What may follow the number of a house: "-5", " 번길 7", "번지", ", 101동 1203호", " 3층".
size_t house_end(std::string_view text, size_t end) {
  size_t at = digits_end(text, end);
  end = at;
  if (char_at(text, at) == '-' && is_digit(char_at(text, at + 1))) end = digits_end(text, at + 1);
  for (const std::string_view road : {"번길", "길"}) {
    if (!text.substr(end).starts_with(road)) continue;
    at = end + road.size();
    if (char_at(text, at) == ' ') ++at;
    if (!is_digit(char_at(text, at))) continue;
    end = digits_end(text, at);
    if (char_at(text, end) == '-' && is_digit(char_at(text, end + 1)))
      end = digits_end(text, end + 1);
    break;
  }
  if (text.substr(end).starts_with("번지")) end += std::string_view("번지").size();
  for (int i = 0; i < 4; ++i) {
    at = end;
    while (at < text.size() && at - end < 2 && (text[at] == ' ' || text[at] == ',')) ++at;
    const size_t number = at;
    at = digits_end(text, at);
    if (at == number || at - number > 4) break;
    const std::string_view rest = text.substr(at);
    size_t unit = 0;
    for (const std::string_view name : {"동", "호", "층"})
      if (rest.starts_with(name)) unit = name.size();
    if (unit == 0) break;
    end = at + unit;
  }
  return end;
}

// Time, money, people: the number counts something and is no house.
bool counts_something(std::string_view text, size_t end) {
  std::string_view rest = text.substr(end);
  if (rest.starts_with(" ")) rest.remove_prefix(1);
  for (const std::string_view unit :
       {"년",     "월", "일", "시", "분", "초",   "명",   "개", "원", "%",
        "퍼센트", "만", "억", "천", "배", "회",   "번째", "차", "살", "세",
        "km",     "m",  "kg", "위", "인", "가지", "곳",   "대", "장", "조"})
    if (rest.starts_with(unit)) return true;
  return false;
}

MaybeFind korean_address(std::string_view text, size_t at) {
  size_t end = at;
  if (char_before(text, end) == ' ') --end;
  if (end < 6) return {};
  bool mountain = false;
  if (text.substr(end - 3, 3) == "산" && char_before(text, end - 3) == ' ') {
    end -= 4;
    mountain = true;
    if (end < 6) return {};
  }
  const std::string_view last = text.substr(end - 3, 3);
  const bool road = last == "로" || last == "길";
  const bool quarter = last == "동" || last == "리" || last == "가";
  if ((!road && !quarter) || (mountain && road)) return {};
  const size_t begin = word_begin(text, end);
  const std::string_view name = text.substr(begin, end - begin);
  if (syllables(name) < 2) return {};
  static constexpr std::string_view adverbs[] = {"앞으로", "바로", "서로",   "새로",
                                                 "따로",   "별로", "주로",   "대로",
                                                 "으로",   "실로", "그대로", "하루"};
  if (road && std::find(std::begin(adverbs), std::end(adverbs), name) != std::end(adverbs))
    return {};
  if (road && (name.ends_with("으로") || name.ends_with("별로") || name.ends_with("이후로")))
    return {};
  const Chain chain = chain_before(text, begin);
  const size_t number_end = house_end(text, at);
  const bool lot = text.substr(0, number_end).ends_with("번지");
  const int needed = road || lot ? 1 : 2;
  if (!chain.proves(needed)) return {};
  if (number_end == digits_end(text, at) && counts_something(text, number_end)) return {};
  if (is_alpha(char_at(text, number_end))) return {};
  return Find{Pii::address, chain.begin, number_end};
}

MaybeFind american_address(std::string_view text, size_t at) {
  const size_t number = digits_end(text, at) - at;
  if (number > 5 || is_alnum(char_before(text, at))) return {};
  size_t end = at + number;
  std::string_view kind = {};
  for (int words = 0; words < 5 && char_at(text, end) == ' '; ++words) {
    size_t next = end + 1;
    const size_t begin = next;
    while (next < text.size() && (is_alnum(text[next]) || text[next] == '.')) ++next;
    const std::string_view word = text.substr(begin, next - begin);
    if (word.empty() || !(is_upper(word[0]) || (words == 0 && is_digit(word[0])))) break;
    end = next;
    static constexpr std::string_view kinds[] = {"Street", "St",   "Avenue",    "Ave",  "Road",
                                                 "Rd",     "Lane", "Boulevard", "Blvd", "Ln",
                                                 "Drive",  "Dr",   "Court",     "Ct",   "Parkway"};
    const std::string_view bare = word.substr(0, word.find('.'));
    if (words > 0 && std::find(std::begin(kinds), std::end(kinds), bare) != std::end(kinds)) {
      kind = bare;
      break;
    }
  }
  if (kind.empty()) return {};
  if (text[end - 1] == '.' && kind.size() > 4) --end;
  // ", Apt 4B, Springfield, IL 62704"
  size_t zip_end = 0;
  const size_t limit = std::min(text.size(), end + 80);
  for (size_t i = end; i < limit && i + 8 <= text.size() && text[i] != '\n'; ++i)
    if (is_upper(text[i]) && is_upper(text[i + 1]) && text[i + 2] == ' ' &&
        std::all_of(text.begin() + ptrdiff_t(i) + 3, text.begin() + ptrdiff_t(i) + 8, is_digit) &&
        char_before(text, i) == ' ' && !is_digit(char_at(text, i + 8))) {
      zip_end = i + 8;
      break;
    }
  const bool year = number == 4 && (text[at] == '1' || text.substr(at, 2) == "20");
  if (year && zip_end == 0) return {};
  return Find{Pii::address, at, zip_end ? zip_end : end};
}

}  // namespace

MaybeFind address_round(std::string_view text, size_t at) {
  const auto before = static_cast<unsigned char>(
      at > 1 && text[at - 1] == ' ' ? text[at - 2] : char_before(text, at));
  if (before >= 0x80)
    if (const auto found = korean_address(text, at)) return found;
  // Cheaply: a space and a capital, or an ordinal, behind the number.
  const size_t end = digits_end(text, at);
  if (char_at(text, end) != ' ' || end - at > 5) return {};
  if (!is_upper(char_at(text, end + 1)) && !is_digit(char_at(text, end + 1))) return {};
  return american_address(text, at);
}

}  // namespace helio::data::pii
