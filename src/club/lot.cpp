#include "club/lot.h"

#include <algorithm>

#include "club/merkle.h"
#include "core/error.h"
#include "core/fs.h"
#include "text/html_text.h"
#include "text/unicode.h"

namespace helio::club {
namespace {

bool is_ascii_without_cr(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\r'; });
}

std::string with_line_feeds(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else {
      out += '\n';
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
  }
  return out;
}

// One field of a manifest's facts or of a document's row; a wrong type is the file's fault.
template <class T>
T field(const Json& object, const char* key, const std::string& source) {
  const auto found = object.find(key);
  if (found == object.end())
    throw Error(ErrorKind::invalid, source + ": \"" + key + "\" is missing");
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    throw Error(ErrorKind::invalid, source + ": \"" + key + "\" has the wrong type");
  }
}

}  // namespace

OrderedJson lot_facts(const LotInfo& info, const LotCounts& counts) {
  return {{"lot", info.lot},
          {"partner", info.partner},
          {"licence", info.licence},
          {"language", info.language},
          {"source", info.source},
          {"documents", counts.documents},
          {"words", counts.words},
          {"bytes", counts.bytes},
          {"content_root", counts.content_root}};
}

std::string canonical_text(std::string_view text) {
  if (is_ascii_without_cr(text)) return std::string(text);
  if (!text::is_valid_utf8(text)) throw Error(ErrorKind::invalid, "the text is not valid UTF-8");
  return text::normalize(with_line_feeds(text), text::NormalForm::nfc);
}

int64_t document_words(const LotDocument& document) {
  if (document.format == "html") return text::count_words(text::html_text(document.text).text);
  return text::count_words(document.text);
}

void LotTally::add(const LotDocument& document) {
  if (document.id.empty()) throw Error(ErrorKind::invalid, "a document without an id");
  if (document.format != "text" && document.format != "html")
    throw Error(ErrorKind::invalid,
                "document '" + document.id + "' has the unknown format '" + document.format + "'")
        .with_hint("formats: text, html");
  in_context(
      [&] { return "adding document '" + document.id + "'"; },
      [&] {
        const Sha256 hash = sha256(canonical_text(document.text));
        if (!hashes_.emplace(document.id, hash).second)
          throw Error(ErrorKind::invalid, "the id '" + document.id + "' appears twice in the lot")
              .with_hint(
                  "ids come from the path or row of a document; check that the source does not "
                  "list a file twice");
        sums_.documents += 1;
        sums_.words += document_words(document);
        sums_.bytes += static_cast<int64_t>(document.text.size());
      });
}

LotCounts LotTally::counts() const {
  std::vector<Sha256> leaves;
  leaves.reserve(hashes_.size());
  for (const auto& [id, hash] : hashes_) leaves.push_back(merkle_leaf(hash));
  LotCounts counts = sums_;
  counts.content_root = hex(merkle_root(std::move(leaves)));
  return counts;
}

LotWriter::LotWriter(std::filesystem::path dir, LotInfo info)
    : dir_(std::move(dir)), info_(std::move(info)) {
  make_dirs(dir_);
  out_ = std::make_unique<LineWriter>(dir_ / kDocumentsName);
}

void LotWriter::add(const LotDocument& document) {
  tally_.add(document);
  out_->write(compact({{"id", document.id},
                       {"text", document.text},
                       {"format", document.format},
                       {"path", document.path}}));
}

Manifest LotWriter::finish(Manifest manifest) {
  out_->commit();
  manifest.kind = "lot";
  manifest.name = info_.lot;
  OrderedJson facts = lot_facts(info_, tally_.counts());
  facts.update(manifest.facts);
  manifest.facts = std::move(facts);
  seal_artefact(dir_, manifest);
  return manifest;
}

LotReader::LotReader(std::filesystem::path dir) : dir_(std::move(dir)) {
  manifest_ = load_manifest(dir_);
  const std::string source = (dir_ / kManifestName).string();
  if (manifest_.kind != "lot")
    throw Error(ErrorKind::invalid, dir_.string() + " holds a '" + manifest_.kind + "', not a lot");
  const Json facts = manifest_.facts;
  info_ = {.lot = field<std::string>(facts, "lot", source),
           .partner = field<std::string>(facts, "partner", source),
           .licence = field<std::string>(facts, "licence", source),
           .language = field<std::string>(facts, "language", source),
           .source = field<std::string>(facts, "source", source)};
  counts_ = {.documents = field<int64_t>(facts, "documents", source),
             .words = field<int64_t>(facts, "words", source),
             .bytes = field<int64_t>(facts, "bytes", source),
             .content_root = field<std::string>(facts, "content_root", source)};
  lines_ = std::make_unique<LineReader>(dir_ / kDocumentsName);
}

bool LotReader::next(LotDocument& document) {
  std::string_view line;
  if (!lines_->next(line)) return false;
  const std::string source =
      (dir_ / kDocumentsName).string() + ":" + std::to_string(lines_->number());
  const Json row = parse_json(line, source);
  if (!row.is_object()) throw Error(ErrorKind::invalid, source + ": not a document");
  document = {.id = field<std::string>(row, "id", source),
              .text = field<std::string>(row, "text", source),
              .format = field<std::string>(row, "format", source),
              .path = field<std::string>(row, "path", source)};
  return true;
}

std::vector<std::string> verify_lot(const std::filesystem::path& dir) {
  std::vector<std::string> differences;
  try {
    verify_artefact(dir);
  } catch (const Error& error) {
    differences.push_back(error.message());
  }
  try {
    LotReader reader(dir);
    LotTally tally;
    LotDocument document;
    while (reader.next(document)) tally.add(document);
    const LotCounts found = tally.counts();
    const auto compare = [&](const char* what, const auto& stated, const auto& now) {
      if (stated == now) return;
      const OrderedJson pair = {stated, now};
      differences.push_back(reader.info().lot + ": " + what + " is stated as " + pair[0].dump() +
                            " and is " + pair[1].dump());
    };
    compare("documents", reader.counts().documents, found.documents);
    compare("words", reader.counts().words, found.words);
    compare("bytes", reader.counts().bytes, found.bytes);
    compare("content_root", reader.counts().content_root, found.content_root);
  } catch (const Error& error) {
    differences.push_back(error.message());
  }
  return differences;
}

}  // namespace helio::club
