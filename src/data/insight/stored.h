// What a finished dataset says of itself: its rows, its steps, its account. Everything in
// data/insight reads datasets through this and never the files' layout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/manifest.h"
#include "data/figures.h"
#include "data/steps.h"

namespace helio::data {

enum class Rows { kept, dropped };

// A row as it is stored; views are valid until the next one.
struct StoredRow {
  std::string_view line = {};  // the row's JSON
  std::string_view id = {}, text = {}, lot = {}, partner = {}, licence = {}, language = {};
  std::string_view path = {}, url = {}, split = {};
  std::string_view cluster = {};              // of near-duplicates: the one that stays; or empty
  std::string_view meta = {}, scores = {};    // JSON objects, or empty
  std::span<const std::string> changed = {};  // the steps that changed it
  std::string_view step = {}, reason = {};    // of a dropped one
  double value = 0;
  uint64_t number = 0;  // in the manifest order
};

// Calls visit for each row in the stored order. Errors: file:line of a row that is none.
void read_rows(const std::filesystem::path& dataset, Rows which,
               const std::function<void(const StoredRow&)>& visit);

[[noreturn]] void throw_damaged(const std::filesystem::path& dataset, const std::string& what);

// The document a row holds, as the steps after it would see it. Its format is text.
Document document_of(const Json& row);

// Runs body; a value of another type than it must be is Error{invalid} that names the dataset.
template <class Body>
decltype(auto) reading(const std::filesystem::path& dataset, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Json::exception& error) {
    throw_damaged(dataset, error.what());
  }
}

// The manifest and the account. Error{invalid} when the folder is no dataset.
struct StoredDataset {
  explicit StoredDataset(const std::filesystem::path& dataset);

  std::filesystem::path path;
  Manifest manifest;
  Json account;  // dataset.json

  // The steps it was made with, as YAML nodes: one a step, with 'op', 'for' and every option.
  Node steps_node() const;
  // The same, ready to run. Errors say that this version cannot make them any more.
  std::vector<Step> steps() const;
};

}  // namespace helio::data
