// Preference pairs: files to pairs to rows of ids, and their batches. Torch-free.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "text/chat.h"
#include "train/batches.h"

namespace helio::train {

struct Preference {
  std::string id = {};
  std::vector<text::Message> prompt = {};
  std::string chosen = {}, rejected = {};  // the assistant's last words
};

struct LoadedPreferences {
  std::vector<Preference> rows = {};
  std::map<std::string, int64_t> refused = {};  // "empty_side", "empty_prompt", "equal_sides"
};

// Reads TRL's {"prompt", "chosen", "rejected"} (texts or lists of messages; without "prompt" it is
// what chosen and rejected have in common, as TRL takes it), ShareGPT's {"conversations", "chosen",
// "rejected"} and Alpaca's {"instruction", "input", "chosen", "rejected"}. limit 0: all.
// Pairs that teach nothing (an empty or equal side) are counted and left out; other forms are errors.
LoadedPreferences load_preferences(const std::filesystem::path& path, int64_t limit);

struct EncodedPreference {
  std::string id = {};
  std::vector<TokenId> prompt = {}, chosen = {}, rejected = {};  // answers end with eos
};

struct EncodedPreferences {
  std::vector<EncodedPreference> train = {}, heldout = {};
  std::vector<Preference> heldout_rows = {};  // the same pairs as heldout, as read
  int64_t prompts_cut = 0, answers_cut = 0;
};

// Ids in SOLAR's layout (text/chat.h). Prompt and answer together have at most max_length ids:
// the prompt is cut on the left to what the longer answer leaves, but never below a quarter of
// max_length; answers that still do not fit are cut at the end (and lose their eos).
// The held-out share is decided by a hash of the prompt's words: pairs with one prompt stay together.
EncodedPreferences encode_preferences(const std::vector<Preference>& rows,
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
