#include "model/generation_engine.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/logsumexp.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "model/generation_sequence.h"
#include "model/long_tensor.h"
#include "model/page_pool.h"
#include "model/paged_cache.h"

namespace helio::model {
namespace {

using text::TokenId;

constexpr int64_t kScoreRows = 256;  // positions whose logits exist at one time
// Batching::as_alone: products sum groups of four rows alike, what is left of a group otherwise
// (nn/product_kernels_impl.h), and from 24 rows on LibTorch's do it (nn/packed_weight.cpp).
constexpr int64_t kRowGroup = 4, kAloneSlots = 16;

struct EmbedJob {
  std::vector<std::vector<TokenId>> texts;
  std::function<void(GenerationEngine::Vectors, const std::string&)> done;
};

class LocalEngine final : public GenerationEngine {
 public:
  LocalEngine(std::shared_ptr<const Decoder> decoder, const EngineOptions& options)
      : owner_(std::move(decoder)),
        decoder_(*owner_),
        options_(options),
        alone_(options.batching == Batching::as_alone),
        shares_(!alone_ && !decoder_.config().rope.follows_length()),
        pool_(pages_wanted(), options.page_tokens),
        cache_(decoder_.config(), pool_.pages() + (alone_ ? 1 : 0), options.page_tokens,
               decoder_.dtype()),
        thread_([this] { work(); }) {}

  ~LocalEngine() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  bool submit(std::vector<GenerationRequest> requests) override {
    for (const auto& request : requests) check(request);
    {
      const std::lock_guard lock(mutex_);
      const auto room = options_.waiting - static_cast<int64_t>(waiting_.size());
      if (ending_ || (static_cast<int64_t>(requests.size()) > room && !waiting_.empty()))
        return false;
      for (auto& request : requests)
        waiting_.push_back(std::make_unique<Sequence>(std::move(request)));
      counts_.waiting = static_cast<int64_t>(waiting_.size());
    }
    wake_.notify_all();
    return true;
  }

  void embed(std::vector<std::vector<TokenId>> texts,
             std::function<void(Vectors, const std::string&)> done) override {
    {
      const std::lock_guard lock(mutex_);
      embeds_.push_back({std::move(texts), std::move(done)});
    }
    wake_.notify_all();
  }

  EngineLoad load() const override {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  int64_t max_positions() const override { return decoder_.config().longest_sequence(); }

 private:
  int64_t pages_wanted() const {
    int64_t tokens = options_.cache_tokens;
    if (tokens == 0) tokens = 4 * max_positions();
    tokens = std::max(tokens, max_positions());  // the longest sequence alone must fit
    return (tokens + options_.page_tokens - 1) / options_.page_tokens;
  }

  void check(const GenerationRequest& request) const {
    if (request.prompt.empty())
      throw Error(ErrorKind::invalid, "generation needs a prompt of at least one token");
    if (static_cast<int64_t>(request.prompt.size()) > max_positions())
      throw Error(ErrorKind::invalid, "the prompt has " + std::to_string(request.prompt.size()) +
                                          " tokens, the model " + std::to_string(max_positions()) +
                                          " positions");
    for (const TokenId id : request.prompt)
      if (id < 0 || id >= decoder_.config().vocab_size)
        throw Error(ErrorKind::invalid, "token id " + std::to_string(id) +
                                            " is outside the model's vocabulary of " +
                                            std::to_string(decoder_.config().vocab_size));
    HELIO_CHECK(request.sink, "a sink for what is generated");
  }

  // --- the engine's thread -----------------------------------------------------------------------

  void work() {
    const c10::AutoGradMode no_grad(false);
    while (wait_for_work()) {
      run_embeds();
      drop_cancelled();
      admit();
      if (!running_.empty()) step();
      publish_counts();
    }
    for (auto& sequence : running_) finish(*sequence, Finish::cancelled);
    running_.clear();
    for (auto& sequence : waiting_) finish(*sequence, Finish::cancelled);
    waiting_.clear();
    for (auto& job : embeds_) job.done({}, "the engine is shutting down");
  }

  bool wait_for_work() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] {
      return ending_ || !running_.empty() || !waiting_.empty() || !embeds_.empty();
    });
    return !ending_;
  }

  void publish_counts() {
    const std::lock_guard lock(mutex_);
    counts_.running = static_cast<int64_t>(running_.size());
    counts_.waiting = static_cast<int64_t>(waiting_.size());
    counts_.slots = options_.slots;
    counts_.cached_tokens = pool_.held() * options_.page_tokens;
    counts_.cache_capacity = pool_.pages() * options_.page_tokens;
  }

  void drop_cancelled() {
    const auto drop = [&](std::unique_ptr<Sequence>& sequence) {
      if (!sequence->cancelled()) return false;
      finish(*sequence, Finish::cancelled);
      return true;
    };
    std::erase_if(running_, drop);
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, drop);
  }

  // Waiting requests take free slots while their prompts fit into the cache.
  void admit() {
    const int64_t slots = alone_ ? std::min(options_.slots, kAloneSlots) : options_.slots;
    while (static_cast<int64_t>(running_.size()) < slots) {
      std::unique_ptr<Sequence> next;
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty()) return;
        const int64_t needed = pages_for(room_for(*waiting_.front()));
        if (needed > pool_.free() - promised_pages() && !running_.empty()) return;
        next = std::move(waiting_.front());
        waiting_.pop_front();
      }
      // One token at least is left to run: its logits choose the next one. Where the prompt's own
      // tokens are scored, all are.
      if (!next->scores_prompt() && shares_) {
        next->pages = pool_.find(std::span(next->ids).first(next->ids.size() - 1));
        next->fed = static_cast<int64_t>(next->pages.size()) * options_.page_tokens;
      }
      if (std::exchange(next->counted, true) == false) {
        const std::lock_guard lock(mutex_);
        counts_.prompt_tokens += static_cast<uint64_t>(next->prompt_size());
        counts_.reused_tokens += static_cast<uint64_t>(next->fed);
      }
      running_.push_back(std::move(next));
    }
  }

  // What running sequences still need for the tokens they have.
  int64_t promised_pages() const {
    int64_t pages = 0;
    for (const auto& s : running_)
      pages += pages_for(room_for(*s)) - static_cast<int64_t>(s->pages.size());
    return pages;
  }

  // Tokens that a sequence is let in for: its next one, or all that it may come to.
  int64_t room_for(const Sequence& s) const {
    if (!alone_) return s.size() + 1;
    return std::min(s.prompt_size() + s.request.max_new_tokens, max_positions());
  }

  int64_t pages_for(int64_t tokens) const {
    return (tokens + options_.page_tokens - 1) / options_.page_tokens;
  }

  // Pages for the sequence's first `tokens` tokens; false when there are none left.
  bool make_room(Sequence& sequence, int64_t tokens) {
    while (static_cast<int64_t>(sequence.pages.size()) < pages_for(tokens)) {
      const auto page = pool_.take();
      if (!page) return false;
      sequence.pages.push_back(*page);
    }
    return true;
  }

  // Its pages stay findable as long as their room is not needed.
  void let_pages_go(Sequence& sequence) {
    for (const PageId page : sequence.pages) pool_.release(page);
    sequence.pages.clear();
    sequence.published = {};
    sequence.fed = 0;
    sequence.prompt_scores.clear();
  }

  void finish(Sequence& sequence, Finish how, const std::string& error = {}) {
    let_pages_go(sequence);
    sequence.request.sink->finished(how, error);
  }

  // How much of each sequence the next step feeds. Sequences that generate come first; when the
  // cache is full the youngest gives its pages up and begins again later.
  std::vector<Sequence*> plan() {
    int64_t budget = options_.prompt_tokens;
    std::vector<Sequence*> chosen;
    for (size_t i = 0; i < running_.size(); ++i) {
      Sequence& sequence = *running_[i];
      const int64_t left = sequence.size() - sequence.fed;
      sequence.step = left == 1 ? 1 : std::min(left, budget);
      // Frequencies that follow the length: the cached tokens would stand otherwise in a longer
      // sequence, so all are run again, at once.
      if (sequence.fed > 0 && !decoder_.alike(sequence.fed, sequence.fed + sequence.step)) {
        let_pages_go(sequence);
        sequence.step = sequence.size();
      } else if (sequence.fed == 0 && !decoder_.alike(sequence.step, sequence.size())) {
        sequence.step = sequence.size();
      }
      if (sequence.step == 0) continue;
      while (!make_room(sequence, sequence.fed + sequence.step)) {
        if (running_.size() == i + 1) break;
        put_back_youngest();
      }
      if (static_cast<int64_t>(sequence.pages.size()) < pages_for(sequence.fed + sequence.step)) {
        // Only older ones are left, and they have the room.
        put_back_youngest();
        break;
      }
      if (left > 1) budget -= std::min(budget, sequence.step);
      chosen.push_back(&sequence);
    }
    return chosen;
  }

  void put_back_youngest() {
    let_pages_go(*running_.back());
    const std::lock_guard lock(mutex_);
    waiting_.push_front(std::move(running_.back()));
    running_.pop_back();
  }

  // Batching::as_alone: the first prompt there is, or the next token of every sequence.
  std::vector<Sequence*> plan_alone() {
    std::vector<Sequence*> chosen;
    for (auto& sequence : running_) sequence->step = 0;
    for (auto& sequence : running_) {
      const int64_t size = sequence->size();
      if (sequence->fed > 0 && !decoder_.alike(sequence->fed, size)) let_pages_go(*sequence);
      const int64_t left = size - sequence->fed;
      if (left == 1) continue;
      sequence->step = left;
      chosen = {sequence.get()};
      break;
    }
    if (chosen.empty())
      for (auto& sequence : running_) {
        sequence->step = 1;
        chosen.push_back(sequence.get());
      }
    for (Sequence* sequence : chosen) {
      const bool room = make_room(*sequence, sequence->fed + sequence->step);
      HELIO_CHECK(room, "a sequence is let in only with room for all of it");
    }
    return chosen;
  }

  // Rows that nobody reads, so that the others stand in whole groups: token 0 in a page of its own.
  void fill_up(std::vector<int64_t>& ids, std::vector<nn::PagedStep>& steps) const {
    const auto rows = static_cast<int64_t>(steps.size());
    const int64_t more = (kRowGroup - rows % kRowGroup) % kRowGroup;
    if (!alone_ || more == 0 || static_cast<int64_t>(ids.size()) != rows) return;
    ids.insert(ids.end(), static_cast<size_t>(more), 0);
    steps.push_back({.pages = spare_page_, .past = 0, .fresh = more});
  }

  // Logits of rows of `hidden`, whatever their number in whole groups.
  at::Tensor logits_of(const at::Tensor& hidden, std::vector<int64_t> rows) const {
    const auto wanted = static_cast<int64_t>(rows.size());
    while (alone_ && rows.size() % kRowGroup != 0) rows.push_back(rows.front());
    return decoder_.logits(hidden.index_select(0, long_tensor(rows)))
        .slice(0, 0, wanted)
        .contiguous();
  }

  void step() {
    const std::vector<Sequence*> chosen = alone_ ? plan_alone() : plan();
    if (chosen.empty()) return;
    try {
      run_step(chosen);
    } catch (const std::exception& error) {
      for (auto& sequence : running_)
        if (sequence && sequence->step > 0) end(*sequence, Finish::failed, error.what());
    }
    std::erase_if(running_, [](const auto& sequence) { return sequence == nullptr; });
  }

  void run_step(const std::vector<Sequence*>& chosen) {
    std::vector<int64_t> ids;
    std::vector<nn::PagedStep> steps;
    for (const Sequence* s : chosen) {
      ids.insert(ids.end(), s->ids.begin() + s->fed, s->ids.begin() + s->fed + s->step);
      steps.push_back({.pages = s->pages, .past = s->fed, .fresh = s->step});
    }
    fill_up(ids, steps);
    const at::Tensor hidden = decoder_.hidden(long_tensor(ids), cache_, steps);
    std::vector<int64_t> rows;  // whose logits choose a next token
    std::vector<Sequence*> choosing;
    int64_t row = 0;
    for (Sequence* s : chosen) {
      if (s->scores_prompt()) score_prompt(*s, hidden.slice(0, row, row + s->step));
      row += s->step;
      s->fed += s->step;
      if (shares_)
        pool_.publish(std::span(s->ids).first(static_cast<size_t>(s->fed)), s->pages, s->published);
      if (s->fed < s->size()) continue;
      tell_prompt(*s);
      if (s->request.max_new_tokens <= s->answered()) {
        end(*s, Finish::length);
        continue;
      }
      rows.push_back(row - 1);
      choosing.push_back(s);
    }
    if (rows.empty()) return;
    const at::Tensor logits = logits_of(hidden, rows);
    const at::Tensor sums = at::logsumexp(logits, {1}).contiguous();
    for (size_t i = 0; i < choosing.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      try {
        choose(*choosing[i], logits.select(0, at), sums.const_data_ptr<float>()[i]);
      } catch (const Error& error) {  // its logits are no numbers: the others go on
        end(*choosing[i], Finish::failed, error.message());
      }
    }
  }

  void choose(Sequence& s, const at::Tensor& logits_V, float log_sum) {
    const auto size = static_cast<size_t>(logits_V.numel());
    std::span<const float> logits(logits_V.const_data_ptr<float>(), size);
    std::vector<float> changed;
    const auto& stops = s.request.stop_ids;
    if (s.request.sampler.changes_logits() || s.matcher) {
      changed.assign(logits.begin(), logits.end());
      apply_penalties(changed, s.request.sampler, s.request.prompt,
                      std::span(s.ids).subspan(s.request.prompt.size()));
      if (s.matcher) restrict_to_grammar(s, changed);
    }
    const TokenId id = sample(changed.empty() ? logits : std::span<const float>(changed),
                              s.request.sampler, s.rng);
    const TokenScore score = score_of_token(id, logits, log_sum, s.request.top);
    s.ids.push_back(id);
    ++new_tokens_;
    const bool wanted = s.request.sink->token(score);
    if (std::find(stops.begin(), stops.end(), id) != stops.end()) return end(s, Finish::eos);
    const bool fits = !s.matcher || s.matcher->accept(id);
    HELIO_CHECK(fits, "a chosen token is one of its grammar");
    if (!wanted || (s.matcher && s.matcher->at_end())) return end(s, Finish::stopped);
    if (s.answered() >= s.request.max_new_tokens || s.size() > max_positions())
      return end(s, Finish::length);
  }

  // Scores of the tokens that follow the ones just fed, as far as they belong to the prompt.
  void score_prompt(Sequence& s, const at::Tensor& hidden_TH) {
    const int64_t last = std::min(s.step, s.prompt_size() - 1 - s.fed);
    for (int64_t first = 0; first < last; first += kScoreRows) {
      const int64_t end = std::min(first + kScoreRows, last);
      const at::Tensor logits = decoder_.logits(hidden_TH.slice(0, first, end)).contiguous();
      const at::Tensor sums = at::logsumexp(logits, {1}).contiguous();
      const auto width = static_cast<size_t>(logits.size(1));
      for (int64_t i = first; i < end; ++i)
        s.prompt_scores.push_back(score_of_token(
            s.ids[static_cast<size_t>(s.fed + i + 1)],
            {logits.const_data_ptr<float>() + static_cast<size_t>(i - first) * width, width},
            sums.const_data_ptr<float>()[i - first], s.request.top));
    }
  }

  static void tell_prompt(Sequence& s) {
    if (!s.scores_prompt()) return;
    s.prompt_told = true;
    s.request.sink->prompt_scored(s.prompt_scores);
    s.prompt_scores = {};
  }

  // Ends a running sequence and marks its place as empty.
  void end(Sequence& sequence, Finish how, const std::string& error = {}) {
    const auto place = std::find_if(running_.begin(), running_.end(),
                                    [&](const auto& s) { return s.get() == &sequence; });
    const std::unique_ptr<Sequence> last = std::move(*place);
    finish(*last, how, error);
    const std::lock_guard lock(mutex_);
    counts_.new_tokens += std::exchange(new_tokens_, 0);
  }

  void run_embeds() {
    std::vector<EmbedJob> jobs;
    {
      const std::lock_guard lock(mutex_);
      jobs.swap(embeds_);
    }
    for (auto& job : jobs) {
      Vectors vectors;
      std::string error;
      try {
        for (const auto& ids : job.texts) vectors.push_back(embedded(ids));
      } catch (const std::exception& caught) {
        error = caught.what();
      }
      job.done(std::move(vectors), error);
    }
  }

  std::vector<float> embedded(const std::vector<TokenId>& ids) const {
    const at::Tensor row = long_tensor(ids).unsqueeze(0);
    const at::Tensor mean =
        decoder_.hidden(PackedBatch::rows(row)).to(at::kFloat).mean(1).squeeze(0);
    const at::Tensor unit = (mean / mean.norm()).contiguous();
    const float* const data = unit.const_data_ptr<float>();
    return {data, data + unit.numel()};
  }

  std::shared_ptr<const Decoder> owner_;
  const Decoder& decoder_;
  EngineOptions options_;
  bool alone_;   // Batching::as_alone
  bool shares_;  // where frequencies follow the length, equal beginnings have unequal keys
  PagePool pool_;
  PagedCache cache_;
  std::vector<PageId> spare_page_ = {static_cast<PageId>(pool_.pages())};
  std::vector<std::unique_ptr<Sequence>> running_ = {};  // oldest first
  uint64_t new_tokens_ = 0;                              // not yet in counts_

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Sequence>> waiting_ = {};
  std::vector<EmbedJob> embeds_ = {};
  EngineLoad counts_ = {};
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<GenerationEngine> make_generation_engine(Decoder decoder,
                                                         const EngineOptions& options) {
  return make_generation_engine(std::make_shared<const Decoder>(std::move(decoder)), options);
}

std::unique_ptr<GenerationEngine> make_generation_engine(std::shared_ptr<const Decoder> decoder,
                                                         const EngineOptions& options) {
  HELIO_CHECK(options.batching == Batching::mixed || options.page_tokens >= kRowGroup,
              "a page with room for a group of rows");
  return std::make_unique<LocalEngine>(std::move(decoder), options);
}

}  // namespace helio::model
