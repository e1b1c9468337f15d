#include "model/generation_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/logsumexp.h>

#include <algorithm>

#include "core/error.h"
#include "model/long_tensor.h"
#include "model/token_choice.h"

namespace helio::model {
namespace {

using text::TokenId;

constexpr int64_t kScoreRows = 256;  // positions whose logits exist at one time

void tell_prompt(Sequence& s) {
  if (!s.scores_prompt()) return;
  s.prompt_told = true;
  s.request.sink->prompt_scored(s.prompt_scores);
  s.prompt_scores = {};
}

// The token at a proposal's place: the same, when the model's own choice allows it.
Verdict judged(std::span<const float> logits, const SamplerOptions& sampler,
               const Proposal& proposal, Rng& rng) {
  if (sampler.temperature > 0)
    return accept_or_replace(proposal.id, probabilities(logits, sampler), proposal.probabilities,
                             rng);
  const TokenId own = sample(logits, sampler, rng);
  return {own, own == proposal.id};
}

}  // namespace

GenerationStep::Counts GenerationStep::run(std::span<Sequence* const> chosen) {
  if (draft_)
    in_context([] { return std::string("running the draft model"); },
               [&] { draft_->run(chosen, decoder_.config().vocab_size); });
  std::vector<int64_t> ids;
  std::vector<nn::PagedStep> steps;
  for (const Sequence* s : chosen) {
    ids.insert(ids.end(), s->ids.begin() + s->fed, s->ids.begin() + s->fed + s->step);
    for (const Proposal& proposal : s->proposals) ids.push_back(proposal.id);
    steps.push_back({.pages = s->pages,
                     .past = s->fed,
                     .fresh = s->step + static_cast<int64_t>(s->proposals.size())});
  }
  fill_up(ids, steps);
  const at::Tensor hidden = decoder_.hidden(long_tensor(ids), cache_, steps);
  std::vector<int64_t> rows;  // whose logits choose tokens
  std::vector<Sequence*> choosing;
  int64_t row = 0;
  for (Sequence* s : chosen) {
    if (s->scores_prompt()) score_prompt(*s, hidden.slice(0, row, row + s->step));
    row += s->step;
    s->fed += s->step;
    if (s->fed == s->size()) {
      tell_prompt(*s);
      if (s->request.max_new_tokens <= s->answered()) {
        s->end(Finish::length);
      } else {
        for (size_t i = 0; i <= s->proposals.size(); ++i)
          rows.push_back(row - 1 + static_cast<int64_t>(i));
        choosing.push_back(s);
      }
    }
    row += static_cast<int64_t>(s->proposals.size());
  }
  Counts counts;
  if (!rows.empty()) {
    const at::Tensor logits = logits_of(hidden, rows);
    const at::Tensor sums = at::logsumexp(logits, {1}).contiguous();
    int64_t first = 0;
    for (Sequence* s : choosing) {
      const auto count = static_cast<int64_t>(s->proposals.size()) + 1;
      try {
        choose(*s, logits.slice(0, first, first + count), sums.const_data_ptr<float>() + first,
               counts);
      } catch (const Error& error) {  // its logits are no numbers: the others go on
        s->end(Finish::failed, error.message());
      }
      first += count;
    }
  }
  for (Sequence* s : chosen) {
    // What is behind a proposal that was not taken is written over.
    s->draft_fed = std::min(s->draft_fed, s->fed);
    const int64_t known = draft_ ? s->draft_fed : s->fed;
    if (shares_)
      pool_.publish(std::span(s->ids).first(static_cast<size_t>(known)), s->pages, s->published);
  }
  return counts;
}

// Token 0 in a page of its own.
void GenerationStep::fill_up(std::vector<int64_t>& ids, std::vector<nn::PagedStep>& steps) const {
  const auto rows = static_cast<int64_t>(steps.size());
  const int64_t more = (kRowGroup - rows % kRowGroup) % kRowGroup;
  if (rows_ == Rows::as_many || more == 0 || static_cast<int64_t>(ids.size()) != rows) return;
  ids.insert(ids.end(), static_cast<size_t>(more), 0);
  steps.push_back({.pages = spare_page_, .past = 0, .fresh = more});
}

at::Tensor GenerationStep::logits_of(const at::Tensor& hidden_TH, std::vector<int64_t> rows) const {
  const auto wanted = static_cast<int64_t>(rows.size());
  while (rows_ == Rows::whole_groups && rows.size() % kRowGroup != 0) rows.push_back(rows.front());
  return decoder_.logits(hidden_TH.index_select(0, long_tensor(rows)))
      .slice(0, 0, wanted)
      .contiguous();
}

// The proposals as far as they stand, then one token more.
void GenerationStep::choose(Sequence& s, const at::Tensor& logits_TV, const float* log_sums,
                            Counts& counts) {
  const auto width = static_cast<size_t>(logits_TV.size(1));
  std::vector<float> room;
  s.proposed += static_cast<int64_t>(s.proposals.size());
  counts.proposed += s.proposals.size();
  for (size_t i = 0; i <= s.proposals.size(); ++i) {
    const std::span<const float> all(logits_TV.const_data_ptr<float>() + i * width, width);
    const auto answer = std::span<const TokenId>(s.ids).subspan(s.request.prompt.size());
    const auto logits =
        logits_to_choose_from(s.request, answer, s.matcher ? &*s.matcher : nullptr, all, room);
    Verdict next;
    if (i < s.proposals.size()) next = judged(logits, s.request.sampler, s.proposals[i], s.rng);
    else next.id = sample(logits, s.request.sampler, s.rng);
    ++counts.new_tokens;
    if (next.accepted) {
      ++s.accepted;
      ++counts.accepted;
    }
    const bool goes_on = emit(s, scored(next.id, all, log_sums[i], s.request.top));
    if (!goes_on || !next.accepted) return;
    ++s.fed;  // as a proposal it is in the pages
  }
}

// False: that was the last one.
bool GenerationStep::emit(Sequence& s, const TokenScore& score) {
  s.ids.push_back(score.id);
  const bool wanted = s.request.sink->token(score);
  const auto end = [&](Finish how) {
    s.end(how);
    return false;
  };
  if (is_stop(s.request, score.id)) return end(Finish::eos);
  const bool fits = !s.matcher || s.matcher->accept(score.id);
  HELIO_CHECK(fits, "a chosen token is one of its grammar");
  if (!wanted || (s.matcher && s.matcher->at_end())) return end(Finish::stopped);
  const int64_t longest = decoder_.config().longest_sequence();
  if (s.answered() >= s.request.max_new_tokens || s.size() > longest) return end(Finish::length);
  return true;
}

// Scores of the tokens that follow the ones just fed, as far as they belong to the prompt.
void GenerationStep::score_prompt(Sequence& s, const at::Tensor& hidden_TH) {
  const int64_t last = std::min(s.step, s.prompt_size() - 1 - s.fed);
  for (int64_t first = 0; first < last; first += kScoreRows) {
    const int64_t end = std::min(first + kScoreRows, last);
    const at::Tensor logits = decoder_.logits(hidden_TH.slice(0, first, end)).contiguous();
    const at::Tensor sums = at::logsumexp(logits, {1}).contiguous();
    const auto width = static_cast<size_t>(logits.size(1));
    for (int64_t i = first; i < end; ++i)
      s.prompt_scores.push_back(
          scored(s.ids[static_cast<size_t>(s.fed + i + 1)],
                 {logits.const_data_ptr<float>() + static_cast<size_t>(i - first) * width, width},
                 sums.const_data_ptr<float>()[i - first], s.request.top));
  }
}

}  // namespace helio::model
