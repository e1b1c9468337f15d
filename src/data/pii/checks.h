// What can be checked about a number: its date, its check digit, its issuer.
#pragma once

#include <array>
#include <string_view>

namespace helio::data {

bool is_date(int year, int month, int day);

// 13 digits. Korean resident registration numbers have a date of the century their 7th digit says
// and, for those born before October 2020, a check digit: numbers issued since then are random
// behind the 7th digit. `is_rrn` takes nationals and foreigners.
enum class Registered { no, national, foreigner };
enum class CheckDigit { required, ignored };
Registered registered_as(std::string_view digits, CheckDigit check = CheckDigit::required);
bool is_rrn(std::string_view digits);
// Born in October 2020 or later: the number has no check digit.
bool rrn_without_check_digit(std::string_view digits);

bool passes_luhn(std::string_view digits);
// Whether cards of this length are issued under these first digits.
bool is_card_issuer(std::string_view digits);

bool is_business_number(std::string_view digits);   // 10 digits, Korean tax office
bool is_corporate_number(std::string_view digits);  // 13 digits, Korean court registry
// A corporation's class stands in the 5th and 6th digit.
bool is_corporate_class(std::string_view digits);

// Addresses that are routed on the internet: not private, local, reserved or for documentation.
bool is_public_ipv4(const std::array<int, 4>& parts);
bool is_public_ipv6(const std::array<int, 8>& groups);

}  // namespace helio::data
