#include "data/dedup/near_duplicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/hash.h"
#include "data/dedup/band_index.h"

namespace helio::data {
namespace {

struct Head {
  uint64_t order = 0;
  double rank = 0;
  uint64_t shingles = 0;  // in the set that follows the signature
};

struct BandOf {
  Hash128 key;
  uint64_t order = 0;
  auto operator<=>(const BandOf&) const = default;
};

Hash128 band_key(uint64_t band, std::span<const uint64_t> rows, std::string& bytes) {
  bytes.assign(reinterpret_cast<const char*>(&band), sizeof band);
  bytes.append(reinterpret_cast<const char*>(rows.data()), rows.size_bytes());
  return xxh3_128(bytes);
}

}  // namespace

struct NearDuplicates::Record {
  Head head;
  std::vector<uint64_t> signature, set;
};

struct NearDuplicates::Edge {
  uint64_t a = 0, b = 0;  // a < b
  auto operator<=>(const Edge&) const = default;
};

NearDuplicates::NearDuplicates(const NearOptions& options)
    : options_(options), minhash_(options.minhash) {
  options_.rule.check();
}

std::string NearDuplicates::scheme() const {
  const MinHashOptions& o = minhash_.options();
  return fmt::format(
      "minhash 1: {} x {} of {}-grams, unit {}, form {}, hash {} {}, seed {}, draws {}, mask {:x}, "
      "min_units {}",
      o.buckets, o.hashes_per_bucket, o.n_grams, int(o.unit), int(o.form), int(o.hash), int(o.bits),
      o.seed, int(o.draws), o.mask, o.min_units);
}

void NearDuplicates::survey(const Document& document, std::string& out) const {
  MinHashScratch scratch = minhash_.scratch();
  const std::vector<uint64_t> signature = minhash_.signature(document.text, scratch);
  if (signature.empty()) return;
  std::vector<uint64_t> set;
  if (options_.verify == Verify::jaccard) set = as_set(scratch.hashes);
  put_record(out, Head{document.order, options_.rule.rank(document), set.size()});
  out.append(reinterpret_cast<const char*>(signature.data()), signature.size() * 8);
  out.append(reinterpret_cast<const char*>(set.data()), set.size() * 8);
}

template <class Visit>
void NearDuplicates::for_each(Survey& survey, Visit&& visit) const {
  Record record;
  survey.rewind();
  for (std::string_view bytes; survey.next(bytes);) {
    const auto take = [&](void* to, size_t size) {
      HELIO_CHECK(size <= bytes.size(), "a survey record is cut short");
      if (size > 0) std::memcpy(to, bytes.data(), size);
      bytes.remove_prefix(size);
    };
    while (!bytes.empty()) {
      take(&record.head, sizeof record.head);
      record.signature.resize(minhash_.slots());
      take(record.signature.data(), record.signature.size() * 8);
      record.set.resize(record.head.shingles);
      take(record.set.data(), record.set.size() * 8);
      visit(record);
    }
  }
}

void NearDuplicates::link_equal_bands(Survey& survey, StageContext& context) {
  const bool verify = options_.verify == Verify::jaccard;
  const uint64_t memory = clusters_.memory_left(context);
  const SortOptions sort = {.scratch = context.scratch,
                            .memory = verify ? memory / 2 : memory,
                            .threads = context.threads};
  ExternalSorter<BandOf> bands(sort);
  const auto rows = static_cast<size_t>(options_.minhash.hashes_per_bucket);
  std::string bytes;
  for_each(survey, [&](const Record& record) {
    context.stop.check();
    for (size_t band = 0; band * rows < record.signature.size(); ++band)
      bands.push({band_key(band, std::span(record.signature).subspan(band * rows, rows), bytes),
                  record.head.order});
  });

  std::unique_ptr<BandIndexReader> index;
  std::unique_ptr<BandIndexWriter> writer;
  Hash128 indexed = {};
  bool more = false;
  if (!options_.index.empty()) {
    index = std::make_unique<BandIndexReader>(options_.index, scheme());
    more = index->next(indexed);
  }
  if (!options_.write_index.empty())
    writer = std::make_unique<BandIndexWriter>(options_.write_index, scheme());
  const auto pass_index_to = [&](const Hash128* key) {  // all when null
    while (more && (key == nullptr || indexed < *key)) {
      if (writer) writer->add(indexed);
      more = index->next(indexed);
    }
    return more && key != nullptr && indexed == *key;
  };

  ExternalSorter<Edge> edges(sort);
  std::vector<bool> candidates(verify ? survey.documents() : 0, false);
  const auto candidate = [&](uint64_t a, uint64_t b) {
    if (!verify) return clusters_.link(a, b);
    edges.push({a, b});
    candidates[a] = candidates[b] = true;
  };
  BandOf first = {}, last = {};
  bool any = false, in_index = false;
  for (BandOf band; bands.next(band); last = band) {
    if (!any || band.key != first.key) {
      any = true;
      first = band;
      in_index = pass_index_to(&band.key);
      if (writer) writer->add(band.key);
    } else {
      candidate(first.order, band.order);
      // Two that are like each other need not both be like the first.
      if (verify && last.order != first.order) candidate(last.order, band.order);
    }
    if (in_index) clusters_.mark(band.order);
  }
  pass_index_to(nullptr);
  if (writer) writer->commit();
  if (verify) link_verified(survey, context, std::move(candidates), edges);
}

void NearDuplicates::link_verified(Survey& survey, StageContext& context,
                                   std::vector<bool> candidates, ExternalSorter<Edge>& edges) {
  struct Place {
    uint64_t order, offset, size;
  };
  std::vector<Place> places;
  SpillFile file(context.scratch);
  for_each(survey, [&](const Record& record) {
    if (!candidates[record.head.order]) return;
    places.push_back({record.head.order, file.size(), record.set.size()});
    file.append(record.set.data(), record.set.size() * 8);
  });
  const auto load = [&](uint64_t order, std::vector<uint64_t>& set) {
    const auto found =
        std::lower_bound(places.begin(), places.end(), order,
                         [](const Place& place, uint64_t wanted) { return place.order < wanted; });
    set.resize(found->size);
    file.read(found->offset, set.data(), set.size() * 8);
  };
  int64_t refused = 0, compared = 0;
  Edge last;
  std::vector<uint64_t> a, b;
  for (Edge edge; edges.next(edge); last = edge) {
    if (edge == last) continue;
    context.stop.check();
    if (compared == 0 || edge.a != last.a) load(edge.a, a);
    load(edge.b, b);
    ++compared;
    if (jaccard(a, b) >= options_.min_jaccard) clusters_.link(edge.a, edge.b);
    else ++refused;
  }
  context.counters["candidates.compared"] += compared;
  context.counters["candidates.refused"] += refused;
}

void NearDuplicates::compare_with_survivors(Survey& survey, StageContext& context) {
  SpillFile file(context.scratch);
  for_each(survey, [&](const Record& record) {
    if (clusters_.stays(record.head.order) >= Clusters::kIndexed) return;
    members_.push_back(record.head.order);
    file.append(record.signature.data(), record.signature.size() * 8);
  });
  const size_t row = minhash_.slots() * 8;
  const auto load = [&](uint64_t order, std::vector<uint64_t>& signature) {
    const auto at = std::lower_bound(members_.begin(), members_.end(), order) - members_.begin();
    signature.resize(minhash_.slots());
    file.read(static_cast<uint64_t>(at) * row, signature.data(), row);
  };
  std::vector<uint64_t> own, other;
  equal_slots_.reserve(members_.size());
  for (const uint64_t order : members_) {
    const uint64_t stays = clusters_.stays(order);
    load(order, own);
    load(stays, other);
    size_t equal = 0;
    for (size_t i = 0; i < own.size(); ++i) equal += own[i] == other[i];
    equal_slots_.push_back(static_cast<uint16_t>(equal));
    if (stays != order && double(equal) / double(own.size()) < options_.min_similarity)
      clusters_.set(order, Clusters::kAlone);
  }
}

void NearDuplicates::settle(Survey& survey, StageContext& context) {
  clusters_ = Clusters(survey.documents(), context);
  link_equal_bands(survey, context);
  clusters_.take_first();
  if (options_.rule.keep != "first")
    clusters_.choose(
        [&](const Clusters::Ranked& visit) {
          for_each(survey, [&](const Record& r) { visit(r.head.order, r.head.rank); });
        },
        {.scratch = context.scratch,
         .memory = clusters_.memory_left(context),
         .threads = context.threads});
  compare_with_survivors(survey, context);
  clusters_.finish(context.counters);
}

Verdict NearDuplicates::tell(Document& document) const {
  return clusters_.tell(document, "near_duplicate", [&](uint64_t order) {
    const auto at = std::lower_bound(members_.begin(), members_.end(), order) - members_.begin();
    return double(equal_slots_[size_t(at)]) / double(minhash_.slots());
  });
}

}  // namespace helio::data
