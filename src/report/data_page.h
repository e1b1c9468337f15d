// The report of one dataset as a page: one self-contained HTML file in English and Korean.
#pragma once

#include <filesystem>
#include <string>

#include "core/json.h"

namespace helio::report {

// `figures`: what data/insight/dataset_report.h wrote. `dataset`: its folder, for the account.
// Depends on these alone. Error{invalid} naming a figure of another type than it must be.
std::string render_data_page(const Json& figures, const std::filesystem::path& dataset);

}  // namespace helio::report
