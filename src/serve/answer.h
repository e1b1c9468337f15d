// An answer in work: its choices' tokens as they come from the engine, and how they reach the
// client, whole or as a stream.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "model/generation.h"
#include "serve/http_server.h"
#include "serve/metrics.h"
#include "serve/model_shelf.h"

namespace helio::serve {

// An id that no other answer has: "prefix-...".
std::string fresh_id(const char* prefix);

// What a completion and a chat differ in.
class AnswerForm {
 public:
  virtual ~AnswerForm() = default;
  virtual const char* id_prefix() const = 0;
  virtual const char* object(bool stream) const = 0;
  // The first thing of a streamed choice; null: nothing.
  virtual OrderedJson opening(size_t choice) const = 0;
  // New text of a streamed choice, its log-probabilities (null: none); at its end the reason. Null:
  // nothing to send yet.
  virtual OrderedJson part(size_t choice, const std::string& text, OrderedJson log_probs,
                           const char* finish_reason) = 0;
  virtual OrderedJson whole(size_t choice, const std::string& text, OrderedJson log_probs,
                            const char* finish_reason) = 0;
  // Log-probabilities so far, emptied; null when they are not asked for.
  virtual void add_prompt_scores(size_t choice, const std::vector<model::TokenScore>& scores) = 0;
  virtual void add_score(size_t choice, const model::TokenScore& score) = 0;
  virtual OrderedJson take_scores(size_t choice) = 0;
  // Text before the answer's own (echo).
  virtual const std::string& prefix(size_t choice) const = 0;
};

struct AnswerOptions {
  enum class Delivery { whole, stream };
  Delivery delivery = Delivery::whole;
  bool include_usage = false;
  std::vector<std::string> stops = {};
  std::vector<text::TokenId> stop_ids = {};
  bool show_special = false;                  // texts of special tokens too
  std::vector<text::TokenId> shown_ids = {};  // texts of these, special or not
  // Of every `best_of` choices in order, the `keep` most probable a token are given.
  size_t best_of = 1, keep = 1;
  int64_t prompt_tokens = 0;
};

class Answer : public std::enable_shared_from_this<Answer> {
 public:
  Answer(ModelLease model, HttpReply reply, ServeMetrics& metrics, std::unique_ptr<AnswerForm> form,
         AnswerOptions options, size_t choices);
  ~Answer();

  // Gives every choice's request a sink and submits it; false when the queue is full (then nothing
  // of the answer will be sent).
  bool start(std::vector<model::GenerationRequest> requests);

 private:
  class Choice;
  void token_came(Choice& choice, const model::TokenScore& score);
  void choice_ended(Choice& choice);
  void send_whole();
  void send_part(OrderedJson choice);
  void begin_stream();
  OrderedJson envelope(OrderedJson choices) const;
  OrderedJson usage() const;
  void fail(const std::string& error);
  std::vector<size_t> kept() const;

  ModelLease lease_;
  const ServedModel& model_;
  HttpReply reply_;
  ServeMetrics& metrics_;
  std::unique_ptr<AnswerForm> form_;
  AnswerOptions options_;
  std::vector<std::shared_ptr<Choice>> choices_;
  size_t open_ = 0;
  bool failed_ = false, streaming_ = false;
  std::string id_;
  int64_t created_;
  Clock::time_point began_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace helio::serve
