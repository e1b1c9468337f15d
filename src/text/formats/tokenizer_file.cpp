#include "text/formats/tokenizer_file.h"

#include "core/error.h"
#include "text/formats/document.h"
#include "text/formats/folder_settings.h"
#include "text/formats/gguf_tokenizer.h"
#include "text/formats/legacy_folder.h"
#include "text/formats/ranks.h"
#include "text/formats/sentencepiece_document.h"
#include "text/tokenizer/json_tokenizer.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

constexpr const char* kNames[] = {
    "tokenizer.json",          "tekken.json", "tokenizer.model", "spiece.model",
    "sentencepiece.bpe.model", "vocab.json",  "vocab.txt",       "ranks.tiktoken"};

fs::path file_in(const fs::path& dir) {
  if (auto file = tokenizer_file_of(dir)) return std::move(*file);
  std::string known;
  for (const char* name : kNames) known += (known.empty() ? "" : ", ") + std::string(name);
  throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no tokenizer")
      .with_hint("looked for " + known);
}

std::string first_bytes(std::string_view bytes) {
  std::string shown;
  for (const char c : bytes.substr(0, 12))
    if (c >= ' ' && c < 0x7F) shown += c;
    else shown += '.';
  return shown;
}

bool is_json(std::string_view bytes) {
  const size_t at = bytes.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && bytes[at] == '{';
}

// The same as the parts read it: whole numbers that were written without a sign have none.
Json plain(const OrderedJson& json) {
  if (json.is_object()) {
    Json out = Json::object();
    for (const auto& [key, value] : json.items()) out[key] = plain(value);
    return out;
  }
  if (json.is_array()) {
    Json out = Json::array();
    for (const auto& item : json) out.push_back(plain(item));
    return out;
  }
  if (json.is_number_integer() && json.get<int64_t>() >= 0) return json.get<uint64_t>();
  return Json(json);
}

TokenizerFile read_json_file(std::string_view bytes, const std::string& source) {
  const Json json = parse_json(bytes, source);
  if (json.contains("vocab") && json.contains("config")) return read_tekken(json);
  if (!json.contains("model"))
    throw Error(ErrorKind::invalid, "this JSON is no tokenizer that is known here")
        .with_hint("a tokenizer.json has a member 'model', a tekken.json 'config' and 'vocab'");
  TokenizerFile out{.format = "tokenizer.json"};
  out.made_of = piece_model_type(json["model"]) + " model";
  out.document = parse_ordered(bytes, source);
  return out;
}

}  // namespace

TokenizerFile parse_tokenizer_file(std::string_view bytes, const std::string& source,
                                   const ReadTokenizerOptions& options) {
  if (is_json(bytes)) return read_json_file(bytes, source);
  if (bytes.starts_with("GGUF")) return read_gguf_tokenizer(parse_gguf(bytes, source));
  if (looks_like_sentencepiece(bytes)) return sentencepiece_document(read_sentencepiece(bytes));
  if (looks_like_tiktoken(bytes)) return read_tiktoken(bytes, options.encoding);
  throw Error(ErrorKind::invalid,
              "this is no tokenizer file: it begins with '" + first_bytes(bytes) + "'")
      .with_hint(
          "known: tokenizer.json, SentencePiece's .model, tiktoken's ranks, tekken.json, "
          "GGUF");
}

std::unique_ptr<Tokenizer> make_tokenizer(const OrderedJson& document) {
  return std::make_unique<JsonTokenizer>(plain(document));
}

std::optional<fs::path> tokenizer_file_of(const fs::path& dir) {
  for (const char* name : kNames)
    if (fs::exists(dir / name)) return dir / name;
  // A folder of one GGUF file; of several nobody knows which is meant.
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir))
    if (entry.path().extension() == ".gguf") files.push_back(entry.path());
  if (files.size() == 1) return files[0];
  return std::nullopt;
}

TokenizerFile read_tokenizer_file(const fs::path& file_or_dir,
                                  const ReadTokenizerOptions& options) {
  const bool is_dir = fs::is_directory(file_or_dir);
  const fs::path path = is_dir ? file_in(file_or_dir) : file_or_dir;
  return in_context([&] { return "reading the tokenizer '" + path.string() + "'"; },
                    [&] {
                      if (path.filename() == "vocab.json")
                        return read_gpt2_folder(path.parent_path());
                      if (path.filename() == "vocab.txt")
                        return read_bert_folder(path.parent_path());
                      if (is_gguf(path)) {
                        TokenizerFile out = read_gguf_tokenizer(GgufFile(path).header());
                        out.path = path;
                        return out;
                      }
                      const std::string bytes = read_file(path);
                      const fs::path encoding = path.parent_path() / "encoding.json";
                      TokenizerFile out = options.encoding.empty() &&
                                                  path.extension() == ".tiktoken" &&
                                                  fs::exists(encoding)
                                              ? read_tiktoken(bytes, load_json(encoding))
                                              : parse_tokenizer_file(bytes, path.string(), options);
                      if (is_dir && out.format == "SentencePiece") apply_folder(file_or_dir, out);
                      out.path = path;
                      return out;
                    });
}

OrderedJson standard_document(const OrderedJson& document) {
  if (document.at("model").value("type", "") == "SentencePiece")
    return standard_sentencepiece(document);
  return without_ranks(document);
}

}  // namespace helio::text
