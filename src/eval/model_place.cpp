#include "eval/model_place.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"

namespace helio::eval {

ModelPlace find_model(const std::string& given, const std::string& base) {
  const fs::path path = given;
  if (fs::is_regular_file(path) && given.ends_with(".gguf")) return {.model = path};
  if (!fs::is_directory(path))
    throw Error(ErrorKind::not_found, "no model folder '" + given + "'")
        .with_hint("a folder, a .gguf file, or openai:URL#name");
  const fs::path config = path / "adapter_config.json";
  if (!fs::is_regular_file(config) || fs::exists(path / "config.json")) return {.model = path};
  if (!base.empty()) {
    if (!fs::exists(base))
      throw Error(ErrorKind::not_found, "no model '" + base + "' for adapter '" + given + "'");
    return {.model = base, .adapter = path};
  }
  const Json json = load_json(config);
  const auto named = json.is_object() ? json.find("base_model_name_or_path") : json.end();
  const std::string name = json.is_object() && named != json.end() && named->is_string()
                               ? named->get<std::string>()
                               : "";
  if (!name.empty() && fs::is_directory(name)) return {.model = name, .adapter = path};
  throw Error(ErrorKind::usage, "'" + given + "' is a LoRA adapter, and " +
                                    (name.empty() ? "names no model that it belongs to"
                                                  : "its model '" + name + "' is no folder here"))
      .with_hint("--adapter-base FOLDER says which model it is applied to");
}

}  // namespace helio::eval
