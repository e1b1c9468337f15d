// Preference pairs as rows and batches to train on. Torch-free.
#pragma once

#include <string>
#include <vector>

#include "text/preference_data.h"
#include "train/batches.h"

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
                                      const text::Tokenizer& tokenizer, TokenId eos,
                                      int64_t max_length, double heldout);

enum class Side { chosen, rejected };
Row answer_row(const EncodedPreference& pair, Side side);

// Hash of the ids of all pairs in order: what reference log-probabilities are cached under.
std::string content_hash(const std::vector<EncodedPreference>& pairs);

// Log-probabilities of both answers of a pair, summed over their ids.
struct PairScore {
  double chosen = 0, rejected = 0;
};

class PreferenceBatches final : public Batches {
 public:
  struct Options {
    ExampleOrder::Options order = {};  // examples is filled in; a batch is counted in pairs
    int64_t micro_batch_size = 0;      // pairs; 0: the whole batch
  };
  PreferenceBatches(std::vector<EncodedPreference> pairs, std::vector<PairScore> reference,
                    Options options);

  int64_t steps() const override { return order_.steps(); }
  std::vector<MicroBatch> step(int64_t step) const override;
  double epoch(int64_t step) const override { return order_.epoch(step); }
  std::vector<std::string> documents(int64_t step) const override;

 private:
  std::vector<EncodedPreference> pairs_;
  std::vector<PairScore> reference_;
  ExampleOrder order_;
  int64_t micro_batch_size_;
};

}  // namespace helio::train
