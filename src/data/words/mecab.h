// Korean morphemes by MeCab. libmecab.so.2 is loaded when first asked for, so that helio runs
// without it; the dictionary is a folder: HELIO_MECAB_DIC, or where tools/get_mecab_dic puts it.
#pragma once

#include <filesystem>
#include <memory>

#include "data/words/words.h"

namespace helio::data {

// Where the dictionary is or should be.
std::filesystem::path mecab_dictionary();
std::shared_ptr<const Words> make_mecab();

}  // namespace helio::data
