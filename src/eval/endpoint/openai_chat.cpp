#include "eval/endpoint/openai_chat.h"

#include "core/error.h"

namespace helio::eval {

std::string chat_content_of(const Json& reply) {
  try {
    return reply.at("choices").at(0).at("message").at("content").get<std::string>();
  } catch (const std::exception&) {
    throw Error(ErrorKind::invalid, "the reply holds no choices[0].message.content");
  }
}

OpenAiChat::Answer OpenAiChat::ask(const std::string& system, const std::string& user,
                                   double temperature, int64_t max_tokens) {
  OrderedJson messages = OrderedJson::array();
  if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
  messages.push_back({{"role", "user"}, {"content", user}});
  Answer answer;
  answer.retries = client_.post("/chat/completions",
                                {{"model", name()},
                                 {"messages", messages},
                                 {"n", 1},
                                 {"temperature", temperature},
                                 {"max_tokens", max_tokens}},
                                [&](const Json& reply) { answer.text = chat_content_of(reply); });
  return answer;
}

}  // namespace helio::eval
