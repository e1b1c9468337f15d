#include "core/json.h"

#include "core/error.h"
#include "core/fs.h"

namespace helio {
namespace {

constexpr int kMaxDepth = 200;

struct Place {
  size_t line = 1, column = 1;
};

Place place_of(std::string_view text, size_t byte) {
  Place place;
  for (size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

// nlohmann's parser recurses on nothing, but its destructor and our readers do: bound the depth.
void check_depth(std::string_view text, const std::string& source) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth)
        throw Error(ErrorKind::invalid,
                    source + ": JSON nested deeper than " + std::to_string(kMaxDepth) + " levels");
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

// The parser quotes all it has read of a string, however long: only its end, where the trouble is,
// is worth reading.
std::string with_short_quote(std::string what) {
  constexpr std::string_view kQuote = "last read: '";
  constexpr size_t kMost = 60;
  const size_t begin = what.find(kQuote), end = what.rfind('\'');
  if (begin == what.npos || end <= begin + kQuote.size() + kMost) return what;
  size_t kept = end - kMost;
  while (kept < end && (static_cast<uint8_t>(what[kept]) & 0xC0) == 0x80) ++kept;
  return what.replace(begin + kQuote.size(), kept - begin - kQuote.size(), "…");
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  check_depth(text, source);
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& problem) {
    const Place place = place_of(text, problem.byte);
    std::string what = problem.what();
    if (const size_t at = what.find("syntax error"); at != std::string::npos)
      what = what.substr(at);
    throw Error(ErrorKind::invalid, source + ":" + std::to_string(place.line) + ":" +
                                        std::to_string(place.column) +
                                        ": not valid JSON: " + with_short_quote(what));
  } catch (const Json::out_of_range&) {  // 1e999; nlohmann does not say where
    throw Error(ErrorKind::invalid, source + ": a number that is too large for a double");
  }
}

Json load_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

std::string pretty(const OrderedJson& json) {
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string compact(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace helio
