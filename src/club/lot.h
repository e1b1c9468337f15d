// A lot: the documents one partner gave at one time, under one licence, kept as they came. What
// later stages drop or change is counted against it, and its content root is what the partner can
// hold us to.
//
//   <lot>/documents.jsonl.zst   {"id","text","format","path"} a line, in the order they were given
//   <lot>/helio_manifest.json   kind "lot", facts: LotInfo and LotCounts
//
// Content root: the Merkle root (club/merkle.h) over the documents' hashes in byte order of their
// ids, where a document's hash is the SHA-256 of its canonical text. The order in which files were
// read, their compression and their names on our disk do not touch it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/lines.h"
#include "core/manifest.h"

namespace helio::club {

inline constexpr const char* kDocumentsName = "documents.jsonl.zst";

struct LotDocument {
  std::string id = {};          // "<lot>/<relative path or row>", unique in the lot
  std::string text = {};        // valid UTF-8
  std::string format = "text";  // "text" or "html"
  std::string path = {};        // where in the source it stood
};

struct LotInfo {
  std::string lot = {}, partner = {}, licence = {}, language = {}, source = {};
};

struct LotCounts {
  int64_t documents = 0;
  int64_t words = 0;              // 어절; of HTML, of its main text
  int64_t bytes = 0;              // of the texts as given, UTF-8
  std::string content_root = {};  // hex
  bool operator==(const LotCounts&) const = default;
};

// The facts of a lot's manifest.
OrderedJson lot_facts(const LotInfo& info, const LotCounts& counts);

// The text whose hash is committed to: NFC, with "\r\n" and "\r" read as "\n". Two deliveries that
// differ only there are the same text. Error{invalid} on bytes that are not UTF-8.
std::string canonical_text(std::string_view text);

// Words of a document as every account states them. Of HTML, those of its main text (menus, headers
// and footers left out), 0 for a page too broken or too large to be read.
int64_t document_words(const LotDocument& document);

// Sums over documents, and the root. Keeps an id and a hash a document, nothing else.
class LotTally {
 public:
  // Error{invalid} on an id seen before, an empty id, or an unknown format.
  void add(const LotDocument& document);
  LotCounts counts() const;

 private:
  LotCounts sums_ = {};
  std::map<std::string, Sha256, std::less<>> hashes_ = {};
};

// Writes one lot into `dir`, a folder inside a StagedDir (or one itself): what is not finished
// never becomes visible.
class LotWriter {
 public:
  LotWriter(std::filesystem::path dir, LotInfo info);
  void add(const LotDocument& document);
  // Ends the documents and seals the folder. `manifest` brings made_by, version, code, inputs,
  // options and further facts; kind, name, the lot's own facts and files are filled in here.
  Manifest finish(Manifest manifest);

 private:
  std::filesystem::path dir_;
  LotInfo info_;
  LotTally tally_ = {};
  std::unique_ptr<LineWriter> out_;
};

// Reads a lot's documents in the order they were written.
class LotReader {
 public:
  // Error{not_found} when `dir` is no lot, {invalid} when its manifest is of another kind.
  explicit LotReader(std::filesystem::path dir);

  const Manifest& manifest() const { return manifest_; }
  const LotInfo& info() const { return info_; }
  const LotCounts& counts() const { return counts_; }

  // Errors: a line that is no document (file:line), a truncated file.
  bool next(LotDocument& document);
  uint64_t bytes_read() const { return lines_->bytes_read(); }
  uint64_t bytes_total() const { return lines_->bytes_total(); }

 private:
  std::filesystem::path dir_;
  Manifest manifest_ = {};
  LotInfo info_ = {};
  LotCounts counts_ = {};
  std::unique_ptr<LineReader> lines_;
};

// Compares files with the manifest's hashes, and documents with the stated counts and root.
// Returns what differs, one line each; empty when all holds.
std::vector<std::string> verify_lot(const std::filesystem::path& dir);

}  // namespace helio::club
