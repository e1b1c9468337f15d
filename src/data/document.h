// One document on its way through a pipeline.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace helio::data {

struct Document {
  std::string id = {};
  std::string text = {};
  std::string format = "text";  // "html" until extract.html has read it
  std::string lot = {}, partner = {};
  std::string language = {};  // as the lot says, then as language.identify finds it
  std::string path = {};      // in its lot
  std::string split = "train";
  std::string cluster = {};  // id of the first of its duplicates, when it has any
  std::map<std::string, double> scores = {};
  size_t order = 0;  // among all documents read: the manifest order
};

}  // namespace helio::data
