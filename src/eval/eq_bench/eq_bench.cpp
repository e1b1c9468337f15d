#include "eval/eq_bench/eq_bench.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "core/error.h"
#include "core/lines.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::eq_bench {
namespace {

using ifeval::PythonRegex;

// float() of decimal digits of any script. Digits of a script stand together, zero first.
double number_of(std::string_view digits) {
  std::string plain;
  text::for_each_code_point(digits, [&](char32_t c, auto) {
    char32_t first = c;
    while (first > 0 && text::is_decimal_digit(first - 1)) --first;
    plain.push_back(static_cast<char>('0' + (c - first) % 10));
  });
  return std::strtod(plain.c_str(), nullptr);
}

double intensity(const Json& value, const std::string& where) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    char* end = nullptr;
    const double found = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0') return found;
  }
  throw Error(ErrorKind::invalid, where + " is no number");
}

}  // namespace

Item read_item(const std::string& id, const Json& row) {
  Item item{.id = id};
  const Json none = Json::object();
  const Json& reference = row.is_object() && row.contains("reference_answer_fullscale")
                              ? row.at("reference_answer_fullscale")
                              : none;
  if (row.is_object() && row.contains("prompt") && row.at("prompt").is_string())
    item.prompt = row.at("prompt").get<std::string>();
  for (size_t i = 0; i < 4; ++i) {
    const std::string name = "emotion" + std::to_string(i + 1);
    if (!reference.is_object() || !reference.contains(name) || !reference.at(name).is_string() ||
        !reference.contains(name + "_score"))
      throw Error(ErrorKind::invalid, "question " + id + ": no '" + name + "' or its score in " +
                                          "'reference_answer_fullscale'");
    item.reference[i] = {reference.at(name).get<std::string>(),
                         intensity(reference.at(name + "_score"), "question " + id + ": " + name)};
  }
  return item;
}

Answer parse_answer(std::string_view text) {
  static const PythonRegex pair(R"((\w+):\s+(\d+))");
  Answer answer;
  pair.for_each(text, [&](const auto& groups) {
    const std::string word(groups[1].of(text));
    const double value = number_of(groups[2].of(text));
    const auto found = std::find_if(answer.begin(), answer.end(),
                                    [&](const auto& each) { return each.first == word; });
    if (found == answer.end()) answer.emplace_back(word, value);
    else found->second = value;
  });
  return answer;
}

Passes parse_passes(std::string_view text) {
  constexpr std::string_view kFirst = "First pass scores:", kRevised = "Revised scores:";
  Passes passes;
  const size_t first = text.find(kFirst), revised = text.find(kRevised);
  if (first != text.npos) {
    const std::string_view rest = text.substr(first + kFirst.size());
    if (const size_t end = rest.find(kRevised); end != rest.npos)
      passes.first = parse_answer(rest.substr(0, end));
  }
  if (revised != text.npos) passes.revised = parse_answer(text.substr(revised + kRevised.size()));
  return passes;
}

std::optional<double> score_answer(const Item& item, const Answer& answer) {
  if (answer.size() != 4) return std::nullopt;
  double distance = 0;
  for (const auto& [emotion, value] : answer) {
    const auto found =
        std::find_if(item.reference.begin(), item.reference.end(),
                     [&, &name = emotion](const auto& each) { return each.first == name; });
    if (found == item.reference.end()) return std::nullopt;
    const double d = std::abs(value - found->second);
    // Small differences count for little: an S-shaped curve up to 5.
    if (d > 5) distance += d;
    else if (d > 0) distance += 6.5 * (1 / (1 + std::pow(std::numbers::e, -1.2 * (d - 4))));
  }
  return 10 - distance * 0.7477;
}

bool is_parseable(const Item& item, const Answer& answer) {
  double sum = 0;
  for (const auto& each : answer) sum += each.second;
  return sum > 0 && score_answer(item, answer).has_value();
}

std::vector<Item> read_items(const std::filesystem::path& file) {
  std::string all;
  LineReader reader(file);
  for (std::string_view line; reader.next(line);) all.append(line).append("\n");
  // Not Json: its objects are in name order ("10" before "2").
  parse_json(all, file.string());  // for its errors and its limit of depth
  const OrderedJson parsed = OrderedJson::parse(all);
  if (!parsed.is_object())
    throw Error(ErrorKind::invalid, "'" + file.string() + "' is no object of questions");
  std::vector<Item> items;
  for (const auto& [id, row] : parsed.items())
    items.push_back(
        in_context([&] { return "in '" + file.string() + "'"; },
                   [&, &key = id, &value = row] { return read_item(key, Json(value)); }));
  return items;
}

std::string prompt_without_revision(const std::string& prompt) {
  std::string out = prompt;
  for (const std::string_view drop : {" Then critique your answer by thinking it through step by "
                                      "step. Finally, give your revised "
                                      "scores.",
                                      "First pass scores:\n"})
    for (size_t at = out.find(drop); at != out.npos; at = out.find(drop, at))
      out.erase(at, drop.size());
  const size_t critique = out.find("Critique: <your critique here>"),
               end = out.find("[End of answer]");
  if (critique == out.npos || end == out.npos)
    throw Error(ErrorKind::invalid, "an EQ-Bench prompt has no critique to take out");
  return out.substr(0, critique) + "\n" + out.substr(end) + "\nYour answer:\n";
}

}  // namespace helio::eval::eq_bench
