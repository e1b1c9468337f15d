// The text of a template and where its parts stand in it.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

namespace helio::text::jinja {

struct Place {
  int64_t line = 1, column = 1;  // of characters, from 1
};

class Source {
 public:
  Source(std::string name, std::string_view text);  // newlines become \n, the last one goes
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  Place place(size_t at) const;
  std::string where(size_t at) const;  // "name:line:column"
  // An error at a place, with the template's line.
  Error error(size_t at, const std::string& message) const;

 private:
  std::string name_, text_;
};

}  // namespace helio::text::jinja
