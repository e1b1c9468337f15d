#include "core/error.h"
#include "core/fs.h"
#include "text/formats/tokenizer_file.h"
#include "text/tokenizer/fast_json.h"
#include "text/tokenizer/json_tokenizer.h"

namespace helio::text {

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& file_or_dir) {
  return in_context([&] { return "loading the tokenizer '" + file_or_dir.string() + "'"; },
                    [&]() -> std::unique_ptr<Tokenizer> {
                      const fs::path json = fs::is_directory(file_or_dir)
                                                ? file_or_dir / "tokenizer.json"
                                                : file_or_dir;
                      if (json.filename() == "tokenizer.json" && fs::exists(json))
                        return parse_tokenizer(read_file(json), json.string());
                      return make_tokenizer(read_tokenizer_file(file_or_dir).document);
                    });
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
