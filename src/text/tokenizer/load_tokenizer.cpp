#include "core/error.h"
#include "core/fs.h"
#include "text/tokenizer/fast_json.h"
#include "text/tokenizer/json_tokenizer.h"

namespace helio::text {

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& file_or_dir) {
  const fs::path file =
      fs::is_directory(file_or_dir) ? file_or_dir / "tokenizer.json" : file_or_dir;
  return in_context([&] { return "reading the tokenizer '" + file.string() + "'"; },
                    [&] { return parse_tokenizer(read_file(file), file.string()); });
}

std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, const std::string& source) {
  try {
    FastJson fast;
    if (fast.read(json)) return std::make_unique<JsonTokenizer>(fast.json, &fast.lists);
  } catch (const Error&) {
    // Said again below, by the reader that knows of every key of the file.
  }
  return std::make_unique<JsonTokenizer>(parse_json(json, source));
}

}  // namespace helio::text
