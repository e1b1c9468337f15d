#include "train/preferences.h"

#include "core/error.h"
#include "core/hash.h"

namespace helio::train {

EncodedPreferences encode_preferences(const std::vector<text::Preference>& rows,
                                      const text::ChatFormat& format, int64_t max_length,
                                      double heldout, text::PlainTexts texts) {
  EncodedPreferences encoded;
  for (const text::Preference& row : rows) {
    EncodedPreference pair =
        in_context([&] { return "encoding pair " + row.id; },
                   [&] { return text::encode_preference(row, format, max_length, texts); });
    const bool lost = !row.unpaired && (pair.chosen.empty() || pair.rejected.empty());
    if (pair.chosen == pair.rejected || lost) {
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

void refuse_unpaired(int64_t examples, const std::string& loss) {
  throw Error(
      ErrorKind::invalid,
      std::to_string(examples) + " examples have one answer only, and '" + loss + "' compares two")
      .with_hint("use --loss kto or apo_zero_unpaired for such data");
}

text::PlainTexts plain_texts(const PreferenceChoice& options) {
  return options.texts == "plain" ? text::PlainTexts::as_they_stand : text::PlainTexts::chat;
}

PairRow pair_row(const EncodedPreference& pair, const EncodedPreference* mismatched) {
  PairRow out;
  Row& row = out.row;
  const auto& prompt = pair.prompt;
  row.inputs.assign(prompt.begin(), prompt.end() - 1);
  row.targets.assign(row.inputs.size(), kNotLearned);
  const auto add = [&](const std::vector<TokenId>& answer) {
    if (answer.empty()) return -1;
    row.branches.push_back(static_cast<int64_t>(row.inputs.size()));
    row.inputs.push_back(prompt.back());
    row.inputs.insert(row.inputs.end(), answer.begin(), answer.end() - 1);
    row.targets.insert(row.targets.end(), answer.begin(), answer.end());
    return static_cast<int>(row.branches.size()) - 1;
  };
  out.branches.chosen = add(pair.chosen);
  out.branches.rejected = add(pair.rejected);
  if (mismatched != nullptr) {
    out.branches.chosen_mismatched = add(mismatched->chosen);
    out.branches.rejected_mismatched = add(mismatched->rejected);
  }
  return out;
}

std::vector<EncodedPreference> mismatched_pairs(const std::vector<EncodedPreference>& pairs) {
  std::vector<EncodedPreference> out = pairs;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto& other = pairs[(i + pairs.size() - 1) % pairs.size()];
    out[i].chosen = other.chosen;
    out[i].rejected = other.rejected;
  }
  return out;
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
                                     std::vector<PairScore> reference, Options options,
                                     std::vector<PairScore> mismatched)
    : pairs_(std::move(pairs)),
      reference_(std::move(reference)),
      mismatched_(std::move(mismatched)),
      order_(counted(options.order, pairs_.size())),
      micro_batch_size_(options.micro_batch_size) {
  HELIO_CHECK(reference_.size() == pairs_.size() &&
                  (mismatched_.empty() || mismatched_.size() == pairs_.size()),
              "a reference score for each pair");
  if (!mismatched_.empty()) others_ = mismatched_pairs(pairs_);
}

std::vector<MicroBatch> PreferenceBatches::step(int64_t step) const {
  const auto examples = order_.examples(step);
  const size_t room =
      micro_batch_size_ > 0 ? static_cast<size_t>(micro_batch_size_) : examples.size();
  double chosen = 0, whole = 0, with_chosen = 0;
  std::vector<MicroBatch> batches;
  for (size_t i = 0; i < examples.size(); ++i) {
    const auto at = static_cast<size_t>(examples[i]);
    const EncodedPreference& pair = pairs_[at];
    auto [row, branches] = pair_row(pair, others_.empty() ? nullptr : &others_[at]);
    branches.reference = reference_[at];
    if (!mismatched_.empty()) branches.reference_mismatched = mismatched_[at];
    if (i % room == 0) batches.emplace_back();
    batches.back().rows.push_back(std::move(row));
    batches.back().pairs.push_back(branches);
    chosen += static_cast<double>(pair.chosen.size());
    whole += static_cast<double>(pair.prompt.size() - 1 + pair.chosen.size());
    with_chosen += pair.chosen.empty() ? 0 : 1;
  }
  for (MicroBatch& batch : batches) {
    batch.chosen_tokens = std::max(1.0, chosen / std::max(1.0, with_chosen));
    batch.whole_tokens = std::max(1.0, whole / std::max(1.0, with_chosen));
  }
  return batches;
}

std::vector<std::string> PreferenceBatches::documents(int64_t step) const {
  std::vector<std::string> ids;
  for (const int64_t i : order_.examples(step)) ids.push_back(pairs_[static_cast<size_t>(i)].id);
  return ids;
}

}  // namespace helio::train
