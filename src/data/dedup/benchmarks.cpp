#include "data/dedup/benchmarks.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/lines.h"

namespace helio::data {
namespace {

void gather(const Json& value, std::string& out) {
  if (value.is_string()) {
    if (!out.empty()) out += '\n';
    out += value.get_ref<const std::string&>();
  } else if (value.is_structured()) {
    for (const Json& part : value) gather(part, out);
  }
}

std::string texts_of(const Json& row, const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) {
    const Json* at = &row;
    for (size_t begin = 0; at != nullptr && begin <= field.size();) {
      const size_t end = std::min(field.find('.', begin), field.size());
      const std::string name = field.substr(begin, end - begin);
      at = at->is_object() && at->contains(name) ? &(*at)[name] : nullptr;
      begin = end + 1;
    }
    if (at != nullptr) gather(*at, out);
  }
  return out;
}

}  // namespace

std::vector<BenchmarkItem> read_benchmarks(const std::vector<std::string>& paths,
                                           const BenchmarkFields& fields) {
  std::vector<BenchmarkItem> items;
  for (const std::string& given : paths) {
    const fs::path path = given;
    std::vector<fs::path> files = {path};
    if (fs::is_directory(path)) {
      files = list_files(path, {".jsonl", ".jsonl.gz", ".jsonl.zst"});
      if (files.empty())
        throw Error(ErrorKind::not_found, "no benchmark in '" + given + "'")
            .with_hint("benchmarks are .jsonl, .jsonl.gz or .jsonl.zst files");
    }
    const fs::path root = path.parent_path();
    for (const fs::path& file : files) {
      size_t found = 0, rows = 0;
      const std::string name =
          (root.empty() ? file : file.lexically_relative(root)).generic_string();
      read_jsonl(file, [&](const Json& row, int64_t line) {
        ++rows;
        BenchmarkItem item = {.name = fmt::format("{}:{}", name, line),
                              .query = texts_of(row, fields.query),
                              .text = {}};
        if (fields.text.empty()) gather(row, item.text);
        else item.text = texts_of(row, fields.text);
        if (item.text.empty()) return;
        ++found;
        items.push_back(std::move(item));
      });
      if (rows > 0 && found == 0)
        throw Error(ErrorKind::invalid,
                    fmt::format("no item of '{}' has a text in the fields named", file.string()))
            .with_hint("name the fields of its rows, or none to take every text");
    }
  }
  return items;
}

}  // namespace helio::data
