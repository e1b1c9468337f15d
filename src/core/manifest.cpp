#include "core/manifest.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/file_hashes.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/parallel.h"

namespace helio {
namespace {

std::string content_of(const std::string& kind, const std::vector<ArtefactFile>& files) {
  Sha256Stream stream;
  stream.update(kind).update("\n");
  for (const auto& file : files)
    stream.update(file.path).update(" ").update(file.sha256).update("\n");
  return stream.hex();
}

// Of several files side by side: hashing is what sealing a large artefact waits for.
std::vector<std::string> sha256_files(const std::vector<fs::path>& paths, FileHashes& known) {
  std::vector<std::string> out(paths.size());
  parallel_slices(paths.size(), hardware_threads(), 1,
                  [&](size_t at, size_t, int) { out[at] = known.of(paths[at]); });
  return out;
}

std::string text_at(const Json& json, const char* key, const std::string& source) {
  if (!json.contains(key) || !json.at(key).is_string())
    throw Error(ErrorKind::invalid, source + ": manifest without text '" + std::string(key) + "'");
  return json.at(key).get<std::string>();
}

}  // namespace

OrderedJson Manifest::json() const {
  OrderedJson out = {{"format", 1},        {"kind", kind},
                     {"name", name},       {"content", content},
                     {"made_by", made_by}, {"helio", {{"version", version}, {"code", code}}}};
  out["inputs"] = OrderedJson::array();
  for (const auto& input : inputs)
    out["inputs"].push_back({{"role", input.role},
                             {"kind", input.kind},
                             {"name", input.name},
                             {"content", input.content}});
  out["options"] = options;
  out["facts"] = facts;
  out["files"] = OrderedJson::array();
  for (const auto& file : files)
    out["files"].push_back({{"path", file.path}, {"size", file.size}, {"sha256", file.sha256}});
  return out;
}

Manifest Manifest::parse(const Json& json, const std::string& source) {
  if (!json.is_object()) throw Error(ErrorKind::invalid, source + ": a manifest must be an object");
  Manifest m;
  m.kind = text_at(json, "kind", source);
  m.name = text_at(json, "name", source);
  m.content = text_at(json, "content", source);
  m.made_by = text_at(json, "made_by", source);
  try {
    m.version = json.at("helio").at("version").get<std::string>();
    m.code = json.at("helio").at("code").get<std::string>();
    for (const auto& input : json.at("inputs"))
      m.inputs.push_back({.role = input.at("role"),
                          .kind = input.at("kind"),
                          .name = input.at("name"),
                          .content = input.at("content")});
    m.options = OrderedJson::parse(json.at("options").dump());
    m.facts = OrderedJson::parse(json.at("facts").dump());
    for (const auto& file : json.at("files"))
      m.files.push_back(
          {.path = file.at("path"), .size = file.at("size"), .sha256 = file.at("sha256")});
  } catch (const Json::exception& problem) {
    throw Error(ErrorKind::invalid, source + ": damaged manifest: " + problem.what());
  }
  return m;
}

void seal_artefact(const std::filesystem::path& dir, Manifest& manifest,
                   const std::vector<std::string>& telemetry) {
  const std::vector<ArtefactFile> known = std::exchange(manifest.files, {});
  std::vector<fs::path> paths;
  for (const auto& path : list_files(dir)) {
    const std::string name = fs::relative(path, dir).generic_string();
    const std::string leaf = path.filename().string();
    if (name == kManifestName ||
        std::find(telemetry.begin(), telemetry.end(), leaf) != telemetry.end())
      continue;
    ArtefactFile file{.path = name, .size = fs::file_size(path)};
    for (const auto& each : known)
      if (each.path == name && each.size == file.size) file.sha256 = each.sha256;
    if (file.sha256.empty()) paths.push_back(path);
    manifest.files.push_back(std::move(file));
  }
  FileHashes none;
  const auto hashes = sha256_files(paths, none);
  auto hash = hashes.begin();
  for (auto& file : manifest.files)
    if (file.sha256.empty()) file.sha256 = *hash++;
  manifest.content = content_of(manifest.kind, manifest.files);
  write_file_atomic(dir / kManifestName, pretty(manifest.json()));
}

bool has_manifest(const std::filesystem::path& dir) { return fs::exists(dir / kManifestName); }

Manifest load_manifest(const std::filesystem::path& dir) {
  const auto path = dir / kManifestName;
  if (!fs::exists(path))
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no " + kManifestName)
        .with_hint("it was not made by helio, or was not finished");
  return Manifest::parse(load_json(path), path.string());
}

ArtefactInput describe_input(const std::string& role, const std::filesystem::path& path) {
  FileHashes none;
  return describe_input(role, path, none);
}

ArtefactInput describe_input(const std::string& role, const std::filesystem::path& path,
                             FileHashes& known) {
  ArtefactInput input{.role = role, .kind = "file", .name = path.filename().string()};
  if (input.name.empty()) input.name = path.parent_path().filename().string();
  if (fs::is_directory(path)) {
    if (has_manifest(path)) {
      const Manifest manifest = load_manifest(path);
      input.kind = manifest.kind;
      input.name = manifest.name;
      input.content = manifest.content;
      return input;
    }
    Sha256Stream stream;
    const auto files = list_files(path);
    const auto hashes = sha256_files(files, known);
    for (size_t i = 0; i < files.size(); ++i)
      stream.update(fs::relative(files[i], path).generic_string())
          .update(" ")
          .update(hashes[i])
          .update("\n");
    input.kind = "folder";
    input.content = stream.hex();
    return input;
  }
  if (!fs::exists(path))
    throw Error(ErrorKind::not_found, "no file or folder '" + path.string() + "' (" + role + ")");
  input.content = known.of(path);
  return input;
}

void verify_artefact(const std::filesystem::path& dir) {
  const Manifest manifest = load_manifest(dir);
  for (const auto& file : manifest.files) {
    const auto path = dir / file.path;
    if (!fs::exists(path)) throw Error(ErrorKind::check, "'" + path.string() + "' is missing");
    if (fs::file_size(path) != file.size || sha256_file(path) != file.sha256)
      throw Error(ErrorKind::check, "'" + path.string() + "' is not what its manifest says")
          .with_hint("it changed after it was made; make it again");
  }
  if (content_of(manifest.kind, manifest.files) != manifest.content)
    throw Error(ErrorKind::check, "'" + (dir / kManifestName).string() + "' does not add up");
}

}  // namespace helio
