// Where a model lies that an operator names.
#pragma once

#include <filesystem>
#include <string>

namespace helio::data::fasttext {

// A path as given; a bare name that is no file here is looked for in the cache folder
// ($XDG_CACHE_HOME or ~/.cache, then heliostack), where tools/get_lid puts lid.176.ftz.
// Error{not_found} that says where it was looked for.
std::filesystem::path find_model(const std::string& name);

}  // namespace helio::data::fasttext
