#include "checkpoint/model_folder.h"

#include <array>
#include <string>

#include "checkpoint/rewrite.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/version.h"

namespace helio::checkpoint {
namespace {

constexpr std::array<std::string_view, 10> kTokenizerFiles = {"tokenizer.json",
                                                              "tokenizer_config.json",
                                                              "special_tokens_map.json",
                                                              "added_tokens.json",
                                                              "tokenizer.model",
                                                              "vocab.json",
                                                              "merges.txt",
                                                              "vocab.txt",
                                                              "chat_template.jinja",
                                                              "chat_template.json"};
constexpr std::array<std::string_view, 7> kPapers = {
    "generation_config.json", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt",
    "USE_POLICY.md"};

}  // namespace

OrderedJson load_model_config(const fs::path& dir) {
  const auto path = dir / "config.json";
  if (!fs::exists(path))
    throw Error(ErrorKind::not_found, "there is no '" + path.string() + "'")
        .with_hint("give a Hugging Face model folder: config.json beside model.safetensors");
  const std::string text = read_file(path);
  parse_json(text, path.string());  // its errors have line and column, its depth is bounded
  auto config = OrderedJson::parse(text);
  if (!config.is_object()) throw Error(ErrorKind::invalid, path.string() + ": not a JSON object");
  return config;
}

void check_new_model_folder(const fs::path& source, const fs::path& out) {
  const fs::path from = fs::weakly_canonical(source) / "", to = fs::weakly_canonical(out) / "";
  const std::string a = from.string(), b = to.string();
  if (a.starts_with(b) || b.starts_with(a))
    throw Error(ErrorKind::usage, "--out '" + out.string() + "' and the model share a folder")
        .with_hint("write the new model to a folder of its own");
  if (fs::is_directory(out) && !fs::is_empty(out) && !has_manifest(out))
    throw Error(ErrorKind::invalid, "'" + out.string() + "' holds files that helio did not make")
        .with_hint("choose an empty or new folder for --out");
}

std::span<const std::string_view> tokenizer_files() { return kTokenizerFiles; }
std::span<const std::string_view> model_papers() { return kPapers; }

void copy_companions(const fs::path& from, const fs::path& to) {
  for (const auto list : {tokenizer_files(), model_papers()})
    for (const auto& name : list)
      if (fs::is_regular_file(from / name)) copy_whole_file(from / name, to / name);
}

Manifest model_manifest(fs::path out, const std::string& made_by) {
  if (out.filename().empty()) out = out.parent_path();
  Manifest manifest;
  manifest.kind = "model";
  manifest.name = out.filename().string();
  manifest.made_by = made_by;
  manifest.version = version();
  manifest.code = code_hash("checkpoint");
  return manifest;
}

void write_model_folder(const fs::path& out, const std::string& what, const StopRequest& stop,
                        const std::function<void(const fs::path& dir)>& fill) {
  if (out.empty())
    throw Error(ErrorKind::usage, "no folder to write to").with_hint("add --out DIR");
  in_context([&] { return "writing " + what + " to '" + out.string() + "'"; },
             [&] {
               StagedDir staged(out);
               fill(staged.path());
               stop.check();
               staged.commit();
             });
}

}  // namespace helio::checkpoint
