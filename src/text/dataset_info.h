// LLaMA-Factory's dataset_info.json: which file a named data set is in, and what its columns and
// roles are called. Torch-free.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/json.h"

namespace helio::text {

// A data set whose rows read() turns into the forms conversation_data.h and preference_data.h know:
// Alpaca's columns, or "messages" (ShareGPT's), with "chosen" and "rejected" for ranked ones.
class NamedDataset {
 public:
  // `folder` holds dataset_info.json. Error{not_found}: it does not, or has no such name (the
  // message lists those it has); Error{invalid}: an entry without a file beside it, or of a form
  // that is none of these.
  NamedDataset(const std::filesystem::path& folder, const std::string& name);

  const std::filesystem::path& file() const { return file_; }
  // Error{invalid}, with `place`, for a row that lacks its messages.
  Json read(const Json& row, const std::string& place) const;

 private:
  Json messages(const Json& list, const std::string& place) const;

  std::filesystem::path file_;
  bool sharegpt_ = false, ranking_ = false;
  std::map<std::string, std::string> columns_ = {}, tags_ = {};
};

}  // namespace helio::text
