// Everything a dataset's report shows, as figures: report/data_page.h draws them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/json.h"

namespace helio::data {

struct DatasetReportOptions {
  size_t samples = 3;        // dropped documents shown for each step and reason
  int64_t characters = 240;  // of each: the beginning of its text is all that is quoted
};

// {"name","content","made_by","version","in","out","steps":[...],"checks":[histograms],
//  "samples":[{"step","reason","documents","shown":[{"id","lot","value","text"}]}],
//  "lots":[...],"partners":[{"partner","lots","documents_in",...,"dropped"}],
//  "languages","splits","pii","counters",
//  "duplicates":{"clusters","documents","steps","sizes","partners","overlap","largest"}}
OrderedJson dataset_report(const std::filesystem::path& dataset,
                           const DatasetReportOptions& options = {});

}  // namespace helio::data
