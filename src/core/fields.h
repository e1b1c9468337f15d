// The one description of an options struct. From it follow: reading from YAML with
// file:line:column, command-line flags, environment variables, range checks, unknown-key errors,
// --help, JSON Schema, and the hash of a stage.
//
//   struct Options {
//     double max_share = 0.2;
//     int64_t min_lines = 2;
//     Nested train = {};
//     void describe(Fields& f) {
//       f("max_share", max_share, "Largest share of repeated text.", between(0, 1));
//       f("min_lines", min_lines, "Shorter documents are kept.", at_least(1));
//       f.section("train", train, "How it is trained.");   // train.describe(f)
//     }
//   };
//
// The set of types is closed on purpose: every reader and writer knows every one of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helio {

class Node;

// A rule on one field: checked when read, shown in the help and the schema.
struct Rule {
  std::optional<double> low = {}, high = {};
  std::vector<std::string_view> choices = {};
};
inline Rule between(double low, double high) { return {.low = low, .high = high}; }
inline Rule at_least(double low) { return {.low = low}; }
inline Rule one_of(std::initializer_list<std::string_view> names) { return {.choices = names}; }

class Fields {
 public:
  virtual ~Fields() = default;
  virtual void operator()(const char* name, bool& value, const char* help) = 0;
  virtual void operator()(const char* name, int64_t& value, const char* help,
                          const Rule& rule = {}) = 0;
  virtual void operator()(const char* name, double& value, const char* help,
                          const Rule& rule = {}) = 0;
  virtual void operator()(const char* name, std::string& value, const char* help,
                          const Rule& rule = {}) = 0;
  virtual void operator()(const char* name, std::vector<std::string>& value, const char* help) = 0;
  virtual void operator()(const char* name, std::vector<double>& value, const char* help) = 0;

  // A value that has its own grammar (the steps of a data pipeline): kept as it was written, with
  // its place in the file, and read by its owner.
  virtual void raw(const char* name, Node& value, const char* help) = 0;

  // An artefact this stage reads: in a recipe the name of an earlier stage (or a path), on the
  // command line a path. Recipes draw their dependency graph from these.
  virtual void input(const char* name, std::string& value, const char* help) = 0;
  virtual void input(const char* name, std::vector<std::string>& value, const char* help) = 0;
  // Where the stage puts its result; in a recipe it follows from the stage's name.
  // `place` is the folder of the workspace: "models", "datasets", "runs", ...
  virtual void output(const char* name, std::string& value, const char* place,
                      const char* help) = 0;

  template <class T>
  void section(const char* name, T& options, const char* help) {
    if (enter(name, help)) {
      options.describe(*this);
      leave();
    }
  }

 protected:
  // Return false to skip the section.
  virtual bool enter(const char* name, const char* help) = 0;
  virtual void leave() = 0;
};

// Anything with options: a command, a stage of a recipe.
class Described {
 public:
  virtual ~Described() = default;
  virtual void describe(Fields& fields) = 0;
};

}  // namespace helio
