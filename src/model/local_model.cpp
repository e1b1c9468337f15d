#include "model/local_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>

#include "core/error.h"
#include "core/rng.h"
#include "model/kv_cache.h"
#include "model/long_tensor.h"
#include "model/paged_cache.h"
#include "model/sampler.h"
#include "model/trie_scoring.h"

namespace helio::model {
namespace {

constexpr int64_t kHeadRows = 1024;  // positions whose logits exist at one time

// A request as the model sees it: ids to run, and which of its positions predict what.
struct Job {
  std::vector<TokenId> input = {};
  std::vector<size_t> requests = {};  // equal inputs are run once
};

// A sequence that goes on: through pages, whose steps a packed decoder has fused, but where
// frequencies follow the length through a cache that runs all tokens again.
class Continuation {
 public:
  Continuation(const Decoder& decoder, int64_t longest) : decoder_(decoder) {
    const auto& config = decoder.config();
    if (config.rope.follows_length()) {
      whole_.emplace(config, 1, longest, decoder.dtype());
      return;
    }
    const int64_t pages = (longest + kPageTokens - 1) / kPageTokens;
    pages_.resize(static_cast<size_t>(pages));
    std::iota(pages_.begin(), pages_.end(), 0);
    paged_.emplace(config, pages, kPageTokens, decoder.dtype());
  }

  // f32 [1, V] of what follows the last of `ids`, the sequence's next.
  at::Tensor logits_after(const std::vector<int64_t>& ids) {
    const auto fresh = static_cast<int64_t>(ids.size());
    at::Tensor hidden;
    if (whole_) {
      hidden = decoder_.hidden(long_tensor(ids).unsqueeze(0), *whole_).squeeze(0);
    } else {
      const nn::PagedStep step{.pages = pages_, .past = past_, .fresh = fresh};
      hidden = decoder_.hidden(long_tensor(ids), *paged_, {&step, 1});
      past_ += fresh;
    }
    return decoder_.logits(hidden.slice(0, fresh - 1)).contiguous();
  }

 private:
  static constexpr int64_t kPageTokens = 32;
  const Decoder& decoder_;
  std::optional<KvCache> whole_ = {};
  std::optional<PagedCache> paged_ = {};
  std::vector<int32_t> pages_ = {};
  int64_t past_ = 0;
};

class LocalModel final : public LanguageModel {
 public:
  LocalModel(LocalParts parts, const LoadOptions& options)
      : decoder_(std::make_shared<const Decoder>(std::move(parts.decoder))),
        tokenizer_(std::move(parts.tokenizer)),
        special_ids_(parts.special_ids),
        content_of_(std::move(parts.content)),
        folder_(std::move(parts.folder)),
        options_(options) {
    check_vocabulary(decoder().config(), *tokenizer_);
  }

  std::vector<Score> score(const std::vector<ScoreRequest>& requests) override {
    const c10::AutoGradMode no_grad(false);
    if (decoder().alike(1, max_positions())) {
      check_requests(requests);
      return score_plan(decoder(), plan_scores(requests, max_positions()), requests.size(),
                        {.batch_tokens = options_.batch_tokens});
    }
    // Positions that follow the length of a sequence: nothing can be shared.
    std::vector<Job> jobs = make_jobs(requests);
    std::vector<Score> scores(requests.size());
    for (size_t first = 0; first < jobs.size();) {
      size_t last = first;
      int64_t tokens = 0;
      while (last < jobs.size() &&
             (last == first || tokens + length(jobs[last]) <= options_.batch_tokens))
        tokens += length(jobs[last++]);
      run({jobs.data() + first, last - first}, requests, scores);
      first = last;
    }
    return scores;
  }

  std::vector<TokenId> generate(const GenerateRequest& request) override {
    const c10::AutoGradMode no_grad(false);
    if (request.prompt.empty())
      throw Error(ErrorKind::invalid, "generation needs a prompt of at least one token");
    check_ids(request.prompt);
    // As much of the prompt's end as leaves room for the answer.
    const int64_t wanted = std::min(request.max_new_tokens, max_positions() - 1);
    const auto room = static_cast<size_t>(max_positions() - wanted);
    const size_t kept = std::min(request.prompt.size(), room);
    std::vector<int64_t> ids(request.prompt.end() - static_cast<int64_t>(kept),
                             request.prompt.end());
    Continuation continuation(decoder(), static_cast<int64_t>(kept) + wanted);
    Rng rng = Rng::stream(request.seed, "generate");
    const SamplerOptions sampler{
        .temperature = request.temperature, .top_k = request.top_k, .top_p = request.top_p};
    std::vector<TokenId> out;
    while (static_cast<int64_t>(out.size()) < wanted) {
      const at::Tensor logits = continuation.logits_after(ids);
      const TokenId token = sample(
          {logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())}, sampler, rng);
      const auto& stops = request.stop_ids;
      if (std::find(stops.begin(), stops.end(), token) != stops.end()) break;
      out.push_back(token);
      if (request.on_token && !request.on_token(token)) break;
      ids.assign(1, token);
    }
    return out;
  }

  const std::shared_ptr<const Decoder>& shared() const { return decoder_; }

  const text::Tokenizer& tokenizer() const override { return *tokenizer_; }
  const text::SpecialIds& special_ids() const override { return special_ids_; }
  int64_t max_positions() const override { return decoder().config().longest_sequence(); }

  std::string content() const override {
    std::call_once(content_once_, [&] { content_ = content_of_(); });
    return content_;
  }

  const text::ChatFormat& chat() const override {
    std::call_once(chat_once_, [&] {
      if (!folder_.empty()) chat_ = text::ChatFormat::load(folder_, tokenizer());
    });
    return chat_ ? *chat_ : LanguageModel::chat();
  }

 private:
  const Decoder& decoder() const { return *decoder_; }
  static int64_t length(const Job& job) { return static_cast<int64_t>(job.input.size()); }

  void check_ids(const std::vector<TokenId>& ids) const {
    for (const TokenId id : ids) {
      if (id >= 0 && id < decoder().config().vocab_size) continue;
      throw Error(ErrorKind::invalid, "token id " + std::to_string(id) +
                                          " is outside the model's vocabulary of " +
                                          std::to_string(decoder().config().vocab_size));
    }
  }

  // Longest first: equal lengths together, and what does not fit in memory shows at once.
  std::vector<Job> make_jobs(const std::vector<ScoreRequest>& requests) const {
    std::map<std::vector<TokenId>, size_t> known;
    std::vector<Job> jobs;
    check_requests(requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      auto input = scored_input(requests[i], max_positions());
      const auto [at, fresh] = known.try_emplace(input, jobs.size());
      if (fresh) jobs.push_back({.input = std::move(input)});
      jobs[at->second].requests.push_back(i);
    }
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const Job& a, const Job& b) { return a.input.size() > b.input.size(); });
    return jobs;
  }

  void check_requests(const std::vector<ScoreRequest>& requests) const {
    for (size_t i = 0; i < requests.size(); ++i)
      in_context([&] { return "scoring request " + std::to_string(i); },
                 [&] { check_request(requests[i]); });
  }

  void check_request(const ScoreRequest& request) const {
    if (request.context.empty() || request.continuation.empty())
      throw Error(ErrorKind::invalid, "a context and a continuation have at least one token each");
    if (static_cast<int64_t>(request.continuation.size()) > max_positions()) {
      throw Error(ErrorKind::invalid, "a continuation of " +
                                          std::to_string(request.continuation.size()) +
                                          " tokens is longer than the model's " +
                                          std::to_string(max_positions()) + " positions");
    }
    check_ids(request.context);
    check_ids(request.continuation);
  }

  // Jobs packed end to end into one row: no padding, and each sees only itself.
  void run(std::span<const Job> jobs, const std::vector<ScoreRequest>& requests,
           std::vector<Score>& scores) const {
    std::vector<int64_t> ids, positions, starts, rows, targets;
    std::vector<size_t> owners;
    for (const Job& job : jobs) {
      starts.push_back(static_cast<int64_t>(ids.size()));
      ids.insert(ids.end(), job.input.begin(), job.input.end());
      for (int64_t i = 0; i < length(job); ++i) positions.push_back(i);
      for (const size_t owner : job.requests) {
        const auto& continuation = requests[owner].continuation;
        const auto first = static_cast<int64_t>(ids.size() - continuation.size());
        for (size_t i = 0; i < continuation.size(); ++i) {
          rows.push_back(first + static_cast<int64_t>(i));
          targets.push_back(continuation[i]);
          owners.push_back(owner);
        }
        scores[owner] = {.log_prob = 0, .is_greedy = true};
      }
    }
    PackedBatch batch{.ids_BT = long_tensor(ids).unsqueeze(0),
                      .positions_BT = long_tensor(positions).unsqueeze(0),
                      .starts = {starts}};
    const at::Tensor hidden = decoder().hidden(batch).squeeze(0).index_select(0, long_tensor(rows));
    const at::Tensor wanted = long_tensor(targets);
    const auto count = static_cast<int64_t>(rows.size());
    for (int64_t first = 0; first < count; first += kHeadRows) {
      const int64_t last = std::min(first + kHeadRows, count);
      const at::Tensor log_probs = decoder().logits(hidden.slice(0, first, last)).log_softmax(-1);
      const at::Tensor chosen =
          log_probs.gather(1, wanted.slice(0, first, last).unsqueeze(1)).squeeze(1).contiguous();
      const at::Tensor best = log_probs.argmax(1).contiguous();
      for (int64_t i = first; i < last; ++i) {
        Score& score = scores[owners[static_cast<size_t>(i)]];
        score.log_prob += chosen.const_data_ptr<float>()[i - first];
        score.is_greedy = score.is_greedy && best.const_data_ptr<int64_t>()[i - first] ==
                                                 targets[static_cast<size_t>(i)];
      }
    }
  }

  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  text::SpecialIds special_ids_;
  std::function<std::string()> content_of_;
  std::filesystem::path folder_;
  LoadOptions options_;
  mutable std::once_flag content_once_, chat_once_;
  mutable std::string content_;
  mutable std::optional<text::ChatFormat> chat_;
};

}  // namespace

void check_vocabulary(const checkpoint::DecoderConfig& config, const text::Tokenizer& tokenizer) {
  if (tokenizer.vocab_size() <= config.vocab_size) return;
  throw Error(ErrorKind::invalid, "the tokenizer has " + std::to_string(tokenizer.vocab_size()) +
                                      " ids, the model " + std::to_string(config.vocab_size))
      .with_hint("the model was trained with another tokenizer");
}

std::unique_ptr<LanguageModel> make_language_model(LocalParts parts, const LoadOptions& options) {
  return std::make_unique<LocalModel>(std::move(parts), options);
}

std::shared_ptr<const Decoder> shared_decoder(const LanguageModel& model) {
  const auto* local = dynamic_cast<const LocalModel*>(&model);
  return local ? local->shared() : nullptr;
}

}  // namespace helio::model
