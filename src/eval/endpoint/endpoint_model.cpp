#include "eval/endpoint/endpoint_model.h"

#include <algorithm>
#include <atomic>

#include "core/fs.h"
#include "core/parallel.h"
#include "eval/endpoint/endpoint_identity.h"
#include "eval/endpoint/prompt_scores.h"
#include "eval/endpoint/remote_tokenizer.h"

namespace helio::eval {
namespace {

constexpr size_t kPromptsARequest = 16, kTokensARequest = 16384;
constexpr int64_t kPositions = 2048;  // where nothing says more: as lm-evaluation-harness
constexpr int64_t kMostPositions = int64_t{1} << 30;

int64_t whole_of(const Json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || at == object.end() || !at->is_number_unsigned()) return 0;
  return static_cast<int64_t>(std::min<uint64_t>(at->get<uint64_t>(), kMostPositions));
}

model::Score score_of(const EchoedPrompt& prompt, size_t continuation) {
  model::Score out{.log_prob = 0, .is_greedy = true};
  for (size_t i = prompt.size() - continuation; i < prompt.size(); ++i) {
    out.log_prob += *prompt[i].log_prob;
    const auto best = prompt[i].best();
    out.is_greedy = out.is_greedy && best && *prompt[i].log_prob >= *best;
  }
  return out;
}

}  // namespace

EndpointOptions endpoint_options(const std::string& model, const EndpointRunOptions& options) {
  return {.model = model,
          .key_variable = options.key_variable,
          .timeout_s = options.timeout,
          .retries = options.retries};
}

EndpointModel::EndpointModel(const std::string& model, const EndpointRunOptions& options,
                             const std::function<bool()>& stopped)
    : options_(endpoint_options(model, options)), stopped_(stopped) {
  for (int64_t i = 0; i < std::max<int64_t>(1, options.parallel); ++i)
    clients_.push_back(std::make_unique<EndpointClient>(options_, stopped));
  find_tokenizer(options.tokenizer);
  find_positions(options.tokenizer, options.max_length);
}

EndpointModel::~EndpointModel() = default;

void EndpointModel::find_tokenizer(const std::string& dir) {
  if (dir.empty()) {
    auto remote = RemoteTokenizer::find(std::make_unique<EndpointClient>(options_, stopped_));
    if (!remote) return;
    special_ids_ = remote->special_ids();
    positions_ = remote->positions();
    tokenizer_ = std::move(remote);
    return;
  }
  tokenizer_ = text::load_tokenizer(dir);
  special_ids_ = text::load_special_ids(dir, *tokenizer_);
  if (!fs::is_directory(dir)) return;
  try {
    chat_ = std::make_unique<text::ChatFormat>(text::ChatFormat::load(dir, *tokenizer_));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
  }
}

void EndpointModel::find_positions(const std::string& dir, int64_t told) {
  int64_t listed = 0;
  if (const auto models = clients_[0]->look("/v1/models")) {
    const Json model = listed_model(*models, clients_[0]->name());
    listed = whole_of(model, "max_model_len");
    if (model.is_object() && model.contains("content") && model["content"].is_string())
      served_content_ = model["content"].get<std::string>();
  }
  if (listed) positions_ = listed;
  if (told) positions_ = told;
  if (const fs::path file = fs::path(dir) / "config.json";
      positions_ == 0 && !dir.empty() && fs::is_regular_file(file))
    positions_ = whole_of(load_json(file), "max_position_embeddings");
  if (positions_ == 0) positions_ = kPositions;
  // A local model of n positions scores n + 1 tokens; a server makes one more than it is given.
  positions_ = std::max<int64_t>(1, positions_ - 2);
}

const std::string& EndpointModel::refuses_scoring() {
  if (!probe_) {
    probe_ = EndpointProbe{};
    if (!tokenizer_)
      probe_->refused =
          "log-probabilities need the model's tokenizer: the endpoint offers no /tokenize, and "
          "--tokenizer names none";
    else probe_ = probe_endpoint(*clients_[0], *tokenizer_);
    if (!probe_->refused.empty() && tokenizer_)
      probe_->refused = "the endpoint's log-probabilities cannot be used: " + probe_->refused;
  }
  return probe_->refused;
}

OrderedJson EndpointModel::about() const {
  OrderedJson out = {{"url", clients_[0]->url()}, {"model", clients_[0]->name()}};
  if (probe_) {
    out["scores"] = probe_->refused.empty();
    out["probe"] = probe_->found;
  }
  return out;
}

std::vector<model::Score> EndpointModel::score(const std::vector<model::ScoreRequest>& requests) {
  struct Batch {
    size_t begin = 0, end = 0;
  };
  std::vector<std::vector<text::TokenId>> prompts;
  std::vector<Batch> batches;
  size_t tokens = 0;
  for (const auto& request : requests) {
    auto ids = request.context;
    ids.insert(ids.end(), request.continuation.begin(), request.continuation.end());
    const auto most = static_cast<size_t>(positions_) + 1;
    if (ids.size() > most) ids.erase(ids.begin(), ids.end() - static_cast<ptrdiff_t>(most));
    if (ids.size() <= request.continuation.size())
      throw Error(ErrorKind::invalid, "a continuation of " +
                                          std::to_string(request.continuation.size()) +
                                          " tokens is longer than the endpoint's context");
    if (batches.empty() || batches.back().end - batches.back().begin >= kPromptsARequest ||
        tokens + ids.size() > kTokensARequest) {
      batches.push_back({prompts.size(), prompts.size()});
      tokens = 0;
    }
    tokens += ids.size();
    prompts.push_back(std::move(ids));
    batches.back().end = prompts.size();
  }
  std::vector<model::Score> out(requests.size());
  std::atomic<int64_t> retries = 0;
  parallel_slices(batches.size(), static_cast<int>(clients_.size()), 1,
                  [&](size_t begin, size_t end, int worker) {
                    for (size_t b = begin; b < end; ++b) {
                      const auto [first, last] = batches[b];
                      int64_t more = 0;
                      const auto echoed =
                          echo_prompts(*clients_[static_cast<size_t>(worker)],
                                       {prompts.begin() + static_cast<ptrdiff_t>(first),
                                        prompts.begin() + static_cast<ptrdiff_t>(last)},
                                       1, more);
                      for (size_t i = first; i < last; ++i)
                        out[i] = score_of(echoed[i - first], requests[i].continuation.size());
                      retries += more;
                    }
                  });
  retries_ += retries;
  return out;
}

std::vector<text::TokenId> EndpointModel::generate(const model::GenerateRequest&) {
  throw Error(ErrorKind::usage, "an endpoint is asked for text, not for token ids");
}

const text::Tokenizer& EndpointModel::tokenizer() const {
  if (!tokenizer_)
    throw Error(ErrorKind::not_found, "the endpoint's tokenizer is not known")
        .with_hint("--tokenizer DIR");
  return *tokenizer_;
}

const text::ChatFormat& EndpointModel::chat() const {
  return chat_ ? *chat_ : LanguageModel::chat();
}

std::string EndpointModel::content() const {
  return endpoint_content(clients_[0]->url(), clients_[0]->name(), served_content_);
}

}  // namespace helio::eval
