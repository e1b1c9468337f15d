#include "data/dataverse/dataverse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "core/options.h"
#include "data/dataverse/blocks.h"

namespace helio::data {
namespace dataverse {
namespace {

std::string at(const Mark& mark) {
  const std::string place = mark.str();
  return place.empty() ? "" : place + ": ";
}

[[noreturn]] void unknown(const Mark& mark, std::string_view what, const std::string& name,
                          const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  std::string hint = near.empty() ? "" : "did you mean '" + near + "'? ";
  if (known.empty()) hint += "it takes none";
  else if (known.size() <= 12) {
    hint += "known are ";
    for (size_t i = 0; i < known.size(); ++i) hint += (i ? ", " : "") + known[i];
  }
  refuse(mark, fmt::format("unknown {} '{}'", what, name), hint);
}

// What the settings of Spark are for, and what does it here.
struct Setting {
  const char* key;
  const char* instead;
};
constexpr Setting kSettings[] = {
    {"spark.master", "helio runs on this machine; --threads says on how many cores"},
    {"spark.appname", "there is no application to name"},
    {"spark.driver.memory", "--memory bounds what a run holds"},
    {"spark.driver.maxResultSize", "nothing is gathered in a driver"},
    {"spark.executor.memory", "--memory bounds what a run holds"},
    {"spark.local.dir", "scratch files lie beside the output"},
    {"spark.ui.port", "there is no page to serve; the report is a file"},
    {"spark.verbose", "progress is always shown"}};

void read_settings(const Node& node, const std::string& path, Building& building) {
  for (const auto& entry : node.entries()) {
    const std::string key = path + "." + entry.key;
    std::vector<std::string> known;
    bool section = false;
    const Setting* found = nullptr;
    for (const Setting& setting : kSettings) {
      const std::string_view name = setting.key;
      if (name == key) found = &setting;
      if (name.starts_with(key + ".")) section = true;
      if (name.starts_with(path + ".")) {
        const std::string_view rest = name.substr(path.size() + 1);
        known.emplace_back(rest.substr(0, rest.find('.')));
      }
    }
    if (found) building.note(entry.key_mark, key + " is not used: " + found->instead);
    else if (section && entry.value.is_map()) read_settings(entry.value, key, building);
    else if (!section) unknown(entry.key_mark, "key of " + path, entry.key, known);
    else if (!entry.value.is_null())
      refuse(entry.value.mark(), "'" + key + "' has keys of its own", "");
  }
}

void read_block(const Node& node, Building& building) {
  if (!node.is_map())
    refuse(node.mark(), "an entry of 'etl' is a map with 'name' and 'args'",
           "- name: cleaning___unicode___normalize");
  for (const auto& entry : node.entries())
    if (entry.key != "name" && entry.key != "args")
      unknown(entry.key_mark, "key of a block", entry.key, {"name", "args"});
  const Node* name = node.find("name");
  if (!name || !name->is_scalar()) refuse(node.mark(), "a block without a 'name'", "");
  const auto found = blocks().find(name->text());
  if (found == blocks().end()) {
    std::vector<std::string> known;
    for (const auto& [each, block] : blocks()) known.push_back(each);
    unknown(name->mark(), "block", name->text(), known);
  }
  const Node* args = node.find("args");
  if (args && !args->is_null() && !args->is_map())
    refuse(args->mark(), "'args' is a map of arguments", "");
  if (args)
    for (const auto& entry : args->entries()) {
      const auto& names = found->second.arguments;
      if (std::find(names.begin(), names.end(), entry.key) == names.end())
        unknown(entry.key_mark, "argument of " + found->first, entry.key, names);
    }
  const bool writes =
      found->first.starts_with("data_save") || found->first.starts_with("data_load");
  if (!building.recipe.outputs.empty() && !writes)
    refuse(name->mark(), "no block can follow the one that saves", "move the saving to the end");
  if (building.chunk_words > 0 && !writes && !found->first.starts_with("utils___log"))
    refuse(name->mark(), "documents are cut into chunks only as they are written",
           "move cleaning___document___split_by_word behind this block, to just before the saving");
  const Arguments arguments(args && args->is_map() ? args : nullptr, name->mark());
  in_context([&] { return "reading the block " + found->first; },
             [&] { found->second.build(arguments, building); });
  building.ignored(arguments, {"verbose"}, "progress is always shown");
}

}  // namespace

void refuse(const Mark& mark, std::string message, std::string hint) {
  Error error(ErrorKind::invalid, at(mark) + message);
  if (!hint.empty()) error.with_hint(std::move(hint));
  throw error;
}

const Node* Arguments::find(std::string_view name) const {
  const Node* found = map_ ? map_->find(name) : nullptr;
  if (!found || found->is_null()) return nullptr;
  const bool none = found->is_scalar() && !found->quoted() && found->text() == "None";
  return none ? nullptr : found;
}

Mark Arguments::mark(std::string_view name) const {
  const Node* found = find(name);
  return found ? found->mark() : block_;
}

std::string Arguments::text(std::string_view name, std::string otherwise) const {
  const Node* found = find(name);
  if (!found) return otherwise;
  if (!found->is_scalar()) refuse(found->mark(), "'" + std::string(name) + "' is one value", "");
  return found->text();
}

int64_t Arguments::integer(std::string_view name, int64_t otherwise) const {
  const Node* found = find(name);
  if (!found) return otherwise;
  const std::string value = text(name, "");
  int64_t result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (error != std::errc() || end != value.data() + value.size())
    refuse(found->mark(), "'" + std::string(name) + "' is a whole number, not '" + value + "'", "");
  return result;
}

double Arguments::number(std::string_view name, double otherwise) const {
  const Node* found = find(name);
  if (!found) return otherwise;
  const std::string value = text(name, "");
  double result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(result))
    refuse(found->mark(), "'" + std::string(name) + "' is a number, not '" + value + "'", "");
  return result;
}

bool Arguments::boolean(std::string_view name, bool otherwise) const {
  const Node* found = find(name);
  if (!found) return otherwise;
  const std::string value = text(name, "");
  if (value == "true" || value == "True" || value == "TRUE") return true;
  if (value == "false" || value == "False" || value == "FALSE") return false;
  refuse(found->mark(), "'" + std::string(name) + "' is true or false, not '" + value + "'", "");
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
  const Node* found = find(name);
  if (!found) return {};
  if (found->is_scalar()) return {found->text()};
  std::vector<std::string> all;
  for (const Node& item : found->items()) {
    if (!item.is_scalar()) refuse(item.mark(), "'" + std::string(name) + "' lists names", "");
    all.push_back(item.text());
  }
  return all;
}

void Building::note(const Mark& mark, const std::string& what) {
  recipe.notes.push_back(at(mark) + what);
}

void Building::ignored(const Arguments& arguments, std::initializer_list<std::string_view> names,
                       const std::string& why) {
  for (const std::string_view name : names)
    if (arguments.find(name))
      note(arguments.mark(name), fmt::format("'{}' is not used: {}", name, why));
}

void Building::use_column(const Arguments& arguments) {
  const auto names = arguments.texts("subset");
  if (names.size() > 1)
    refuse(arguments.mark("subset"), "a document has one text: 'subset' names one column", "");
  const std::string name = names.empty() ? "text" : names[0];
  if (column.empty()) {
    column = name;
    column_mark = arguments.mark("subset");
  } else if (column != name) {
    refuse(arguments.mark("subset"),
           fmt::format("this block works on '{}', an earlier one on '{}' ({})", name, column,
                       column_mark.str()),
           "a document has one text: write one configuration for each column");
  }
}

void Building::input(const Mark& mark, std::string path, std::string format) {
  Node input = Node::map(mark);
  set_text(input, mark, "path", std::move(path));
  if (format != "auto") set_text(input, mark, "format", format);
  if (format != "wet") input.set("keep_columns", mark, Node::scalar("true", mark));
  recipe.inputs.push_back(std::move(input));
}

Node& Building::step(const Mark& mark, std::string op) {
  Node step = Node::map(mark);
  set_text(step, mark, "op", std::move(op));
  recipe.steps.push_back(std::move(step));
  return recipe.steps.items().back();
}

void set_text(Node& map, const Mark& mark, std::string key, std::string value) {
  Node node = Node::scalar(std::move(value), mark);
  map.set(std::move(key), mark, std::move(node));
}

void set_number(Node& map, const Mark& mark, std::string key, double value) {
  set_text(map, mark, std::move(key), fmt::format("{}", value));
}

const std::map<std::string, Block, std::less<>>& blocks() {
  static const auto all = [] {
    std::map<std::string, Block, std::less<>> map;
    add_readers(map);
    add_steps(map);
    return map;
  }();
  return all;
}

}  // namespace dataverse

bool is_dataverse(const Node& config) {
  const Node* etl = config.is_map() ? config.find("etl") : nullptr;
  return etl && etl->is_list();
}

Node pipeline_config(const DataverseRecipe& recipe) {
  const Mark mark = recipe.steps.mark();
  Node config = Node::map(mark), inputs = Node::list(mark), exports = Node::list(mark);
  for (const Node& input : recipe.inputs) inputs.push_back(input);
  for (const Node& output : recipe.outputs) exports.push_back(output);
  config.set("inputs", mark, std::move(inputs));
  config.set("steps", mark, recipe.steps);
  config.set("exports", mark, std::move(exports));
  if (!recipe.outputs.empty()) {
    const Node& path = *recipe.outputs.front().find("path");
    std::string out = path.text();
    while (out.size() > 1 && out.back() == '/') out.pop_back();
    if (!out.starts_with("s3://"))
      config.set("out", mark, Node::scalar(out + "-dataset", path.mark()));
  }
  return config;
}

std::vector<std::string> dataverse_blocks() {
  std::vector<std::string> names;
  for (const auto& [name, block] : dataverse::blocks()) names.push_back(name);
  return names;
}

DataverseRecipe read_dataverse(const Node& config) {
  using namespace dataverse;
  if (!config.is_map()) refuse(config.mark(), "a Dataverse configuration is a map with 'etl'", "");
  Building building;
  building.recipe.steps = Node::list(config.mark());
  for (const auto& entry : config.entries()) {
    if (entry.key == "spark") read_settings(entry.value, "spark", building);
    else if (entry.key == "emr")
      building.note(entry.key_mark, "emr is not used: helio starts no clusters");
    else if (entry.key != "etl") unknown(entry.key_mark, "key", entry.key, {"spark", "etl", "emr"});
  }
  const Node* etl = config.find("etl");
  if (!etl || !etl->is_list() || etl->items().empty())
    refuse(etl ? etl->mark() : config.mark(), "'etl' lists the blocks to run", "");
  for (const Node& block : etl->items()) read_block(block, building);

  DataverseRecipe& recipe = building.recipe;
  if (recipe.inputs.empty())
    refuse(etl->mark(), "no block reads anything",
           "begin with one of data_ingestion, for example data_ingestion___parquet___pq2raw");
  // Each document has the text of one column: two columns put together are two readings.
  const std::vector<std::string> columns =
      building.merged.empty() ? std::vector<std::string>{building.column} : building.merged;
  std::vector<Node> inputs;
  for (const std::string& column : columns)
    for (const Node& input : recipe.inputs) {
      inputs.push_back(input);
      const Node* format = input.find("format");
      if (!column.empty() && column != "text" && !(format && format->text() == "wet"))
        set_text(inputs.back(), building.column_mark, "text_column", column);
    }
  recipe.inputs = std::move(inputs);
  return recipe;
}

MinHashBands best_bands(double threshold, int permutations) {
  // Simpson's rule; the integrands are smooth, 200 intervals give more than six digits.
  const auto integral = [](auto&& f, double from, double to) {
    constexpr int intervals = 200;
    const double width = (to - from) / intervals;
    double sum = f(from) + f(to);
    for (int i = 1; i < intervals; ++i) sum += f(from + i * width) * (i % 2 == 1 ? 4 : 2);
    return sum * width / 3;
  };
  double least = INFINITY;
  MinHashBands best;
  for (int bands = 1; bands <= permutations; ++bands)
    for (int rows = 1; rows <= permutations / bands; ++rows) {
      const auto candidate = [&](double s) { return 1 - std::pow(1 - std::pow(s, rows), bands); };
      const double false_positives = integral(candidate, 0, threshold);
      const double false_negatives =
          integral([&](double s) { return 1 - candidate(s); }, threshold, 1);
      const double error = 0.5 * false_positives + 0.5 * false_negatives;
      if (error < least) {
        least = error;
        best = {bands, rows};
      }
    }
  return best;
}

}  // namespace helio::data
