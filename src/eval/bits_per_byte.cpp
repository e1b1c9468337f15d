// Bits per byte of held-out text: -log2 p of its tokens over its UTF-8 bytes, so that models with
// different tokenizers compare.
//
// Each document is scored from its beginning, after the token that starts documents. What is longer
// than the model is cut into windows: the first scores as many tokens as the model has positions;
// each later one scores the next share (1 - window.context) of them, after as many earlier tokens
// as fit. Every token is scored exactly once.
#include <cmath>

#include "core/error.h"
#include "eval/heldout_documents.h"
#include "eval/task.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

class BitsPerByteTask final : public Task {
 public:
  BitsPerByteTask(TaskSpec spec, const Sources& sources) : Task(std::move(spec)) {
    settings_ = {{"max_chars", spec_.window.max_chars}, {"window_context", spec_.window.context}};
    if (sources.dataset.empty()) {
      not_run_ = "no dataset was given (--dataset)";
      return;
    }
    auto held = load_heldout(sources.dataset, sources.seed);
    settings_["data"] = held.content;
    for (size_t l = 0; l < spec_.languages.size(); ++l) {
      auto& found = held.by_language[spec_.languages[l]];
      Part part{.name = spec_.languages[l],
                .total = static_cast<int64_t>(found.size()),
                .begin = static_cast<int64_t>(documents_.size())};
      const int64_t used = share_of_limit(sources, static_cast<int64_t>(l),
                                          static_cast<int64_t>(spec_.languages.size()), part.total);
      for (int64_t i = 0; i < used; ++i) {
        HeldoutDocument& document = found[static_cast<size_t>(i)];
        document.text = std::string(text::first_code_points(document.text, spec_.window.max_chars));
        documents_.push_back(std::move(document));
      }
      part.end = static_cast<int64_t>(documents_.size());
      if (part.total == 0) part.not_run = "no held-out document in language '" + part.name + "'";
      parts_.push_back(part);
    }
    if (documents_.empty())
      not_run_ = "the dataset holds out no document in: " + spec_.languages[0];
  }

  std::string refuses(const model::LanguageModel& model) const override {
    const auto& ids = model.special_ids();
    return ids.bos || ids.eos ? "" : "the tokenizer names neither a beginning nor an end token";
  }

  std::vector<model::ScoreRequest> requests(int64_t item,
                                            const model::LanguageModel& model) const override {
    std::vector<text::TokenId> ids =
        model.tokenizer().encode(at(item).text, text::SpecialTokens::skip);
    std::vector<model::ScoreRequest> out;
    const size_t positions = static_cast<size_t>(model.max_positions()), count = ids.size();
    const size_t stride = std::max<size_t>(
        1, static_cast<size_t>(static_cast<double>(positions) * (1 - spec_.window.context)));
    const auto start = start_token(model);
    for (size_t from = 0; from < count;) {
      // The last of context and continuation is never an input, so both together may be one longer
      // than the model.
      const size_t size = std::min(from == 0 ? positions : stride, count - from);
      const size_t room = positions + 1 - size;
      model::ScoreRequest window;
      if (from < room) window.context.push_back(start);
      const size_t kept = std::min(from, room - window.context.size());
      window.context.insert(window.context.end(), ids.begin() + static_cast<ptrdiff_t>(from - kept),
                            ids.begin() + static_cast<ptrdiff_t>(from));
      window.continuation.assign(ids.begin() + static_cast<ptrdiff_t>(from),
                                 ids.begin() + static_cast<ptrdiff_t>(from + size));
      out.push_back(std::move(window));
      from += size;
    }
    return out;
  }

  Judged judge(int64_t item, const std::vector<model::ScoreRequest>& asked,
               const std::vector<model::Score>& scores) const override {
    double bits = 0;
    size_t tokens = 0;
    for (const auto& score : scores) bits -= score.log_prob / std::log(2.0);
    for (const auto& request : asked) tokens += request.continuation.size();
    const auto bytes = static_cast<double>(at(item).text.size());
    return {.metrics = {{.value = bits, .weight = bytes}},
            .sample = {{"doc", at(item).id},
                       {"bytes", at(item).text.size()},
                       {"tokens", tokens},
                       {"bits", bits}}};
  }

  std::string item_id(int64_t item) const override { return at(item).id; }
  int64_t cost(int64_t item) const override { return static_cast<int64_t>(at(item).text.size()); }

 private:
  const HeldoutDocument& at(int64_t item) const { return documents_[static_cast<size_t>(item)]; }
  std::vector<HeldoutDocument> documents_ = {};
};

}  // namespace

std::unique_ptr<Task> make_bits_per_byte_task(const TaskSpec& spec, const Sources& sources) {
  return std::make_unique<BitsPerByteTask>(spec, sources);
}

}  // namespace helio::eval
