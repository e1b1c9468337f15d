#include "club/statement.h"

#include <algorithm>
#include <cstdio>

#include "club/apportion.h"
#include "core/error.h"

namespace helio::club {
namespace {

const char* name_of(SharedText rule) { return rule == SharedText::split ? "split" : "first"; }

Error unbalanced(const std::string& what, int64_t left, int64_t right) {
  return Error(ErrorKind::check, "the account does not add up: " + what + " (" +
                                     std::to_string(left) + " against " + std::to_string(right) +
                                     ")");
}

void expect_equal(int64_t left, int64_t right, const char* what) {
  if (left != right) throw unbalanced(what, left, right);
}

void check_lot(const LotUse& lot) {
  const std::string of = " of lot '" + lot.lot + "'";
  if (lot.partner.empty()) throw Error(ErrorKind::invalid, "no partner" + of);
  for (const int64_t count : {lot.documents_in, lot.words_in, lot.documents_surviving,
                              lot.words_surviving, lot.tokens, lot.trained})
    if (count < 0) throw Error(ErrorKind::check, "a count" + of + " is negative");
  if (lot.documents_surviving > lot.documents_in)
    throw unbalanced("more documents" + of + " survive than came in", lot.documents_surviving,
                     lot.documents_in);
  if (lot.trained > 0 && lot.tokens == 0)
    throw unbalanced("tokens" + of + " were trained on, but the shards have none", lot.trained, 0);
}

// The lot's trained tokens by partner; sums to lot.trained.
std::map<std::string, int64_t> credit_of(const LotUse& lot, SharedText rule) {
  std::vector<std::string> names;
  std::vector<int64_t> weights;
  int64_t total = 0;
  if (rule == SharedText::split)
    for (const auto& [partner, weight] : lot.holders) {
      names.push_back(partner);
      weights.push_back(weight);
      total += weight;
    }
  if (total == 0) return {{lot.partner, lot.trained}};
  const std::vector<int64_t> parts = apportion(lot.trained, weights);
  std::map<std::string, int64_t> credit;
  for (size_t i = 0; i < names.size(); ++i) credit[names[i]] = parts[i];
  return credit;
}

void add_counts(PartnerStatement& sum, const LotUse& lot) {
  sum.documents_in += lot.documents_in;
  sum.words_in += lot.words_in;
  sum.documents_surviving += lot.documents_surviving;
  sum.words_surviving += lot.words_surviving;
  sum.tokens += lot.tokens;
  sum.trained += lot.trained;
}

// A field of a CSV row: quoted when it must be (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", value);
  return text;
}

OrderedJson counts_json(const PartnerStatement& of) {
  return {{"documents_in", of.documents_in},
          {"words_in", of.words_in},
          {"documents_surviving", of.documents_surviving},
          {"words_surviving", of.words_surviving},
          {"tokens", of.tokens},
          {"trained", of.trained},
          {"given", of.given},
          {"received", of.received},
          {"credited", of.credited},
          {"amount", of.amount}};
}

}  // namespace

Statement make_statement(StatementInputs inputs) {
  if (inputs.pool < 0) throw Error(ErrorKind::invalid, "the pool is negative");
  std::sort(inputs.lots.begin(), inputs.lots.end(),
            [](const LotUse& a, const LotUse& b) { return a.lot < b.lot; });

  std::map<std::string, PartnerStatement> by_name;
  PartnerStatement totals{.partner = "total"};
  for (size_t i = 0; i < inputs.lots.size(); ++i) {
    const LotUse& lot = inputs.lots[i];
    check_lot(lot);
    if (i > 0 && inputs.lots[i - 1].lot == lot.lot)
      throw Error(ErrorKind::check, "the lot '" + lot.lot + "' appears twice");
    PartnerStatement& own = by_name[lot.partner];
    own.lots.push_back(lot.lot);
    add_counts(own, lot);
    add_counts(totals, lot);
    for (const auto& [partner, tokens] : credit_of(lot, inputs.shared_text)) {
      by_name[partner].credited += tokens;
      if (partner == lot.partner) continue;
      own.given += tokens;
      by_name[partner].received += tokens;
    }
  }
  int64_t run_tokens = 0;
  for (const RunUse& run : inputs.runs) run_tokens += run.tokens;
  expect_equal(totals.tokens, inputs.tokens_total, "tokens by lot and in the shards");
  expect_equal(totals.trained, run_tokens, "trained tokens by lot and by run");

  Statement statement{.pool = inputs.pool,
                      .currency = std::move(inputs.currency),
                      .shared_text = inputs.shared_text};
  std::vector<int64_t> weights;
  for (auto& [name, partner] : by_name) {
    partner.partner = name;
    expect_equal(partner.credited, partner.trained - partner.given + partner.received,
                 "credited tokens of one partner");
    weights.push_back(partner.credited);
    statement.partners.push_back(std::move(partner));
  }
  const std::vector<int64_t> amounts =
      in_context([] { return "dividing the pool by tokens trained on"; },
                 [&] { return apportion(inputs.pool, weights); });
  for (size_t i = 0; i < amounts.size(); ++i) {
    PartnerStatement& partner = statement.partners[i];
    partner.amount = amounts[i];
    totals.given += partner.given;
    totals.received += partner.received;
    totals.credited += partner.credited;
    totals.amount += partner.amount;
  }
  expect_equal(totals.credited, totals.trained, "credited and trained tokens");
  expect_equal(totals.given, totals.received, "tokens given and received for shared text");
  expect_equal(totals.amount, inputs.pool, "amounts and the pool");
  statement.lots = std::move(inputs.lots);
  statement.runs = std::move(inputs.runs);
  statement.totals = std::move(totals);
  return statement;
}

double Statement::share(const PartnerStatement& partner) const {
  if (totals.credited == 0) return 0;
  return static_cast<double>(partner.credited) / static_cast<double>(totals.credited);
}

OrderedJson Statement::json() const {
  OrderedJson out = {{"format", 1},
                     {"pool", pool},
                     {"currency", currency},
                     {"shared_text", name_of(shared_text)},
                     {"totals", counts_json(totals)},
                     {"partners", OrderedJson::array()},
                     {"lots", OrderedJson::array()},
                     {"runs", OrderedJson::array()}};
  for (const PartnerStatement& partner : partners) {
    OrderedJson row = {{"partner", partner.partner}, {"lots", partner.lots}};
    row.update(counts_json(partner));
    row["share"] = share(partner);
    out["partners"].push_back(std::move(row));
  }
  for (const LotUse& lot : lots) {
    OrderedJson row = {{"lot", lot.lot},
                       {"partner", lot.partner},
                       {"language", lot.language},
                       {"licence", lot.licence},
                       {"documents_in", lot.documents_in},
                       {"words_in", lot.words_in},
                       {"documents_surviving", lot.documents_surviving},
                       {"words_surviving", lot.words_surviving},
                       {"tokens", lot.tokens},
                       {"trained", lot.trained}};
    if (shared_text == SharedText::split && !lot.holders.empty()) {
      // By partner, the trained tokens of this lot: what anyone needs to redo the sums above.
      row["credited"] = OrderedJson::object();
      for (const auto& [partner, tokens] : credit_of(lot, shared_text))
        row["credited"][partner] = tokens;
    }
    out["lots"].push_back(std::move(row));
  }
  for (const RunUse& run : runs) out["runs"].push_back({{"run", run.name}, {"tokens", run.tokens}});
  return out;
}

std::string Statement::csv() const {
  std::string out =
      "partner,lots,documents_in,words_in,documents_surviving,words_surviving,tokens,trained,given,"
      "received,credited,share,amount,currency\n";
  for (const PartnerStatement& partner : partners) {
    std::string lots_text;
    for (const std::string& lot : partner.lots) lots_text += (lots_text.empty() ? "" : " ") + lot;
    out += csv_field(partner.partner) + ',' + csv_field(lots_text);
    for (const int64_t count : {partner.documents_in, partner.words_in, partner.documents_surviving,
                                partner.words_surviving, partner.tokens, partner.trained,
                                partner.given, partner.received, partner.credited})
      out += ',' + std::to_string(count);
    out += ',' + decimal(share(partner)) + ',' + std::to_string(partner.amount) + ',' +
           csv_field(currency) + '\n';
  }
  return out;
}

}  // namespace helio::club
