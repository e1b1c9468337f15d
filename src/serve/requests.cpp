#include "serve/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <random>

#include "core/error.h"
#include "serve/api_error.h"
#include "serve/response_format.h"

namespace helio::serve {
namespace {

constexpr int64_t kMostChoices = 128;

// {"50256": -100}: ids as text, as JSON's keys are.
std::vector<std::pair<text::TokenId, float>> read_bias(const Call& call) {
  std::vector<std::pair<text::TokenId, float>> out;
  const Json* bias = call.body.find("logit_bias");
  if (!bias) return out;
  const auto wrong = [](const std::string& why) {
    return ApiError(400, "'logit_bias' " + why, "logit_bias", "invalid_value");
  };
  if (!bias->is_object()) throw wrong("must be an object of token ids and numbers");
  for (const auto& [key, value] : bias->items()) {
    const bool digits =
        !key.empty() && key.size() <= 9 && key.find_first_not_of("0123456789") == key.npos;
    if (!digits || std::stoll(key) >= call.model.tokenizer->vocab_size())
      throw wrong("has the key '" + key + "', which is no token id of this model");
    if (!value.is_number() || std::abs(value.get<double>()) > 100)
      throw wrong("takes numbers between -100 and 100");
    out.emplace_back(static_cast<text::TokenId>(std::stoll(key)), value.get<float>());
  }
  return out;
}

void refuse_unserved(const Body& body) {
  for (const char* key : {"suffix", "guided_regex", "guided_choice", "guided_grammar"})
    if (body.find(key))
      throw ApiError(400, fmt::format("'{}' is not served", key), key, "unsupported_parameter");
}

}  // namespace

Generating read_generating(const Call& call, int64_t default_max_tokens) {
  const Body& body = call.body;
  refuse_unserved(body);
  Generating out;
  out.n = body.whole("n", 1, 1, kMostChoices);
  const auto largest = std::numeric_limits<int32_t>::max();
  auto& request = out.request;
  request.max_new_tokens = body.whole("max_tokens", default_max_tokens, 0, largest);
  request.max_new_tokens = body.whole("max_completion_tokens", request.max_new_tokens, 0, largest);
  auto& sampler = request.sampler;
  sampler.temperature = body.number("temperature", 1, 0, 100);
  sampler.top_p = body.number("top_p", 1, 0, 1);
  sampler.top_k = std::max<int64_t>(0, body.whole("top_k", 0, -1, largest));
  sampler.min_p = body.number("min_p", 0, 0, 1);
  sampler.repetition_penalty = body.number("repetition_penalty", 1, 0.01, 100);
  sampler.presence_penalty = body.number("presence_penalty", 0, -2, 2);
  sampler.frequency_penalty = body.number("frequency_penalty", 0, -2, 2);
  sampler.bias = read_bias(call);
  request.grammar = read_response_format(call);
  if (body.find("seed"))
    out.seed = static_cast<uint64_t>(body.whole("seed", 0, std::numeric_limits<int64_t>::min(),
                                                std::numeric_limits<int64_t>::max()));
  auto& answer = out.answer;
  answer.stops = body.texts("stop", 16);
  if (!body.flag("ignore_eos", false)) answer.stop_ids = call.model.stop_ids;
  request.stop_ids = answer.stop_ids;
  answer.show_special = !body.flag("skip_special_tokens", true);
  if (body.flag("stream", false)) answer.delivery = AnswerOptions::Delivery::stream;
  if (const Json* options = body.find("stream_options")) {
    if (answer.delivery == AnswerOptions::Delivery::whole)
      throw ApiError(400, "'stream_options' needs 'stream': true", "stream_options",
                     "invalid_value");
    answer.include_usage = options->is_object() && options->value("include_usage", false);
  }
  return out;
}

std::vector<model::GenerationRequest> spread(
    const Generating& generating, const std::vector<std::vector<text::TokenId>>& prompts) {
  const size_t choices = generating.answer.best_of;
  if (prompts.size() * choices > 4096)
    throw ApiError(400, "more than 4096 choices in one request", "prompt", "invalid_value");
  uint64_t seed = generating.seed.value_or(0);
  if (!generating.seed) {
    std::random_device device;
    seed = (uint64_t(device()) << 32) | device();
  }
  std::vector<model::GenerationRequest> out;
  for (const auto& prompt : prompts) {
    for (size_t i = 0; i < choices; ++i) {
      out.push_back(generating.request);
      out.back().prompt = prompt;
      out.back().seed = seed + i;
    }
  }
  return out;
}

std::vector<text::TokenId> read_ids(const ServedModel& model, const Json& list, const char* key) {
  std::vector<text::TokenId> ids;
  ids.reserve(list.size());
  for (const auto& id : list) {
    if (!id.is_number_unsigned() ||
        id.get<uint64_t>() >= static_cast<uint64_t>(model.tokenizer->vocab_size()))
      throw ApiError(400,
                     fmt::format("'{}' has {}, which is no token id of this model", key,
                                 compact(OrderedJson(id))),
                     key, "invalid_value");
    ids.push_back(id.get<text::TokenId>());
  }
  return ids;
}

void submit(const Call& call, std::shared_ptr<Answer> answer,
            std::vector<model::GenerationRequest> requests) {
  const int64_t positions = call.model.engine->max_positions();
  for (auto& request : requests) {
    const auto size = static_cast<int64_t>(request.prompt.size());
    if (request.prompt.empty())
      throw ApiError(400, "the prompt has no tokens", "prompt", "invalid_value");
    if (size > positions)
      throw ApiError(
          400,
          fmt::format("the prompt has {} tokens; this model has {} positions", size, positions),
          "prompt", "context_length_exceeded");
    // The last new token is never run through the model.
    request.max_new_tokens = std::min(request.max_new_tokens, positions - size + 1);
  }
  try {
    if (!answer->start(std::move(requests)))
      throw ApiError(429, "too many requests are waiting; try again shortly", "", "queue_full");
  } catch (const Error& error) {
    throw ApiError(400, error.message(), "prompt", "invalid_value");
  }
}

}  // namespace helio::serve
