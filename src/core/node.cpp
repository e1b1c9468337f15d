#include "core/node.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/fs.h"

namespace helio {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxNodes = 1'000'000;  // aliases may repeat a part as often as they like

Mark mark_of(const YAML::Node& node, const std::string& source) {
  const auto mark = node.Mark();
  if (mark.is_null()) return {.source = source};
  return {.source = source, .line = mark.line + 1, .column = mark.column + 1};
}

Node convert(const YAML::Node& yaml, const std::string& source, int depth, size_t& nodes) {
  const Mark mark = mark_of(yaml, source);
  if (++nodes > kMaxNodes)
    throw Error(ErrorKind::invalid, mark.str() + ": more than " + std::to_string(kMaxNodes) +
                                        " values, aliases read out");
  if (depth > kMaxDepth)
    throw Error(ErrorKind::invalid,
                mark.str() + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
  switch (yaml.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return Node();
    case YAML::NodeType::Scalar: {
      Node node = Node::scalar(yaml.Scalar(), mark);
      node.set_quoted(yaml.Tag() == "!");
      return node;
    }
    case YAML::NodeType::Sequence: {
      Node node = Node::list(mark);
      for (const auto& item : yaml) node.push_back(convert(item, source, depth + 1, nodes));
      return node;
    }
    case YAML::NodeType::Map: {
      Node node = Node::map(mark);
      for (const auto& entry : yaml) {
        const Mark key_mark = mark_of(entry.first, source);
        if (!entry.first.IsScalar())
          throw Error(ErrorKind::invalid, key_mark.str() + ": a key must be a plain word");
        const std::string key = entry.first.Scalar();
        if (node.find(key))
          throw Error(ErrorKind::invalid, key_mark.str() + ": key '" + key + "' appears twice");
        node.set(key, key_mark, convert(entry.second, source, depth + 1, nodes));
      }
      return node;
    }
  }
  return {};
}

// YAML 1.2 core schema for unquoted scalars.
nlohmann::ordered_json scalar_json(const Node& node) {
  const std::string& text = node.text();
  if (node.quoted()) return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  const char* end = text.data() + text.size();
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  int64_t integer = 0;
  if (auto [at, ec] = std::from_chars(begin, end, integer); ec == std::errc() && at == end)
    return integer;
  double number = 0;
  if (auto [at, ec] = std::from_chars(begin, end, number); ec == std::errc() && at == end)
    return number;
  return text;
}

}  // namespace

std::string Mark::str() const {
  if (line == 0) return source;
  return source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Node Node::scalar(std::string text, Mark mark) {
  Node node;
  node.kind_ = Kind::scalar;
  node.text_ = std::move(text);
  node.mark_ = std::move(mark);
  return node;
}

Node Node::list(Mark mark) {
  Node node;
  node.kind_ = Kind::list;
  node.mark_ = std::move(mark);
  return node;
}

Node Node::map(Mark mark) {
  Node node;
  node.kind_ = Kind::map;
  node.mark_ = std::move(mark);
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const auto& entry : entries_)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

void Node::set(std::string key, Mark key_mark, Node value) {
  kind_ = Kind::map;
  for (auto& entry : entries_)
    if (entry.key == key) {
      entry.key_mark = std::move(key_mark);
      entry.value = std::move(value);
      return;
    }
  entries_.push_back(
      {.key = std::move(key), .key_mark = std::move(key_mark), .value = std::move(value)});
}

void Node::merge(const Node& over) {
  if (!is_map() || !over.is_map()) {
    *this = over;
    return;
  }
  for (const auto& entry : over.entries()) {
    if (Node* mine = find(entry.key); mine && mine->is_map() && entry.value.is_map())
      mine->merge(entry.value);
    else set(entry.key, entry.key_mark, entry.value);
  }
}

void Node::set_path(std::string_view dotted, Node value) {
  const size_t dot = dotted.find('.');
  const std::string head(dotted.substr(0, dot));
  if (dot == std::string_view::npos) {
    const Mark mark = value.mark();
    set(head, mark, std::move(value));
    return;
  }
  Node* child = find(head);
  if (!child || !child->is_map()) {
    set(head, value.mark(), Node::map(value.mark()));
    child = find(head);
  }
  child->set_path(dotted.substr(dot + 1), std::move(value));
}

nlohmann::ordered_json Node::json() const {
  switch (kind_) {
    case Kind::null:
      return nullptr;
    case Kind::scalar:
      return scalar_json(*this);
    case Kind::list: {
      auto list = nlohmann::ordered_json::array();
      for (const auto& item : items_) list.push_back(item.json());
      return list;
    }
    case Kind::map: {
      auto map = nlohmann::ordered_json::object();
      for (const auto& entry : entries_) map[entry.key] = entry.value.json();
      return map;
    }
  }
  return nullptr;
}

Node parse_yaml(std::string_view text, const std::string& source) {
  try {
    size_t nodes = 0;
    const Node node = convert(YAML::Load(std::string(text)), source, 0, nodes);
    return node.is_null() ? Node::map({.source = source, .line = 1, .column = 1}) : node;
  } catch (const YAML::Exception& problem) {
    const Mark mark{.source = source,
                    .line = problem.mark.is_null() ? 1 : problem.mark.line + 1,
                    .column = problem.mark.is_null() ? 1 : problem.mark.column + 1};
    throw Error(ErrorKind::invalid, mark.str() + ": not valid YAML: " + problem.msg);
  }
}

Node load_yaml(const std::string& path) {
  const size_t hash = path.rfind('#');
  const std::string file = path.substr(0, hash);
  Node node = in_context([&] { return "reading " + file; },
                         [&] { return parse_yaml(read_file(file), file); });
  if (hash == std::string::npos) return node;
  std::string rest = path.substr(hash + 1);
  while (!rest.empty()) {
    const size_t dot = rest.find('.');
    const std::string key = rest.substr(0, dot);
    const Node* child = node.find(key);
    if (!child) throw Error(ErrorKind::not_found, file + " has no section '" + key + "'");
    Node next = *child;
    node = std::move(next);
    rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
  }
  return node;
}

}  // namespace helio
