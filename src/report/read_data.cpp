#include <algorithm>

#include "report/readers.h"

namespace helio::report {
namespace {

Counts counts_at(const Record& record, const char* key) {
  Counts counts;
  record.each_member(key, [&](const std::string& name, const Json& value) {
    if (value.is_object()) {  // {"documents": n, ...}
      if (const auto documents = Record(value, record.source()).count("documents"))
        counts.emplace_back(name, *documents);
      return;
    }
    if (!value.is_number_integer()) record.damaged(key, "an object of counts");
    counts.emplace_back(name, value.get<int64_t>());
  });
  return sorted(std::move(counts));
}

}  // namespace

Counts sorted(Counts counts) {
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return counts;
}

Dataset read_dataset(const StageInfo& stage) {
  Dataset data{.stage = stage.name};
  const fs::path file = stage.out / "dataset.json";
  if (!fs::exists(file)) return data;
  const Json json = load_object(file);
  const Record account(json, file.string());
  account.each_row("steps", [&](const Record& row) {
    data.steps.push_back({.name = row.text("step"),
                          .in = row.count("in"),
                          .out = row.count("out"),
                          .dropped = row.count("dropped"),
                          .changed = row.count("changed"),
                          .reasons = counts_at(row, "reasons")});
  });
  account.each_row("lots", [&](const Record& row) {
    data.lots.push_back({.lot = row.text("lot"),
                         .partner = row.text("partner"),
                         .language = row.text("language"),
                         .licence = row.text("licence"),
                         .documents_in = row.count("documents_in"),
                         .words_in = row.count("words_in"),
                         .documents_out = row.count("documents_out"),
                         .words_out = row.count("words_out"),
                         .dropped = counts_at(row, "dropped")});
  });
  data.languages = counts_at(account, "languages");
  data.pii = counts_at(account, "pii");
  data.duplicate_clusters = account.count("duplicate_clusters");
  account.each_member("splits", [&](const std::string& name, const Json& value) {
    const Record split(value, file.string() + ": splits");
    data.splits.push_back({.name = name,
                           .documents = split.count("documents"),
                           .words = split.count("words"),
                           .bytes = split.count("bytes")});
  });
  std::sort(data.splits.begin(), data.splits.end(),
            [](const auto& a, const auto& b) { return a.name > b.name; });  // train before heldout
  data.documents_in = account.below("in").count("documents");
  data.documents_out = account.below("out").count("documents");
  if (!data.steps.empty()) {
    if (!data.documents_in) data.documents_in = data.steps.front().in;
    if (!data.documents_out) data.documents_out = data.steps.back().out;
  }
  return data;
}

Statement read_statement(const StageInfo& stage) {
  Statement statement{.stage = stage.name};
  const fs::path file = stage.out / "statement.json";
  if (!fs::exists(file)) return statement;
  const Json json = load_object(file);
  const Record record(json, file.string());
  const auto partner = [](const Record& row) {
    return PartnerRow{.partner = row.text("partner"),
                      .documents_in = row.count("documents_in"),
                      .words_in = row.count("words_in"),
                      .documents_surviving = row.count("documents_surviving"),
                      .words_surviving = row.count("words_surviving"),
                      .tokens = row.count("tokens"),
                      .trained = row.count("trained"),
                      .given = row.count("given"),
                      .received = row.count("received"),
                      .credited = row.count("credited"),
                      .amount = row.count("amount"),
                      .share = row.number("share")};
  };
  statement.pool = record.count("pool");
  statement.currency = record.text("currency");
  statement.totals = partner(record.below("totals"));
  int64_t sum = 0;
  bool whole = statement.pool.has_value();
  record.each_row("partners", [&](const Record& row) {
    statement.partners.push_back(partner(row));
    const Count amount = statement.partners.back().amount;
    whole = whole && amount && !__builtin_add_overflow(sum, *amount, &sum);
  });
  // Added up again here: the page repeats no claim that it has not checked.
  statement.adds_up = whole && sum == *statement.pool;
  return statement;
}

}  // namespace helio::report
