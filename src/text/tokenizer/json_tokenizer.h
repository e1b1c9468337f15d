// The parts of a tokenizer.json put together. Private to text: others use tokenizer.h.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/piece_model.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/text_normalizer.h"
#include "text/tokenizer/token_decoder.h"
#include "text/tokenizer/token_texts.h"

namespace helio::text {

// What the model of a whole tokenizer.json reads.
Alphabet alphabet_of(const Json& tokenizer_json);

class JsonTokenizer final : public Tokenizer {
 public:
  // `json` is a whole tokenizer.json. Truncation and padding in it are not applied, as
  // transformers does not apply them either unless asked to.
  // `lists`: those of a BPE model when they are not in `json`.
  explicit JsonTokenizer(const Json& json, const ModelLists* lists = nullptr);
  ~JsonTokenizer() override;

  std::vector<TokenId> encode(std::string_view text, SpecialTokens special) const override;
  Encoding encode_with_offsets(std::string_view text, SpecialTokens special) const override;
  std::string decode(const std::vector<TokenId>& ids, SpecialTokens special) const override;
  std::string token_bytes(TokenId id) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(written_.size()); }
  std::optional<TokenId> id_of(std::string_view token) const override;
  const std::vector<AddedToken>& added_tokens() const override { return added_; }

  // The pieces of a text that the model would see, valid during the visit; added tokens are left
  // out. As raw bytes where the model is byte-level BPE.
  using VisitPiece = std::function<void(std::string_view piece)>;
  void for_each_piece(std::string_view text, const VisitPiece& visit) const;
  const PieceModel& model() const { return *model_; }

 private:
  struct Scratch {
    std::unique_ptr<PieceModel::Scratch> model = {};
    PieceBuffers pieces = {};
    std::vector<Segment> outer = {}, inner = {};
    TokenBuffer ids = {};
  };
  // A scratch taken from the idle ones (or made) and given back at the end: encode() is const and
  // runs in many threads, and words stay cached between texts. A thread finds its own again without
  // a lock as long as there are not many of them.
  struct GiveBack {
    const JsonTokenizer* owner = nullptr;
    void operator()(Scratch* scratch) const;
  };
  using Lease = std::unique_ptr<Scratch, GiveBack>;
  struct Placed;  // the tokens of a text with their places

  Lease lease() const;
  void read_added_tokens(const Json& json);
  void read_written();
  const TokenTexts& planned() const;
  std::string decode_planned(const std::vector<TokenId>& ids, SpecialTokens special) const;
  void encode_text(std::string_view text, Scratch& scratch) const;
  void encode_between(std::string_view text, const char* begin, Scratch& scratch) const;
  void for_each_placed_piece(std::string_view text, Scratch& scratch,
                             const VisitPiece& visit) const;
  void place_text(std::string_view text, Scratch& scratch, Placed& out) const;
  void place_between(AlignedText text, Scratch& scratch, Placed& out) const;
  void place_token(const AlignedText& text, TokenId id, Placed& out) const;

  TextNormalizer normalizer_;
  ReadPreTokenizer pre_tokenizer_;
  std::unique_ptr<PieceModel> model_;
  PostProcessor post_processor_;
  TokenDecoder decoder_;
  std::vector<AddedToken> added_ = {};  // by id
  std::unordered_map<std::string, TokenId> added_ids_ = {};
  TokenFinder as_written_ = {}, normalized_ = {};
  std::vector<TokenId> as_written_ids_ = {}, normalized_ids_ = {};  // by the finders' patterns
  TokenTexts written_ = {};  // as decoding sees the tokens; with Kind::joined_bytes their bytes
  // What the decoder's plan makes of those that are not the first ones; made when it is needed.
  mutable std::once_flag planned_once_ = {};
  mutable TokenTexts planned_ = {};

  struct alignas(64) Own {
    std::atomic<Scratch*> scratch = nullptr;
  };
  mutable std::array<Own, 64> own_ = {};  // by thread
  mutable std::mutex idle_mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace helio::text
