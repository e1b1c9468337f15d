// What a workspace holds and what was made from what. The truth is in the artefacts' manifests;
// helio.db is an index over them, so that a large workspace need not be read anew each time. It can
// be deleted at any moment: it is made again from the folders, and so is one that is damaged or was
// written by another version.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/manifest.h"

namespace helio::jobs {

inline constexpr const char* kRegistryName = "helio.db";

struct Artefact {
  std::string path = {};  // in the workspace, '/' separators: "models/base"
  std::string kind = {}, name = {}, content = {};
  std::string made_by = {}, version = {};
  std::vector<ArtefactInput> inputs = {};
  Json facts = {};
};

// An input of one artefact that is (or is not) an artefact of the workspace, by content.
struct Edge {
  size_t made = 0;    // index of the artefact that was made
  int64_t from = -1;  // index of the artefact it was made from; -1: not in here
  ArtefactInput input = {};
};

// A picture of the workspace, taken when it is constructed.
class Registry {
 public:
  // Brings helio.db up to date and reads it. Any number of processes and threads may do so at once.
  // Where the workspace cannot be written the folders are read and nothing is kept.
  // Errors: the workspace does not exist (not_found).
  explicit Registry(std::filesystem::path workspace);

  const std::vector<Artefact>& artefacts() const { return artefacts_; }  // by path
  const std::vector<Edge>& edges() const { return edges_; }
  // Manifests that could not be read, one line each.
  const std::vector<std::string>& problems() const { return problems_; }

  // Index of the one artefact meant: a path in the workspace ("models/base") or on disk, a name
  // ("base"), or the first 6 or more digits of a content hash.
  // Errors: not_found with the nearest names; usage when several fit, naming them.
  size_t find(const std::string& name) const;

 private:
  void resolve_edges();

  std::filesystem::path workspace_;
  std::vector<Artefact> artefacts_ = {};
  std::vector<Edge> edges_ = {};
  std::vector<std::string> problems_ = {};
};

}  // namespace helio::jobs
