#include "eval/benchmark_items.h"

#include <algorithm>

#include "core/error.h"
#include "eval/template.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

bool is_digits(const std::string& text) {
  return !text.empty() && text.size() < 10 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

size_t whole_number(const Json& value, const std::string& field) {
  if (value.is_number_integer() && value.get<int64_t>() >= 0) return value.get<size_t>();
  if (value.is_string() && is_digits(value.get_ref<const std::string&>()))
    return std::stoul(value.get_ref<const std::string&>());
  throw Error(ErrorKind::invalid, "'" + field + "' is no choice's number: " +
                                      value.dump(-1, ' ', false, Json::error_handler_t::replace))
      .with_hint("splits made for leaderboards carry no answers");
}

std::vector<std::string> texts_at(const Json& document, const std::string& path) {
  const Json& list = field_at(document, path);
  std::vector<std::string> out;
  if (list.is_array())
    for (const Json& item : list)
      if (item.is_string()) out.push_back(item.get<std::string>());
  if (!list.is_array() || out.size() != list.size() || out.empty())
    throw Error(ErrorKind::invalid, "'" + path + "' is no list of texts");
  return out;
}

}  // namespace

Json ItemBuilder::prepared(Json document, const std::string& subject) const {
  if (prepare_) prepare_(document);
  for (const auto& field : spec_.strip) {
    const std::string stripped(text::trim(text_field(document, field.c_str())));
    document[field] = stripped;
  }
  if (!subject.empty()) {
    std::string words = subject;
    std::replace(words.begin(), words.end(), '_', ' ');
    document["subject"] = subject;
    document["subject_words"] = words;
  }
  return document;
}

ChoiceItem ItemBuilder::choices(const Json& document, const std::string& before) const {
  ChoiceItem out;
  if (spec_.mode == "partial_context") {
    out.continuations.push_back(spec_.delimiter + fill(spec_.continuation, document));
    for (const auto& context : texts_at(document, spec_.contexts_from)) {
      out.contexts.push_back(before + context);
      out.lengths.push_back(text::count_code_points(context));
    }
  } else {
    out.contexts.push_back(before + question(document));
    for (const auto& choice : offered(document)) {
      out.continuations.push_back(spec_.delimiter + choice);
      out.lengths.push_back(text::count_code_points(choice));
    }
  }
  if (spec_.mode == "labelled_choices") out.right = labels(document, out.size());
  else out.gold = gold(document, out.size());
  return out;
}

std::string ItemBuilder::question(const Json& document) const {
  return fill(spec_.prompt, document);
}

std::string ItemBuilder::target(const Json& document) const { return fill(spec_.target, document); }

std::string ItemBuilder::example(const Json& document) const {
  if (spec_.mode == "generate")
    return question(document) + spec_.delimiter + target(document) + spec_.separator;
  const ChoiceItem asked = choices(document, {});
  const Ask right = asked.ask(asked.gold);
  return right.context + right.continuation + spec_.separator;
}

std::vector<text::Message> ItemBuilder::example_turns(const Json& document) const {
  const auto turns = [](std::string asked, std::string answer) {
    return std::vector<text::Message>{{.role = "user", .content = std::move(asked)},
                                      {.role = "assistant", .content = std::move(answer)}};
  };
  if (spec_.mode == "generate") return turns(question(document), target(document));
  const ChoiceItem asked = choices(document, {});
  const Ask right = asked.ask(asked.gold);
  return turns(right.context, right.continuation.substr(spec_.delimiter.size()));
}

std::vector<std::string> ItemBuilder::offered(const Json& document) const {
  if (!spec_.choices_from.empty()) return texts_at(document, spec_.choices_from);
  std::vector<std::string> out;
  for (const auto& choice : spec_.choices) out.push_back(fill(choice, document));
  return out;
}

size_t ItemBuilder::gold(const Json& document, size_t count) const {
  if (is_digits(spec_.gold)) return std::stoul(spec_.gold);
  const Json& value = field_at(document, spec_.gold);
  if (!spec_.gold_in.empty()) {
    const bool own = spec_.gold_in == "choices" && !spec_.choices.empty();
    const Json list = own ? Json(spec_.choices) : field_at(document, spec_.gold_in);
    const auto found = std::find(list.begin(), list.end(), value);
    if (!list.is_array() || found == list.end())
      throw Error(ErrorKind::invalid, "'" + spec_.gold + "' is not in '" + spec_.gold_in + "'");
    return static_cast<size_t>(found - list.begin());
  }
  const size_t number = whole_number(value, spec_.gold);
  const auto from = static_cast<size_t>(spec_.gold_from);
  if (number < from || number - from >= count)
    throw Error(ErrorKind::invalid, "'" + spec_.gold + "' is beyond the choices");
  return number - from;
}

std::vector<uint8_t> ItemBuilder::labels(const Json& document, size_t count) const {
  const Json& list = field_at(document, spec_.labels);
  std::vector<uint8_t> out;
  if (list.is_array())
    for (const Json& label : list) out.push_back(whole_number(label, spec_.labels) == 1);
  if (out.size() != count || std::find(out.begin(), out.end(), 1) == out.end())
    throw Error(ErrorKind::invalid,
                "'" + spec_.labels + "' has no label for each choice, or none is true");
  // Older versions took the choices before the first false one for the true ones.
  if (spec_.labels_rule == "before_first_false")
    std::fill(std::find(out.begin(), out.end(), 0), out.end(), uint8_t{0});
  return out;
}

}  // namespace helio::eval
