// Registration numbers, cards, accounts: digits with dates and check digits.
#include <algorithm>

#include "data/pii/checks.h"
#include "data/pii/scan.h"

namespace helio::data::pii {
namespace {

using Words = std::initializer_list<std::string_view>;

// "id=4111..." and ".../4111...": numbers of pages and articles, ten times as often as cards.
bool is_in_link(std::string_view text, size_t at) {
  const char c = char_before(text, at);
  return c == '=' || c == '/' || c == '#' || c == '%' || c == '&';
}

MaybeFind thirteen_at(std::string_view text, size_t at, const Digits& run) {
  const bool plain = run.groups[0] == 13;
  const bool shaped =
      plain || (run.fits({6, 7}) && (run.separators[1] == '-' || run.separators[1] == ' '));
  if (!shaped || run.count < 13 || !may_end(text, run.ends[12])) return {};
  if (plain && is_in_link(text, at)) return {};
  const std::string_view digits = run.first(13);
  const size_t end = run.ends[12];
  const auto is_named = [&](Words words) { return is_near(text, at, end, words); };
  const bool corporate = is_corporate_class(digits) && is_corporate_number(digits);
  if (is_named({"법인등록", "법인번호", "법인 등록", "corporate registration"}) &&
      is_corporate_class(digits))
    return Find{Pii::corporate, at, end};  // numbers given since 2025 have no check digit
  const Words resident = {"주민", "등록번호", "rrn", "resident"};
  const Words foreigner = {"외국인", "등록번호", "foreigner", "alien", "arc"};
  switch (registered_as(digits)) {
    case Registered::national:
    case Registered::foreigner: {
      const bool national = digits[6] < '5' || digits[6] == '9';
      // A date alone is little proof for thirteen digits in a row, or with a mere space.
      const bool weak = rrn_without_check_digit(digits) || run.separators[1] == ' ';
      if ((plain || run.separators[1] == ' ') && weak &&
          !is_near(text, at, end, national ? resident : foreigner))
        break;
      return Find{national ? Pii::rrn : Pii::frn, at, end};
    }
    case Registered::no:
      break;
  }
  // Foreigners who registered since October 2020 have numbers without a check digit, whenever born.
  if (!plain && registered_as(digits, CheckDigit::ignored) == Registered::foreigner &&
      is_named({"외국인", "foreigner", "alien registration"}))
    return Find{Pii::frn, at, end};
  if (corporate && !plain && run.separators[1] == '-') return Find{Pii::corporate, at, end};
  return {};
}

MaybeFind driver_at(std::string_view text, size_t at, const Digits& run) {
  const auto is_named = [&](size_t end) {
    return is_near(text, at, end, {"면허", "licence", "license"});
  };
  const int region = run.count >= 2 ? value(run.digits[0]) * 10 + value(run.digits[1]) : 0;
  if (run.fits({2, 2, 6, 2}) && run.separated_by('-', 4) && region >= 11 && region <= 28 &&
      may_end(text, run.ends[11]))
    return Find{Pii::driver, at, run.ends[11]};
  if (run.groups[0] == 12 && region >= 11 && region <= 28 && may_end(text, run.ends[11]) &&
      is_named(run.ends[11]))
    return Find{Pii::driver, at, run.ends[11]};
  if (run.fits({2, 6, 2}) && run.separated_by('-', 3) && may_end(text, run.ends[9]) &&
      is_named(run.ends[9]))
    return Find{Pii::driver, at, run.ends[9]};  // "서울 12-123456-78": the older form
  return {};
}

MaybeFind business_at(std::string_view text, size_t at, const Digits& run) {
  if (run.count < 10 || !may_end(text, run.ends[9])) return {};
  const bool dashed = run.fits({3, 2, 5}) && run.separated_by('-', 3);
  const bool plain = run.groups[0] == 10;
  if (!dashed && !plain) return {};
  if (!is_business_number(run.first(10))) return {};
  if (plain && !is_near(text, at, run.ends[9], {"사업자", "business registration"})) return {};
  return Find{Pii::business, at, run.ends[9]};
}

MaybeFind ssn_at(std::string_view text, size_t at, const Digits& run) {
  if (!run.fits({3, 2, 4}) || !run.separated_by('-', 3) || !may_end(text, run.ends[8])) return {};
  const std::string_view d = run.first(9);
  const std::string_view area = d.substr(0, 3);
  if (area == "000" || area == "666" || d[0] == '9' || d.substr(3, 2) == "00" ||
      d.substr(5) == "0000")
    return {};
  return Find{Pii::ssn, at, run.ends[8]};
}

}  // namespace

MaybeFind registration_at(std::string_view text, size_t at, const Digits& run) {
  if (run.count < 9) return {};
  if (const auto found = thirteen_at(text, at, run)) return found;
  if (const auto found = driver_at(text, at, run)) return found;
  if (const auto found = business_at(text, at, run)) return found;
  return ssn_at(text, at, run);
}

MaybeFind card_at(std::string_view text, size_t at, const Digits& run) {
  if (run.count < 13) return {};
  size_t count = 0;
  if (run.fits({4, 4, 4, 4})) count = 16;
  else if (run.fits({4, 6, 5})) count = 15;
  else if (run.fits({4, 6, 4})) count = 14;
  else if (run.groups[0] >= 13 && run.groups[0] <= 19 && !is_in_link(text, at))
    count = run.groups[0];
  if (count == 0 || !may_end(text, run.ends[count - 1])) return {};
  const size_t groups = run.groups[0] == count ? 1 : (count == 16 ? 4 : 3);
  if (groups > 1 && !run.separated_by('-', groups) && !run.separated_by(' ', groups)) return {};
  const std::string_view digits = run.first(count);
  if (!is_card_issuer(digits) || !passes_luhn(digits)) return {};
  // Korean cards and the shortest and longest ones are too much like other numbers without groups.
  if (groups == 1 && (digits[0] == '9' || count == 13 || count > 16) &&
      !is_near(text, at, run.ends[count - 1], {"카드", "card", "visa"}))
    return {};
  return Find{Pii::card, at, run.ends[count - 1]};
}

MaybeFind account_at(std::string_view text, size_t at, const Digits& run) {
  if (run.count < 10) return {};
  // The longest beginning of groups joined by dashes.
  size_t groups = 1, count = run.groups[0];
  while (groups < run.group_count && run.separators[groups] == '-') count += run.groups[groups++];
  if (count < 10 || count > 16 || groups > 5 || !may_end(text, run.ends[count - 1])) return {};
  for (size_t i = 0; i + 1 < groups; ++i)
    if (run.groups[i] < 2) return {};
  const size_t end = run.ends[count - 1];
  if (groups == 1) {
    if (is_in_link(text, at) || count < 11) return {};
    if (text.substr(end, 3) == "원" || text.substr(end, 4) == " 원") return {};
  }
  const Words names = {"계좌",     "예금주", "은행",     "농협",     "신협",   "수협",
                       "새마을금", "우체국", "카카오뱅", "토스뱅크", "케이뱅", "입금",
                       "송금",     "후원금", "account",  "acct",     "a/c"};
  if (is_near(text, at, end, names, {.before = 48, .after = 0}) ||
      is_near(text, at, end, {"예금주", "은행", "농협", "account"}, {.before = 0, .after = 18}))
    return Find{Pii::account, at, end};
  // "국민 123456-01-123456": banks by their short names, right before the number.
  const std::string_view before = text.substr(at > 16 ? at - 16 : 0, at > 16 ? 16 : at);
  for (const std::string_view bank : {"국민", "신한", "우리", "하나", "기업", "KB", "SC제일",
                                      "씨티", "산업", "대구", "부산", "광주", "전북", "경남"})
    for (const std::string_view gap : {" ", ": ", ":", ") "})
      if (groups >= 3 && before.ends_with(gap) &&
          before.substr(0, before.size() - gap.size()).ends_with(bank))
        return Find{Pii::account, at, end};
  return {};
}

}  // namespace helio::data::pii
