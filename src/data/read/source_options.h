// What a recipe says about an input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace helio::data {

struct SourceOptions {
  std::string path = {};
  std::string format = "auto";
  std::string text_column = "text";
  std::string field = {};
  std::string id_column = {}, url_column = "url", language_column = {};
  bool keep_columns = false;
  std::vector<std::string> columns = {};
  std::string documents = "file";
  std::string front_matter = "keep";
  std::string encoding = "auto";
  std::string delimiter = {};
  std::string quotes = "auto";
  std::string header = "yes";
  std::string on_error = "fail";
  int64_t max_record = int64_t(64) << 20;

  // The column that holds the text: `field` is how older recipes say it.
  const std::string& text() const { return field.empty() ? text_column : field; }

  void describe(Fields& f) {
    f("path", path,
      "File, folder or pattern (*, ?, ** over folders) to read; s3://bucket/key for an object "
      "store.");
    f("format", format, "What the files are; auto goes by their names and first bytes.",
      one_of({"auto", "jsonl", "json", "csv", "tsv", "text", "markdown", "html", "parquet", "arrow",
              "warc", "wet"}));
    f("text_column", text_column,
      "Rows: the key or column that holds the text; a.b reaches into objects.");
    f("field", field, "The former name of text_column.");
    f("id_column", id_column,
      "Rows: the column that names the row within its lot; empty: its file and line do.");
    f("url_column", url_column,
      "Rows: the column that holds the page's address, where there is one.");
    f("language_column", language_column, "Rows: the column that holds the language.");
    f("keep_columns", keep_columns, "Rows: the other columns travel along as metadata.");
    f("columns", columns, "Rows: only these columns travel along as metadata.");
    f("documents", documents,
      "Text and Markdown: one document a file, a line, or a run of lines between blank ones.",
      one_of({"file", "line", "paragraph"}));
    f("front_matter", front_matter,
      "Markdown: the block between --- lines that a file may begin with.",
      one_of({"keep", "drop"}));
    f("encoding", encoding, "Of text, pages and rows; auto finds it by the bytes.",
      one_of({"auto", "utf-8", "euc-kr", "cp949", "utf-16"}));
    f("delimiter", delimiter, "CSV and TSV: what stands between fields; empty: comma, or tab.");
    f("quotes", quotes,
      "CSV and TSV: fields in double quotes may hold delimiters and line ends; auto: in CSV.",
      one_of({"auto", "double", "none"}));
    f("header", header,
      "CSV and TSV: whether the first row names the columns (else: column1, ...).",
      one_of({"yes", "no"}));
    f("on_error", on_error, "A file or row that cannot be read ends the import or is left out.",
      one_of({"fail", "skip"}));
    f("max_record", max_record, "The most bytes one row, page or file may have, decompressed.",
      at_least(1));
  }
};

}  // namespace helio::data
