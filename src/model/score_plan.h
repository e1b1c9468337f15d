// Requests to score as a prefix tree: what several begin with is run once. Torch-free.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/language_model.h"

namespace helio::model {

// A logit to read: after the token at `position`, how probable is `target`?
struct ScoreRow {
  int64_t position = 0;
  TokenId target = 0;
  size_t request = 0;
};

// Tokens [begin, end) of the sequences that go through it.
struct ScoreNode {
  int64_t begin = 0, end = 0;
  size_t input = 0;     // a sequence that has these tokens
  int64_t parent = -1;  // whose tokens end at `begin`; -1: none, begin is 0
  std::vector<size_t> children = {};
  std::vector<ScoreRow> rows = {};  // by position
};

struct ScorePlan {
  std::vector<std::vector<TokenId>> inputs = {};  // what the model is given, each once
  std::vector<ScoreNode> nodes = {};
  std::vector<size_t> roots = {};

  std::span<const TokenId> ids(const ScoreNode& node) const;
  int64_t tokens() const;   // run in all
  int64_t longest() const;  // of the inputs
};

// Context and continuation without the last token, which is only predicted; the last `positions`.
std::vector<TokenId> scored_input(const ScoreRequest& request, int64_t positions);

// The tree of the requests. A beginning shared by fewer than `least` tokens is run again: a node of
// its own costs more than so few tokens do.
ScorePlan plan_scores(const std::vector<ScoreRequest>& requests, int64_t positions,
                      int64_t least = 4);

}  // namespace helio::model
