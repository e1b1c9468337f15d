// The documents of a pipeline on their way through its steps, and what became of each.
#pragma once

#include <string>
#include <vector>

#include "data/accounting.h"
#include "data/document.h"
#include "data/steps.h"

namespace helio::data {

// What is remembered of a document, at its place in the manifest order.
struct Fate {
  int dropped_at = -1;  // step; -1: it survived
  Verdict verdict = {};
  std::vector<uint16_t> changed_at = {};  // steps that changed its text
  int64_t words_in = 0;                   // once it was text
};

class Flow {
 public:
  // Takes the documents in manifest order and numbers them.
  Flow(std::vector<Document> documents, std::vector<Step> steps);

  void run(int threads, Monitor& monitor, const StopRequest& stop);

  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<StepAccount>& accounts() const { return accounts_; }
  const Counters& counters() const { return counters_; }
  const std::map<std::string, std::vector<std::string>>& files() const { return files_; }
  const std::vector<Document>& survivors() const { return documents_; }  // in the order left in
  const std::vector<Document>& dropped() const { return dropped_; }      // in manifest order
  const Fate& fate(const Document& document) const { return fates_[document.order]; }

 private:
  struct Tally;
  void run_fused(size_t first, size_t last, int threads, Monitor& monitor, const StopRequest& stop);
  void run_stage(size_t index, int threads, Monitor& monitor, const StopRequest& stop);
  void apply(size_t index, Document& document, Tally& tally);
  void sweep();  // moves dropped documents aside

  std::vector<Document> documents_, dropped_ = {};
  std::vector<Step> steps_;
  std::vector<Fate> fates_;
  std::vector<StepAccount> accounts_ = {};
  Counters counters_ = {};
  std::map<std::string, std::vector<std::string>> files_ = {};
};

}  // namespace helio::data
