#include "core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace helio {
namespace {

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

// A visitor that knows the dotted path it is at.
class PathFields : public Fields {
 public:
  void input(const char* name, std::string& value, const char* help) override {
    (*this)(name, value, help, Rule{});
  }
  void input(const char* name, std::vector<std::string>& value, const char* help) override {
    (*this)(name, value, help);
  }
  void output(const char* name, std::string& value, const char*, const char* help) override {
    (*this)(name, value, help, Rule{});
  }
  using Fields::operator();
};

class Reader final : public PathFields {
 public:
  explicit Reader(const Node& node) { stack_.push_back({&node, {}}); }

  void operator()(const char* name, bool& value, const char*) override {
    const Node* node = take(name);
    if (!node) return;
    const auto json = scalar(name, *node, "true or false").json();
    if (!json.is_boolean()) wrong(name, *node, "true or false");
    value = json.get<bool>();
  }

  void operator()(const char* name, int64_t& value, const char*, const Rule& rule) override {
    const Node* node = take(name);
    if (!node) return;
    const auto json = scalar(name, *node, "a whole number").json();
    if (json.is_number_integer()) {
      value = json.get<int64_t>();
    } else if (json.is_number_float() && json.get<double>() == std::floor(json.get<double>()) &&
               std::abs(json.get<double>()) < 9e15) {
      value = static_cast<int64_t>(json.get<double>());  // 1e6 is a whole number too
    } else {
      wrong(name, *node, "a whole number");
    }
    in_range(name, *node, static_cast<double>(value), rule);
  }

  void operator()(const char* name, double& value, const char*, const Rule& rule) override {
    const Node* node = take(name);
    if (!node) return;
    value = number(name, *node);
    in_range(name, *node, value, rule);
  }

  void operator()(const char* name, std::string& value, const char*, const Rule& rule) override {
    const Node* node = take(name);
    if (!node) return;
    value = scalar(name, *node, "text").text();
    if (rule.choices.empty()) return;
    if (std::find(rule.choices.begin(), rule.choices.end(), value) == rule.choices.end()) {
      const std::vector<std::string> names(rule.choices.begin(), rule.choices.end());
      Error error(ErrorKind::invalid,
                  at(*node) + in_quotes(value) + " is not a choice for " + in_quotes(name));
      const std::string near = nearest(value, names);
      throw error.with_hint((near.empty() ? "" : "did you mean " + in_quotes(near) + "? ") +
                            "choices: " + joined(names));
    }
  }

  void operator()(const char* name, std::vector<std::string>& value, const char*) override {
    const Node* node = take(name);
    if (!node) return;
    value.clear();
    if (node->is_scalar()) {
      value.push_back(node->text());
      return;
    }
    if (!node->is_list()) wrong(name, *node, "a list of texts");
    for (const auto& item : node->items()) {
      if (!item.is_scalar()) wrong(name, item, "text");
      value.push_back(item.text());
    }
  }

  void operator()(const char* name, std::vector<double>& value, const char*) override {
    const Node* node = take(name);
    if (!node) return;
    value.clear();
    if (node->is_scalar()) {
      value.push_back(number(name, *node));
      return;
    }
    if (!node->is_list()) wrong(name, *node, "a list of numbers");
    for (const auto& item : node->items()) value.push_back(number(name, item));
  }

  void raw(const char* name, Node& value, const char*) override {
    if (const Node* node = take(name)) value = *node;
  }

  // Checks that nothing unknown is left at the outermost level.
  void finish() { check_unknown(); }

 protected:
  bool enter(const char* name, const char*) override {
    const Node* node = take(name);
    if (!node) return false;
    if (!node->is_map()) wrong(name, *node, "a section with keys");
    stack_.push_back({node, {}});
    return true;
  }

  void leave() override {
    check_unknown();
    stack_.pop_back();
  }

 private:
  struct Level {
    const Node* node;
    std::vector<std::string> known;
  };

  const Node* take(const char* name) {
    stack_.back().known.emplace_back(name);
    const Node* node = stack_.back().node->find(name);
    return node && !node->is_null() ? node : nullptr;
  }

  static std::string at(const Node& node) {
    const std::string mark = node.mark().str();
    return mark.empty() ? "" : mark + ": ";
  }

  [[noreturn]] static void wrong(const char* name, const Node& node, const char* expected) {
    const std::string got = node.is_scalar() ? in_quotes(node.text())
                            : node.is_list() ? "a list"
                            : node.is_map()  ? "a section"
                                             : "nothing";
    throw Error(ErrorKind::invalid,
                at(node) + in_quotes(name) + " must be " + expected + ", not " + got);
  }

  static const Node& scalar(const char* name, const Node& node, const char* expected) {
    if (!node.is_scalar()) wrong(name, node, expected);
    return node;
  }

  static double number(const char* name, const Node& node) {
    const auto json = scalar(name, node, "a number").json();
    if (!json.is_number()) wrong(name, node, "a number");
    const double value = json.get<double>();
    if (!std::isfinite(value)) wrong(name, node, "a finite number");
    return value;
  }

  static void in_range(const char* name, const Node& node, double value, const Rule& rule) {
    if ((rule.low && value < *rule.low) || (rule.high && value > *rule.high)) {
      std::string range = rule.low && rule.high ? "between " + nlohmann::json(*rule.low).dump() +
                                                      " and " + nlohmann::json(*rule.high).dump()
                          : rule.low ? "at least " + nlohmann::json(*rule.low).dump()
                                     : "at most " + nlohmann::json(*rule.high).dump();
      throw Error(ErrorKind::invalid,
                  at(node) + in_quotes(name) + " is " + node.text() + " but must be " + range);
    }
  }

  void check_unknown() {
    const Level& level = stack_.back();
    for (const auto& entry : level.node->entries()) {
      if (std::find(level.known.begin(), level.known.end(), entry.key) != level.known.end())
        continue;
      const std::string mark = entry.key_mark.str();
      Error error(ErrorKind::invalid,
                  (mark.empty() ? "" : mark + ": ") + "unknown key " + in_quotes(entry.key));
      const std::string near = nearest(entry.key, level.known);
      throw error.with_hint(near.empty() ? "known keys: " + joined(level.known)
                                         : "did you mean " + in_quotes(near) +
                                               "? known keys: " + joined(level.known));
    }
  }

  std::vector<Level> stack_;
};

class JsonWriter final : public PathFields {
 public:
  JsonWriter() { stack_.push_back(&root); }
  void operator()(const char* n, bool& v, const char*) override { put(n, v); }
  void operator()(const char* n, int64_t& v, const char*, const Rule&) override { put(n, v); }
  void operator()(const char* n, double& v, const char*, const Rule&) override { put(n, v); }
  void operator()(const char* n, std::string& v, const char*, const Rule&) override { put(n, v); }
  void operator()(const char* n, std::vector<std::string>& v, const char*) override { put(n, v); }
  void operator()(const char* n, std::vector<double>& v, const char*) override { put(n, v); }
  void raw(const char* n, Node& v, const char*) override { (*stack_.back())[n] = v.json(); }
  nlohmann::ordered_json root = nlohmann::ordered_json::object();

 protected:
  bool enter(const char* n, const char*) override {
    auto& child = (*stack_.back())[n];
    child = nlohmann::ordered_json::object();
    stack_.push_back(&child);
    return true;
  }
  void leave() override { stack_.pop_back(); }

 private:
  template <class T>
  void put(const char* name, const T& value) {
    (*stack_.back())[name] = value;
  }
  std::vector<nlohmann::ordered_json*> stack_;
};

class SchemaWriter final : public PathFields {
 public:
  SchemaWriter() {
    stack_.push_back(&root);
    open(root);
  }
  void operator()(const char* n, bool& v, const char* h) override { put(n, "boolean", v, h, {}); }
  void operator()(const char* n, int64_t& v, const char* h, const Rule& r) override {
    put(n, "integer", v, h, r);
  }
  void operator()(const char* n, double& v, const char* h, const Rule& r) override {
    put(n, "number", v, h, r);
  }
  void operator()(const char* n, std::string& v, const char* h, const Rule& r) override {
    put(n, "string", v, h, r);
  }
  void operator()(const char* n, std::vector<std::string>& v, const char* h) override {
    put(n, "array", v, h, {});
    property(n)["items"] = {{"type", "string"}};
  }
  void operator()(const char* n, std::vector<double>& v, const char* h) override {
    put(n, "array", v, h, {});
    property(n)["items"] = {{"type", "number"}};
  }
  void raw(const char* n, Node&, const char* h) override { property(n) = {{"description", h}}; }
  nlohmann::ordered_json root = nlohmann::ordered_json::object();

 protected:
  bool enter(const char* n, const char* h) override {
    auto& child = property(n);
    open(child);
    child["description"] = h;
    stack_.push_back(&child);
    return true;
  }
  void leave() override { stack_.pop_back(); }

 private:
  static void open(nlohmann::ordered_json& schema) {
    schema = {{"type", "object"},
              {"additionalProperties", false},
              {"properties", nlohmann::ordered_json::object()}};
  }
  nlohmann::ordered_json& property(const char* name) {
    return (*stack_.back())["properties"][name];
  }
  template <class T>
  void put(const char* name, const char* type, const T& value, const char* help, const Rule& rule) {
    auto& field = property(name);
    field = {{"type", type}, {"description", help}, {"default", value}};
    if (rule.low) field["minimum"] = *rule.low;
    if (rule.high) field["maximum"] = *rule.high;
    if (!rule.choices.empty())
      field["enum"] = std::vector<std::string>(rule.choices.begin(), rule.choices.end());
  }
  std::vector<nlohmann::ordered_json*> stack_;
};

class Lister final : public Fields {
 public:
  using Fields::operator();
  void operator()(const char* n, bool& v, const char* h) override {
    put(n, h, v ? "true" : "false", FieldType::boolean, {});
  }
  void operator()(const char* n, int64_t& v, const char* h, const Rule& r) override {
    put(n, h, std::to_string(v), FieldType::integer, r);
  }
  void operator()(const char* n, double& v, const char* h, const Rule& r) override {
    put(n, h, nlohmann::json(v).dump(), FieldType::number, r);
  }
  void operator()(const char* n, std::string& v, const char* h, const Rule& r) override {
    put(n, h, v, FieldType::string, r);
  }
  void operator()(const char* n, std::vector<std::string>& v, const char* h) override {
    put(n, h, joined(v), FieldType::strings, {});
  }
  void operator()(const char* n, std::vector<double>& v, const char* h) override {
    std::vector<std::string> words;
    for (const double each : v) {
      const auto whole = static_cast<int64_t>(each);
      const bool is_whole = std::abs(each) < 1e15 && static_cast<double>(whole) == each;
      words.push_back(is_whole ? std::to_string(whole) : nlohmann::json(each).dump());
    }
    put(n, h, joined(words), FieldType::numbers, {});
  }
  void raw(const char* n, Node&, const char* h) override { put(n, h, "", FieldType::raw, {}); }
  void input(const char* n, std::string& v, const char* h) override {
    put(n, h, v, FieldType::string, {}, FieldRole::input);
  }
  void input(const char* n, std::vector<std::string>& v, const char* h) override {
    put(n, h, joined(v), FieldType::strings, {}, FieldRole::input);
  }
  void output(const char* n, std::string& v, const char* place, const char* h) override {
    put(n, h, v, FieldType::string, {}, FieldRole::output);
    fields.back().place = place;
  }
  std::vector<FieldInfo> fields;

 protected:
  bool enter(const char* n, const char*) override {
    prefix_ += std::string(n) + ".";
    return true;
  }
  void leave() override {
    prefix_.pop_back();
    const size_t dot = prefix_.rfind('.');
    prefix_ = dot == std::string::npos ? "" : prefix_.substr(0, dot + 1);
  }

 private:
  void put(const char* name, const char* help, std::string value, FieldType type, const Rule& rule,
           FieldRole role = FieldRole::plain) {
    fields.push_back({.name = prefix_ + name,
                      .help = help,
                      .value = std::move(value),
                      .type = type,
                      .role = role,
                      .rule = rule});
  }
  std::string prefix_;
};

// Optimal string alignment distance: insert, delete, replace, swap neighbours.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

void read_options(const Node& node, const Describe& describe) {
  if (node.is_null()) return;
  if (!node.is_map())
    throw Error(ErrorKind::invalid, node.mark().str() + ": expected a section with keys");
  Reader reader(node);
  describe(reader);
  reader.finish();
}

nlohmann::ordered_json options_json(const Describe& describe) {
  JsonWriter writer;
  describe(writer);
  return writer.root;
}

nlohmann::ordered_json options_schema(const Describe& describe) {
  SchemaWriter writer;
  describe(writer);
  return writer.root;
}

std::vector<FieldInfo> options_fields(const Describe& describe) {
  Lister lister;
  describe(lister);
  return lister.fields;
}

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const auto& name : known) {
    if (name.size() > 200 || word.size() > 200) continue;
    const size_t d = distance(word, name);
    if (d < best_distance) {
      best_distance = d;
      best = name;
    }
  }
  return best;
}

}  // namespace helio
