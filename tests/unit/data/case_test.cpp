// Every operator's .case file, one test each, and what every operator owes its readers.
#include <gtest/gtest.h>

#include <cstdlib>

#include "case_file.h"
#include "core/fs.h"
#include "data/op.h"

namespace helio::data {
namespace {

fs::path case_path(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return fs::path(HELIO_SOURCE_DIR) / "src/data/ops" / (name + ".case");
}

class Operators : public testing::TestWithParam<std::string> {};

TEST_P(Operators, DoesWhatItsCasesSay) {
  const fs::path path = case_path(GetParam());
  ASSERT_TRUE(fs::exists(path)) << "an operator has its cases beside it: " << path;
  const CaseFile file = parse_case_file(read_file(path), path.string());
  ASSERT_FALSE(file.cases.empty());
  if (std::getenv("HELIO_ACCEPT")) {
    write_file_atomic(path, accepted(file, GetParam()));
    return;
  }
  for (const Case& item : file.cases) {
    std::string expected, found;
    for (const std::string& line : item.expected) expected += line + "\n";
    for (const std::string& line : play(GetParam(), item)) found += line + "\n";
    EXPECT_FALSE(item.expected.empty()) << path << ":" << item.line << ": expects nothing";
    EXPECT_EQ(expected, found) << path << ":" << item.line << " (HELIO_ACCEPT=1 rewrites the file)";
  }
}

TEST_P(Operators, SaysWhatItIsAndHelpsWithEachOption) {
  const Op& op = find_op(GetParam());
  EXPECT_TRUE(op.card.about.ends_with('.')) << op.card.about;
  for (const FieldInfo& field : op.fields) EXPECT_GT(field.help.size(), 8u) << field.name;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, op] : ops()) all.push_back(name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Data, Operators, testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST(CaseFile, AWrongExpectationIsFoundAndAcceptReplacesIt) {
  const std::string text =
      "# about\noptions: {min_words: 2}\nin   {\"id\": \"a\", \"text\": \"one\"}\nout  a kept\n\n"
      "options: {min_word: 2}\nerror  nothing\n";
  const CaseFile file = parse_case_file(text, "test");
  ASSERT_EQ(file.cases.size(), 2u);
  EXPECT_NE(play("filter.length", file.cases[0]), file.cases[0].expected);
  EXPECT_EQ(accepted(file, "filter.length"),
            "# about\noptions: {min_words: 2}\nin   {\"id\": \"a\", \"text\": \"one\"}\n"
            "out  a dropped too_few_words 1\n\n"
            "options: {min_word: 2}\nerror  options:1:2: unknown key 'min_word'\n");
}

}  // namespace
}  // namespace helio::data
