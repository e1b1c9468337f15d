// What is wrong with a JSON text, where, and no more than that.
#include "core/json.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace helio {
namespace {

std::string trouble(const std::string& text) {
  try {
    parse_json(text, "rows.jsonl");
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(Json, SaysWhereTheTroubleIs) {
  EXPECT_TRUE(
      trouble("{\n \"a\": tru }").starts_with("rows.jsonl:2:10: not valid JSON: syntax error"))
      << trouble("{\n \"a\": tru }");
  EXPECT_EQ(trouble("{\"a\": 1}"), "");
}

TEST(Json, QuotesOnlyTheEndOfALongText) {
  std::string text = "{\"text\": \"";
  for (int i = 0; i < 50000; ++i) text += "긴 글 ";
  const std::string message = trouble(text);
  EXPECT_LT(message.size(), 250) << message;
  EXPECT_NE(message.find("missing closing quote; last read: '…"), message.npos) << message;
  EXPECT_TRUE(message.ends_with("긴 글 '")) << message;
}

}  // namespace
}  // namespace helio
