// A parsed recipe or configuration value that remembers where it was written.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helio {

// Where a value came from: a place in a file, a flag ("--train.lr") or an environment variable.
struct Mark {
  std::string source = {};
  int line = 0, column = 0;  // from 1; 0 when the source is not a file
  std::string str() const;   // "recipe.yaml:12:5" or "--train.lr"
};

class Node {
 public:
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Node() = default;
  static Node scalar(std::string text, Mark mark);
  static Node list(Mark mark);
  static Node map(Mark mark);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_scalar() const { return kind_ == Kind::scalar; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::map; }
  const Mark& mark() const { return mark_; }

  const std::string& text() const { return text_; }  // of a scalar
  // True for a scalar that was quoted: "8" is a string, 8 a number.
  bool quoted() const { return quoted_; }
  void set_quoted(bool quoted) { quoted_ = quoted; }

  const std::vector<Node>& items() const { return items_; }  // of a list
  std::vector<Node>& items() { return items_; }
  void push_back(Node node);

  const std::vector<Entry>& entries() const { return entries_; }  // of a map, in written order
  std::vector<Entry>& entries() { return entries_; }
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  void set(std::string key, Mark key_mark, Node value);  // replaces or appends

  // Lays `over` on top: maps merge key by key, anything else replaces.
  void merge(const Node& over);
  // Puts `value` at a dotted path ("train.lr"), making maps on the way.
  void set_path(std::string_view dotted, Node value);

  nlohmann::ordered_json json() const;  // numbers and booleans by YAML 1.2's core schema

 private:
  Kind kind_ = Kind::null;
  Mark mark_ = {};
  std::string text_ = {};
  bool quoted_ = false;
  std::vector<Node> items_ = {};
  std::vector<Entry> entries_;
};

struct Node::Entry {
  std::string key = {};
  Mark key_mark = {};
  Node value = {};
};

// Where Entry is complete: a Node's members, made or destroyed, need it.
inline void Node::push_back(Node node) { items_.push_back(std::move(node)); }

// Reads YAML (or JSON, which is YAML). Errors carry file:line:column. A repeated key is an error.
Node parse_yaml(std::string_view text, const std::string& source);
Node load_yaml(const std::string& path);  // path may be FILE#section.subsection

}  // namespace helio
