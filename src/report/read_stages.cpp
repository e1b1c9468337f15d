#include <algorithm>
#include <map>

#include "core/error.h"
#include "report/readers.h"

namespace helio::report {
namespace {

std::string head_of(const std::string& given) { return given.substr(0, given.find('/')); }

// "tokens: corpus/part" -> "corpus/part"
std::string given_of(const std::string& input) {
  const size_t colon = input.find(": ");
  return colon == std::string::npos ? input : input.substr(colon + 2);
}

fs::path plain(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

// What the runner left of a stage: its record, and the options it started the stage with.
StageInfo read_state(const fs::path& workspace, const std::string& name) {
  StageInfo stage{.name = name};
  const fs::path file = workspace / "state" / (name + ".json");
  if (!fs::exists(file)) return stage;
  const Json json = load_object(file);
  const Record record(json, file.string());
  stage.kind = record.text("kind");
  stage.seconds = record.number("seconds");
  stage.peak_rss = record.count("peak_rss");
  stage.content = record.text("content");
  stage.status = record.text("status") == "done" ? StageInfo::Status::up_to_date
                                                 : StageInfo::Status::unfinished;
  stage.written = record.below("written").json();
  record.each_member("inputs", [&](const std::string& input, const Json& content) {
    if (!content.is_string()) record.damaged("inputs", "an object of texts");
    stage.inputs.emplace_back(input, content.get<std::string>());
  });
  const fs::path started = workspace / "state" / (name + ".yaml");
  if (fs::exists(started)) {
    const Json options = load_object(started);
    const Record resolved(options, started.string());
    stage.out = resolved.text("out");
    stage.run = resolved.text("run");
  }
  return stage;
}

// Places by convention, for what the state does not say.
void find_places(const fs::path& workspace, StageInfo& stage) {
  static const std::map<std::string, const char*> kPlaces = {{"club import", "lots"},
                                                             {"data run", "datasets"},
                                                             {"tokenizer train", "tokenizers"},
                                                             {"tokens build", "tokens"},
                                                             {"pretrain", "models"},
                                                             {"upscale", "models"},
                                                             {"merge", "models"},
                                                             {"sft", "models"},
                                                             {"align", "models"},
                                                             {"eval run", "evals"},
                                                             {"club statement", "statements"}};
  // A workspace that was moved keeps its shape: the folder by convention comes first.
  if (const auto place = kPlaces.find(stage.kind); place != kPlaces.end())
    if (const fs::path usual = workspace / place->second / stage.name;
        stage.out.empty() || fs::exists(usual))
      stage.out = usual;
  if (const fs::path usual = workspace / "runs" / stage.name;
      stage.run.empty() || fs::exists(usual))
    stage.run = usual;
  if (!stage.out.empty() && has_manifest(stage.out)) stage.manifest = load_manifest(stage.out);
}

// The name of the recipe and its stages in order: state/.recipe.json.
std::vector<StageInfo> read_recipe(const fs::path& workspace, Report& report) {
  const fs::path file = workspace / "state" / ".recipe.json";
  std::vector<StageInfo> listed;
  if (!fs::exists(file)) return listed;
  const Json json = load_object(file);
  const Record recipe(json, file.string());
  report.title = recipe.text("name");
  report.about = recipe.text("about");
  recipe.each_row("stages", [&](const Record& row) {
    listed.push_back({.name = row.text("name"), .kind = row.text("kind")});
  });
  return listed;
}

// Without a recipe: each stage after those it reads, names deciding between equals.
std::vector<StageInfo> in_order(std::map<std::string, StageInfo> open) {
  std::vector<StageInfo> ordered;
  while (!open.empty()) {
    auto next = std::find_if(open.begin(), open.end(), [&](const auto& entry) {
      return std::none_of(
          entry.second.inputs.begin(), entry.second.inputs.end(),
          [&](const auto& input) { return open.contains(head_of(given_of(input.first))); });
    });
    if (next == open.end())
      next = open.begin();  // a circle cannot come from a recipe: show it as it is
    ordered.push_back(std::move(next->second));
    open.erase(next);
  }
  return ordered;
}

std::vector<StageInfo> all_states(const fs::path& workspace) {
  std::map<std::string, StageInfo> found;
  for (const auto& file : list_files(workspace / "state", {".json"})) {
    const std::string name = file.stem().string();
    if (file.parent_path() != workspace / "state" || name.starts_with(".")) continue;
    found.emplace(name, read_state(workspace, name));
  }
  return in_order(std::move(found));
}

// A workspace whose stages were run by hand has no state: its artefacts are what there is.
std::vector<StageInfo> from_artefacts(const fs::path& workspace) {
  std::map<std::string, StageInfo> found;
  for (const Artefact& artefact : read_artefacts(workspace)) {
    if (std::count(artefact.path.begin(), artefact.path.end(), '/') != 1)
      continue;  // parts of another
    StageInfo stage{.name = artefact.name,
                    .kind = artefact.made_by,
                    .status = StageInfo::Status::up_to_date,
                    .content = artefact.content,
                    .out = workspace / artefact.path};
    stage.manifest = load_manifest(stage.out);
    stage.written = stage.manifest->options;
    for (const auto& input : stage.manifest->inputs) {
      stage.inputs.emplace_back(input.role + ": " + input.name, input.content);
      if (!stage.written.contains(input.role)) stage.written[input.role] = input.name;
    }
    found.emplace(artefact.path, std::move(stage));
  }
  return in_order(std::move(found));
}

void judge(Report& report) {
  std::map<std::string, const StageInfo*> by_name;
  for (const StageInfo& stage : report.stages) by_name[stage.name] = &stage;
  for (StageInfo& stage : report.stages) {
    if (stage.status != StageInfo::Status::up_to_date) continue;
    bool holds = stage.manifest && stage.manifest->content == stage.content;
    for (const auto& [input, content] : stage.inputs) {
      const std::string given = given_of(input);
      const auto source = by_name.find(head_of(given));
      if (source == by_name.end() || !source->second->manifest) continue;
      const size_t slash = given.find('/');
      const fs::path part = slash == std::string::npos
                                ? source->second->out
                                : source->second->out / given.substr(slash + 1);
      const std::string now = slash == std::string::npos || !has_manifest(part)
                                  ? source->second->manifest->content
                                  : load_manifest(part).content;
      holds = holds && now == content;
    }
    if (!holds) stage.status = StageInfo::Status::stale;
  }
}

}  // namespace

void read_stages(const ReadOptions& options, Report& report) {
  const fs::path& workspace = options.workspace;
  std::vector<StageInfo> stages = read_recipe(workspace, report);
  if (!stages.empty()) {
    for (StageInfo& stage : stages) {
      const std::string kind = stage.kind;
      stage = read_state(workspace, stage.name);
      if (stage.kind.empty()) stage.kind = kind;
    }
  } else if (fs::is_directory(workspace / "state")) {
    stages = all_states(workspace);
  } else {
    stages = from_artefacts(workspace);
  }
  for (StageInfo& stage : stages) {
    if (stage.kind == "report" || stage.name == options.self) continue;
    if (!stage.manifest) find_places(workspace, stage);
    report.stages.push_back(std::move(stage));
  }
  judge(report);
  if (options.stages.empty()) return;
  std::erase_if(report.stages, [&](const StageInfo& stage) {
    return std::none_of(options.stages.begin(), options.stages.end(),
                        [&](const std::string& wanted) {
                          const fs::path path = plain(wanted);
                          return path == plain(stage.out) || path == plain(stage.run) ||
                                 path.parent_path() == plain(stage.out);
                        });
  });
}

std::vector<Artefact> read_artefacts(const fs::path& workspace) {
  std::vector<Artefact> found;
  const auto visit = [&](const auto& self, const fs::path& folder, int depth) -> void {
    if (has_manifest(folder)) {
      const Manifest manifest = load_manifest(folder);
      Artefact artefact{.kind = manifest.kind,
                        .name = manifest.name,
                        .path = fs::relative(folder, workspace).generic_string(),
                        .content = manifest.content,
                        .made_by = manifest.made_by,
                        .inputs = manifest.inputs,
                        .facts = manifest.facts};
      for (const auto& file : manifest.files) artefact.bytes += file.size;
      found.push_back(std::move(artefact));
    }
    if (depth == 0) return;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory() && !entry.is_symlink() && !name.starts_with("."))
        self(self, entry.path(), depth - 1);
    }
  };
  for (const char* place :
       {"lots", "datasets", "tokenizers", "tokens", "models", "evals", "statements"})
    if (fs::is_directory(workspace / place)) visit(visit, workspace / place, 2);
  std::sort(found.begin(), found.end(),
            [](const Artefact& a, const Artefact& b) { return a.path < b.path; });
  return found;
}

}  // namespace helio::report
