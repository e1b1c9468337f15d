// EQ-Bench v2 (Paech 2023): how strongly a character feels each of four emotions, against reference
// intensities.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"

namespace helio::eval::eq_bench {

struct Item {
  std::string id = {}, prompt = {};
  std::array<std::pair<std::string, double>, 4> reference = {};  // emotion, intensity 0 to 10
};

// Emotions and whole numbers of a text, as the published expression finds them: a word, a colon,
// space, digits. The last of a repeated word counts; words in the order first seen.
using Answer = std::vector<std::pair<std::string, double>>;
Answer parse_answer(std::string_view text);
// With a critique in between: the answers under "First pass scores:" and "Revised scores:".
struct Passes {
  Answer first = {}, revised = {};
};
Passes parse_passes(std::string_view text);

// 10 for the reference itself, 0 for a random answer, below for worse. Nothing unless the answer
// has the four emotions of the reference and no other.
std::optional<double> score_answer(const Item& item, const Answer& answer);
// The first version's condition too, which decides whether the published program asks again: the
// intensities' sum is above 0.
bool is_parseable(const Item& item, const Answer& answer);

// {"prompt", "reference_answer_fullscale": {"emotion1", "emotion1_score", …}}. Error{invalid} for
// anything else.
Item read_item(const std::string& id, const Json& row);
// {"1": {"prompt", "reference_answer_fullscale": {"emotion1", "emotion1_score", …}}, …}, in order.
std::vector<Item> read_items(const std::filesystem::path& file);

// The share of questions whose answers have to be readable, else there is no result.
inline constexpr double kLeastParseable = 0.8333;

// What a model is asked when it is not to revise: the prompt without everything about a critique.
std::string prompt_without_revision(const std::string& prompt);

}  // namespace helio::eval::eq_bench
