#include "train/study/variants.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/options.h"

namespace helio::train {
namespace {

[[noreturn]] void refuse(const Node& at, const std::string& what, const std::string& hint) {
  const std::string mark = at.mark().str();
  throw Error(ErrorKind::invalid, (mark.empty() ? "" : mark + ": ") + what).with_hint(hint);
}

bool folder_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.front() != '.' && name.size() <= 100 &&
         std::all_of(name.begin(), name.end(), plain);
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

}  // namespace

std::vector<StudyVariant> read_variants(const Node& node, const std::vector<std::string>& commands,
                                        const std::vector<std::string>& own) {
  if (!node.is_map() || node.entries().empty())
    refuse(node, "'variants' names no variant", "variants: {dpo: {}, sdpo: {steps: 2}}");
  std::vector<StudyVariant> variants;
  for (const auto& [name, mark, value] : node.entries()) {
    if (!folder_name(name))
      throw Error(ErrorKind::invalid, mark.str() + ": '" + name + "' cannot name a variant")
          .with_hint("letters, digits, '.', '_' and '-'");
    if (!value.is_map() && !value.is_null())
      refuse(value, "variant '" + name + "' is not a section with keys", "give {} for none");
    StudyVariant variant{.name = name, .command = commands.front(), .overrides = Node::map(mark)};
    for (const auto& [key, key_mark, option] : value.entries()) {
      if (key == "command") {
        variant.command = option.text();
        if (std::find(commands.begin(), commands.end(), variant.command) == commands.end())
          refuse(option, "'" + variant.command + "' is not a command of this study",
                 "commands: " + joined(commands));
        continue;
      }
      if (std::find(own.begin(), own.end(), key) != own.end())
        throw Error(ErrorKind::invalid,
                    key_mark.str() + ": '" + key + "' is what the study gives each run");
      variant.overrides.set(key, key_mark, option);
    }
    variants.push_back(std::move(variant));
  }
  return variants;
}

void check_not_named(const std::vector<StudyVariant>& variants, const std::string& name,
                     const std::string& what) {
  for (const auto& variant : variants)
    if (variant.name == name)
      throw Error(ErrorKind::invalid, "'" + name + "' is the model that " + what)
          .with_hint("give the variant another name");
}

void check_not_given(const std::vector<const std::string*>& paths, const std::string& what,
                     const std::string& hint) {
  for (const auto* path : paths)
    if (!path->empty())
      throw Error(ErrorKind::invalid,
                  "'" + *path + "' in a section: the study gives each run its " + what)
          .with_hint(hint);
}

std::vector<int64_t> read_seeds(const std::vector<double>& given) {
  std::vector<int64_t> seeds;
  for (const double value : given) {
    if (value < 0 || value != std::floor(value) || value > 9e15)
      throw Error(ErrorKind::invalid, "seeds are whole numbers from 0");
    const auto seed = static_cast<int64_t>(value);
    if (std::find(seeds.begin(), seeds.end(), seed) != seeds.end())
      throw Error(ErrorKind::invalid, "seed " + std::to_string(seed) + " is given twice");
    seeds.push_back(seed);
  }
  if (seeds.empty()) throw Error(ErrorKind::invalid, "a study needs a seed at least");
  return seeds;
}

}  // namespace helio::train
