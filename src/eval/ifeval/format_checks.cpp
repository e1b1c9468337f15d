// Checks of form: lists, titles, sections, JSON, how a response begins and ends.
#include <memory>

#include "eval/ifeval/checks.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_json.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

bool blank(std::string_view text) { return text::trim(text).empty(); }

Check bullets(const Arguments& arguments) {
  return [wanted = arguments.number("num_bullets")](std::string_view response) {
    static const PythonRegex star(R"(^\s*\*[^\*].*$)", PythonRegex::kMultiline),
        dash(R"(^\s*-.*$)", PythonRegex::kMultiline);
    return star.count(response) + dash.count(response) == wanted;
  };
}

// `**this**` counts once for one asterisk (empty there, so not at all) and once for two.
Check highlights(const Arguments& arguments) {
  return [wanted = arguments.number("num_highlights")](std::string_view response) {
    static const PythonRegex one(R"(\*[^\n\*]*\*)"), two(R"(\*\*[^\n\*]*\*\*)");
    int64_t count = 0;
    for (const PythonRegex* regex : {&one, &two})
      regex->for_each(response, [&](const auto& groups) {
        count += !blank(strip_of(groups[0].of(response), '*'));
      });
    return count >= wanted;
  };
}

Check sections(const Arguments& arguments) {
  const std::string name(text::trim(arguments.text("section_spliter")));
  return [regex = std::make_shared<PythonRegex>(R"(\s?)" + name + R"(\s?\d+\s?)"),
          wanted = arguments.number("num_sections")](std::string_view response) {
    return regex->count(response) >= wanted;
  };
}

// What may stand before the mark and after it in the published patterns changes nothing.
Check postscript(const Arguments& arguments) {
  const std::string mark(text::trim(arguments.text("postscript_marker")));
  const std::string pattern = mark == "P.P.S"  ? R"(p\.\s?p\.\s?s)"
                              : mark == "P.S." ? R"(p\.\s?s\.)"
                                               : python_lower(mark);
  return [regex = std::make_shared<PythonRegex>(pattern, PythonRegex::kMultiline)](
             std::string_view response) { return regex->search(python_lower(response)); };
}

bool is_json(std::string_view response) {
  std::string_view text = text::trim(response);
  for (const std::string_view fence : {"```json", "```Json", "```JSON", "```"})
    if (text.starts_with(fence)) text.remove_prefix(fence.size());
  if (text.ends_with("```")) text.remove_suffix(3);
  return python_json_accepts(text::trim(text));
}

bool has_title(std::string_view response) {
  static const PythonRegex title(R"(<<[^\n]+>>)");
  bool found = false;
  title.for_each(response, [&](const auto& groups) {
    const auto inside = strip_right_of(strip_left_of(groups[0].of(response), '<'), '>');
    found = found || !blank(inside);
  });
  return found;
}

bool is_one_of_three(std::string_view response) {
  return response.find("My answer is yes.") != response.npos ||
         response.find("My answer is no.") != response.npos ||
         response.find("My answer is maybe.") != response.npos;
}

bool are_two_responses(std::string_view response) {
  constexpr std::string_view kDivider = "******";
  std::vector<std::string_view> parts, kept;
  for (size_t at = response.find(kDivider); at != response.npos; at = response.find(kDivider)) {
    parts.push_back(response.substr(0, at));
    response.remove_prefix(at + kDivider.size());
  }
  parts.push_back(response);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!blank(parts[i])) kept.push_back(text::trim(parts[i]));
    else if (i != 0 && i + 1 != parts.size()) return false;
  }
  return kept.size() == 2 && kept[0] != kept[1];
}

Check repeats_prompt(const Arguments& arguments) {
  const std::string wanted = arguments.has("prompt_to_repeat")
                                 ? arguments.text("prompt_to_repeat")
                                 : arguments.prompt().substr(0, arguments.prompt().find('\n'));
  return [prompt = python_lower(text::trim(wanted))](std::string_view response) {
    return python_lower(text::trim(response)).starts_with(prompt);
  };
}

Check ends_with(const Arguments& arguments) {
  return
      [phrase = python_lower(text::trim(arguments.text("end_phrase")))](std::string_view response) {
        return python_lower(strip_of(text::trim(response), '"')).ends_with(phrase);
      };
}

bool is_quoted(std::string_view response) {
  const std::string_view text = text::trim(response);
  return text.size() > 1 && text.front() == '"' && text.back() == '"';
}

}  // namespace

Check make_format_check(const std::string& id, const Arguments& arguments) {
  if (id == "detectable_format:number_bullet_lists") return bullets(arguments);
  if (id == "detectable_format:number_highlighted_sections") return highlights(arguments);
  if (id == "detectable_format:multiple_sections") return sections(arguments);
  if (id == "detectable_format:json_format") return is_json;
  if (id == "detectable_format:title") return has_title;
  if (id == "detectable_format:constrained_response") return is_one_of_three;
  if (id == "detectable_content:postscript") return postscript(arguments);
  if (id == "detectable_content:number_placeholders")
    return [wanted = arguments.number("num_placeholders")](std::string_view response) {
      static const PythonRegex placeholder(R"(\[.*?\])");
      return placeholder.count(response) >= wanted;
    };
  if (id == "combination:repeat_prompt") return repeats_prompt(arguments);
  if (id == "combination:two_responses") return are_two_responses;
  if (id == "startend:end_checker") return ends_with(arguments);
  if (id == "startend:quotation") return is_quoted;
  return {};
}

}  // namespace helio::eval::ifeval
