#include "eval/endpoint/remote_tokenizer.h"

#include <limits>

namespace helio::eval {
namespace {

constexpr size_t kKept = 64;

std::vector<text::TokenId> ids_of(const Json& reply) {
  std::vector<text::TokenId> out;
  for (const Json& id : reply.at("tokens")) {
    if (!id.is_number_unsigned() ||
        id.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<text::TokenId>::max()))
      throw Error(ErrorKind::invalid, "/tokenize gives the id " + id.dump());
    out.push_back(id.get<text::TokenId>());
  }
  return out;
}

bool is_first(EndpointClient& client) {
  const auto models = client.look("/v1/models");
  try {
    return models && models->at("data").at(0).at("id") == client.name();
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

std::unique_ptr<RemoteTokenizer> RemoteTokenizer::find(std::unique_ptr<EndpointClient> client) {
  std::unique_ptr<RemoteTokenizer> out(new RemoteTokenizer(std::move(client)));
  const OrderedJson body = {
      {"model", out->client_->name()}, {"prompt", "a b"}, {"add_special_tokens", false}};
  const auto tried = out->client_->look("/tokenize", &body);
  try {
    if (!tried || ids_of(*tried).empty()) return nullptr;
  } catch (const std::exception&) {
    return nullptr;
  }
  const auto whole = [&](const Json& from, const char* key) {
    if (from.is_object() && from.contains(key) && from[key].is_number_unsigned() &&
        from[key].get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int32_t>::max()))
      out->positions_ = from[key].get<int64_t>();
  };
  whole(*tried, "max_model_len");
  // It is of a server's first model.
  if (const auto info = out->client_->look("/tokenizer_info");
      info && info->is_object() && is_first(*out->client_)) {
    const auto text = [&](const char* key) {
      const auto at = info->find(key);
      return at != info->end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    out->bos_ = text("bos_token");
    out->eos_ = text("eos_token");
    if (out->positions_ == 0) whole(*info, "model_max_length");
  }
  return out;
}

text::SpecialIds RemoteTokenizer::special_ids() const {
  text::SpecialIds out;
  if (!bos_.empty()) out.bos = id_of(bos_);
  if (!eos_.empty()) out.eos = id_of(eos_);
  return out;
}

std::vector<text::TokenId> RemoteTokenizer::encode(std::string_view text,
                                                   text::SpecialTokens special) const {
  const std::pair key(std::string(text), special == text::SpecialTokens::add);
  const std::lock_guard lock(mutex_);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  std::vector<text::TokenId> ids;
  if (!text.empty() || key.second) {
    const OrderedJson body = {
        {"model", client_->name()}, {"prompt", key.first}, {"add_special_tokens", key.second}};
    client_->post_at_root("/tokenize", body, [&](const Json& reply) { ids = ids_of(reply); });
  }
  known_[key] = ids;
  order_.push_back(key);
  if (order_.size() > kKept) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return ids;
}

std::string RemoteTokenizer::decode(const std::vector<text::TokenId>& ids,
                                    text::SpecialTokens) const {
  std::string text;
  const std::lock_guard lock(mutex_);
  client_->post_at_root("/detokenize", {{"model", client_->name()}, {"tokens", ids}},
                        [&](const Json& reply) { text = reply.at("prompt").get<std::string>(); });
  return text;
}

std::string RemoteTokenizer::token_bytes(text::TokenId id) const {
  return decode({id}, text::SpecialTokens::add);
}

std::optional<text::TokenId> RemoteTokenizer::id_of(std::string_view token) const {
  const auto ids = encode(token, text::SpecialTokens::skip);
  return ids.size() == 1 ? std::optional(ids[0]) : std::nullopt;
}

}  // namespace helio::eval
