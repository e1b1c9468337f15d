#include "case_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "core/error.h"
#include "memory_player.h"

namespace helio::data {
namespace {

bool starts(const std::string& line, const char* word) { return line.rfind(word, 0) == 0; }

std::string after(const std::string& line, size_t skip) {
  const size_t begin = line.find_first_not_of(' ', skip);
  return begin == std::string::npos ? "" : line.substr(begin);
}

Document document_of(const std::string& json, const std::string& source) {
  const Json row = parse_json(json, source);
  Document document;
  document.lot = "lot";
  for (const auto& [key, value] : row.items()) {
    if (key == "id") document.id = value.get<std::string>();
    else if (key == "text") document.text = value.get<std::string>();
    else if (key == "format") document.format = value.get<std::string>();
    else if (key == "lot") document.lot = value.get<std::string>();
    else if (key == "language") document.language = value.get<std::string>();
    else if (key == "partner") document.partner = value.get<std::string>();
    else if (key == "url") document.url = value.get<std::string>();
    else if (key == "scores") document.scores = value.get<std::map<std::string, double>>();
    else if (key == "path") document.path = value.get<std::string>();
    else throw Error(ErrorKind::invalid, source + ": a document has no '" + key + "'");
  }
  return document;
}

// "$FIXTURES/a" names a file under tests/fixtures, wherever the tests run.
std::string with_fixtures(std::string options) {
  constexpr std::string_view mark = "$FIXTURES";
  for (size_t at; (at = options.find(mark)) != std::string::npos;)
    options.replace(at, mark.size(), HELIO_SOURCE_DIR "/tests/fixtures");
  return options;
}

std::string without_fixtures(std::string message) {
  constexpr std::string_view folder = HELIO_SOURCE_DIR "/tests/fixtures";
  for (size_t at; (at = message.find(folder)) != std::string::npos;)
    message.replace(at, folder.size(), "$FIXTURES");
  return message;
}

std::string kept_line(const Document& now, const Document& before) {
  std::string line = "out  " + now.id + " kept";
  if (now.text != before.text) line += " text " + Json(now.text).dump();
  if (now.language != before.language) line += " language " + now.language;
  if (now.split != before.split) line += " split " + now.split;
  if (now.cluster_id != before.cluster_id) line += " cluster " + now.cluster_id;
  for (const auto& [name, score] : now.scores) line += fmt::format(" {} {:.3f}", name, score);
  return line;
}

}  // namespace

CaseFile parse_case_file(const std::string& text, const std::string& source) {
  CaseFile file;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    file.lines.push_back(line);
    const int number = int(file.lines.size());
    if (line.empty() || line[0] == '#') continue;
    if (starts(line, "options:")) {
      file.cases.push_back({.line = number, .options = after(line, 8)});
      continue;
    }
    if (file.cases.empty())
      throw Error(ErrorKind::invalid,
                  fmt::format("{}:{}: a case begins with 'options:'", source, number));
    if (starts(line, "in ")) file.cases.back().in.push_back(after(line, 3));
    else if (starts(line, "out ") || starts(line, "error "))
      file.cases.back().expected.push_back(line);
    else
      throw Error(ErrorKind::invalid,
                  fmt::format("{}:{}: neither in, out nor error", source, number));
  }
  return file;
}

std::vector<std::string> play(const std::string& op, const Case& item) {
  Node step = Node::map({});
  step.set("op", {}, Node::scalar(op, {}));
  std::vector<Step> steps;
  try {
    const Node options =
        parse_yaml(item.options.empty() ? "{}" : with_fixtures(item.options), "options");
    for (const auto& entry : options.entries()) step.set(entry.key, entry.key_mark, entry.value);
    Node list = Node::list({});
    list.push_back(step);
    steps = read_steps(list);
  } catch (const Error& error) {
    return {"error  " + without_fixtures(error.message())};
  }
  std::vector<Document> documents;
  for (const std::string& json : item.in) documents.push_back(document_of(json, "case"));
  for (size_t i = 0; i < documents.size(); ++i) documents[i].order = i;
  const std::vector<Document> before = documents;
  const Played played = play_in_memory(steps, std::move(documents));
  std::vector<std::string> lines;
  for (const Document& document : played.kept)
    lines.push_back(kept_line(document, before[document.order]));
  for (const Dropped& dropped : played.dropped)
    lines.push_back(fmt::format("out  {} dropped {} {:.4g}", dropped.document.id,
                                dropped.verdict.reason, dropped.verdict.value));
  for (const auto& [name, count] : played.counters)
    lines.push_back(fmt::format("out  count {} {}", name, count));
  return lines;
}

std::string accepted(const CaseFile& file, const std::string& op) {
  std::string text;
  size_t next = 0;  // case whose options come next
  std::vector<std::string> pending;
  const auto put = [&] {
    for (const std::string& line : pending) text += line + "\n";
    pending.clear();
  };
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (starts(line, "out ") || starts(line, "error ")) continue;
    if (!starts(line, "in ") && !starts(line, "options:")) put();
    if (starts(line, "options:")) {
      put();
      pending = play(op, file.cases.at(next++));
    }
    text += line + "\n";
    const bool last_in = i + 1 == file.lines.size() || !starts(file.lines[i + 1], "in ");
    if ((starts(line, "in ") || starts(line, "options:")) && last_in) put();
  }
  put();
  return text;
}

}  // namespace helio::data
