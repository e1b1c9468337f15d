// The parts of a tokenizer.json put together. Private to text: others use tokenizer.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/bpe_scratch.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/text_normalizer.h"

namespace helio::text {

// What a post-processor makes of the ids of a text: ids before, between and after them.
struct IdTemplate {
  static constexpr TokenId kText = -1;  // stands for the ids so far
  std::vector<TokenId> items = {};
};

class BpeTokenizer final : public Tokenizer {
 public:
  // `json` is a whole tokenizer.json. Truncation and padding in it are not applied, as
  // transformers does not apply them either unless asked to.
  explicit BpeTokenizer(const Json& json);
  ~BpeTokenizer() override;

  std::vector<TokenId> encode(std::string_view text, SpecialTokens special) const override;
  std::string decode(const std::vector<TokenId>& ids, SpecialTokens special) const override;
  std::string token_bytes(TokenId id) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(bytes_.size()); }
  std::optional<TokenId> id_of(std::string_view token) const override;
  const std::vector<AddedToken>& added_tokens() const override { return added_; }

 private:
  struct Scratch {
    BpeModel::Scratch model = {};
    PieceBuffers pieces = {};
    std::vector<Segment> outer = {}, inner = {};
  };
  class Lease;
  enum class Decoder { byte_level, none };

  void read_added_tokens(const Json& json);
  void read_post_processor(const Json& json);
  void read_decoder(const Json& json);
  void encode_text(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const;
  void encode_between(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const;

  BpeModel model_;
  TextNormalizer normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::vector<AddedToken> added_ = {};  // by id
  std::unordered_map<std::string, TokenId> added_ids_ = {};
  TokenFinder as_written_ = {}, normalized_ = {};
  std::vector<TokenId> as_written_ids_ = {}, normalized_ids_ = {};  // by the finders' patterns
  std::vector<IdTemplate> templates_ = {};
  Decoder decoder_ = Decoder::byte_level;
  std::vector<std::string> bytes_ = {};  // by id: what decoding writes
  std::vector<uint8_t> kinds_ = {};      // by id: 0 unused, 1 ordinary, 2 special

  mutable std::mutex idle_mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace helio::text
