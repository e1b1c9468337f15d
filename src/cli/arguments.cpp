#include "cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/error.h"

namespace helio::cli {
namespace {

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string flag_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return (name.size() == 1 ? "-" : "--") + name;  // a name of one letter: -n
}

Node value_node(const FieldInfo& field, const std::string& text, const Mark& mark) {
  if (field.type == FieldType::raw) {  // YAML or JSON written on the command line
    Node node = parse_yaml(text, mark.source);
    return node;
  }
  Node node = Node::scalar(text, mark);
  if (field.type == FieldType::string || field.type == FieldType::strings) node.set_quoted(true);
  return node;
}

const FieldInfo* field_named(const std::vector<FieldInfo>& fields, const std::string& name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

bool is_list(const FieldInfo& field) {
  return field.type == FieldType::strings || field.type == FieldType::numbers;
}

// Puts a value at the field's place; list fields collect.
void put(Node& tree, const FieldInfo& field, const std::string& text, const Mark& mark) {
  if (!is_list(field)) {
    tree.set_path(field.name, value_node(field, text, mark));
    return;
  }
  Node* at = &tree;
  std::string rest = field.name;
  for (size_t dot; at && (dot = rest.find('.')) != std::string::npos; rest = rest.substr(dot + 1))
    at = at->find(rest.substr(0, dot));
  Node* list = at ? at->find(rest) : nullptr;
  if (!list) {
    tree.set_path(field.name, Node::list(mark));
    put(tree, field, text, mark);
    return;
  }
  list->push_back(value_node(field, text, mark));
}

bool looks_like_flag(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         !(std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
}

bool is_yaml(const std::string& word) {
  const std::string file = word.substr(0, word.find('#'));
  return file.ends_with(".yaml") || file.ends_with(".yml");
}

bool names(const std::vector<std::string>& list, const std::string& field) {
  return std::find(list.begin(), list.end(), field) != list.end();
}

bool is_set(const Node& tree, const std::string& dotted) {
  const Node* at = &tree;
  std::string rest = dotted;
  for (size_t dot; at && (dot = rest.find('.')) != std::string::npos; rest = rest.substr(dot + 1))
    at = at->find(rest.substr(0, dot));
  const Node* found = at ? at->find(rest) : nullptr;
  return found && !found->is_null() && !(found->is_scalar() && found->text().empty());
}

}  // namespace

ParsedArguments parse_arguments(const std::vector<std::string>& words,
                                const std::vector<FieldInfo>& fields, const Card& card) {
  ParsedArguments parsed;
  parsed.flags = Node::map({.source = "the command line"});
  size_t position = 0;
  bool only_positional = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!only_positional && word == "--") {
      only_positional = true;
      continue;
    }
    if (only_positional || !looks_like_flag(word)) {
      if (card.recipe && i == 0 && is_yaml(word)) {
        parsed.common.config = word;
        continue;
      }
      if (position >= card.positional.size())
        throw Error(ErrorKind::usage, "unexpected word '" + word + "'")
            .with_hint("see --help for what this command takes");
      const std::string& name = card.positional[position];
      const FieldInfo* field = field_named(fields, name);
      HELIO_CHECK(field, "positional argument without a field: " + name);
      put(parsed.flags, *field, word, {.source = name});
      if (!is_list(*field)) ++position;
      continue;
    }
    if (word == "-h" || word == "--help") {
      parsed.common.help = true;
      continue;
    }
    std::string name = word, value;
    bool has_value = false;
    if (const size_t equals = word.find('='); equals != std::string::npos) {
      name = word.substr(0, equals);
      value = word.substr(equals + 1);
      has_value = true;
    }
    const Mark mark{.source = name};
    const std::string key = with_underscores(name.substr(name.starts_with("--") ? 2 : 1));
    const FieldInfo* field =
        name.starts_with("--") || key.size() == 1 ? field_named(fields, key) : nullptr;
    if (!field && !has_value) {
      if (key == "json") {
        parsed.common.json = true;
        continue;
      }
      if (key == "quiet" || word == "-q") {
        parsed.common.quiet = true;
        continue;
      }
      if (key.starts_with("no_"))
        if (const FieldInfo* negated = field_named(fields, key.substr(3));
            negated && negated->type == FieldType::boolean) {
          put(parsed.flags, *negated, "false", mark);
          continue;
        }
    }
    const auto take_value = [&] {
      if (has_value) return value;
      if (i + 1 >= words.size() || (looks_like_flag(words[i + 1]) && words[i + 1] != "-"))
        throw Error(ErrorKind::usage, name + " needs a value");
      return words[++i];
    };
    if (!field && key == "config") {
      parsed.common.config = take_value();
      continue;
    }
    if (!field) {
      std::vector<std::string> known = {"--help", "--json", "--quiet", "--config"};
      for (const auto& f : fields) known.push_back(flag_of(f.name));
      Error error(ErrorKind::usage, "unknown flag '" + name + "'");
      const std::string near = nearest(name, known);
      throw error.with_hint(near.empty() ? "see --help for the flags of this command"
                                         : "did you mean " + near + "?");
    }
    if (field->type == FieldType::boolean) {
      if (!has_value && i + 1 < words.size() && (words[i + 1] == "true" || words[i + 1] == "false"))
        value = words[++i];
      else if (!has_value) value = "true";
      put(parsed.flags, *field, value, mark);
      continue;
    }
    put(parsed.flags, *field, take_value(), mark);
    // A list flag takes the words up to the next flag.
    if (is_list(*field) && !has_value && !names(card.repeated, field->name))
      while (i + 1 < words.size() && !looks_like_flag(words[i + 1]))
        put(parsed.flags, *field, words[++i], mark);
  }
  return parsed;
}

Node environment_settings(const std::vector<FieldInfo>& fields) {
  Node tree = Node::map({.source = "the environment"});
  for (const auto& field : fields) {
    std::string name = "HELIO_" + field.name;
    for (char& c : name)
      c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const char* value = std::getenv(name.c_str());
    // HELIO_BIN and the like are the program's own; options are set only by their whole name.
    if (value && *value) put(tree, field, value, {.source = name});
  }
  return tree;
}

void read_command(Command& command, const ParsedArguments& arguments) {
  const Describe describe = [&](Fields& f) { command.describe(f); };
  const auto fields = options_fields(describe);
  Node settings = Node::map({.source = "the command line"});
  if (!arguments.common.config.empty()) {
    Node config = load_yaml(arguments.common.config);
    command.translate(config);
    settings.merge(config);
  }
  if (const Node environment = environment_settings(fields); !environment.entries().empty())
    settings.merge(environment);
  settings.merge(arguments.flags);
  for (const auto& name : command.card().required) {
    if (is_set(settings, name)) continue;
    const auto& positional = command.card().positional;
    const bool by_place = names(positional, name);
    throw Error(ErrorKind::usage, by_place ? "missing " + name : "missing " + flag_of(name))
        .with_hint("see --help");
  }
  try {
    read_options(settings, describe);
  } catch (Error& error) {
    // A bad value on the command line is a usage error, in a file an invalid file.
    if (error.message().starts_with("-"))
      throw Error(ErrorKind::usage, error.message()).with_hint(error.hint());
    throw;
  }
}

std::string help_text(const std::string& program, const std::string& name,
                      const std::string& summary, Command& command) {
  const Card card = command.card();
  const auto fields = options_fields([&](Fields& f) { command.describe(f); });
  std::string out = summary + "\n\n";
  if (!card.examples.empty()) {
    out += "Examples:\n";
    for (const auto& example : card.examples) out += "  " + example + "\n";
    out += "\n";
  }
  out += "Usage: " + program + " " + name;
  if (card.recipe) out += " [RECIPE.yaml]";
  for (const auto& positional : card.positional) {
    const FieldInfo* field = field_named(fields, positional);
    std::string word = positional;
    for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (field && is_list(*field)) word += "...";
    const bool must = names(card.required, positional);
    out += must ? " " + word : " [" + word + "]";
  }
  out += " [flags]\n\n";
  const auto type_word = [&](const FieldInfo& field) -> std::string {
    if (field.role == FieldRole::output) return "DIR";
    if (field.role == FieldRole::input) return "PATH";
    switch (field.type) {
      case FieldType::boolean:
        return "";
      case FieldType::integer:
        return "N";
      case FieldType::number:
        return "X";
      case FieldType::strings:
        return names(card.repeated, field.name) ? "TEXT" : "TEXT...";
      case FieldType::numbers:
        return "X...";
      case FieldType::raw:
        return "YAML";
      case FieldType::string:
        return "TEXT";
    }
    return "";
  };
  if (!fields.empty()) out += "Flags (each is also a key of --config FILE):\n";
  for (const auto& field : fields) {
    std::string left = "  " + flag_of(field.name);
    if (const std::string word = type_word(field); !word.empty()) left += " " + word;
    std::string help = field.help;
    if (!field.rule.choices.empty()) {
      help += " One of:";
      for (const auto choice : field.rule.choices) help += " " + std::string(choice) + ",";
      help.back() = '.';
    }
    if (names(card.repeated, field.name)) help += " May be given several times.";
    const bool must = names(card.required, field.name);
    if (must) help += " [required]";
    else if (!field.value.empty() && field.type != FieldType::boolean)
      help += " [" + field.value + "]";
    else if (field.type == FieldType::boolean && field.value == "true")
      help += " [on; --no-" + flag_of(field.name).substr(2) + " turns it off]";
    out += fmt::format("{:<34} {}\n", left, help);
  }
  out += fmt::format("{:<34} {}\n{:<34} {}\n{:<34} {}\n{:<34} {}\n", "  --config FILE[#section]",
                     "Read keys from a YAML file (flags win).", "  --json",
                     "Write one JSON object to stdout.", "  -q, --quiet",
                     "No progress and notes on stderr.", "  -h, --help", "This text.");
  return out;
}

}  // namespace helio::cli
