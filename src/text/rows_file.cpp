#include "text/rows_file.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "text/dataset_info.h"

namespace helio::text {
namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::invalid, place + ": " + what);
}

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == line.npos; }

// False when the reader wants no more.
bool read_file_rows(const fs::path& path,
                    const std::function<bool(const Json&, const std::string&)>& row) {
  const std::string name = path.filename().string();
  LineReader reader(path);
  std::string_view line;
  std::string array;
  while (reader.next(line)) {
    if (reader.number() == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (array.empty()) {
      if (blank(line)) continue;
      if (line[line.find_first_not_of(" \t")] != '[') {
        const std::string place = name + ":" + std::to_string(reader.number());
        const Json value = parse_json(line, place);
        if (!value.is_object()) refuse(place, "an object was expected");
        if (!row(value, place)) return false;
        continue;
      }
    }
    array.append(line) += '\n';
  }
  if (array.empty()) return true;
  const Json all = parse_json(array, path.string());
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string place = name + " row " + std::to_string(i);
    if (!all[i].is_object()) refuse(place, "an object was expected");
    if (!row(all[i], place)) return false;
  }
  return true;
}

std::string canonical_role(const std::string& role, const std::string& place) {
  if (role == "user" || role == "human") return "user";
  if (role == "assistant" || role == "gpt" || role == "model") return "assistant";
  if (role == "system") return "system";
  refuse(place, "a message's role is '" + role + "'; system, user and assistant are known");
}

Message read_message(const Json& value, const std::string& key, const std::string& place) {
  if (!value.is_object()) refuse(place, "'" + key + "' must hold messages");
  const bool share_gpt = value.contains("from");
  const char* role_key = share_gpt ? "from" : "role";
  const char* text_key = share_gpt ? "value" : "content";
  for (const char* name : {role_key, text_key})
    if (!value.contains(name) || !value[name].is_string())
      refuse(place, "a message in '" + key + "' has no text '" + name + "'");
  return {.role = canonical_role(value[role_key].get<std::string>(), place),
          .content = value[text_key].get<std::string>()};
}

}  // namespace

void read_rows(const std::filesystem::path& path,
               const std::function<bool(const Json&, const std::string&)>& row) {
  if (!fs::exists(path))
    throw Error(ErrorKind::not_found, "no file or folder '" + path.string() + "'");
  if (!fs::is_directory(path)) {
    read_file_rows(path, row);
    return;
  }
  const auto files = list_files(path, {".json", ".jsonl", ".jsonl.gz", ".jsonl.zst"});
  for (const auto& file : files)
    if (file.filename() != "helio_manifest.json" && !read_file_rows(file, row)) return;
}

void read_rows(const std::filesystem::path& path, const std::string& dataset,
               const std::function<bool(const Json&, const std::string&)>& row) {
  if (dataset.empty()) {
    if (fs::is_directory(path) && fs::exists(path / "dataset_info.json"))
      throw Error(ErrorKind::usage, "'" + path.string() + "' holds data sets of LLaMA-Factory's")
          .with_hint("name one of its dataset_info.json: --dataset NAME");
    read_rows(path, row);
    return;
  }
  const NamedDataset named(path, dataset);
  read_rows(named.file(), [&](const Json& given, const std::string& place) {
    return row(named.read(given, place), place);
  });
}

std::vector<Message> read_messages(const Json& value, const std::string& role,
                                   const std::string& key, const std::string& place) {
  if (value.is_string()) return {{.role = role, .content = value.get<std::string>()}};
  if (value.is_object()) return {read_message(value, key, place)};
  if (!value.is_array())
    refuse(place, "'" + key + "' must be a text, a message or a list of messages");
  std::vector<Message> messages;
  for (const Json& item : value) messages.push_back(read_message(item, key, place));
  return messages;
}

std::string text_or_empty(const Json& row, const char* key, const std::string& place) {
  if (!row.contains(key) || row[key].is_null()) return {};
  if (!row[key].is_string()) refuse(place, "'" + std::string(key) + "' must be a text");
  return row[key].get<std::string>();
}

}  // namespace helio::text
