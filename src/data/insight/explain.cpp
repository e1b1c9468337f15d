#include "data/insight/explain.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/version.h"
#include "data/chunk.h"
#include "data/insight/original.h"
#include "data/insight/stored.h"

namespace helio::data {
namespace {

constexpr size_t kMostCopies = 20;

// The row as it was written when its id is the one sought. Most rows are passed over by a search
// for the id's bytes; only what may be it is parsed.
bool find_row(const fs::path& dir, const std::string& id, OrderedJson& row, std::string& alike) {
  const std::string quoted = Json(id).dump();
  const size_t slash = id.rfind('/');
  const std::string name = slash == id.npos ? id : id.substr(slash + 1);
  for (const fs::path& file : list_files(dir, {".jsonl.zst"})) {
    if (file.parent_path() != dir) continue;
    LineReader lines(file);
    for (std::string_view line; lines.next(line);) {
      const std::string_view head = line.substr(0, 4096);
      if (head.find(quoted) == head.npos) {
        if (alike.empty() && !name.empty() && head.substr(0, 512).find(name) != head.npos)
          alike = Json::parse(line)["id"].get<std::string>();
        continue;
      }
      OrderedJson found = OrderedJson::parse(line, nullptr, false);
      if (found.is_object() && found.value("id", "") == id) {
        row = std::move(found);
        return true;
      }
    }
  }
  return false;
}

// What filters measured on the document, by step, in the order of its checks.
using StoredValues = std::map<std::string, std::vector<double>>;
StoredValues figures_of(const StoredDataset& dataset, uint64_t number) {
  StoredValues values;
  for (const StoredFigures& stored : stored_figures(dataset.account))
    read_figures(dataset.path / stored.file, stored.columns.size(),
                 [&](uint64_t order, std::span<const double> row) {
                   if (order != number) return;
                   for (size_t i = 0; i < row.size(); ++i)
                     values[stored.columns[i].step].push_back(row[i]);
                 });
  return values;
}

struct Cluster {
  std::string stays = {};
  std::vector<std::string> copies = {};
  int64_t in_all = 0;
};
// The document's cluster of each step that found one.
std::map<std::string, Cluster> clusters_of(const fs::path& dataset, const std::string& id) {
  std::map<std::string, Cluster> clusters;
  const fs::path file = dataset / "duplicates.jsonl";
  if (!fs::exists(file)) return clusters;
  const std::string quoted = Json(id).dump();
  LineReader lines(file);
  for (std::string_view line; lines.next(line);) {
    if (line.find(quoted) == line.npos) continue;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    Cluster cluster{.stays = json.value("first", "")};
    bool mine = false;
    for (const Json& member : json.value("members", Json::array())) {
      const std::string other = member.value("id", "");
      mine |= other == id;
      if (other == cluster.stays) continue;
      if (cluster.in_all++ < int64_t(kMostCopies)) cluster.copies.push_back(other);
    }
    if (mine) clusters[json.value("step", "")] = std::move(cluster);
  }
  return clusters;
}

// Plays the steps over one document as far as its text is known.
class Replay {
 public:
  Replay(const StoredDataset& dataset, Explanation& story, std::optional<Document> document)
      : story_(story),
        steps_(dataset.steps()),
        document_(std::move(document)),
        values_(figures_of(dataset, story.row.value("number", uint64_t(0)))),
        clusters_(clusters_of(dataset.path, story.id())) {
    for (const auto& step : story.row.value("changed", OrderedJson::array()))
      changed_.push_back(step.get<std::string>());
    dropped_at_ = story.row.value("step", std::string());
  }

  void run() {
    bool gone = false;
    for (const Step& step : steps_) {
      ExplainedStep& told = story_.steps.emplace_back();
      told.step = step.name, told.shape = step.op->shape;
      if (gone) {
        told.outcome = Outcome::not_reached;
        continue;
      }
      const bool drops = !story_.kept && step.name == dropped_at_;
      const bool changes = std::find(changed_.begin(), changed_.end(), step.name) != changed_.end();
      told.outcome = drops                                     ? Outcome::dropped
                     : changes                                 ? Outcome::changed
                     : document_ && !step.concerns(*document_) ? Outcome::not_for_it
                                                               : Outcome::unchanged;
      if (drops) {
        told.reason = story_.row.value("reason", "");
        if (const auto& value = story_.row.at("value"); value.is_number())
          told.value = value.get<double>();
      }
      if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&step.run))
        measure(step, **filter, told);
      else if (const auto* map = std::get_if<std::unique_ptr<Map>>(&step.run))
        change(step, **map, told);
      else stage(step, told);
      gone = drops;
    }
    if (document_ && document_->text != story_.row.value("text", ""))
      story_.notes.push_back(
          "the steps run today give another text than the stored one: other code or models made "
          "it");
  }

 private:
  void measure(const Step& step, const Filter& filter, ExplainedStep& told) {
    const auto& checks = filter.checks();
    std::vector<double> now(checks.size(), std::numeric_limits<double>::quiet_NaN());
    const auto stored = values_.find(step.name);
    if (stored != values_.end() && stored->second.size() == checks.size()) {
      now = stored->second;
    } else if (document_ && step.concerns(*document_)) {
      Figures figures(checks, now, Figures::Until::all);
      filter.measure(*document_, figures);
      told.note = "measured now: the dataset keeps no figures";
    }
    for (size_t i = 0; i < checks.size(); ++i) {
      if (!std::isnan(now[i])) told.figures.push_back({checks[i], now[i]});
    }
  }

  void change(const Step& step, const Map& map, ExplainedStep& told) {
    if (!document_) {
      if (told.outcome == Outcome::changed) told.note = no_text_;
      return;
    }
    if (!step.concerns(*document_)) return;
    const std::string before = document_->text;
    map.apply(*document_, told.counters);
    told.diff = diff_texts(before, document_->text);
  }

  // A stage needs all documents: what it made of this one is known from the row alone.
  void stage(const Step& step, ExplainedStep& told) {
    if (const auto cluster = clusters_.find(step.name); cluster != clusters_.end()) {
      told.stays = cluster->second.stays;
      told.copies = cluster->second.copies;
      told.copies_in_all = cluster->second.in_all;
    }
    if (told.outcome != Outcome::changed) return;
    told.note = "it looks at all documents and cannot be run on one";
    const bool last = !changed_.empty() && changed_.back() == step.name;
    if (document_ && last) {  // no later step touched the text: the stored one is what it left
      const std::string after = story_.row.value("text", "");
      told.diff = diff_texts(document_->text, after);
      document_->text = after;
      return;
    }
    document_.reset();
    no_text_ = "what " + step.name + " left of the text before this step is not stored";
  }

  Explanation& story_;
  std::vector<Step> steps_;
  std::optional<Document> document_;
  StoredValues values_;
  std::map<std::string, Cluster> clusters_;
  std::vector<std::string> changed_ = {};
  std::string dropped_at_ = {};
  std::string no_text_ = "the document as it came in was not found";
};

OrderedJson number_or_null(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
}

OrderedJson json_of(const ExplainedStep& step) {
  OrderedJson json{
      {"step", step.step}, {"shape", name_of(step.shape)}, {"outcome", name_of(step.outcome)}};
  if (step.outcome == Outcome::dropped) {
    json["reason"] = step.reason;
    json["value"] = number_or_null(step.value);
  }
  if (!step.figures.empty()) {
    json["figures"] = OrderedJson::array();
    for (const ExplainedFigure& figure : step.figures)
      json["figures"].push_back({{"reason", figure.check.reason},
                                 {"figure", number_or_null(figure.figure)},
                                 {"drops", name_of(figure.check.drops)},
                                 {"limit", number_or_null(figure.check.limit)},
                                 {"fails", figure.fails()}});
  }
  if (!step.counters.empty()) json["counters"] = step.counters;
  if (!step.stays.empty())
    json["cluster"] = {
        {"stays", step.stays}, {"copies", step.copies}, {"copies_in_all", step.copies_in_all}};
  if (!step.diff.empty()) json["diff"] = step.diff.json();
  if (!step.note.empty()) json["note"] = step.note;
  return json;
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::unchanged:
      return "unchanged";
    case Outcome::changed:
      return "changed";
    case Outcome::dropped:
      return "dropped";
    case Outcome::not_for_it:
      return "not for it";
    case Outcome::not_reached:
      return "not reached";
  }
  return "unchanged";
}

OrderedJson Explanation::json() const {
  OrderedJson json{{"id", id()}, {"fate", kept ? "kept" : "dropped"}};
  for (const char* key :
       {"step", "reason", "value", "cluster", "lot", "partner", "licence", "language", "split",
        "path", "number", "row", "url", "meta", "scores", "changed"})
    if (row.contains(key)) json[key] = row[key];
  json["original"] = original_from.empty() ? OrderedJson(nullptr) : OrderedJson(original_from);
  json["steps"] = OrderedJson::array();
  for (const ExplainedStep& step : steps) json["steps"].push_back(json_of(step));
  json["notes"] = notes;
  json["text"] = row.value("text", "");
  return json;
}

namespace {

Explanation story_of(const std::filesystem::path& dataset, const std::string& id,
                     const ExplainOptions& options) {
  const StoredDataset stored(dataset);
  Explanation story;
  std::string alike;
  story.kept = find_row(dataset, id, story.row, alike);
  if (!story.kept && !find_row(dataset / "dropped", id, story.row, alike)) {
    Error error(ErrorKind::not_found, "the dataset has no document '" + id + "'");
    throw error.with_hint(alike.empty() ? "ids are <lot>/<path> or <lot>/<path>#<row>"
                                        : "one that is alike: " + alike);
  }
  const auto original = find_original(stored, Json(story.row), options.inputs);
  if (original) story.original_from = original->from;
  else
    story.notes.push_back(
        "the document as it came in was not found, so texts are not compared; --inputs FOLDER says "
        "where the lots are");
  if (stored.manifest.code != code_hash("data"))
    story.notes.push_back("made by version " + stored.manifest.version +
                          " with other code of the data module: steps may have changed since");
  Replay(stored, story, original ? std::optional(original->document) : std::nullopt).run();
  return story;
}

}  // namespace

Explanation explain(const std::filesystem::path& dataset, const std::string& id,
                    const ExplainOptions& options) {
  return reading(dataset, [&] { return story_of(dataset, id, options); });
}

}  // namespace helio::data
