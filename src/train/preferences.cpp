#include "train/preferences.h"

#include "core/error.h"
#include "core/hash.h"

namespace helio::train {

EncodedPreferences encode_preferences(const std::vector<text::Preference>& rows,
                                      const text::Tokenizer& tokenizer, TokenId eos,
                                      int64_t max_length, double heldout) {
  EncodedPreferences encoded;
  for (const text::Preference& row : rows) {
    EncodedPreference pair =
        in_context([&] { return "encoding pair " + row.id; },
                   [&] { return text::encode_preference(row, tokenizer, eos, max_length); });
    if (pair.chosen == pair.rejected) {
      ++encoded.equal_after_cut;
      continue;
    }
    encoded.prompts_cut += pair.prompt_cut ? 1 : 0;
    encoded.answers_cut += pair.answers_cut;
    if (text::is_held_out(row, heldout)) {
      encoded.heldout.push_back(std::move(pair));
      encoded.heldout_rows.push_back(row);
    } else {
      encoded.train.push_back(std::move(pair));
    }
  }
  if (encoded.train.empty())
    throw Error(ErrorKind::invalid, "no preference pair is left to train on")
        .with_hint("lower the held-out share");
  return encoded;
}

Row answer_row(const EncodedPreference& pair, Side side) {
  const auto& answer = side == Side::chosen ? pair.chosen : pair.rejected;
  Row row;
  row.inputs = pair.prompt;
  row.inputs.insert(row.inputs.end(), answer.begin(), answer.end() - 1);
  row.targets.assign(pair.prompt.size() - 1, kNotLearned);
  row.targets.insert(row.targets.end(), answer.begin(), answer.end());
  return row;
}

std::string content_hash(const std::vector<EncodedPreference>& pairs) {
  Sha256Stream stream;
  for (const auto& pair : pairs)
    for (const auto* ids : {&pair.prompt, &pair.chosen, &pair.rejected}) {
      const auto count = static_cast<uint64_t>(ids->size());
      stream.update({reinterpret_cast<const char*>(&count), sizeof count});
      stream.update({reinterpret_cast<const char*>(ids->data()), ids->size() * sizeof(TokenId)});
    }
  return stream.hex();
}

namespace {
ExampleOrder::Options counted(ExampleOrder::Options options, size_t examples) {
  options.examples = static_cast<int64_t>(examples);
  return options;
}
}  // namespace

PreferenceBatches::PreferenceBatches(std::vector<EncodedPreference> pairs,
                                     std::vector<PairScore> reference, Options options)
    : pairs_(std::move(pairs)),
      reference_(std::move(reference)),
      order_(counted(options.order, pairs_.size())),
      micro_batch_size_(options.micro_batch_size) {
  HELIO_CHECK(reference_.size() == pairs_.size(), "a reference score for each pair");
}

std::vector<MicroBatch> PreferenceBatches::step(int64_t step) const {
  std::vector<Row> rows;
  std::vector<double> reference;
  for (const int64_t i : order_.examples(step)) {
    const auto at = static_cast<size_t>(i);
    rows.push_back(answer_row(pairs_[at], Side::chosen));
    rows.push_back(answer_row(pairs_[at], Side::rejected));
    reference.insert(reference.end(), {reference_[at].chosen, reference_[at].rejected});
  }
  auto batches = in_micro_batches(std::move(rows), micro_batch_size_, 2);
  size_t used = 0;
  for (MicroBatch& batch : batches)
    for (size_t i = 0; i < batch.rows.size(); ++i) batch.reference.push_back(reference[used++]);
  return batches;
}

std::vector<std::string> PreferenceBatches::documents(int64_t step) const {
  std::vector<std::string> ids;
  for (const int64_t i : order_.examples(step)) ids.push_back(pairs_[static_cast<size_t>(i)].id);
  return ids;
}

}  // namespace helio::train
