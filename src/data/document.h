// One document on its way through a pipeline.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace helio::data {

struct Document {
  std::string id = {};
  std::string text = {};
  std::string format = "text";  // "html" until extract.html has read it
  std::string lot = {}, partner = {}, licence = {};
  std::string language = {};  // as the lot says, then as language.identify finds it
  std::string path = {};      // in its lot
  std::string url = {};       // where the source says so
  std::string meta = {};      // further columns of its source row: a JSON object as text, or empty
  std::string split = "train";
  int64_t row = -1;      // in its file, from 0; -1 for a file that is one document
  int64_t cluster = -1;  // manifest number of the duplicate that stays, when it has duplicates
  std::string cluster_id = {};         // that document's id
  std::vector<uint16_t> changed = {};  // steps of the pipeline that changed the text
  std::map<std::string, double> scores = {};
  uint64_t order = 0;  // among all documents read: the manifest number
};

}  // namespace helio::data
