// What each partner is owed from a pool of money for the text that models were trained on.
//
// The rule, in full:
//  1. Only tokens that training runs consumed count, as the runs themselves counted them, lot by
//     lot, repeats included. What was dropped, held out or never drawn earns nothing.
//  2. Text that several partners gave is in the data once, in the lot of the copy that was kept.
//     With SharedText::split its tokens are credited in equal parts to every partner who gave a
//     copy. That is the Shapley value of the game in which a set of partners is worth the distinct
//     text it brings: order of arrival, cutting a lot in two or giving the same text twice earn
//     nothing. With SharedText::first the lot that holds the kept copy takes all.
//  3. Trained tokens are counted by lot, not by document; within a lot they are taken to fall on
//     documents in proportion to their words.
//  4. The pool is divided in proportion to credited tokens, in whole units of its currency, by the
//     largest-remainder method; equal remainders go to the name that sorts first.
//
// Known limit of rule 2: a partner who sends the same text under a second identity takes a second
// part. Knowing who the partners are is the defence; the statement shows tokens moved by the rule.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::club {

enum class SharedText { split, first };

// One lot on its way from intake to training.
struct LotUse {
  std::string lot = {}, partner = {}, language = {}, licence = {};
  int64_t documents_in = 0, words_in = 0;
  int64_t documents_surviving = 0, words_surviving = 0;
  int64_t tokens = 0;   // in the token shards
  int64_t trained = 0;  // tokens consumed, summed over the runs
  // Who gave the lot's surviving text, by weight; empty when nobody but its partner did.
  std::map<std::string, int64_t> holders = {};
};

struct RunUse {
  std::string name = {};
  int64_t tokens = 0;  // the run's own total
};

struct StatementInputs {
  int64_t pool = 1'000'000;
  std::string currency = "KRW";
  SharedText shared_text = SharedText::split;
  std::vector<LotUse> lots = {};
  std::vector<RunUse> runs = {};
  int64_t tokens_total = 0;  // as the token shards state it
};

struct PartnerStatement {
  std::string partner = {};
  std::vector<std::string> lots = {};
  int64_t documents_in = 0, words_in = 0;
  int64_t documents_surviving = 0, words_surviving = 0;
  int64_t tokens = 0, trained = 0;
  int64_t given = 0;     // of the trained tokens of own lots, credited to others who gave the text
  int64_t received = 0;  // credited from others' lots
  int64_t credited = 0;  // trained - given + received
  int64_t amount = 0;    // in units of the currency
};

struct Statement {
  int64_t pool = 0;
  std::string currency = {};
  SharedText shared_text = SharedText::split;
  std::vector<PartnerStatement> partners = {};  // by name
  std::vector<LotUse> lots = {};                // by name
  std::vector<RunUse> runs = {};
  PartnerStatement totals = {};

  double share(const PartnerStatement& partner) const;
  OrderedJson json() const;
  std::string csv() const;  // a header and a row a partner
};

// Errors: {check} when an account does not add up (the message names it), {invalid} on input that
// makes no sense (a negative pool, nothing trained).
Statement make_statement(StatementInputs inputs);

}  // namespace helio::club
