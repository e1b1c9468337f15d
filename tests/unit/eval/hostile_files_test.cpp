// The corpora of the fuzz targets for imported results and servers' replies, and what becomes of
// them when a byte is lost.
#include <gtest/gtest.h>

#include "../../fuzz/eval_fuzz.h"
#include "core/fs.h"

namespace helio::eval {
namespace {

template <class Body>
void replay(const char* name, const Body& body) {
  const auto files = list_files(fs::path(HELIO_SOURCE_DIR) / "tests/fuzz/corpus" / name);
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const std::string whole = read_file(file);
    body(whole);
    for (size_t cut = 0; cut < whole.size(); cut += 1 + whole.size() / 60) {
      body(whole.substr(0, cut));
      std::string damaged = whole;
      damaged[cut] = '9';
      body(damaged);
    }
  }
}

TEST(HostileFiles, ImportedResultsAreAnErrorAtWorst) {
  replay("lm_eval_import", [](const std::string& bytes) { fuzz::try_import(bytes); });
}

TEST(HostileFiles, RepliesAreAnErrorAtWorst) {
  replay("endpoint_reply", [](const std::string& bytes) { fuzz::try_reply(bytes); });
}

TEST(HostileFiles, TheCorporaHoldWhatIsRead) {
  const std::string place = std::string(HELIO_SOURCE_DIR) + "/tests/fuzz/corpus/endpoint_reply/";
  EXPECT_EQ(read_echo(parse_json(read_file(place + "echo"), "echo"), {3, 1})[0][1].log_prob, -1.25);
  EXPECT_EQ(chat_content_of(parse_json(read_file(place + "chat"), "chat")), "Yes.");
  EXPECT_EQ(listed_model(parse_json(read_file(place + "models"), "models"), "m")["content"], "abc");
}

}  // namespace
}  // namespace helio::eval
