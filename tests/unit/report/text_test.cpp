// The catalogue: every message in both languages, with the same places, and each of them used.
#include "report/text.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "core/error.h"
#include "core/fs.h"

namespace helio::report {
namespace {

std::multiset<char> places(const std::string& text) {
  std::multiset<char> found;
  for (size_t i = 0; i + 2 < text.size(); ++i)
    if (text[i] == '{' && text[i + 2] == '}') found.insert(text[i + 1]);
  return found;
}

std::string sources() {
  std::string all;
  for (const auto& file : list_files(fs::path(HELIO_SOURCE_DIR) / "src/report", {".cpp"}))
    if (file.filename() != "text.cpp") all += read_file(file);
  return all;
}

TEST(Messages, StandInBothLanguagesWithTheSamePlaces) {
  std::set<std::string> keys;
  for (const Message& message : messages()) {
    EXPECT_TRUE(keys.insert(message.key).second) << message.key << " stands twice";
    const std::string en = message.en, ko = message.ko;
    EXPECT_FALSE(en.empty() || ko.empty()) << message.key;
    const std::multiset<char> a = places(en), b = places(ko);
    EXPECT_EQ(std::set<char>(a.begin(), a.end()), std::set<char>(b.begin(), b.end()))
        << message.key;
  }
}

TEST(Messages, AreKoreanWhereTheyAreKorean) {
  for (const Message& message : messages()) {
    const std::string ko = message.ko;
    const bool hangul = std::regex_search(ko, std::regex("[\xea-\xed][\x80-\xbf][\x80-\xbf]"));
    EXPECT_TRUE(hangul || ko == message.en) << message.key << ": " << ko;
  }
}

TEST(Messages, AreAllUsedAndAllThere) {
  const std::string text = sources();
  std::set<std::string> keys;
  for (const Message& message : messages()) keys.insert(message.key);
  for (const std::string& key : keys) {
    const bool status = key.starts_with("status.");  // put together from the status
    EXPECT_TRUE(status || text.find("\"" + key + "\"") != text.npos ||
                text.find("\"#" + key + "\"") != text.npos)
        << "message '" << key << "' is used nowhere";
  }
  const std::regex used(
      "\"#?((page|head|pipeline|status|fact|dataset|data|loss|dus|align|eval|club|lineage)\\.[a-z_"
      "0-9]+)"
      "\"");
  for (auto it = std::sregex_iterator(text.begin(), text.end(), used); it != std::sregex_iterator();
       ++it) {
    const std::string key = (*it)[1];
    EXPECT_TRUE(key == "dataset.json" || keys.contains(key)) << "no message '" << key << "'";
  }
}

TEST(Messages, FillTheirPlacesAndRefuseWhatIsMissing) {
  EXPECT_EQ(say("eval.k_of_n", {"3", "9"}).en, "3 of 9");
  EXPECT_EQ(say("eval.k_of_n", {"3", "9"}).ko, "9 중 3");
  EXPECT_EQ(say("eval.k_of_n", {"{1}", "9"}).en, "{1} of 9");  // values are not read again
  EXPECT_THROW(say("eval.k_of_n", {"3"}), Error);
  EXPECT_THROW(say("no.such"), Error);
}

}  // namespace
}  // namespace helio::report
