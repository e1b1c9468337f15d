#include "data/insight/dataset_report.h"

#include <algorithm>
#include <map>
#include <queue>

#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "data/insight/histogram.h"
#include "data/insight/stored.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

constexpr size_t kLargest = 8;  // clusters shown by name

struct Sample {
  uint64_t hash = 0;
  OrderedJson shown = {};
  bool operator<(const Sample& other) const { return hash < other.hash; }
};

// Of each step and reason the documents whose ids hash lowest: a sample that no order shows in.
OrderedJson samples_of(const StoredDataset& dataset, const DatasetReportOptions& options) {
  struct Found {
    int64_t documents = 0, words = 0, bytes = 0;
    std::priority_queue<Sample> lowest = {};
  };
  std::map<std::pair<std::string, std::string>, Found> found;
  read_rows(dataset.path, Rows::dropped, [&](const StoredRow& row) {
    Found& of = found[{std::string(row.step), std::string(row.reason)}];
    ++of.documents, of.bytes += int64_t(row.text.size()), of.words += text::count_words(row.text);
    const uint64_t hash = xxh3_64(row.id);
    if (options.samples == 0 ||
        (of.lowest.size() == options.samples && of.lowest.top().hash <= hash))
      return;
    const std::string_view beginning = text::first_code_points(row.text, options.characters);
    of.lowest.push({hash,
                    {{"id", row.id},
                     {"lot", row.lot},
                     {"partner", row.partner},
                     {"value", row.value},
                     {"characters", text::count_code_points(row.text)},
                     {"text", beginning}}});
    if (of.lowest.size() > options.samples) of.lowest.pop();
  });
  OrderedJson list = OrderedJson::array();
  for (const Json& step : dataset.account.at("steps")) {
    const std::string name = step.at("step").get<std::string>();
    std::vector<std::pair<int64_t, std::string>> reasons;
    for (const auto& [key, of] : found)
      if (key.first == name) reasons.emplace_back(-of.documents, key.second);
    std::sort(reasons.begin(), reasons.end());
    for (const auto& [count, reason] : reasons) {
      Found& of = found.at({name, reason});
      std::vector<OrderedJson> shown;
      for (; !of.lowest.empty(); of.lowest.pop()) shown.push_back(of.lowest.top().shown);
      std::reverse(shown.begin(), shown.end());
      list.push_back({{"step", name},
                      {"reason", reason},
                      {"documents", of.documents},
                      {"words", of.words},
                      {"bytes", of.bytes},
                      {"shown", shown}});
    }
  }
  return list;
}

OrderedJson partners_of(const Json& account) {
  struct Partner {
    std::vector<std::string> lots = {};
    std::map<std::string, int64_t> sums = {}, dropped = {};
  };
  std::map<std::string, Partner> partners;
  const char* const kSums[] = {"documents_in",  "words_in",  "bytes_in",
                               "documents_out", "words_out", "bytes_out"};
  for (const Json& lot : account.at("lots")) {
    Partner& partner = partners[lot.at("partner").get<std::string>()];
    partner.lots.push_back(lot.at("lot").get<std::string>());
    for (const char* sum : kSums) partner.sums[sum] += lot.at(sum).get<int64_t>();
    for (const auto& [reason, count] : lot.at("dropped").items())
      partner.dropped[reason] += count.get<int64_t>();
  }
  OrderedJson list = OrderedJson::array();
  for (const auto& [name, partner] : partners) {
    OrderedJson entry{{"partner", name}, {"lots", partner.lots}};
    for (const char* sum : kSums) entry[sum] = partner.sums.at(sum);
    entry["dropped"] = partner.dropped;
    list.push_back(std::move(entry));
  }
  return list;
}

// "2", "3", "4-5", "6-10", "11-100", "101+".
const char* size_class(size_t members) {
  if (members <= 2) return "2";
  if (members == 3) return "3";
  if (members <= 5) return "4-5";
  if (members <= 10) return "6-10";
  return members <= 100 ? "11-100" : "101+";
}

OrderedJson duplicates_of(const StoredDataset& dataset) {
  std::map<std::string, int64_t> sizes;
  for (const char* name : {"2", "3", "4-5", "6-10", "11-100", "101+"}) sizes[name] = 0;
  std::map<std::string, std::pair<int64_t, int64_t>> steps;  // clusters, documents that went
  // [partner of the copy that stays][partner of the copy that goes]
  std::map<std::string, std::map<std::string, int64_t>> overlap;
  struct Large {
    size_t members;
    std::string first, step;
    int64_t partners;
  };
  std::vector<Large> largest;
  int64_t clusters = 0, documents = 0;
  const fs::path file = dataset.path / "duplicates.jsonl";
  if (fs::exists(file))
    read_jsonl(file, [&](const Json& row, int64_t) {
      const Json& members = row.at("members");
      const std::string first = row.at("first").get<std::string>();
      std::string stays;
      std::map<std::string, int64_t> gone;
      std::map<std::string, int64_t> all;
      for (const Json& member : members) {
        const std::string partner = member.at("partner").get<std::string>();
        ++all[partner];
        if (stays.empty() && member.at("id") == first) stays = partner;
        else ++gone[partner];
      }
      ++clusters;
      ++sizes[size_class(members.size())];
      auto& step = steps[row.at("step").get<std::string>()];
      ++step.first;
      for (const auto& [partner, count] : gone) {
        overlap[stays][partner] += count;
        step.second += count, documents += count;
      }
      const Large large{members.size(), first, row.at("step").get<std::string>(),
                        int64_t(all.size())};
      const auto place = std::find_if(largest.begin(), largest.end(), [&](const Large& other) {
        return other.members < large.members;
      });
      if (place == largest.end() && largest.size() >= kLargest) return;
      largest.insert(place, large);
      if (largest.size() > kLargest) largest.pop_back();
    });
  OrderedJson json{{"clusters", clusters}, {"documents", documents}};
  json["steps"] = OrderedJson::array();
  for (const auto& [name, step] : steps)
    json["steps"].push_back({{"step", name}, {"clusters", step.first}, {"documents", step.second}});
  json["sizes"] = OrderedJson::array();
  for (const char* name : {"2", "3", "4-5", "6-10", "11-100", "101+"})
    json["sizes"].push_back({{"members", name}, {"clusters", sizes[name]}});
  std::vector<std::string> partners;
  for (const auto& [name, row] : overlap) {
    partners.push_back(name);
    for (const auto& [other, count] : row) partners.push_back(other);
  }
  std::sort(partners.begin(), partners.end());
  partners.erase(std::unique(partners.begin(), partners.end()), partners.end());
  json["partners"] = partners;
  json["overlap"] = OrderedJson::array();
  for (const std::string& stays : partners) {
    OrderedJson row = OrderedJson::array();
    for (const std::string& goes : partners) row.push_back(overlap[stays][goes]);
    json["overlap"].push_back(std::move(row));
  }
  json["largest"] = OrderedJson::array();
  for (const Large& large : largest)
    json["largest"].push_back({{"members", large.members},
                               {"first", large.first},
                               {"step", large.step},
                               {"partners", large.partners}});
  return json;
}

OrderedJson report_of(const StoredDataset& dataset, const DatasetReportOptions& options) {
  const Json& account = dataset.account;
  OrderedJson report{{"name", dataset.manifest.name},
                     {"content", dataset.manifest.content},
                     {"made_by", dataset.manifest.made_by},
                     {"version", dataset.manifest.version}};
  for (const char* key : {"in", "out", "steps"}) report[key] = account.at(key);
  report["checks"] = OrderedJson::array();
  for (const CheckHistogram& histogram : check_histograms(dataset))
    report["checks"].push_back(histogram.json());
  report["quoted_characters"] = options.samples > 0 ? options.characters : 0;
  report["samples"] = samples_of(dataset, options);
  report["partners"] = partners_of(account);
  for (const char* key : {"lots", "languages", "splits", "pii", "counters"})
    report[key] = account.value(key, Json::object());
  report["duplicates"] = duplicates_of(dataset);
  return report;
}

}  // namespace

OrderedJson dataset_report(const std::filesystem::path& dataset,
                           const DatasetReportOptions& options) {
  return reading(dataset, [&] { return report_of(StoredDataset(dataset), options); });
}

}  // namespace helio::data
