#include "cli/club_intake.h"

#include <fmt/format.h>

#include <map>
#include <ostream>

#include "cli/table.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/options.h"
#include "core/version.h"

namespace helio::cli {
namespace {

std::string grouped(int64_t value) { return fmt::format("{}", fmt::group_digits(value)); }

std::string last_name(const std::string& path) {
  const fs::path normal = fs::path(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

void check_complete(const LotOptions& options) {
  const std::pair<const char*, const std::string&> needed[] = {{"lot", options.lot},
                                                               {"partner", options.partner},
                                                               {"language", options.language},
                                                               {"licence", options.licence},
                                                               {"path", options.files.path}};
  for (const auto& [name, value] : needed)
    if (value.empty())
      throw Error(ErrorKind::invalid, std::string("a lot needs '") + name + "'")
          .with_hint("every lot states lot, partner, language, licence and path");
  club::check_lot_name(options.lot);
}

// Names the bytes that came in, so that the lot can be traced to them.
ArtefactInput source_input(const LotOptions& stated, const data::SourceOptions& files) {
  Sha256Stream stream;
  const auto found = [&] {
    try {
      return data::source_files(files);
    } catch (Error& error) {
      if (error.kind() == ErrorKind::not_found && error.hint().empty())
        error.with_hint("paths of sources start from --root");
      throw;
    }
  }();
  for (const data::SourceFile& file : found)
    stream.update(file.relative).update(" ").update(sha256_file(file.path)).update("\n");
  return {.role = "source", .kind = "files", .name = stated.files.path, .content = stream.hex()};
}

OrderedJson reading_json(const data::ReadSummary& summary) {
  OrderedJson out = {{"files", summary.files}, {"empty", summary.empty}, {"bad", summary.bad}};
  if (!summary.first_bad.empty()) out["first_bad"] = OrderedJson::array();
  for (const data::BadRow& row : summary.first_bad)
    out["first_bad"].push_back({{"place", row.place}, {"reason", row.reason}});
  return out;
}

}  // namespace

std::vector<LotOptions> read_sources(const Node& sources) {
  const std::string place = sources.mark().str().empty() ? "" : sources.mark().str() + ": ";
  if (!sources.is_list() || sources.items().empty())
    throw Error(ErrorKind::invalid, place + "'sources' must list at least one lot")
        .with_hint(
            "sources: [{lot: news-ko, partner: NAME, language: ko, licence: CC-BY-4.0, "
            "path: news}]");
  std::vector<LotOptions> lots;
  for (const Node& item : sources.items()) {
    LotOptions options;
    in_context(
        [&] {
          return fmt::format("reading source {} of 'sources' ({})", lots.size() + 1,
                             item.mark().str());
        },
        [&] {
          read_options(item, describe(options));
          check_complete(options);
        });
    for (const LotOptions& earlier : lots)
      if (earlier.lot == options.lot)
        throw Error(ErrorKind::invalid,
                    item.mark().str() + ": two lots are named '" + options.lot + "'")
            .with_hint("give every delivery a name of its own");
    lots.push_back(std::move(options));
  }
  return lots;
}

void take_in(const LotOptions& options, const fs::path& root, const fs::path& lots_dir,
             const std::string& made_by, Context& context) {
  check_complete(options);
  in_context([&] { return "taking in the lot '" + options.lot + "'"; },
             [&] {
               data::SourceOptions files = options.files;
               files.path = (root / files.path).string();
               // What the manifest says: the path as given below the root, and of one from the root
               // of the file system only the name, so that the same delivery reads the same on
               // every machine.
               LotOptions stated = options;
               if (fs::path(stated.files.path).is_absolute())
                 stated.files.path = last_name(stated.files.path);
               Manifest manifest{.made_by = made_by,
                                 .version = std::string(version()),
                                 .code = code_hash("data"),
                                 .inputs = {source_input(stated, files)},
                                 .options = options_json(describe(stated))};
               club::LotWriter writer(
                   lots_dir / options.lot,
                   {.lot = options.lot,
                    .partner = options.partner,
                    .licence = options.licence,
                    .language = options.language,
                    .source = options.source.empty() ? stated.files.path : options.source});
               const data::ReadSummary summary = data::read_source(
                   files, options.lot,
                   [&](const club::LotDocument& document) { writer.add(document); },
                   context.monitor, context.stop);
               if (summary.documents == 0)
                 throw Error(ErrorKind::invalid, "'" + files.path + "' holds no document")
                     .with_hint("check path, format and field");
               if (summary.bad > 0)
                 context.monitor.warn(
                     fmt::format("{}: {} files or rows could not be read and were left out, "
                                 "the first: {} ({})",
                                 options.lot, summary.bad, summary.first_bad.front().place,
                                 summary.first_bad.front().reason));
               manifest.facts = {{"reading", reading_json(summary)}};
               writer.finish(std::move(manifest));
             });
}

std::vector<club::PartnerDetails> partner_details(const std::vector<LotOptions>& lots) {
  std::map<std::string, club::PartnerDetails> by_name;
  const auto settle = [](std::string& known, const std::string& given, const std::string& partner,
                         const char* what) {
    if (given.empty() || given == known) return;
    if (!known.empty())
      throw Error(ErrorKind::invalid,
                  fmt::format("'{}' has two {}: '{}' and '{}'", partner, what, known, given))
          .with_hint("state it with one of the partner's lots, or the same with all");
    known = given;
  };
  for (const LotOptions& lot : lots) {
    club::PartnerDetails& details = by_name[lot.partner];
    details.name = lot.partner;
    settle(details.contact, lot.contact, lot.partner, "contacts");
    settle(details.terms, lot.terms, lot.partner, "terms");
  }
  std::vector<club::PartnerDetails> all;
  for (auto& [name, details] : by_name) all.push_back(std::move(details));
  return all;
}

void print_roster(const club::Roster& roster, Context& context) {
  if (context.json) {
    context.out << compact(roster.json()) << "\n";
    return;
  }
  std::vector<std::vector<std::string>> lots, partners;
  for (const club::LotEntry& lot : roster.lots)
    lots.push_back({lot.info.lot, lot.info.partner, lot.info.language, lot.info.licence,
                    grouped(lot.counts.documents), grouped(lot.counts.words),
                    grouped(lot.counts.bytes), lot.counts.content_root.substr(0, 12)});
  for (const club::Partner& partner : roster.partners)
    partners.push_back({partner.name, std::to_string(partner.lots.size()),
                        grouped(partner.documents), grouped(partner.words),
                        fmt::format("{:.3f} %", 100.0 * static_cast<double>(partner.words) /
                                                    static_cast<double>(club::kEntryWords))});
  const club::LotCounts totals = roster.totals();
  context.out << table_text({{"lot"},
                             {"partner"},
                             {"language"},
                             {"licence"},
                             {"documents", Align::right},
                             {"words", Align::right},
                             {"bytes", Align::right},
                             {"content root"}},
                            lots)
              << "\n"
              << table_text({{"partner"},
                             {"lots", Align::right},
                             {"documents", Align::right},
                             {"words", Align::right},
                             {"of the 100M asked", Align::right}},
                            partners,
                            {"all", std::to_string(roster.lots.size()), grouped(totals.documents),
                             grouped(totals.words)});
}

}  // namespace helio::cli
