#include "data/steps.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/fs.h"

namespace helio::data {
namespace {

std::string at(const Node& node) {
  const std::string mark = node.mark().str();
  return mark.empty() ? "" : mark + ": ";
}

std::vector<std::string> read_languages(const Node& node) {
  std::vector<std::string> languages;
  if (node.is_scalar()) languages.push_back(node.text());
  for (const Node& item : node.items()) {
    if (!item.is_scalar()) throw Error(ErrorKind::invalid, at(item) + "'for' lists languages");
    languages.push_back(item.text());
  }
  if (languages.empty()) throw Error(ErrorKind::invalid, at(node) + "'for' names no language");
  return languages;
}

Step read_step(const Node& node) {
  Step step;
  std::string name;
  Node options = Node::map(node.mark());
  if (node.is_scalar()) {
    name = node.text();
  } else if (node.is_map()) {
    for (const auto& entry : node.entries()) {
      if (entry.key == "op" && entry.value.is_scalar()) name = entry.value.text();
      else if (entry.key == "for") step.languages = read_languages(entry.value);
      else options.set(entry.key, entry.key_mark, entry.value);
    }
  }
  if (name.empty())
    throw Error(ErrorKind::invalid,
                at(node) + "a step is the name of an operator or a map with 'op'")
        .with_hint("for example: {op: filter.length, min_words: 20}");
  const Node* place = node.find("op");
  try {
    step.op = &find_op(name);
  } catch (const Error& error) {
    throw Error(ErrorKind::invalid, at(place ? *place : node) + error.message())
        .with_hint(error.hint());
  }
  step.name = name;
  if (!step.languages.empty()) {
    step.name += " [";
    for (const auto& language : step.languages)
      step.name += (step.name.back() == '[' ? "" : " ") + language;
    step.name += "]";
  }
  in_context([&] { return "reading the options of " + step.name; },
             [&] {
               step.options = step.op->resolve(options);
               step.run = step.op->make(options);
             });
  return step;
}

}  // namespace

bool Step::concerns(const Document& document) const {
  return languages.empty() ||
         std::find(languages.begin(), languages.end(), document.language) != languages.end();
}

std::vector<Step> read_steps(const Node& node) {
  if (!node.is_list() || node.items().empty())
    throw Error(ErrorKind::invalid, at(node) + "'steps' is a list of operators")
        .with_hint("helio data ops lists the operators");
  std::vector<Step> steps;
  std::set<std::string> names;
  for (const Node& item : node.items()) {
    steps.push_back(in_context([&] { return "reading step " + std::to_string(steps.size() + 1); },
                               [&] { return read_step(item); }));
    Step& step = steps.back();
    const std::string base = step.name;
    for (int i = 2; !names.insert(step.name).second; ++i)
      step.name = base + " #" + std::to_string(i);
    if (step.op->shape == Shape::stage && !step.languages.empty())
      throw Error(ErrorKind::invalid, at(item) + "'for' does not go with " + base +
                                          ", which needs all documents at once");
  }
  return steps;
}

std::vector<ArtefactInput> outside_files(const std::vector<Step>& steps) {
  std::vector<ArtefactInput> files;
  for (const Step& step : steps)
    for (const FieldInfo& field : step.op->fields) {
      if (field.role != FieldRole::input || !step.options.contains(field.name)) continue;
      const OrderedJson& value = step.options.at(field.name);
      for (const auto& path : value.is_array() ? value : OrderedJson::array({value})) {
        const std::string name = path.get<std::string>(), role = step.name + "." + field.name;
        if (name.empty()) continue;
        // A bare name of a model that lies in the cache folder stands for itself.
        if (fs::exists(name)) files.push_back(describe_input(role, name));
        else files.push_back({.role = role, .kind = "file", .name = name});
      }
    }
  return files;
}

}  // namespace helio::data
