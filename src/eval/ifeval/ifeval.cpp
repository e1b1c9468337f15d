#include "eval/ifeval/ifeval.h"

#include <algorithm>

#include "core/error.h"
#include "core/lines.h"
#include "eval/statistics.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

std::string without_stars(std::string text) {
  std::erase(text, '*');
  return text;
}

// The eight texts of which one has to pass.
std::vector<std::string> loosened(std::string_view response) {
  const size_t first = response.find('\n'), last = response.rfind('\n');
  const bool one_line = first == response.npos;
  const auto kept = [&](std::string_view text) { return std::string(text::trim(text)); };
  std::vector<std::string> all = {
      std::string(response), kept(one_line ? "" : response.substr(first + 1)),
      kept(one_line ? "" : response.substr(0, last)),
      kept(first == last ? "" : response.substr(first + 1, last - first - 1))};
  for (size_t i = 0; i < 4; ++i) all.push_back(without_stars(all[i]));
  return all;
}

}  // namespace

Item read_item(const Json& row) {
  const auto need = [&](const char* name) -> const Json& {
    const auto found = row.find(name);
    if (found == row.end()) throw Error(ErrorKind::invalid, std::string("no '") + name + "'");
    return *found;
  };
  if (!row.is_object()) throw Error(ErrorKind::invalid, "no object");
  Item item;
  if (const auto key = row.find("key"); key != row.end() && key->is_number_integer())
    item.key = key->get<int64_t>();
  const Json &prompt = need("prompt"), &ids = need("instruction_id_list"), &all = need("kwargs");
  if (!prompt.is_string() || !ids.is_array() || !all.is_array() || ids.size() != all.size())
    throw Error(
        ErrorKind::invalid,
        "'prompt' is no text, or 'instruction_id_list' and 'kwargs' are no lists of a size");
  item.prompt = prompt.get<std::string>();
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!ids[i].is_string() || !all[i].is_object())
      throw Error(ErrorKind::invalid, "an instruction is no text, or its kwargs no object");
    item.instructions.push_back(ids[i].get<std::string>());
    item.checks.push_back(make_check(item.instructions.back(), all[i], item.prompt));
  }
  return item;
}

std::vector<Item> read_items(const std::filesystem::path& file) {
  std::vector<Item> items;
  read_jsonl(file, [&](const Json& row, int64_t line) {
    try {
      items.push_back(read_item(row));
    } catch (const Error& error) {
      throw Error(ErrorKind::invalid,
                  file.string() + ":" + std::to_string(line) + ": " + error.what());
    }
  });
  return items;
}

Verdict judge(const Item& item, std::string_view response) {
  const auto passes = [](const Check& check, std::string_view text) {
    return !text::trim(text).empty() && check(text);
  };
  const std::string valid = text::repair_utf8(response);
  const auto texts = loosened(valid);
  Verdict verdict;
  for (const auto& check : item.checks) {
    verdict.strict.push_back(passes(check, texts[0]));
    verdict.loose.push_back(verdict.strict.back() || std::any_of(texts.begin() + 1, texts.end(),
                                                                 [&](const std::string& text) {
                                                                   return passes(check, text);
                                                                 }));
  }
  return verdict;
}

void Tally::add(const std::vector<bool>& verdicts) {
  ++prompts;
  const auto yes = std::count(verdicts.begin(), verdicts.end(), true);
  instructions += static_cast<int64_t>(verdicts.size());
  followed += yes;
  followed_prompts += yes == static_cast<int64_t>(verdicts.size());
}

void Summary::add(const Item& item, const Verdict& verdict) {
  strict.add(verdict.strict);
  loose.add(verdict.loose);
  for (size_t i = 0; i < item.instructions.size(); ++i) {
    strict_by_id[item.instructions[i]].add({verdict.strict[i]});
    loose_by_id[item.instructions[i]].add({verdict.loose[i]});
  }
}

OrderedJson Summary::json() const {
  const auto share = [](int64_t part, int64_t all) {
    return all ? OrderedJson(static_cast<double>(part) / static_cast<double>(all)) : OrderedJson();
  };
  const auto error = [](const Tally& tally) {
    const auto found = proportion(tally.followed_prompts, tally.prompts).stderr_;
    return found ? OrderedJson(*found) : OrderedJson();
  };
  OrderedJson by_id = OrderedJson::object();
  for (const auto& [id, tally] : strict_by_id)
    by_id[id] = {{"n", tally.instructions},
                 {"strict", share(tally.followed, tally.instructions)},
                 {"loose", share(loose_by_id.at(id).followed, tally.instructions)}};
  return {{"prompts", strict.prompts},
          {"instructions", strict.instructions},
          {"prompt_level_strict_acc", share(strict.followed_prompts, strict.prompts)},
          {"prompt_level_strict_acc_stderr", error(strict)},
          {"inst_level_strict_acc", share(strict.followed, strict.instructions)},
          {"prompt_level_loose_acc", share(loose.followed_prompts, loose.prompts)},
          {"prompt_level_loose_acc_stderr", error(loose)},
          {"inst_level_loose_acc", share(loose.followed, loose.instructions)},
          {"by_instruction", by_id}};
}

}  // namespace helio::eval::ifeval
