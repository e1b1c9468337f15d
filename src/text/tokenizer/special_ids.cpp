// Roles of tokens, from the files beside tokenizer.json or what other formats say themselves.
#include <algorithm>

#include "core/fs.h"
#include "core/gguf.h"
#include "core/json.h"
#include "text/formats/tokenizer_file.h"
#include "text/stop_ids.h"
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

std::vector<TokenId> load_stop_ids(const std::filesystem::path& file_or_dir,
                                   const Tokenizer& tokenizer) {
  std::vector<TokenId> ids;
  const auto add = [&](std::optional<TokenId> id) {
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  };
  const auto in_vocabulary = [&](std::optional<int64_t> id) -> std::optional<TokenId> {
    if (!id || *id < 0 || *id >= tokenizer.vocab_size()) return std::nullopt;
    return static_cast<TokenId>(*id);
  };
  if (fs::is_regular_file(file_or_dir) && is_gguf(file_or_dir)) {
    const GgufFile file(file_or_dir);
    for (const char* key : {"eot", "eom"})
      add(in_vocabulary(file.integer(std::string("tokenizer.ggml.") + key + "_token_id")));
  }
  if (const fs::path file = file_or_dir / "generation_config.json"; fs::exists(file)) {
    const Json json = load_json(file);
    if (const auto eos = json.find("eos_token_id"); eos != json.end()) {
      if (eos->is_array())
        for (const Json& id : *eos) add(token_id(id, tokenizer));
      else add(token_id(*eos, tokenizer));
    }
  }
  add(load_special_ids(file_or_dir, tokenizer).eos);
  return ids;
}

}  // namespace helio::text
