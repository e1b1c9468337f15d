// A folder of lots and who gave them: lots/NAME/ with one folder a lot and partners.json.
//
//   partners.json  {"format": 1,
//                   "partners": [{"name", "contact", "terms", "lots": [...], "documents", "words",
//                                 "bytes", "entry_words", "meets_entry"}],   in order of name
//                   "lots": [{LotInfo and LotCounts}]}                       in order of arrival
//
// The order of arrival is kept because it decides which copy of a duplicate stays. The lots' own
// manifests are not among the files of the folder's: they carry the version of helio, and the same
// lots must have the same content hash whichever helio wrote them down.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "club/lot.h"

namespace helio::club {

inline constexpr const char* kRosterName = "partners.json";

// What the 1T Club asks of a partner: 100 million words of Korean text. Stated as a fact beside
// each partner's words; nothing fails by it.
inline constexpr int64_t kEntryWords = 100'000'000;

struct Partner {
  std::string name = {};
  std::string contact = {};  // may be empty
  std::string terms = {};    // what was agreed about the share, in words; may be empty
  std::vector<std::string> lots = {};
  int64_t documents = 0, words = 0, bytes = 0;
  bool meets_entry() const { return words >= kEntryWords; }
};

struct LotEntry {
  std::filesystem::path path = {};
  Manifest manifest = {};
  LotInfo info = {};
  LotCounts counts = {};
};

struct Roster {
  std::vector<Partner> partners = {};  // by name
  std::vector<LotEntry> lots = {};     // by arrival
  const LotEntry* find(std::string_view lot) const;
  LotCounts totals() const;  // content_root stays empty
  OrderedJson json() const;  // of partners.json
};

// Reads lots/NAME/. Errors: no partners.json there (not_found), a lot named in it that is missing.
Roster load_roster(const std::filesystem::path& lots_dir);

// What is known of a partner beyond its lots.
struct PartnerDetails {
  std::string name = {}, contact = {}, terms = {};
};

// Writes partners.json and seals `dir` as "lots". `order` names the lot folders in `dir`, by
// arrival; `details` may leave partners out. `manifest` brings made_by, version, code and options.
Roster seal_roster(const std::filesystem::path& dir, const std::vector<std::string>& order,
                   const std::vector<PartnerDetails>& details, Manifest manifest);

// A lot's name is a folder's: letters, digits, '-', '_' and '.', not first a '.'.
void check_lot_name(const std::string& name);

// What differs from the stated hashes, counts and roots in the whole folder; empty when all holds.
std::vector<std::string> verify_roster(const std::filesystem::path& lots_dir);

}  // namespace helio::club
