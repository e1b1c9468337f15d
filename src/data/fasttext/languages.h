// Language codes as models name them and as documents carry them.
#pragma once

#include <string>
#include <string_view>

namespace helio::data::fasttext {

// ISO 639-1 for a label: "ko" and "kor" and "kor_Hang" are "ko". What has no two-letter code keeps
// its own ("ceb").
std::string language_code(std::string_view label);

}  // namespace helio::data::fasttext
