#include "checkpoint/merge/vocabulary.h"

#include <fmt/format.h>

#include <map>

#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"

namespace helio::checkpoint {
namespace {

std::map<int64_t, std::string> tokens_of(const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  if (!fs::is_regular_file(path))
    throw Error(ErrorKind::not_found, "there is no '" + path.string() + "'")
        .with_hint("leave 'tokenizer_source' out when the models share a tokenizer");
  const Json file = load_json(path);
  std::map<int64_t, std::string> tokens;
  const auto damaged = [&] {
    return Error(ErrorKind::invalid, path.string() + ": the vocabulary is not a tokenizer's");
  };
  const auto add = [&](const Json& id, const Json& token) {
    if (!id.is_number_integer() || !token.is_string()) throw damaged();
    tokens[id.get<int64_t>()] = token.get<std::string>();
  };
  if (!file.is_object() || !file.contains("model") || !file["model"].is_object()) throw damaged();
  const Json& model = file["model"];
  if (model.contains("vocab") && model["vocab"].is_object()) {
    for (const auto& [token, id] : model["vocab"].items()) add(id, token);
  } else if (model.contains("vocab") && model["vocab"].is_array()) {  // Unigram: [token, score]
    int64_t id = 0;
    for (const auto& entry : model["vocab"]) {
      if (!entry.is_array() || entry.empty()) throw damaged();
      add(id++, entry[0]);
    }
  } else {
    throw damaged();
  }
  if (file.contains("added_tokens") && file["added_tokens"].is_array())
    for (const auto& token : file["added_tokens"]) {
      if (!token.is_object() || !token.contains("id") || !token.contains("content"))
        throw damaged();
      add(token["id"], token["content"]);
    }
  return tokens;
}

}  // namespace

void check_same_vocabulary(const fs::path& base, const fs::path& other) {
  const auto a = tokens_of(base), b = tokens_of(other);
  const auto refuse = [&](int64_t id) {
    const auto said = [&](const auto& tokens) {
      const auto it = tokens.find(id);
      return it == tokens.end() ? std::string("nothing") : "'" + shown(it->second) + "'";
    };
    throw Error(ErrorKind::invalid, fmt::format("token {} is {} in '{}' and {} in '{}'", id,
                                                said(a), base.string(), said(b), other.string()))
        .with_hint("bring the models to one tokenizer first: `helio model resize`");
  };
  for (const auto& [id, token] : a)
    if (const auto it = b.find(id); it == b.end() || it->second != token) refuse(id);
  for (const auto& [id, token] : b)
    if (!a.contains(id)) refuse(id);
}

}  // namespace helio::checkpoint
