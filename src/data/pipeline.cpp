#include "data/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "club/lot.h"
#include "club/roster.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/parallel.h"
#include "core/version.h"
#include "core/zstd.h"
#include "data/engine.h"
#include "data/feed.h"
#include "data/figures.h"
#include "data/memory_size.h"
#include "data/spool.h"
#include "data/text_lines.h"
#include "data/write/export.h"

namespace helio::data {
namespace {

constexpr uint64_t kPartBytes = uint64_t(64) << 20;
constexpr const char* kDuplicatesName = "duplicates.jsonl";

// Sections of chunks one after the other, in files of about kPartBytes of rows: zstd frames may
// stand in a row, so nothing is packed twice.
class PartFiles {
 public:
  explicit PartFiles(fs::path dir) : dir_(std::move(dir)) { make_dirs(dir_); }

  void add(std::string_view frames, uint64_t rows_bytes) {
    if (frames.empty()) return;
    if (!out_) {
      out_ = std::make_unique<AtomicFile>(dir_ / fmt::format("part-{:05}.jsonl.zst", parts_++));
      size_ = 0;
    }
    out_->write(frames);
    size_ += rows_bytes;
    if (size_ >= kPartBytes) finish();
  }
  void finish() {
    if (out_) out_->commit();
    out_.reset();
  }

 private:
  fs::path dir_;
  std::unique_ptr<AtomicFile> out_ = {};
  uint64_t size_ = 0;
  int parts_ = 0;
};

std::vector<std::unique_ptr<Feed>> open_feeds(const std::vector<std::string>& folders,
                                              const std::vector<InputOptions>& inputs) {
  std::vector<std::unique_ptr<Feed>> feeds;
  for (const std::string& folder : folders) feeds.push_back(open_lot_feed(folder));
  for (const InputOptions& input : inputs) feeds.push_back(open_input_feed(input));
  std::set<std::string> names;
  for (const auto& feed : feeds)
    if (!names.insert(feed->info().lot).second)
      throw Error(ErrorKind::invalid, "two inputs are called '" + feed->info().lot + "'")
          .with_hint("give one of them another name with 'lot:'");
  return feeds;
}

Account settle(const Engine& engine, const std::vector<club::LotInfo>& lots) {
  const Tally tally = engine.tally();
  Account account;
  account.steps = tally.steps;
  account.counters = tally.counters;
  account.languages = tally.languages;
  account.splits = tally.splits;
  for (const char* split : {"train", "heldout"}) account.splits[split];
  for (const club::LotInfo& info : lots) {
    LotAccount& lot = account.lots.emplace_back();
    lot.info = info;
    const auto found = tally.lots.find(info.lot);
    if (found == tally.lots.end()) continue;
    lot.in = found->second.in, lot.out = found->second.out, lot.dropped = found->second.dropped;
  }
  account.balance();
  return account;
}

OrderedJson steps_json(const std::vector<Step>& steps) {
  OrderedJson json = OrderedJson::array();
  for (const Step& step : steps) {
    OrderedJson entry{{"step", step.name}, {"op", step.op->name}};
    if (!step.languages.empty()) entry["for"] = step.languages;
    entry["options"] = step.options;
    json.push_back(std::move(entry));
  }
  return json;
}

void write_rows(const Engine& engine, const fs::path& dir, Monitor& monitor,
                const StopRequest& stop) {
  const size_t last = engine.segments().size() - 1;
  monitor.begin("writing", 0, "");
  PartFiles kept(dir);
  for (const fs::path& path : engine.chunks(last)) {
    stop.check();
    const ChunkFile chunk(path);
    kept.add(chunk.section("kept"), chunk.facts().at("kept_bytes").get<uint64_t>());
  }
  kept.finish();
  PartFiles dropped(dir / "dropped");
  for (size_t segment = 0; segment <= last; ++segment)
    for (const fs::path& path : engine.chunks(segment)) {
      stop.check();
      const ChunkFile chunk(path);
      const std::string_view frames = chunk.section("dropped");
      dropped.add(frames, 4 * frames.size());
    }
  dropped.finish();
  monitor.end();
}

// One line a cluster: what every stage that finds duplicates noted, by stage and cluster.
void write_duplicates(const Engine& engine, const std::vector<Step>& steps, const fs::path& dir) {
  LineWriter out(dir / kDuplicatesName);
  for (size_t segment = 1; segment < engine.segments().size(); ++segment) {
    std::map<int64_t, std::map<uint64_t, Json>> clusters;
    for (const fs::path& path : engine.chunks(segment)) {
      const std::string lines = zstd_expand(ChunkFile(path).section("notes"), path.string());
      for_each_line(lines, [&](std::string_view line) {
        if (line.empty()) return;
        Json note = Json::parse(line);
        const auto cluster = note["cluster"].get<int64_t>();
        const auto order = note["order"].get<uint64_t>();
        clusters[cluster][order] = std::move(note);
      });
    }
    const std::string& step = steps[engine.segments()[segment].first - 1].name;
    for (const auto& [cluster, notes] : clusters) {
      OrderedJson members = OrderedJson::array();
      std::string first;
      const auto add = [&](const Json& note) {
        members.push_back({{"id", note["id"]},
                           {"lot", note["lot"]},
                           {"partner", note["partner"]},
                           {"similarity", note["similarity"]}});
      };
      for (const auto& [order, note] : notes)
        if (int64_t(order) == cluster) first = note["id"].get<std::string>(), add(note);
      for (const auto& [order, note] : notes)
        if (int64_t(order) != cluster) add(note);
      out.write(compact({{"step", step}, {"first", first}, {"members", members}}));
    }
  }
  out.commit();
}

// What stands for an input in lineage: its files' bytes, and how they were read.
ArtefactInput input_record(const InputOptions& given) {
  InputOptions input = given;
  ArtefactInput record{.role = "inputs", .kind = "file", .name = input.lot};
  Sha256Stream hash;
  hash.update(compact(options_json(describe(input))));
  for (const SourceFile& file : source_files(input.files)) {
    hash.update(file.relative + "\n");
    if (file.member.empty())
      hash.update(is_remote(file.path.string()) ? std::to_string(file.size)
                                                : sha256_file(file.path));
  }
  record.content = hash.hex();
  return record;
}

OrderedJson inputs_json(const std::vector<InputOptions>& inputs) {
  OrderedJson json = OrderedJson::array();
  for (InputOptions input : inputs) json.push_back(options_json(describe(input)));
  return json;
}

std::string hash_of_inputs(const std::vector<ArtefactInput>& inputs) {
  OrderedJson json = OrderedJson::array();
  for (const ArtefactInput& input : inputs) json.push_back({input.kind, input.name, input.content});
  return sha256_hex(compact(json));
}

KeepFigures figures_of(const std::string& name) {
  if (name == "none") return KeepFigures::none;
  return name == "all" ? KeepFigures::all : KeepFigures::deciding;
}

fs::path work_of(const fs::path& out) {
  return out.parent_path() / ("." + out.filename().string() + ".work");
}

}  // namespace

std::vector<std::string> lot_folders(const std::vector<std::string>& lots) {
  std::vector<std::string> folders;
  for (const std::string& lot : lots) {
    const fs::path path = lot;
    if (!has_manifest(path))
      throw Error(fs::exists(path) ? ErrorKind::invalid : ErrorKind::not_found,
                  "'" + lot + "' is neither a lot nor a folder of lots")
          .with_hint("helio club import makes lots");
    const std::string kind = load_manifest(path).kind;
    if (kind == "lot") {
      folders.push_back(lot);
      continue;
    }
    if (kind != "lots")
      throw Error(ErrorKind::invalid,
                  "'" + lot + "' is a " + kind + ", not a lot or a folder of lots");
    for (const auto& entry : club::load_roster(path).lots) folders.push_back(entry.path.string());
  }
  return folders;
}

OrderedJson plan_json(const PipelineOptions& options) {
  OrderedJson plan{{"lots", OrderedJson::array()}};
  Amount in;
  for (const std::string& folder : lot_folders(options.lots)) {
    const club::LotReader reader(folder);
    const auto& counts = reader.counts();
    plan["lots"].push_back({{"lot", reader.info().lot},
                            {"partner", reader.info().partner},
                            {"language", reader.info().language},
                            {"licence", reader.info().licence},
                            {"documents", counts.documents},
                            {"bytes", counts.bytes}});
    in += {counts.documents, 0, counts.bytes};
  }
  plan["inputs"] = OrderedJson::array();
  for (const InputOptions& input : read_inputs(options.inputs)) {
    const std::vector<SourceFile> files = source_files(input.files);
    uint64_t bytes = 0;
    for (const SourceFile& file : files) bytes += file.size;
    plan["inputs"].push_back({{"lot", input.lot},
                              {"partner", input.partner},
                              {"path", input.files.path},
                              {"files", files.size()},
                              {"bytes", bytes}});
  }
  plan["documents"] = in.documents;
  plan["bytes"] = in.bytes;
  plan["steps"] = steps_json(read_steps(options.steps));
  plan["out"] = options.out;
  plan["exports"] = OrderedJson::array();
  for (const ExportOptions& one : read_exports(options.exports))
    plan["exports"].push_back({{"path", one.path}, {"format", one.format}});
  return plan;
}

Account run_pipeline(const PipelineOptions& options, int threads, Monitor& monitor,
                     const StopRequest& stop) {
  if (threads <= 0) threads = hardware_threads();
  const uint64_t memory = parse_memory(options.memory);
  const std::vector<Step> steps = read_steps(options.steps);  // wrong options cost no reading
  const OrderedJson resolved = steps_json(steps);
  const std::vector<ExportOptions> exports = read_exports(options.exports);
  const auto folders = lot_folders(options.lots);
  const auto inputs = read_inputs(options.inputs);
  if (folders.empty() && inputs.empty())
    throw Error(ErrorKind::usage, "nothing to read: neither lots nor inputs")
        .with_hint("helio club import makes lots; 'inputs' reads files as they are");
  Manifest manifest;
  for (const std::string& lot : options.lots)
    manifest.inputs.push_back(describe_input("lots", lot));
  for (const InputOptions& input : inputs) manifest.inputs.push_back(input_record(input));
  const std::string read = hash_of_inputs(manifest.inputs);
  std::map<std::string, std::string> files;
  for (ArtefactInput& file : outside_files(steps)) {
    files[file.role.substr(0, file.role.rfind('.'))] += file.role + " " + file.content + "\n";
    manifest.inputs.push_back(std::move(file));
  }
  std::vector<std::unique_ptr<Feed>> feeds = open_feeds(folders, inputs);
  std::vector<club::LotInfo> lots;
  for (const auto& feed : feeds) lots.push_back(feed->info());

  const fs::path out = fs::absolute(options.out).lexically_normal();
  Engine engine(steps, std::move(feeds),
                {.work = work_of(out),
                 .inputs = read,
                 .code = code_hash("data"),
                 .files = files,
                 .threads = threads,
                 .memory = memory,
                 .figures = figures_of(options.figures)});
  engine.run(monitor, stop);
  if (engine.reused() > 0)
    monitor.note(fmt::format("{} of {} parts of the pipeline were there already", engine.reused(),
                             engine.segments().size()));
  Account account = settle(engine, lots);

  StagedDir staged(options.out);
  write_rows(engine, staged.path(), monitor, stop);
  write_duplicates(engine, steps, staged.path());
  account.figures = write_figures(engine, steps, staged.path());
  const OrderedJson json = account.json();
  write_file_atomic(staged.path() / "dataset.json", pretty(json));
  manifest.kind = "dataset";
  manifest.name = fs::path(options.out).filename().string();
  manifest.made_by = "data run";
  manifest.version = version();
  manifest.code = code_hash("data");
  manifest.options = {{"steps", resolved}};
  if (!inputs.empty()) manifest.options["inputs"] = inputs_json(inputs);
  manifest.facts = {{"in", json["in"]},
                    {"out", json["out"]},
                    {"languages", json["languages"]},
                    {"splits", json["splits"]}};
  seal_artefact(staged.path(), manifest);
  staged.commit();
  if (options.work == "remove") fs::remove_all(work_of(out));
  for (const ExportOptions& one : exports) {
    const Exported files = export_dataset(out, one, monitor, stop);
    monitor.note(fmt::format("{} documents as {} in {}", files.documents, one.format, one.path));
  }
  return account;
}

}  // namespace helio::data
