// Preference pairs as rows and batches to train on. Torch-free.
#pragma once

#include <string>
#include <vector>

#include "text/preference_data.h"
#include "train/batches.h"
#include "train/options.h"

namespace helio::train {

using text::EncodedPreference;

struct EncodedPreferences {
  std::vector<EncodedPreference> train = {}, heldout = {};
  std::vector<text::Preference> heldout_rows = {};  // the same pairs as heldout, as read
  int64_t prompts_cut = 0, answers_cut = 0;
  int64_t equal_after_cut = 0;  // dropped: what distinguished the answers was cut off
};

// Ids of all pairs (text::encode_preference says how they are cut), the held-out ones apart
// (text::is_held_out).
EncodedPreferences encode_preferences(const std::vector<text::Preference>& rows,
                                      const text::ChatFormat& format, int64_t max_length,
                                      double heldout,
                                      text::PlainTexts texts = text::PlainTexts::chat);

// Examples with one answer, for a loss that compares two: always throws Error{invalid}.
[[noreturn]] void refuse_unpaired(int64_t examples, const std::string& loss);

// "chat" or "plain" of the options.
text::PlainTexts plain_texts(const PreferenceChoice& options);

// One row for a pair: the prompt but its last id, then for each answer a branch of the prompt's
// last id and the answer but its last. An example of unpaired data has one answer; `mismatched`
// has answers to other prompts (may be null).
struct PairRow {
  Row row = {};
  PairBranches branches = {};
};
PairRow pair_row(const EncodedPreference& pair, const EncodedPreference* mismatched = nullptr);

// Hash of the ids of all pairs in order: what reference log-probabilities are cached under.
std::string content_hash(const std::vector<EncodedPreference>& pairs);

// Each pair's prompt with the answers of the pair before it in the data (the last one's for the
// first): what KTO estimates KL from.
std::vector<EncodedPreference> mismatched_pairs(const std::vector<EncodedPreference>& pairs);

class PreferenceBatches final : public Batches {
 public:
  struct Options {
    ExampleOrder::Options order = {};  // examples is filled in; a batch is counted in pairs
    int64_t micro_batch_size = 0;      // pairs; 0: the whole batch
  };
  // `mismatched`: scores of mismatched_pairs(pairs), where the loss needs them; else empty.
  PreferenceBatches(std::vector<EncodedPreference> pairs, std::vector<PairScore> reference,
                    Options options, std::vector<PairScore> mismatched = {});

  int64_t steps() const override { return order_.steps(); }
  std::vector<MicroBatch> step(int64_t step) const override;
  double epoch(int64_t step) const override { return order_.epoch(step); }
  std::vector<std::string> documents(int64_t step) const override;

 private:
  std::vector<EncodedPreference> pairs_, others_ = {};
  std::vector<PairScore> reference_, mismatched_;
  ExampleOrder order_;
  int64_t micro_batch_size_;
};

}  // namespace helio::train
