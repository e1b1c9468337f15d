// Everything the page says, in English and Korean side by side. Numbers, names of stages, metrics
// and files are the same in both and are no messages.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace helio::report {

struct Text {
  std::string en = {}, ko = {};
};

struct Message {
  const char* key;
  const char* en;
  const char* ko;
};

const std::vector<Message>& messages();

// The message with {0}, {1} ... replaced. An unknown key is a bug.
Text say(std::string_view key, std::initializer_list<std::string> values = {});
// The same words in both languages: data.
Text same(std::string text);

}  // namespace helio::report
