#include "club/roster.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/error.h"
#include "core/fs.h"

namespace helio::club {
namespace {

LotEntry load_lot_entry(const std::filesystem::path& path) {
  const LotReader reader(path);
  return {.path = path,
          .manifest = reader.manifest(),
          .info = reader.info(),
          .counts = reader.counts()};
}

// Partners with their sums, from the lots and what else is known of them.
std::vector<Partner> partners_of(const std::vector<LotEntry>& lots,
                                 const std::vector<PartnerDetails>& details) {
  std::map<std::string, Partner> by_name;
  for (const LotEntry& lot : lots) {
    Partner& partner = by_name[lot.info.partner];
    partner.name = lot.info.partner;
    partner.lots.push_back(lot.info.lot);
    partner.documents += lot.counts.documents;
    partner.words += lot.counts.words;
    partner.bytes += lot.counts.bytes;
  }
  for (const PartnerDetails& known : details) {
    const auto found = by_name.find(known.name);
    if (found == by_name.end())
      throw Error(ErrorKind::invalid, "partner '" + known.name + "' has no lot")
          .with_hint("leave the partner out, or name it as its lots do");
    found->second.contact = known.contact;
    found->second.terms = known.terms;
  }
  std::vector<Partner> partners;
  for (auto& [name, partner] : by_name) partners.push_back(std::move(partner));
  return partners;
}

Error no_roster(const std::filesystem::path& dir) {
  return Error(ErrorKind::not_found,
               "'" + dir.string() + "' is no folder of lots: it has no " + kRosterName)
      .with_hint("`helio club import` makes one");
}

}  // namespace

const LotEntry* Roster::find(std::string_view lot) const {
  const auto found = std::find_if(lots.begin(), lots.end(),
                                  [&](const LotEntry& entry) { return entry.info.lot == lot; });
  return found == lots.end() ? nullptr : &*found;
}

LotCounts Roster::totals() const {
  LotCounts sums;
  for (const LotEntry& lot : lots) {
    sums.documents += lot.counts.documents;
    sums.words += lot.counts.words;
    sums.bytes += lot.counts.bytes;
  }
  return sums;
}

OrderedJson Roster::json() const {
  OrderedJson out = {{"format", 1}, {"partners", OrderedJson::array()}};
  for (const Partner& partner : partners)
    out["partners"].push_back({{"name", partner.name},
                               {"contact", partner.contact},
                               {"terms", partner.terms},
                               {"lots", partner.lots},
                               {"documents", partner.documents},
                               {"words", partner.words},
                               {"bytes", partner.bytes},
                               {"entry_words", kEntryWords},
                               {"meets_entry", partner.meets_entry()}});
  out["lots"] = OrderedJson::array();
  for (const LotEntry& lot : lots) out["lots"].push_back(lot_facts(lot.info, lot.counts));
  return out;
}

void check_lot_name(const std::string& name) {
  const bool plain = !name.empty() && name.front() != '.' && name.size() <= 100 &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return (c < 0x80 && std::isalnum(c)) || c == '-' || c == '_' || c == '.';
                     });
  if (!plain)
    throw Error(ErrorKind::invalid, "'" + name + "' cannot be a lot's name")
        .with_hint(
            "a lot's name is a folder's: letters, digits, '-', '_', '.'; it begins with none "
            "of the last");
}

Roster load_roster(const std::filesystem::path& lots_dir) {
  const std::filesystem::path file = lots_dir / kRosterName;
  if (!std::filesystem::exists(file)) throw no_roster(lots_dir);
  return in_context(
      [&] { return "reading " + file.string(); },
      [&] {
        const Json json = load_json(file);
        Roster roster;
        std::vector<PartnerDetails> details;
        try {
          if (json.at("format") != 1)
            throw Error(ErrorKind::invalid, "format " + json.at("format").dump() + " is not known")
                .with_hint("a later helio wrote it; use that one");
          for (const Json& partner : json.at("partners"))
            details.push_back({.name = partner.at("name").get<std::string>(),
                               .contact = partner.at("contact").get<std::string>(),
                               .terms = partner.at("terms").get<std::string>()});
          for (const Json& lot : json.at("lots")) {
            const std::string name = lot.at("lot").get<std::string>();
            check_lot_name(name);
            roster.lots.push_back(load_lot_entry(lots_dir / name));
          }
        } catch (const Json::exception& error) {
          throw Error(ErrorKind::invalid, std::string("not a list of partners: ") + error.what());
        }
        roster.partners = partners_of(roster.lots, details);
        return roster;
      });
}

Roster seal_roster(const std::filesystem::path& dir, const std::vector<std::string>& order,
                   const std::vector<PartnerDetails>& details, Manifest manifest) {
  Roster roster;
  std::set<std::string> seen;
  for (const std::string& name : order) {
    check_lot_name(name);
    if (!seen.insert(name).second)
      throw Error(ErrorKind::invalid, "two lots are named '" + name + "'");
    roster.lots.push_back(load_lot_entry(dir / name));
    const LotEntry& lot = roster.lots.back();
    if (lot.info.lot != name)
      throw Error(ErrorKind::invalid,
                  "the folder " + name + " holds the lot '" + lot.info.lot + "'");
    manifest.inputs.push_back(
        {.role = "lot", .kind = "lot", .name = name, .content = lot.manifest.content});
  }
  roster.partners = partners_of(roster.lots, details);
  write_file_atomic(dir / kRosterName, pretty(roster.json()));

  const LotCounts totals = roster.totals();
  manifest.kind = "lots";
  manifest.facts = {{"partners", roster.partners.size()},
                    {"lots", roster.lots.size()},
                    {"documents", totals.documents},
                    {"words", totals.words},
                    {"bytes", totals.bytes}};
  seal_artefact(dir, manifest, {kManifestName});
  return roster;
}

std::vector<std::string> verify_roster(const std::filesystem::path& lots_dir) {
  const std::filesystem::path file = lots_dir / kRosterName;
  if (!std::filesystem::exists(file)) throw no_roster(lots_dir);
  std::vector<std::string> differences;
  const auto collect = [&](auto&& body) {
    try {
      body();
    } catch (const Error& error) {
      differences.push_back(error.message());
    }
  };
  std::set<std::filesystem::path> lot_dirs;  // those on disk, in order of name
  for (const auto& entry : std::filesystem::directory_iterator(lots_dir))
    if (entry.is_directory() && has_manifest(entry.path())) lot_dirs.insert(entry.path());
  for (const auto& dir : lot_dirs)
    for (std::string& line : verify_lot(dir)) differences.push_back(std::move(line));
  collect([&] {
    if (load_json(file) != Json(load_roster(lots_dir).json()))
      differences.push_back("'" + file.string() + "' does not say what the lots' manifests say");
  });
  // Files of a lot that differ were named above, more exactly.
  if (differences.empty()) collect([&] { verify_artefact(lots_dir); });
  return differences;
}

}  // namespace helio::club
