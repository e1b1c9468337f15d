#include "data/insight/compare.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "data/insight/stored.h"

namespace helio::data {
namespace {

class Names {
 public:
  uint32_t of(std::string_view name) {
    const auto found = index_.find(name);
    if (found != index_.end()) return found->second;
    names_.emplace_back(name);
    return index_.emplace(name, uint32_t(names_.size() - 1)).first->second;
  }
  const std::string& operator[](uint32_t index) const { return names_[index]; }

 private:
  std::map<std::string, uint32_t, std::less<>> index_ = {};
  std::vector<std::string> names_ = {};
};

constexpr uint32_t kKept = ~uint32_t(0);

struct Entry {
  Hash128 id;
  uint64_t text = 0;
  uint32_t lot = 0;
  uint32_t fate = kKept;  // kept, or the name of "step: reason"
};

std::vector<Entry> entries_of(const StoredDataset& dataset, Names& names, Comparison::Side& side) {
  std::vector<Entry> entries;
  for (const Rows which : {Rows::kept, Rows::dropped})
    read_rows(dataset.path, which, [&](const StoredRow& row) {
      Entry& entry = entries.emplace_back();
      entry.id = xxh3_128(row.id);
      entry.text = xxh3_64(row.text);
      entry.lot = names.of(row.lot);
      if (which == Rows::dropped)
        entry.fate = names.of(std::string(row.step) + ": " + std::string(row.reason));
      ++(which == Rows::kept ? side.kept : side.dropped);
    });
  std::sort(entries.begin(), entries.end(),
            [](const Entry& x, const Entry& y) { return x.id < y.id; });
  const auto twice = std::adjacent_find(
      entries.begin(), entries.end(), [](const Entry& x, const Entry& y) { return x.id == y.id; });
  if (twice != entries.end())
    throw Error(ErrorKind::invalid, "'" + dataset.path.string() + "' has a document of lot '" +
                                        names[twice->lot] +
                                        "' twice: by their ids, documents cannot be told apart")
        .with_hint("ids must be unique over all inputs");
  return entries;
}

class Comparer {
 public:
  Comparer(Names& names, const CompareOptions& options) : names_(names), options_(options) {}

  void run(const std::vector<Entry>& a, const std::vector<Entry>& b) {
    size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
      if (j == b.size() || (i < a.size() && a[i].id < b[j].id)) {
        alone(a[i++], "only_a_kept", "only_a_dropped");
      } else if (i == a.size() || b[j].id < a[i].id) {
        alone(b[j++], "only_b_kept", "only_b_dropped");
      } else {
        both(a[i++], b[j++]);
      }
    }
  }

  // The ids behind the hashes of the examples, from the dataset's rows.
  void name_examples(const StoredDataset& dataset) {
    std::map<std::pair<uint64_t, uint64_t>, std::vector<std::string>> wanted;
    for (const auto& [kind, hashes] : examples_)
      for (const Hash128& hash : hashes) wanted[{hash.high, hash.low}].push_back(kind);
    if (wanted.empty()) return;
    for (const Rows which : {Rows::kept, Rows::dropped})
      read_rows(dataset.path, which, [&](const StoredRow& row) {
        const Hash128 hash = xxh3_128(row.id);
        const auto found = wanted.find({hash.high, hash.low});
        if (found == wanted.end()) return;
        for (const std::string& kind : found->second) result_.examples[kind].emplace_back(row.id);
        wanted.erase(found);
      });
    std::erase_if(examples_,
                  [&](const auto& kind) { return result_.examples.contains(kind.first); });
  }

  Comparison take() {
    for (auto& [kind, ids] : result_.examples) std::sort(ids.begin(), ids.end());
    return std::move(result_);
  }

 private:
  void alone(const Entry& entry, const char* kept, const char* dropped) {
    if (entry.fate == kKept) add(kept, entry, {});
    else add(dropped, entry, names_[entry.fate]);
  }

  void both(const Entry& a, const Entry& b) {
    if (a.fate == kKept && b.fate == kKept) add(a.text == b.text ? "same" : "text", a, {});
    else if (a.fate == kKept) add("kept_to_dropped", b, names_[b.fate]);
    else if (b.fate == kKept) add("dropped_to_kept", a, names_[a.fate]);
    else if (a.fate == b.fate) add("both_dropped", a, names_[a.fate]);
    else add("other_reason", a, names_[a.fate] + " -> " + names_[b.fate]);
  }

  void add(const char* kind, const Entry& entry, const std::string& reason) {
    ++result_.kinds[kind];
    ++result_.lots[names_[entry.lot]][kind];
    if (!reason.empty()) ++result_.reasons[kind][reason];
    // By hash order they are a sample; of what is as it was nobody needs one.
    const bool plain = std::string_view(kind) == "same" || std::string_view(kind) == "both_dropped";
    auto& hashes = examples_[kind];
    if (!plain && hashes.size() < options_.examples) hashes.push_back(entry.id);
  }

  Names& names_;
  const CompareOptions& options_;
  Comparison result_ = {};
  std::map<std::string, std::vector<Hash128>> examples_ = {};
};

}  // namespace

bool Comparison::equal() const {
  for (const auto& [kind, count] : kinds)
    if (kind != "same" && kind != "both_dropped" && count > 0) return false;
  return true;
}

OrderedJson Comparison::json() const {
  const auto side = [](const Side& s) {
    return OrderedJson{
        {"path", s.path}, {"content", s.content}, {"kept", s.kept}, {"dropped", s.dropped}};
  };
  return {{"a", side(a)},       {"b", side(b)}, {"equal", equal()},    {"documents", kinds},
          {"reasons", reasons}, {"lots", lots}, {"examples", examples}};
}

Comparison compare_datasets(const std::filesystem::path& a, const std::filesystem::path& b,
                            const CompareOptions& options) {
  const StoredDataset first = reading(a, [&] { return StoredDataset(a); });
  const StoredDataset second = reading(b, [&] { return StoredDataset(b); });
  Names names;
  Comparison::Side side_a{.path = a.string(), .content = first.manifest.content};
  Comparison::Side side_b{.path = b.string(), .content = second.manifest.content};
  Comparer comparer(names, options);
  comparer.run(entries_of(first, names, side_a), entries_of(second, names, side_b));
  comparer.name_examples(first);
  comparer.name_examples(second);
  Comparison result = comparer.take();
  result.a = side_a, result.b = side_b;
  return result;
}

}  // namespace helio::data
