// Chat and preference data as people keep it: a JSON array, JSON lines (plain, .gz, .zst), or a
// folder of such files. Torch-free.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "text/chat.h"

namespace helio::text {

// Calls `row` with every object and where it stands ("data.json row 17", from 0; "data.jsonl:18").
// Return false to stop. Files of a folder come in name order.
void read_rows(const std::filesystem::path& path,
               const std::function<bool(const Json& row, const std::string& place)>& row);
// The same for the data set of that name in LLaMA-Factory's dataset_info.json in the folder `path`
// (dataset_info.h); empty: as above.
void read_rows(const std::filesystem::path& path, const std::string& dataset,
               const std::function<bool(const Json& row, const std::string& place)>& row);

// Messages in either of the field's spellings: {"role", "content"} or ShareGPT's {"from", "value"}
// (human, gpt, system). A string is one message of `role`. Errors name `place` and the key.
std::vector<Message> read_messages(const Json& value, const std::string& role,
                                   const std::string& key, const std::string& place);

// The string under `key`, or nothing when it is absent or null.
std::string text_or_empty(const Json& row, const char* key, const std::string& place);

}  // namespace helio::text
