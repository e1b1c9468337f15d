// Bytes of generated tokens as text that can be shown at once: whole characters only, and nothing
// that may turn out to be the beginning of a stop string. Torch-free.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace helio::text {

class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stops = {});

  // What can be shown now that these bytes came. Once a stop string is complete, everything before
  // it has been returned and nothing more will be.
  std::string push(std::string_view bytes);
  // The rest, at the end: a broken character as U+FFFD.
  std::string finish();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace helio::text
