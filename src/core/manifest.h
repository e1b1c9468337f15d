// Every artefact is a folder with a helio_manifest.json that says what it is, what it was made
// from (by content hash), with which options and code, and what files it has. Lineage, caching and
// the partners' accounts come from these alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio {

inline constexpr const char* kManifestName = "helio_manifest.json";

struct ArtefactInput {
  std::string role = {};  // the option that named it: "tokens", "model"
  std::string kind = {};  // of the artefact, or "file"
  std::string name = {};
  std::string content = {};  // its content hash (SHA-256, hex)
};

struct ArtefactFile {
  std::string path = {};  // relative, '/' separators
  uint64_t size = 0;
  std::string sha256 = {};
};

struct Manifest {
  std::string kind = {};     // "lot", "dataset", "tokenizer", "tokens", "model", "evaluation", ...
  std::string name = {};     // folder name
  std::string made_by = {};  // command: "data run", "pretrain", "upscale"
  std::string version = {};  // of helio
  std::string code = {};     // hash of the sources of the modules that made it
  std::vector<ArtefactInput> inputs = {};
  OrderedJson options = OrderedJson::object();  // resolved
  OrderedJson facts = OrderedJson::object();    // what a reader wants to know without opening files
  std::vector<ArtefactFile> files = {};
  std::string content = {};  // hash of kind and files: equal content, equal hash

  OrderedJson json() const;
  static Manifest parse(const Json& json, const std::string& source);
};

// Hashes the files under `dir` (all but the manifest itself and `telemetry`: names of files that
// hold clock times), fills files and content, and writes the manifest. Files that the manifest
// lists already, with the size they have, were hashed while they were written and keep that hash.
// Nothing in a manifest depends on the clock, the machine's name or absolute paths. Call it as the
// last thing before commit.
void seal_artefact(const std::filesystem::path& dir, Manifest& manifest,
                   const std::vector<std::string>& telemetry = {});

bool has_manifest(const std::filesystem::path& dir);
Manifest load_manifest(const std::filesystem::path& dir);

// The input record for an artefact folder (its manifest's content) or a plain file or folder
// (hash of its bytes).
ArtefactInput describe_input(const std::string& role, const std::filesystem::path& path);

// Checks every file's size and hash against the manifest; throws naming the first that differs.
void verify_artefact(const std::filesystem::path& dir);

}  // namespace helio
