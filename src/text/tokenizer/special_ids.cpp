// Roles of tokens, from the files beside tokenizer.json or what other formats say themselves.
#include "core/fs.h"
#include "core/json.h"
#include "text/formats/tokenizer_file.h"
#include "text/tokenizer.h"

namespace helio::text {
namespace {

// "<s>" or {"content": "<s>", ...}; nothing for null or anything else.
std::optional<std::string> token_text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.contains("content") && json["content"].is_string())
    return json["content"].get<std::string>();
  return std::nullopt;
}

std::optional<TokenId> token_id(const Json& json, const Tokenizer& tokenizer) {
  const Json& first = json.is_array() && !json.empty() ? json[0] : json;
  if (!first.is_number_unsigned()) return std::nullopt;
  const auto id = first.get<uint64_t>();
  if (id >= static_cast<uint64_t>(tokenizer.vocab_size())) return std::nullopt;
  return static_cast<TokenId>(id);
}

struct Role {
  const char* name;
  std::optional<TokenId> SpecialIds::*id;
};
constexpr Role kRoles[] = {{"bos", &SpecialIds::bos},
                           {"eos", &SpecialIds::eos},
                           {"pad", &SpecialIds::pad},
                           {"unk", &SpecialIds::unk}};

}  // namespace

SpecialIds load_special_ids(const std::filesystem::path& file_or_dir, const Tokenizer& tokenizer) {
  const bool is_dir = fs::is_directory(file_or_dir);
  const fs::path dir = is_dir ? file_or_dir : file_or_dir.parent_path();
  // Formats that have roles of their own; a folder's other files are read with them.
  const auto file = is_dir ? tokenizer_file_of(dir) : file_or_dir;
  if (file && *file != dir / "tokenizer.json") {
    const TokenizerFile read = read_tokenizer_file(file_or_dir);
    if (read.format != "tokenizer.json") return read.roles;
  }
  SpecialIds ids;
  const auto each = [&](const char* file, auto&& read) {
    const fs::path path = dir / file;
    if (!fs::exists(path)) return;
    const Json json = load_json(path);
    if (!json.is_object()) return;
    for (const auto& role : kRoles)
      if (!(ids.*role.id)) ids.*role.id = read(json, role.name);
  };
  const auto by_text = [&](const Json& json, const std::string& role) -> std::optional<TokenId> {
    const auto found = json.find(role + "_token");
    if (found == json.end()) return std::nullopt;
    const auto text = token_text(*found);
    return text ? tokenizer.id_of(*text) : std::nullopt;
  };
  const auto by_id = [&](const Json& json, const std::string& role) -> std::optional<TokenId> {
    const auto found = json.find(role + "_token_id");
    return found == json.end() ? std::nullopt : token_id(*found, tokenizer);
  };
  each("tokenizer_config.json", by_text);
  each("special_tokens_map.json", by_text);
  each("generation_config.json", by_id);
  each("config.json", by_id);
  return ids;
}

}  // namespace helio::text
