#include "data/pipeline.h"

#include <algorithm>
#include <thread>

#include "club/lot.h"
#include "club/roster.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/version.h"
#include "data/flow.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

constexpr size_t kPartBytes = size_t(64) << 20;

// Rows in files of about kPartBytes of text each: where they are cut depends on the rows alone.
class PartWriter {
 public:
  explicit PartWriter(fs::path dir) : dir_(std::move(dir)) { make_dirs(dir_); }

  void write(const OrderedJson& row) {
    if (!out_) {
      char name[32];
      std::snprintf(name, sizeof name, "part-%05d.jsonl.zst", parts_++);
      out_ = std::make_unique<LineWriter>(dir_ / name);
      size_ = 0;
    }
    const std::string line = compact(row);
    out_->write(line);
    size_ += line.size();
    if (size_ >= kPartBytes) finish();
  }

  void finish() {
    if (out_) out_->commit();
    out_.reset();
  }

 private:
  fs::path dir_;
  std::unique_ptr<LineWriter> out_ = {};
  size_t size_ = 0;
  int parts_ = 0;
};

std::vector<Document> read_lots(const std::vector<std::string>& folders, Account& account,
                                Monitor& monitor, const StopRequest& stop) {
  int64_t total = 0;
  for (const std::string& folder : folders) total += club::LotReader(folder).counts().documents;
  monitor.begin("reading lots", total, "documents");
  std::vector<Document> documents;
  documents.reserve(static_cast<size_t>(total));
  for (const std::string& folder : folders) {
    club::LotReader reader(folder);
    LotAccount lot{.info = reader.info()};
    club::LotDocument given;
    while (reader.next(given)) {
      lot.in.documents += 1;
      lot.in.bytes += int64_t(given.text.size());
      documents.push_back({.id = std::move(given.id),
                           .text = std::move(given.text),
                           .format = std::move(given.format),
                           .lot = lot.info.lot,
                           .partner = lot.info.partner,
                           .language = lot.info.language,
                           .path = std::move(given.path)});
      if (documents.size() % 256 == 0) {
        stop.check();
        monitor.at(int64_t(documents.size()));
      }
    }
    account.lots.push_back(std::move(lot));
  }
  monitor.end();
  return documents;
}

OrderedJson row_of(const Document& document, const Flow& flow) {
  OrderedJson row{
      {"id", document.id},           {"text", document.text},         {"lot", document.lot},
      {"partner", document.partner}, {"language", document.language}, {"split", document.split},
      {"path", document.path}};
  if (!document.cluster.empty()) row["cluster"] = document.cluster;
  row["scores"] = document.scores;
  auto changed = OrderedJson::array();
  for (const uint16_t step : flow.fate(document).changed_at)
    changed.push_back(flow.steps()[step].name);
  row["changed"] = std::move(changed);
  return row;
}

void settle(const Flow& flow, Account& account) {
  account.steps = flow.accounts();
  account.counters = flow.counters();
  std::map<std::string_view, LotAccount*> lots;
  for (LotAccount& lot : account.lots) lots[lot.info.lot] = &lot;
  for (const Document& document : flow.survivors()) {
    const Amount amount{1, text::count_words(document.text), int64_t(document.text.size())};
    LotAccount& lot = *lots.at(document.lot);
    lot.out += amount;
    lot.in.words += flow.fate(document).words_in;
    account.languages[document.language] += amount;
    account.splits[document.split] += amount;
  }
  for (const Document& document : flow.dropped()) {
    LotAccount& lot = *lots.at(document.lot);
    lot.in.words += flow.fate(document).words_in;
    ++lot.dropped[flow.fate(document).verdict.reason];
  }
  for (const char* split : {"train", "heldout"}) account.splits[split];
  account.balance();
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

void write_rows(const Flow& flow, const fs::path& dir, Monitor& monitor, const StopRequest& stop) {
  const int64_t total = int64_t(flow.survivors().size() + flow.dropped().size());
  monitor.begin("writing", total, "documents");
  int64_t done = 0;
  const auto tick = [&] {
    if (++done % 256 != 0) return;
    stop.check();
    monitor.at(done);
  };
  PartWriter kept(dir);
  for (const Document& document : flow.survivors()) {
    kept.write(row_of(document, flow));
    tick();
  }
  kept.finish();
  PartWriter dropped(dir / "dropped");
  for (const Document& document : flow.dropped()) {
    const Fate& fate = flow.fate(document);
    OrderedJson row = row_of(document, flow);
    row["step"] = flow.steps()[static_cast<size_t>(fate.dropped_at)].name;
    row["reason"] = fate.verdict.reason;
    row["value"] = fate.verdict.value;
    dropped.write(row);
    tick();
  }
  dropped.finish();
  for (const auto& [name, lines] : flow.files()) {
    LineWriter out(dir / name);
    for (const std::string& line : lines) out.write(line);
    out.commit();
  }
  monitor.end();
}

}  // namespace

std::vector<std::string> lot_folders(const std::vector<std::string>& lots) {
  if (lots.empty())
    throw Error(ErrorKind::usage, "no lots to read").with_hint("helio club import makes lots");
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
  plan["documents"] = in.documents;
  plan["bytes"] = in.bytes;
  plan["steps"] = steps_json(read_steps(options.steps));
  plan["out"] = options.out;
  return plan;
}

Account run_pipeline(const PipelineOptions& options, int threads, Monitor& monitor,
                     const StopRequest& stop) {
  if (threads <= 0) threads = int(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<Step> steps = read_steps(options.steps);  // first: wrong options cost no reading
  const OrderedJson resolved = steps_json(steps);
  const auto folders = lot_folders(options.lots);
  Account account;
  Flow flow(read_lots(folders, account, monitor, stop), std::move(steps));
  flow.run(threads, monitor, stop);
  settle(flow, account);

  StagedDir staged(options.out);
  write_rows(flow, staged.path(), monitor, stop);
  write_file_atomic(staged.path() / "dataset.json", pretty(account.json()));
  Manifest manifest;
  manifest.kind = "dataset";
  manifest.name = fs::path(options.out).filename().string();
  manifest.made_by = "data run";
  manifest.version = version();
  manifest.code = code_hash("data");
  for (const std::string& lot : options.lots)
    manifest.inputs.push_back(describe_input("lots", lot));
  manifest.options = {{"steps", resolved}};
  const OrderedJson json = account.json();
  manifest.facts = {{"in", json["in"]},
                    {"out", json["out"]},
                    {"languages", json["languages"]},
                    {"splits", json["splits"]}};
  seal_artefact(staged.path(), manifest);
  staged.commit();
  return account;
}

}  // namespace helio::data
