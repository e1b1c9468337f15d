#include "model/draft.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "core/error.h"
#include "model/long_tensor.h"
#include "model/token_choice.h"

namespace helio::model {
namespace {

using text::TokenId;

// One sequence with what has been proposed for it.
class Ahead {
 public:
  explicit Ahead(Sequence& sequence) : s_(sequence) {
    s_.proposals.clear();
    if (s_.wanted == 0) return;
    answer_.assign(s_.ids.begin() + s_.prompt_size(), s_.ids.end());
    if (s_.matcher) matcher_.emplace(*s_.matcher);
  }

  Sequence& sequence() const { return s_; }
  bool goes_on() const { return !ended_ && static_cast<int64_t>(s_.proposals.size()) < s_.wanted; }
  TokenId last() const { return s_.proposals.back().id; }

  void propose(std::span<const float> all) {
    std::span<const float> logits;
    try {
      logits =
          logits_to_choose_from(s_.request, answer_, matcher_ ? &*matcher_ : nullptr, all, room_);
    } catch (const Error&) {  // the engine's model says why no token may come
      ended_ = true;
      return;
    }
    Proposal next;
    if (s_.request.sampler.temperature > 0) {
      next.probabilities = probabilities(logits, s_.request.sampler);
      next.id = draw(next.probabilities, s_.draft_rng);
    } else {
      next.id = sample(logits, s_.request.sampler, s_.draft_rng);
    }
    s_.proposals.push_back(std::move(next));
    const TokenId id = last();
    answer_.push_back(id);
    ended_ = is_stop(s_.request, id) || (matcher_ && (!matcher_->accept(id) || matcher_->at_end()));
  }

 private:
  Sequence& s_;
  std::vector<TokenId> answer_ = {};
  std::optional<text::GrammarMatcher> matcher_ = {};
  std::vector<float> room_ = {};
  bool ended_ = false;
};

}  // namespace

Draft::Draft(Decoder decoder, int64_t pages, int64_t page_tokens)
    : decoder_(std::move(decoder)),
      cache_(decoder_.config(), pages, page_tokens, decoder_.dtype()) {}

void Draft::run(std::span<Sequence* const> sequences, int64_t vocabulary) {
  std::vector<Ahead> all;
  all.reserve(sequences.size());
  std::vector<Ahead*> going;  // whose next logits are wanted
  std::vector<int64_t> ids, rows;
  std::vector<nn::PagedStep> steps;
  const auto propose = [&] {
    if (steps.empty()) return;
    const at::Tensor hidden = decoder_.hidden(long_tensor(ids), cache_, steps);
    if (going.empty()) return;
    at::Tensor logits = decoder_.logits(hidden.index_select(0, long_tensor(rows)));
    logits = logits.slice(1, 0, std::min(vocabulary, logits.size(1))).contiguous();
    const auto width = static_cast<size_t>(logits.size(1));
    for (size_t i = 0; i < going.size(); ++i)
      going[i]->propose({logits.const_data_ptr<float>() + i * width, width});
  };
  // What it does not have yet.
  for (Sequence* s : sequences) {
    all.emplace_back(*s);
    const int64_t end = std::min(s->fed + s->step, max_positions());
    const int64_t fresh = end - s->draft_fed;
    if (fresh <= 0) continue;
    for (int64_t i = s->draft_fed; i < end; ++i) {
      // Ids it has no row for (the model's padding) mislead its proposals and nothing else.
      const TokenId id = s->ids[static_cast<size_t>(i)];
      ids.push_back(id < decoder_.config().vocab_size ? id : 0);
    }
    steps.push_back({.pages = s->pages, .past = s->draft_fed, .fresh = fresh});
    s->draft_fed = end;
    if (!all.back().goes_on()) continue;
    going.push_back(&all.back());
    rows.push_back(static_cast<int64_t>(ids.size()) - 1);
  }
  propose();
  // One token further each time.
  while (true) {
    std::erase_if(going, [](const Ahead* ahead) { return !ahead->goes_on(); });
    if (going.empty()) return;
    ids.clear();
    rows.clear();
    steps.clear();
    for (const Ahead* ahead : going) {
      Sequence& s = ahead->sequence();
      rows.push_back(static_cast<int64_t>(rows.size()));
      ids.push_back(ahead->last());
      steps.push_back({.pages = s.pages, .past = s.draft_fed++, .fresh = 1});
    }
    propose();
  }
}

}  // namespace helio::model
