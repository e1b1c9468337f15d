#include "jobs/recipe.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/options.h"
#include "eval/endpoint/endpoint_client.h"

namespace helio::jobs {
namespace {

std::string at(const Mark& mark) { return mark.str().empty() ? "" : mark.str() + ": "; }

// What the words before the first '/' of an input mean.
struct Names {
  std::map<std::string, fs::path> inputs = {};  // declared under inputs:
  std::map<std::string, int> stages = {};
};

struct Header {
  std::string name = {}, about = {};
  Node inputs = {}, stages = {};
  void describe(Fields& f) {
    f("name", name, "Name of the recipe.");
    f("about", about, "What it does, in a line.");
    f.raw("inputs", inputs, "Names for files and folders from outside.");
    f.raw("stages", stages, "The stages in order: name: {kind: command, options...}.");
  }
};

// Walks a stage's options, turning names into paths.
class Resolver final : public Fields {
 public:
  Resolver(const Names& names, const Recipe& recipe, Stage& stage)
      : names_(names), recipe_(recipe), stage_(stage) {}
  using Fields::operator();
  void operator()(const char*, bool&, const char*) override {}
  void operator()(const char*, int64_t&, const char*, const Rule&) override {}
  void operator()(const char*, double&, const char*, const Rule&) override {}
  void operator()(const char*, std::string&, const char*, const Rule&) override {}
  void operator()(const char*, std::vector<std::string>&, const char*) override {}
  void operator()(const char*, std::vector<double>&, const char*) override {}
  void raw(const char*, Node&, const char*) override {}
  void input(const char* name, std::string& value, const char*) override {
    if (!value.empty()) value = resolve(name, value);
  }
  void input(const char* name, std::vector<std::string>& value, const char*) override {
    for (auto& one : value) one = resolve(name, one);
  }
  void output(const char* name, std::string& value, const char* place, const char*) override {
    if (value.empty()) value = (recipe_.workspace / place / stage_.name).string();
    stage_.outputs.push_back({.role = name, .place = place, .path = value});
  }

 protected:
  bool enter(const char*, const char*) override { return true; }
  void leave() override {}

 private:
  std::string resolve(const std::string& role, const std::string& given) {
    StageInput input{.role = role, .given = given};
    const size_t slash = given.find('/');
    const std::string head = given.substr(0, slash);
    const fs::path rest =
        slash == std::string::npos ? fs::path() : fs::path(given.substr(slash + 1));
    const auto below = [&](const fs::path& base) { return rest.empty() ? base : base / rest; };
    if (const auto stage = names_.stages.find(head); stage != names_.stages.end()) {
      input.stage = stage->second;
      input.path = below(recipe_.stages[static_cast<size_t>(input.stage)].outputs.front().path);
    } else if (const auto outside = names_.inputs.find(head); outside != names_.inputs.end()) {
      input.path = below(outside->second);
    } else if (slash != std::string::npos || fs::exists(given) || eval::is_endpoint(given)) {
      input.path = given;
    } else {
      std::vector<std::string> known;
      for (const auto& [name, index] : names_.stages) known.push_back(name);
      for (const auto& [name, path] : names_.inputs) known.push_back(name);
      Error error(ErrorKind::invalid, at(stage_.mark) + "stage '" + stage_.name + "': '" + role +
                                          ": " + given +
                                          "' names no earlier stage, declared input or file");
      const std::string near = nearest(given, known);
      throw error.with_hint(near.empty() ? "stages may use only stages written before them"
                                         : "did you mean '" + near + "'?");
    }
    stage_.inputs.push_back(input);
    return input.path.string();
  }

  const Names& names_;
  const Recipe& recipe_;
  Stage& stage_;
};

Stage read_stage(const Node::Entry& entry, const Names& names, const Recipe& recipe,
                 const std::vector<StageKind>& kinds) {
  Stage stage{.name = entry.key, .mark = entry.key_mark};
  if (!entry.value.is_map())
    throw Error(ErrorKind::invalid,
                at(entry.key_mark) + "stage '" + entry.key + "' must be a section with a kind");
  Node options = Node::map(entry.value.mark());
  for (const auto& option : entry.value.entries()) {
    if (option.key == "kind") stage.kind = option.value.text();
    else options.set(option.key, option.key_mark, option.value);
  }
  const auto kind =
      std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.name == stage.kind; });
  if (kind == kinds.end()) {
    std::vector<std::string> known;
    std::string all;
    for (const auto& k : kinds) {
      known.push_back(k.name);
      all += (all.empty() ? "" : ", ") + k.name;
    }
    Error error(ErrorKind::invalid,
                at(entry.key_mark) + (stage.kind.empty() ? "stage '" + stage.name + "' has no kind"
                                                         : "no stage kind '" + stage.kind + "'"));
    const std::string near = nearest(stage.kind, known);
    throw error.with_hint((near.empty() ? "" : "did you mean '" + near + "'? ") + "kinds: " + all);
  }
  stage.module = kind->module;
  const auto described = kind->make();
  const Describe describe = [&](Fields& f) { described->describe(f); };
  in_context([&] { return "reading stage '" + stage.name + "' (" + stage.kind + ")"; },
             [&] { read_options(options, describe); });
  stage.written = options_json(describe);
  for (const auto& field : options_fields(describe)) {
    if (field.role == FieldRole::output || field.name == "resume" || field.name == "restart")
      stage.written.erase(field.name);
    stage.can_resume = stage.can_resume || field.name == "resume";
  }
  Resolver resolver(names, recipe, stage);
  described->describe(resolver);
  stage.resolved = options_json(describe);
  if (stage.outputs.empty())
    throw Error(ErrorKind::invalid,
                at(entry.key_mark) + "'" + stage.kind + "' makes nothing: it cannot be a stage");
  return stage;
}

}  // namespace

const Stage* Recipe::find(std::string_view wanted) const {
  for (const auto& stage : stages)
    if (stage.name == wanted) return &stage;
  return nullptr;
}

Recipe load_recipe(const fs::path& file, const fs::path& workspace, const Node& over,
                   const std::vector<StageKind>& kinds) {
  Node tree = load_yaml(file.string());
  if (over.is_map()) tree.merge(over);
  Header header;
  read_options(tree, describe(header));
  Recipe recipe{.name = header.name.empty() ? file.stem().string() : header.name,
                .about = header.about,
                .file = file,
                .workspace = workspace};
  if (!header.stages.is_map() || header.stages.entries().empty())
    throw Error(ErrorKind::invalid, file.string() + ": a recipe needs stages");
  Names names;
  for (const auto& entry : header.inputs.entries()) {
    if (!entry.value.is_scalar())
      throw Error(ErrorKind::invalid,
                  at(entry.key_mark) + "input '" + entry.key + "' must be a path");
    names.inputs[entry.key] = entry.value.text();
  }
  for (const auto& entry : header.stages.entries()) {
    if (names.inputs.contains(entry.key))
      throw Error(ErrorKind::invalid,
                  at(entry.key_mark) + "'" + entry.key + "' is also the name of an input");
    if (entry.key.find_first_of("/\\ ") != std::string::npos || entry.key.starts_with("."))
      throw Error(ErrorKind::invalid,
                  at(entry.key_mark) + "a stage's name is a folder's name: no spaces or slashes");
    recipe.stages.push_back(read_stage(entry, names, recipe, kinds));
    names.stages[entry.key] = static_cast<int>(recipe.stages.size()) - 1;
  }
  return recipe;
}

}  // namespace helio::jobs
