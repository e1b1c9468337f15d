#include "data/fasttext/find_model.h"

#include "data/model_file.h"

namespace helio::data::fasttext {

std::filesystem::path find_model(const std::string& name) {
  return find_model_file(name,
                         name == "lid.176.ftz"
                             ? "tools/get_lid fetches lid.176.ftz (0.9 MB) into the cache folder"
                             : "give the path of a fastText model, .bin or .ftz");
}

}  // namespace helio::data::fasttext
