// The models of SentencePiece with its own arithmetic: unigram in single precision, BPE by the
// scores of what a merge makes (ties from left to right), words, characters; symbols defined by
// users are never cut or merged, control and byte pieces never found in a text. Made by the reader
// of its model files: a tokenizer.json cannot say all of it.
#pragma once

#include <array>
#include <memory>

#include "text/tokenizer/flat_trie.h"
#include "text/tokenizer/piece_model.h"
#include "text/tokenizer/vocabulary.h"

namespace helio::text {

// {"type": "SentencePiece", "algorithm": "unigram"|"bpe"|"word"|"char", "byte_fallback": flag,
//  "pieces": [[text, score, type], ...]} with the types of sentencepiece's model files as numbers
std::unique_ptr<PieceModel> read_sentencepiece_model(const Json& json);

// The merges of a BPE model whose pieces have scores: each way to make a piece out of two others
// that are pieces or single characters, best score first (in the order of the pieces among equals).
struct ScoredMerge {
  std::string_view left = {}, right = {};
  float score = 0;
};
struct ScoredPiece {
  std::string_view text = {};
  float score = 0;
};
std::vector<ScoredMerge> merges_by_score(const std::vector<ScoredPiece>& pieces);
// sentencepiece compares scores by their bits: like numbers, but -0 is less than 0.
bool score_before(float a, float b);

}  // namespace helio::text
