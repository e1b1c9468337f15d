#include "text/tokenizer/piece_model.h"

#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/sentencepiece_model.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/unigram_model.h"
#include "text/tokenizer/word_models.h"

namespace helio::text {

std::string piece_model_type(const Json& json) {
  if (!json.is_object()) throw malformed("the model must be an object");
  if (json.contains("type")) return text_member(json, "type", "the model");
  if (json.contains("merges")) return "BPE";
  if (json.contains("max_input_chars_per_word")) return "WordPiece";
  if (json.contains("vocab") && json["vocab"].is_array()) return "Unigram";
  return json.contains("unk_token") ? "WordLevel" : "without type";
}

std::unique_ptr<PieceModel> read_piece_model(const Json& json, Alphabet alphabet,
                                             const ModelLists* lists) {
  const std::string type = piece_model_type(json);
  if (type == "BPE") return std::make_unique<BpeModel>(json, alphabet, lists);
  if (type == "Unigram") return std::make_unique<UnigramModel>(json);
  if (type == "WordPiece") return std::make_unique<WordPieceModel>(json);
  if (type == "WordLevel") return std::make_unique<WordLevelModel>(json);
  if (type == "SentencePiece") return read_sentencepiece_model(json);
  throw unsupported("model", type, "BPE, Unigram, WordPiece, WordLevel");
}

}  // namespace helio::text
