#include "data/accounting.h"

#include "core/error.h"

namespace helio::data {
namespace {

OrderedJson to_json(const Amount& amount) {
  return {{"documents", amount.documents}, {"words", amount.words}, {"bytes", amount.bytes}};
}

int64_t total(const std::map<std::string, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

Amount total(const std::map<std::string, Amount>& amounts) {
  Amount sum;
  for (const auto& [name, amount] : amounts) sum += amount;
  return sum;
}

}  // namespace

Amount& Amount::operator+=(const Amount& other) {
  documents += other.documents, words += other.words, bytes += other.bytes;
  return *this;
}

void Account::balance() const {
  Amount in, out;
  for (const LotAccount& lot : lots) {
    HELIO_CHECK(lot.in.documents == lot.out.documents + total(lot.dropped),
                "lot " + lot.info.lot + ": in is not out and dropped");
    in += lot.in, out += lot.out;
  }
  int64_t flowing = in.documents;
  for (const StepAccount& step : steps) {
    HELIO_CHECK(step.in == flowing,
                "step " + step.step + " does not begin where the last one ended");
    HELIO_CHECK(step.in == step.out + step.dropped,
                "step " + step.step + ": in is not out and dropped");
    HELIO_CHECK(step.dropped == total(step.reasons), "step " + step.step + ": reasons are not all");
    flowing = step.out;
  }
  HELIO_CHECK(flowing == out.documents, "the last step's documents are not the survivors");
  HELIO_CHECK(total(languages) == out, "languages do not sum to the survivors");
  HELIO_CHECK(total(splits) == out, "splits do not sum to the survivors");
}

OrderedJson Account::json() const {
  OrderedJson json;
  Amount in, out;
  for (const LotAccount& lot : lots) in += lot.in, out += lot.out;
  json["in"] = to_json(in);
  json["out"] = to_json(out);
  json["steps"] = OrderedJson::array();
  for (const StepAccount& step : steps)
    json["steps"].push_back({{"step", step.step},
                             {"in", step.in},
                             {"out", step.out},
                             {"dropped", step.dropped},
                             {"changed", step.changed},
                             {"reasons", step.reasons}});
  json["lots"] = OrderedJson::array();
  for (const LotAccount& lot : lots)
    json["lots"].push_back({{"lot", lot.info.lot},
                            {"partner", lot.info.partner},
                            {"language", lot.info.language},
                            {"licence", lot.info.licence},
                            {"documents_in", lot.in.documents},
                            {"words_in", lot.in.words},
                            {"bytes_in", lot.in.bytes},
                            {"documents_out", lot.out.documents},
                            {"words_out", lot.out.words},
                            {"bytes_out", lot.out.bytes},
                            {"dropped", lot.dropped}});
  json["languages"] = OrderedJson::object();
  for (const auto& [language, amount] : languages) json["languages"][language] = to_json(amount);
  json["splits"] = OrderedJson::object();
  for (const auto& [split, amount] : splits) json["splits"][split] = to_json(amount);
  int64_t clusters = 0;
  OrderedJson pii = OrderedJson::object(), others = OrderedJson::object();
  for (const auto& [name, count] : counters) {
    if (name == "duplicate_clusters") clusters = count;
    else if (name.starts_with("pii.")) pii[name.substr(4)] = count;
    else others[name] = count;
  }
  json["duplicate_clusters"] = clusters;
  json["pii"] = std::move(pii);
  json["counters"] = std::move(others);
  json["figures"] = figures;
  return json;
}

}  // namespace helio::data
