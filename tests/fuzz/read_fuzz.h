// Any bytes are a file of a format: read in small pieces, all documents are UTF-8, and what is
// wrong is an Error or a counted row.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.h"
#include "data/read/source.h"
#include "text/utf8.h"

namespace helio::data {

inline int fuzz_read(const char* name, const std::string& format, const uint8_t* data,
                     size_t size) {
  static const std::filesystem::path folder = [] {
    std::string path = (std::filesystem::temp_directory_path() / "helio-fuzz-XXXXXX").string();
    return std::filesystem::path(mkdtemp(path.data()));
  }();
  const std::filesystem::path file = folder / name;
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  SourceOptions options{.path = file.string(),
                        .format = format,
                        .keep_columns = true,
                        .on_error = "skip",
                        .max_record = 1 << 16};
  try {
    const auto source = open_source(options, "lot");
    ReadTally tally;
    for (Block block; source->next(block, 64);) {
      std::vector<Document> documents;
      source->parse(block, documents, tally);
      for (const Document& document : documents)
        if (!text::is_valid_utf8(document.text) || document.id.empty()) std::abort();
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
  return 0;
}

}  // namespace helio::data
