#include "data/readers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "text/html_text.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

enum class Format { html, text, jsonl };

struct NamedFormat {
  std::string_view ending;
  Format format;
};
constexpr NamedFormat kEndings[] = {
    {".html", Format::html},     {".htm", Format::html},    {".xhtml", Format::html},
    {".txt", Format::text},      {".text", Format::text},   {".md", Format::text},
    {".markdown", Format::text}, {".jsonl", Format::jsonl}, {".ndjson", Format::jsonl}};

std::string_view without_compression(std::string_view name) {
  for (const std::string_view ending : {".gz", ".zst"})
    if (name.ends_with(ending)) name.remove_suffix(ending.size());
  return name;
}

// By name; nothing for a file of another kind.
const NamedFormat* format_of(std::string_view name) {
  name = without_compression(name);
  for (const NamedFormat& known : kEndings)
    if (name.ends_with(known.ending)) return &known;
  return nullptr;
}

Format format_of(const SourceOptions& options, const SourceFile& file) {
  if (options.format == "html") return Format::html;
  if (options.format == "jsonl") return Format::jsonl;
  if (options.format == "text" || options.format == "markdown") return Format::text;
  const NamedFormat* known = format_of(file.relative);
  if (!known)
    throw Error(ErrorKind::invalid, "cannot tell what kind of file '" + file.path.string() + "' is")
        .with_hint("set format: html, text, markdown or jsonl");
  return known->format;
}

std::string read_text(const fs::path& path) {
  if (without_compression(path.string()).size() == path.string().size()) return read_file(path);
  std::string result;
  LineReader lines(path);
  for (std::string_view line; lines.next(line);) result.append(line).append("\n");
  return result;
}

class SourceReader {
 public:
  SourceReader(const SourceOptions& options, const std::string& lot,
               const std::function<void(club::LotDocument)>& sink)
      : options_(options), lot_(lot), sink_(sink) {}

  void read(const SourceFile& file) {
    ++summary_.files;
    switch (format_of(options_, file)) {
      case Format::html:
        return read_page(file);
      case Format::jsonl:
        return read_rows(file);
      case Format::text:
        return options_.documents == "line"        ? read_lines(file)
               : options_.documents == "paragraph" ? read_paragraphs(file)
                                                   : read_whole(file);
    }
  }

  ReadSummary summary() { return std::move(summary_); }
  int64_t documents() const { return summary_.documents; }

 private:
  void read_page(const SourceFile& file) {
    std::string page = read_text(file.path);
    const std::string charset = text::html_charset(page);
    if (!text::is_valid_utf8(page))
      return bad(file.relative, charset.empty() || charset.starts_with("utf-8")
                                    ? "its bytes are not UTF-8"
                                    : "its encoding is " + charset + ", not UTF-8");
    give(file.relative, file.relative, "html", std::move(page));
  }

  void read_whole(const SourceFile& file) {
    give(file.relative, file.relative, "text", read_text(file.path));
  }

  void read_lines(const SourceFile& file) {
    LineReader lines(file.path);
    for (std::string_view line; lines.next(line);)
      give(row(file, lines.number()), place(file, lines.number()), "text", std::string(line));
  }

  void read_paragraphs(const SourceFile& file) {
    LineReader lines(file.path);
    std::string paragraph;
    int64_t first = 0;
    const auto end = [&] {
      if (!paragraph.empty())
        give(row(file, first), place(file, first), "text", std::move(paragraph));
      paragraph.clear();
    };
    for (std::string_view line; lines.next(line);) {
      if (text::trim(line).empty()) {
        end();
        continue;
      }
      if (paragraph.empty()) first = lines.number();
      else paragraph += '\n';
      paragraph += line;
    }
    end();
  }

  void read_rows(const SourceFile& file) {
    LineReader lines(file.path);
    for (std::string_view line; lines.next(line);) {
      if (text::trim(line).empty()) continue;
      const std::string where = place(file, lines.number());
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (json.is_discarded()) {
        bad(where, "the row is not JSON");
        continue;
      }
      const auto found = json.is_object() ? json.find(options_.field) : json.end();
      if (found == json.end() || !json.is_object()) {
        bad(where, "the row has no '" + options_.field + "'");
        continue;
      }
      if (!found->is_string()) {
        bad(where, "'" + options_.field + "' is not a string");
        continue;
      }
      give(row(file, lines.number()), where, "text", found->get<std::string>());
    }
  }

  static std::string row(const SourceFile& file, int64_t line) {
    return file.relative + "#" + std::to_string(line);
  }
  static std::string place(const SourceFile& file, int64_t line) {
    return file.relative + ":" + std::to_string(line);
  }

  void give(const std::string& name, const std::string& where, const char* format,
            std::string text) {
    if (!text::is_valid_utf8(text)) return bad(where, "its bytes are not UTF-8");
    if (text::trim(text).empty()) {
      ++summary_.empty;
      return;
    }
    ++summary_.documents;
    sink_({.id = lot_ + "/" + name, .text = std::move(text), .format = format, .path = name});
  }

  void bad(const std::string& where, const std::string& reason) {
    if (options_.on_error == "fail")
      throw Error(ErrorKind::invalid, where + ": " + reason)
          .with_hint("mend it, or set on_error: skip to leave such rows out and count them");
    ++summary_.bad;
    if (summary_.first_bad.size() < 20) summary_.first_bad.push_back({where, reason});
  }

  const SourceOptions& options_;
  const std::string& lot_;
  const std::function<void(club::LotDocument)>& sink_;
  ReadSummary summary_ = {};
};

}  // namespace

bool fits_pattern(std::string_view path, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) {
      const std::string_view rest =
          pattern.substr(pattern.starts_with("**/") ? 3 : 2);  // "**/" is also no folder at all
      for (size_t at = 0; at <= path.size(); ++at)
        if ((at == 0 || pattern.size() == 2 || path[at - 1] == '/') &&
            fits_pattern(path.substr(at), rest))
          return true;
      return false;
    }
    if (pattern[0] == '*') {
      for (size_t at = 0; at <= path.size(); ++at) {
        if (fits_pattern(path.substr(at), pattern.substr(1))) return true;
        if (at < path.size() && path[at] == '/') return false;
      }
      return false;
    }
    if (path.empty() || (pattern[0] == '?' ? path[0] == '/' : pattern[0] != path[0])) return false;
    path.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return path.empty();
}

std::vector<SourceFile> source_files(const SourceOptions& options) {
  const fs::path path = options.path;
  std::vector<SourceFile> files;
  if (options.path.find_first_of("*?") != std::string::npos) {
    fs::path base;
    std::string pattern;
    for (const fs::path& part : path) {
      if (pattern.empty() && part.string().find_first_of("*?") == std::string::npos) base /= part;
      else pattern += (pattern.empty() ? "" : "/") + part.string();
    }
    if (base.empty()) base = ".";
    if (fs::is_directory(base))
      for (const fs::path& file : list_files(base)) {
        std::string relative = file.lexically_relative(base).generic_string();
        if (fits_pattern(relative, pattern)) files.push_back({file, std::move(relative)});
      }
    if (files.empty())
      throw Error(ErrorKind::not_found, "no file fits '" + options.path + "'")
          .with_hint("* stays within one folder, ** goes through folders");
  } else if (fs::is_directory(path)) {
    for (const fs::path& file : list_files(path)) {
      std::string relative = file.lexically_relative(path).generic_string();
      if (options.format != "auto" || format_of(relative))
        files.push_back({file, std::move(relative)});
    }
    if (files.empty())
      throw Error(ErrorKind::not_found, "the folder '" + options.path + "' has no file to read")
          .with_hint("format: auto reads .html .txt .md .jsonl, also .gz and .zst of them");
  } else if (fs::exists(path)) {
    files.push_back({path, path.filename().string()});
  } else {
    throw Error(ErrorKind::not_found, "'" + options.path + "' does not exist");
  }
  return files;
}

ReadSummary read_source(const SourceOptions& options, const std::string& lot,
                        const std::function<void(club::LotDocument)>& sink, Monitor& monitor,
                        const StopRequest& stop) {
  const auto files = source_files(options);
  SourceReader reader(options, lot, sink);
  monitor.begin("reading " + lot, int64_t(files.size()), "files");
  int64_t done = 0;
  for (const SourceFile& file : files) {
    stop.check();
    in_context([&] { return "reading " + file.path.string(); }, [&] { reader.read(file); });
    monitor.at(++done);
  }
  monitor.end(std::to_string(reader.documents()) + " documents");
  return reader.summary();
}

}  // namespace helio::data
