#include "text/dataset_info.h"

#include "core/error.h"
#include "core/fs.h"

namespace helio::text {
namespace {

// What LLaMA-Factory takes where an entry says nothing.
const std::map<std::string, std::string> kAlpacaColumns = {
    {"prompt", "instruction"}, {"query", "input"}, {"response", "output"}};
const std::map<std::string, std::string> kShareGptColumns = {{"messages", "conversations"}};
const std::map<std::string, std::string> kTags = {{"role_tag", "from"},
                                                  {"content_tag", "value"},
                                                  {"user_tag", "human"},
                                                  {"assistant_tag", "gpt"},
                                                  {"system_tag", "system"}};

void take(const Json& entry, const char* key, std::map<std::string, std::string>& into,
          const std::string& source) {
  if (!entry.contains(key)) return;
  if (!entry[key].is_object())
    throw Error(ErrorKind::invalid, source + ": '" + key + "' must be an object");
  for (const auto& [name, value] : entry[key].items())
    if (value.is_string()) into[name] = value.get<std::string>();
}

}  // namespace

NamedDataset::NamedDataset(const std::filesystem::path& folder, const std::string& name) {
  const fs::path info = folder / "dataset_info.json";
  if (!fs::exists(info))
    throw Error(ErrorKind::not_found, "'" + folder.string() + "' has no dataset_info.json")
        .with_hint("--dataset names an entry of LLaMA-Factory's dataset_info.json in --data");
  const Json all = load_json(info);
  if (!all.is_object() || !all.contains(name) || !all[name].is_object()) {
    std::string names;
    if (all.is_object())
      for (const auto& [known, entry] : all.items()) names += (names.empty() ? "" : ", ") + known;
    throw Error(ErrorKind::not_found, info.string() + " has no data set '" + name + "'")
        .with_hint("it has: " + names.substr(0, 500));
  }
  const Json& entry = all[name];
  const std::string source = info.string() + " '" + name + "'";
  if (!entry.contains("file_name") || !entry["file_name"].is_string())
    throw Error(ErrorKind::invalid,
                source + ": no 'file_name' (data sets on a hub are not fetched)")
        .with_hint("download the file and name it there");
  const fs::path file = entry["file_name"].get<std::string>();
  for (const auto& part : file)
    if (file.is_absolute() || part == "..")
      throw Error(ErrorKind::invalid, source + ": 'file_name' leaves the folder");
  file_ = folder / file;
  const bool says = entry.contains("formatting") && entry["formatting"].is_string();
  const std::string form = says ? entry["formatting"].get<std::string>() : "alpaca";
  if (form != "alpaca" && form != "sharegpt")
    throw Error(ErrorKind::invalid, source + ": 'formatting' is '" + form + "'")
        .with_hint("alpaca and sharegpt are known");
  sharegpt_ = form == "sharegpt";
  ranking_ = entry.contains("ranking") && entry["ranking"] == true;
  columns_ = sharegpt_ ? kShareGptColumns : kAlpacaColumns;
  if (ranking_) {
    columns_["chosen"] = "chosen";
    columns_["rejected"] = "rejected";
  }
  tags_ = kTags;
  take(entry, "columns", columns_, source);
  take(entry, "tags", tags_, source);
}

Json NamedDataset::messages(const Json& list, const std::string& place) const {
  const std::map<std::string, std::string> roles = {{tags_.at("user_tag"), "user"},
                                                    {tags_.at("assistant_tag"), "assistant"},
                                                    {tags_.at("system_tag"), "system"}};
  Json out = Json::array();
  for (const Json& message : list.is_array() ? list : Json::array({list})) {
    const std::string &role = tags_.at("role_tag"), &content = tags_.at("content_tag");
    if (!message.is_object() || !message.contains(role) || !message[role].is_string() ||
        !message.contains(content) || !message[content].is_string())
      throw Error(ErrorKind::invalid,
                  place + ": a message has no texts '" + role + "' and '" + content + "'");
    const auto found = roles.find(message[role].get<std::string>());
    if (found == roles.end())
      throw Error(ErrorKind::invalid, place + ": a message's " + role + " is '" +
                                          message[role].get<std::string>() + "'")
          .with_hint("system, user and assistant turns are read; tags name others");
    out.push_back({{"role", found->second}, {"content", message[content]}});
  }
  return out;
}

Json NamedDataset::read(const Json& row, const std::string& place) const {
  const auto column = [&](const char* name) -> const Json* {
    const auto found = columns_.find(name);
    if (found == columns_.end() || !row.contains(found->second) || row[found->second].is_null())
      return nullptr;
    return &row[found->second];
  };
  Json out = Json::object();
  const auto keep = [&](const char* name, const char* as) {
    if (const Json* value = column(name)) out[as] = *value;
  };
  for (const char* name : {"id", "source"})
    if (row.contains(name)) out[name] = row[name];
  if (!sharegpt_) {
    keep("prompt", "instruction");
    keep("query", "input");
    keep("response", "output");
    keep("system", "system");
    keep("history", "history");
    keep("chosen", "chosen");
    keep("rejected", "rejected");
    return out;
  }
  const Json* turns = column("messages");
  if (turns == nullptr)
    throw Error(ErrorKind::invalid, place + ": no '" + columns_.at("messages") + "'");
  Json all = messages(*turns, place);
  if (const Json* system = column("system");
      system && system->is_string() && !system->get_ref<const std::string&>().empty())
    all.insert(all.begin(), {{"role", "system"}, {"content", *system}});
  if (!ranking_) {
    out["messages"] = std::move(all);
    return out;
  }
  out["prompt"] = std::move(all);
  for (const char* side : {"chosen", "rejected"})
    if (const Json* answer = column(side))
      out[side] = answer->is_string() ? *answer : messages(*answer, place);
  return out;
}

}  // namespace helio::text
