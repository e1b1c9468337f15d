#include "serve/tools.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "serve/api_error.h"
#include "text/grammar/json_schema.h"

namespace helio::serve {
namespace {

using text::GrammarBuilder;
using text::GrammarSequence;

struct Tool {
  std::string name = {};
  OrderedJson parameters = nullptr;
  bool strict = false;
};

enum class Choice { none, automatic, required };

ApiError wrong(const char* param, const std::string& why) {
  return ApiError(400, fmt::format("'{}' {}", param, why), param, "invalid_value");
}

std::vector<Tool> tools_of(const OrderedJson& list) {
  if (!list.is_array()) throw wrong("tools", "must be a list");
  if (list.size() > 128) throw wrong("tools", "may have 128 entries at most");
  std::vector<Tool> out;
  for (const auto& one : list) {
    const bool good = one.is_object() && one.value("type", OrderedJson("function")) == "function" &&
                      one.contains("function") && one["function"].is_object() &&
                      one["function"].contains("name") && one["function"]["name"].is_string();
    if (!good)
      throw wrong("tools",
                  "must have entries {\"type\": \"function\", \"function\": {\"name\", ...}}");
    const auto& function = one["function"];
    out.push_back({.name = function["name"].get<std::string>(),
                   .parameters = function.value("parameters", OrderedJson()),
                   .strict = function.value("strict", OrderedJson()) == true});
  }
  return out;
}

GrammarSequence arguments(GrammarBuilder& builder, const Tool& tool) {
  if (tool.parameters.is_null()) return builder.literal("{}");
  using Unlisted = text::JsonSchemaOptions::Unlisted;
  return in_context([&] { return "the parameters of " + tool.name; },
                    [&] {
                      return json_schema_rules(
                          builder, tool.parameters,
                          {.unlisted = tool.strict ? Unlisted::refused : Unlisted::allowed});
                    });
}

// {"name": ..., "arguments": ...} of one of the tools, as templates write it.
GrammarSequence call_of(GrammarBuilder& builder, const std::vector<Tool>& tools, const char* key) {
  std::vector<GrammarSequence> calls;
  for (const auto& tool : tools)
    calls.push_back(GrammarBuilder::join(
        {builder.literal(
             fmt::format("{{\"name\": {}, \"{}\": ", compact(OrderedJson(tool.name)), key)),
         arguments(builder, tool), builder.literal("}")}));
  return builder.any_of(std::move(calls));
}

text::Grammar calls_of(ToolFormat format, const std::vector<Tool>& tools, bool many) {
  GrammarBuilder builder(GrammarStore::kLimits);
  const int64_t more = many ? GrammarBuilder::kNoLimit : 0;
  const auto join = GrammarBuilder::join;
  GrammarSequence whole;
  if (format == ToolFormat::hermes) {
    const auto call =
        join({call_of(builder, tools, "arguments"), builder.literal("\n</tool_call>")});
    whole = join({call, builder.repeat(join({builder.literal("\n<tool_call>\n"), call}), 0, more)});
  } else if (format == ToolFormat::mistral) {
    const auto call = call_of(builder, tools, "arguments");
    whole =
        join({builder.literal("["), call,
              builder.repeat(join({builder.literal(", "), call}), 0, more), builder.literal("]")});
  } else if (format == ToolFormat::llama3) {
    whole = call_of(builder, tools, "parameters");
  } else {
    whole = arguments(builder, tools.front());
  }
  const auto root = builder.declare("the tool call");
  builder.define(root, {whole});
  return builder.build(root);
}

// The name in {"type": "function", "function": {"name"}}.
std::string chosen_name(const Json& given) {
  const bool named = given.is_object() && given.contains("function") &&
                     given["function"].is_object() && given["function"].contains("name") &&
                     given["function"]["name"].is_string();
  if (!named)
    throw wrong("tool_choice",
                "is none, auto, required, {\"type\": \"function\", \"function\": {\"name\"}} or "
                "{\"type\": \"allowed_tools\", \"allowed_tools\": {\"mode\", \"tools\"}}");
  return given["function"]["name"].get<std::string>();
}

// Keeps the tools of these names.
void keep(std::vector<Tool>& tools, const std::set<std::string>& names) {
  for (const auto& name : names)
    if (std::none_of(tools.begin(), tools.end(),
                     [&](const Tool& tool) { return tool.name == name; }))
      throw wrong("tool_choice", "names '" + name + "', which is not among the tools");
  std::erase_if(tools, [&](const Tool& tool) { return !names.contains(tool.name); });
}

Choice choice_of(const Call& call, std::vector<Tool>& tools) {
  const Json* const given = call.body.find("tool_choice");
  if (!given) return Choice::automatic;
  if (given->is_string()) {
    if (*given == "none") return Choice::none;
    if (*given == "auto") return Choice::automatic;
    if (*given == "required") return Choice::required;
  }
  if (given->is_object() && given->value("type", Json()) == "allowed_tools") {
    const Json allowed = given->value("allowed_tools", Json());
    const bool good = allowed.is_object() && allowed.contains("tools") &&
                      allowed["tools"].is_array() && !allowed["tools"].empty();
    const Json mode = good ? allowed.value("mode", Json("auto")) : Json();
    if (mode != "auto" && mode != "required")
      throw wrong("tool_choice", "'allowed_tools' has a 'mode', auto or required, and 'tools'");
    std::set<std::string> names;
    for (const Json& one : allowed["tools"]) names.insert(chosen_name(one));
    keep(tools, names);
    return mode == "required" ? Choice::required : Choice::automatic;
  }
  keep(tools, {chosen_name(*given)});
  tools.resize(1);
  return Choice::required;
}

}  // namespace

ToolRequest read_tools(const Call& call) {
  if (!call.body.find("tools")) {
    const Json* const choice = call.body.find("tool_choice");
    if (choice && *choice != "none") throw wrong("tool_choice", "needs 'tools'");
    return {};
  }
  std::vector<Tool> tools = tools_of(call.body.in_order("tools"));
  const Choice choice = choice_of(call, tools);
  if (choice == Choice::none || tools.empty()) return {};
  ToolRequest out{.format = call.model.tool_format};
  if (choice == Choice::automatic) return out;
  if (out.format == ToolFormat::none)
    throw wrong("tool_choice",
                "cannot be kept: the model's chat template has no form of tool calls");
  if (out.format == ToolFormat::mistral_args && tools.size() > 1)
    throw wrong("tool_choice", "'required' is served with one tool for this model, or by name");
  switch (out.format) {
    case ToolFormat::hermes:
      out.given = "<tool_call>\n";
      break;
    case ToolFormat::mistral:
      out.given = "[TOOL_CALLS]";
      break;
    case ToolFormat::mistral_args:
      out.given = "[TOOL_CALLS]" + tools[0].name + "[ARGS]";
      break;
    default:
      break;
  }
  const Json& given = *call.body.find("tool_choice");
  const bool named = given.is_object() && given.contains("function");
  const bool many = call.body.flag("parallel_tool_calls", true) && !named;
  std::string key = fmt::format("tools {} {}", static_cast<int>(out.format), many);
  for (const auto& tool : tools)
    key += fmt::format("\n{} {} {}", tool.name, tool.strict, compact(tool.parameters));
  try {
    out.grammar = call.model.grammars->find(key, [&] { return calls_of(out.format, tools, many); });
  } catch (const Error& error) {
    std::string why = error.message();
    for (const auto& line : error.context()) why += " (" + line + ")";
    throw ApiError(400, "'tools': " + why, "tools", "invalid_value");
  }
  return out;
}

}  // namespace helio::serve
