// Equal parts of text that several partners gave: from clusters of duplicates to weights by lot.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "club/apportion.h"
#include "club/statement_inputs.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "text/unicode.h"

namespace helio::club {
namespace {

// Every word is worth this much, so that it can be cut into 1 to 16 equal parts without a rest.
constexpr int64_t kWordWeight = 720'720;

// Documents that are copies of each other, and the partners who gave them.
class Clusters {
 public:
  void join(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) parent_[root(id)] = root(ids.front());
  }
  void gave(const std::string& id, const std::string& partner) { givers_[id].insert(partner); }

  // Folds the givers of every document into its cluster. False when no cluster has two.
  bool settle() {
    std::unordered_map<std::string, std::set<std::string>> by_root;
    bool shared = false;
    for (const auto& [id, partners] : givers_) {
      std::set<std::string>& all = by_root[root(id)];
      all.insert(partners.begin(), partners.end());
      shared = shared || all.size() > 1;
    }
    givers_ = std::move(by_root);
    return shared;
  }
  const std::set<std::string>* holders(const std::string& id) {
    if (!parent_.contains(id)) return nullptr;
    const auto found = givers_.find(root(id));
    return found == givers_.end() ? nullptr : &found->second;
  }

 private:
  const std::string& root(const std::string& id) {
    auto at = parent_.try_emplace(id, id).first;
    while (at->second != at->first) {
      const auto up = parent_.find(at->second);
      at->second = up->second;  // halves the path for the next time
      at = parent_.find(at->second);
    }
    return at->first;
  }

  std::unordered_map<std::string, std::string> parent_ = {};
  std::unordered_map<std::string, std::set<std::string>> givers_ = {};
};

std::filesystem::path duplicates_file(const std::filesystem::path& dataset) {
  for (const char* name : {"duplicates.jsonl", "duplicates.jsonl.zst"})
    if (std::filesystem::exists(dataset / name)) return dataset / name;
  return {};
}

void read_clusters(const std::filesystem::path& file, Clusters& clusters) {
  read_jsonl(file, [&](const Json& row, int64_t line) {
    try {
      std::vector<std::string> ids;
      for (const Json& member : row.at("members")) {
        ids.push_back(member.at("id").get<std::string>());
        clusters.gave(ids.back(), member.at("partner").get<std::string>());
      }
      if (!ids.empty()) clusters.join(ids);
    } catch (const Json::exception& error) {
      throw Error(ErrorKind::invalid, file.string() + ":" + std::to_string(line) +
                                          ": not a cluster of duplicates: " + error.what());
    }
  });
}

void add_weight(std::map<std::string, int64_t>& weights, const std::set<std::string>& holders,
                int64_t words) {
  const std::vector<int64_t> equal(holders.size(), 1);
  const std::vector<int64_t> parts = apportion(words * kWordWeight, equal);
  size_t i = 0;
  for (const std::string& partner : holders) weights[partner] += parts[i++];
}

}  // namespace

std::map<std::string, std::map<std::string, int64_t>> shared_holders(
    const std::filesystem::path& dataset) {
  const std::filesystem::path file = duplicates_file(dataset);
  if (file.empty()) return {};
  Clusters clusters;
  read_clusters(file, clusters);
  if (!clusters.settle()) return {};

  std::map<std::string, std::map<std::string, int64_t>> weights;
  std::set<std::string> with_shared_text;
  for (const auto& part : list_files(dataset, {".jsonl.zst", ".jsonl"})) {
    if (part.parent_path() != dataset || !part.filename().string().starts_with("part-")) continue;
    read_jsonl(part, [&](const Json& row, int64_t line) {
      try {
        if (row.at("split") != "train") return;
        const auto lot = row.at("lot").get<std::string>();
        const int64_t words = text::count_words(row.at("text").get_ref<const std::string&>());
        const auto* holders = clusters.holders(row.at("id").get<std::string>());
        std::set<std::string> all = {row.at("partner").get<std::string>()};
        if (holders) all.insert(holders->begin(), holders->end());
        if (all.size() > 1) with_shared_text.insert(lot);
        add_weight(weights[lot], all, words);
      } catch (const Json::exception& error) {
        throw Error(ErrorKind::invalid, part.string() + ":" + std::to_string(line) +
                                            ": not a document: " + error.what());
      }
    });
  }
  std::erase_if(weights, [&](const auto& lot) { return !with_shared_text.contains(lot.first); });
  return weights;
}

}  // namespace helio::club
