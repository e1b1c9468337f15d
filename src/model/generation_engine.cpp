#include "model/generation_engine.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "model/draft.h"
#include "model/generation_step.h"
#include "model/long_tensor.h"
#include "model/page_pool.h"
#include "model/sequence.h"

namespace helio::model {
namespace {

using text::TokenId;

constexpr int64_t kAloneSlots = 16;  // Batching::as_alone

struct EmbedJob {
  std::vector<std::vector<TokenId>> texts;
  std::function<void(GenerationEngine::Vectors, const std::string&)> done;
};

class LocalEngine final : public GenerationEngine {
 public:
  LocalEngine(std::shared_ptr<const Decoder> decoder, std::optional<Decoder> draft,
              const EngineOptions& options)
      : owner_(std::move(decoder)),
        decoder_(*owner_),
        options_(options),
        alone_(options.batching == Batching::as_alone),
        shares_(!alone_ && !decoder_.config().rope.follows_length()),
        pool_(pages_wanted(), options.page_tokens),
        draft_(made_draft(std::move(draft))),
        step_(decoder_, pool_, draft_.get(), shares_,
              alone_ ? GenerationStep::Rows::whole_groups : GenerationStep::Rows::as_many),
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
  std::unique_ptr<Draft> made_draft(std::optional<Decoder> draft) const {
    if (!draft) return nullptr;
    const auto check = [](const Decoder& one, const char* which) {
      if (one.config().rope.follows_length())
        throw Error(ErrorKind::invalid, std::string("the rotary frequencies of the ") + which +
                                            " follow the length of its text: it is not run with a "
                                            "draft model");
    };
    check(decoder_, "model");
    check(*draft, "draft");
    return std::make_unique<Draft>(std::move(*draft), pool_.pages(), options_.page_tokens);
  }

  int64_t pages_wanted() const {
    int64_t tokens = options_.cache_tokens;
    if (tokens == 0) tokens = 4 * max_positions();
    // The longest sequence alone must fit; as_alone asks each for its length.
    if (!alone_) tokens = std::max(tokens, max_positions());
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
    if (const int64_t room = pool_.pages() * options_.page_tokens;
        alone_ && room_for(request) > room)
      throw Error(ErrorKind::invalid, "a sequence of " + std::to_string(room_for(request)) +
                                          " tokens is longer than the cache's " +
                                          std::to_string(room));
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
      for (auto& sequence : std::exchange(ended_, {})) tell_end(*sequence);
    }
    for (auto& sequence : running_) cancel(*sequence);
    running_.clear();
    for (auto& sequence : waiting_) cancel(*sequence);
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
      cancel(*sequence);
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
        next->draft_fed = next->fed;
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
      pages +=
          std::max<int64_t>(0, pages_for(room_for(*s)) - static_cast<int64_t>(s->pages.size()));
    return pages;
  }

  // Tokens that a sequence is let in for: what a step may add to it, or all that it may come to.
  int64_t room_for(const Sequence& s) const {
    return alone_ ? room_for(s.request) : s.size() + (draft_ ? 1 + options_.draft_tokens : 1);
  }
  int64_t room_for(const GenerationRequest& request) const {
    const auto prompt = static_cast<int64_t>(request.prompt.size());
    return std::min(prompt + request.max_new_tokens, max_positions());
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
    sequence.fed = sequence.draft_fed = 0;
    sequence.prompt_scores.clear();
  }

  void cancel(Sequence& sequence) {
    let_pages_go(sequence);
    sequence.end(Finish::cancelled);
    tell_end(sequence);
  }

  void tell_end(Sequence& sequence) const {
    const auto& sink = sequence.request.sink;
    if (draft_) sink->drafted(sequence.proposed, sequence.accepted);
    sink->finished(*sequence.ended, sequence.error);
  }

  // Proposals that a step asks for. They depend on the sequence alone, so that a seed gives the
  // same answer among others; the first token is chosen without.
  int64_t proposals_wanted(const Sequence& s) const {
    if (!draft_ || s.answered() == 0 || s.fed + 1 != s.size()) return 0;
    return std::max<int64_t>(
        0, std::min({options_.draft_tokens, s.request.max_new_tokens - s.answered() - 1,
                     max_positions() - s.size(), draft_->max_positions() - s.size()}));
  }
  // How much of its own tokens. One that gave its pages up stops before its last: that one begins
  // the proposals, as it would have.
  int64_t tokens_of(const Sequence& s, int64_t budget) const {
    const int64_t left = s.size() - s.fed;
    if (left == 1) return 1;
    return std::min(draft_ && s.answered() > 0 ? left - 1 : left, budget);
  }

  // How much of each sequence the next step feeds. Sequences that generate come first; when the
  // cache is full the youngest gives its pages up and begins again later.
  std::vector<Sequence*> plan() {
    int64_t budget = options_.prompt_tokens;
    std::vector<Sequence*> chosen;
    for (size_t i = 0; i < running_.size(); ++i) {
      Sequence& sequence = *running_[i];
      const int64_t left = sequence.size() - sequence.fed;
      sequence.step = tokens_of(sequence, budget);
      // Frequencies that follow the length: the cached tokens would stand otherwise in a longer
      // sequence, so all are run again, at once.
      if (sequence.fed > 0 && !decoder_.alike(sequence.fed, sequence.fed + sequence.step)) {
        let_pages_go(sequence);
        sequence.step = sequence.size();
      } else if (sequence.fed == 0 && !decoder_.alike(sequence.step, sequence.size())) {
        sequence.step = sequence.size();
      }
      sequence.wanted = proposals_wanted(sequence);
      if (sequence.step == 0) continue;
      const int64_t tokens = sequence.fed + sequence.step + sequence.wanted;
      while (!make_room(sequence, tokens)) {
        if (running_.size() == i + 1) break;
        put_back_youngest();
      }
      if (static_cast<int64_t>(sequence.pages.size()) < pages_for(tokens)) {
        // Only older ones are left, and they have the room.
        put_back_youngest();
        break;
      }
      if (left > 1) budget -= std::min(budget, sequence.step);
      chosen.push_back(&sequence);
    }
    return chosen;
  }

  // Batching::as_alone: the first prompt there is, or the next token of every sequence.
  std::vector<Sequence*> plan_alone() {
    std::vector<Sequence*> chosen;
    for (auto& sequence : running_) {
      const int64_t size = sequence->size();
      if (sequence->fed > 0 && !decoder_.alike(sequence->fed, size)) let_pages_go(*sequence);
      sequence->step = size - sequence->fed;
      if (sequence->step == 1) chosen.push_back(sequence.get());
    }
    for (auto& sequence : running_)
      if (sequence->step > 1) {
        chosen = {sequence.get()};
        break;
      }
    for (Sequence* sequence : chosen) {
      const bool room = make_room(*sequence, sequence->fed + sequence->step);
      HELIO_CHECK(room, "a sequence is let in only with room for all of it");
    }
    return chosen;
  }

  void put_back_youngest() {
    let_pages_go(*running_.back());
    const std::lock_guard lock(mutex_);
    waiting_.push_front(std::move(running_.back()));
    running_.pop_back();
  }

  void step() {
    const std::vector<Sequence*> chosen = alone_ ? plan_alone() : plan();
    if (chosen.empty()) return;
    GenerationStep::Counts counts;
    try {
      counts = step_.run(chosen);
    } catch (const std::exception& error) {
      for (Sequence* sequence : chosen)
        if (!sequence->ended) sequence->end(Finish::failed, error.what());
    }
    for (auto& sequence : running_) {
      if (!sequence->ended) continue;
      let_pages_go(*sequence);
      ended_.push_back(std::move(sequence));
    }
    std::erase_if(running_, [](const auto& sequence) { return sequence == nullptr; });
    const std::lock_guard lock(mutex_);
    counts_.new_tokens += counts.new_tokens;
    counts_.proposed_tokens += counts.proposed;
    counts_.accepted_tokens += counts.accepted;
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
  std::unique_ptr<Draft> draft_;
  GenerationStep step_;
  std::vector<std::unique_ptr<Sequence>> running_ = {};  // oldest first
  std::vector<std::unique_ptr<Sequence>> ended_ = {};    // their sinks are told last

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
  HELIO_CHECK(
      options.batching == Batching::mixed || options.page_tokens >= GenerationStep::kRowGroup,
      "a page with room for a group of rows");
  return std::make_unique<LocalEngine>(std::move(decoder), std::nullopt, options);
}

std::unique_ptr<GenerationEngine> make_generation_engine(Decoder decoder, Decoder draft,
                                                         const EngineOptions& options) {
  HELIO_CHECK(options.batching == Batching::mixed, "proposals run in steps of any size");
  return std::make_unique<LocalEngine>(std::make_shared<const Decoder>(std::move(decoder)),
                                       std::move(draft), options);
}

}  // namespace helio::model
