// The tokenizer of an endpoint that offers /tokenize and /detokenize, as vLLM and helio serve do.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eval/endpoint/endpoint_client.h"
#include "text/tokenizer.h"

namespace helio::eval {

// Safe from several threads, which wait for each other. Texts asked for lately are kept: choices
// share a context. Its vocabulary is not known: vocab_size() is 0, added_tokens() empty.
class RemoteTokenizer final : public text::Tokenizer {
 public:
  // Nothing when the server does not offer it. `client` is its own from here on.
  static std::unique_ptr<RemoteTokenizer> find(std::unique_ptr<EndpointClient> client);

  // What /tokenizer_info and /tokenize say; empty or 0 where they do not.
  text::SpecialIds special_ids() const;
  int64_t positions() const { return positions_; }

  std::vector<text::TokenId> encode(std::string_view text,
                                    text::SpecialTokens special) const override;
  std::string decode(const std::vector<text::TokenId>& ids,
                     text::SpecialTokens special) const override;
  std::string token_bytes(text::TokenId id) const override;
  int64_t vocab_size() const override { return 0; }
  std::optional<text::TokenId> id_of(std::string_view token) const override;
  const std::vector<text::AddedToken>& added_tokens() const override { return none_; }

 private:
  explicit RemoteTokenizer(std::unique_ptr<EndpointClient> client) : client_(std::move(client)) {}

  std::unique_ptr<EndpointClient> client_;
  int64_t positions_ = 0;
  std::string bos_ = {}, eos_ = {};
  std::vector<text::AddedToken> none_ = {};
  mutable std::mutex mutex_ = {};
  mutable std::map<std::pair<std::string, bool>, std::vector<text::TokenId>> known_ = {};
  mutable std::deque<std::pair<std::string, bool>> order_ = {};  // of known_, oldest first
};

}  // namespace helio::eval
