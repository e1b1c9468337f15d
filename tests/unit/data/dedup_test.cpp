// Duplicates against brute force, whatever the memory, the threads and the chunks.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "core/fs.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/rng.h"
#include "data/dedup/bloom_filter.h"
#include "data/dedup/minhash.h"
#include "stage_player.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Paragraphs of the project's own pages, and edited copies of them: real text in both languages.
std::vector<std::string> edited_texts(uint64_t seed) {
  std::vector<std::string> paragraphs;
  for (const char* name : {"README.md", "README.ko.md", "docs/data.md"}) {
    const std::string page = read_file(fs::path(HELIO_SOURCE_DIR) / name);
    for (size_t begin = 0; begin < page.size();) {
      const size_t end = std::min(page.find("\n\n", begin), page.size());
      if (end - begin > 120) paragraphs.push_back(page.substr(begin, end - begin));
      begin = end + 2;
    }
  }
  Rng rng(seed);
  std::vector<std::string> texts;
  for (int i = 0; i < 260; ++i) {
    std::string text;
    for (const std::string_view word :
         text::split_words(paragraphs[rng.below(paragraphs.size())])) {
      if (rng.below(40) == 0) text += "바뀐" + std::to_string(rng.below(1000)) + " ";
      else (text += word) += ' ';
    }
    texts.push_back(text);
  }
  return texts;
}

std::vector<size_t> components(size_t count, const std::vector<std::pair<size_t, size_t>>& links) {
  std::vector<size_t> first(count);
  std::iota(first.begin(), first.end(), size_t(0));
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [a, b] : links) {
      const size_t least = std::min(first[a], first[b]);
      changed |= first[a] != least || first[b] != least;
      first[a] = first[b] = least;
    }
  }
  return first;
}

std::vector<size_t> stays(const std::vector<Outcome>& outcomes) {
  std::vector<size_t> all;
  for (const Outcome& o : outcomes) all.push_back(o.cluster < 0 ? o.order : size_t(o.cluster));
  return all;
}

TEST(NearDuplicates, ClustersAreThoseOfAllPairsThatShareABand) {
  const std::vector<std::string> texts = edited_texts(1);
  const MinHash minhash({});
  std::vector<std::vector<uint64_t>> signatures;
  for (const std::string& text : texts) signatures.push_back(minhash.signature(text));
  std::vector<std::pair<size_t, size_t>> links;
  for (size_t a = 0; a < texts.size(); ++a)
    for (size_t b = a + 1; b < texts.size(); ++b)
      for (size_t band = 0; band < 14 && !signatures[a].empty() && !signatures[b].empty(); ++band)
        if (std::equal(&signatures[a][8 * band], &signatures[a][8 * band] + 8,
                       &signatures[b][8 * band])) {
          links.emplace_back(a, b);
          break;
        }
  const auto outcomes = play_stage("dedup.minhash", "{}", documents_of(texts));
  EXPECT_EQ(stays(outcomes), components(texts.size(), links));
  size_t dropped = 0;
  for (const Outcome& o : outcomes) {
    dropped += !o.verdict.kept;
    if (!o.verdict.kept) {
      EXPECT_EQ(o.verdict.value,
                estimated_similarity(signatures[o.order], signatures[size_t(o.cluster)]));
    }
  }
  EXPECT_GT(dropped, 50u);
  EXPECT_LT(dropped, 255u);
}

TEST(NearDuplicates, NothingDependsOnMemoryThreadsOrChunks) {
  auto documents = documents_of(edited_texts(2));
  for (Document& document : documents) {
    document.scores["good"] = double(document.text.size() % 7);
    document.partner = std::string(1, char('a' + document.order % 3));
  }
  for (const char* options :
       {"{}", "{verify: jaccard, min_jaccard: 0.8}", "{keep: quality, score: good}",
        "{keep: partner, partners: [c, a, b], min_similarity: 0.8}", "{unit: syllable}"}) {
    const auto expected = play_stage("dedup.minhash", options, documents);
    for (const StagePlay& play :
         {StagePlay{.memory = 4096, .threads = 1, .documents_a_chunk = 1},
          StagePlay{.memory = 20000, .threads = 3, .documents_a_chunk = 7},
          StagePlay{.memory = uint64_t(1) << 20, .threads = 2, .documents_a_chunk = 100}})
      EXPECT_EQ(play_stage("dedup.minhash", options, documents, play), expected) << options;
  }
}

TEST(NearDuplicates, WithTheTrueJaccardAskedForEachClusterHoldsTogether) {
  const std::vector<std::string> texts = edited_texts(3);
  const auto outcomes =
      play_stage("dedup.minhash", "{hashes_per_bucket: 2, verify: jaccard, min_jaccard: 0.6}",
                 documents_of(texts));
  const MinHash minhash({});
  MinHashScratch scratch = minhash.scratch();
  std::vector<std::vector<uint64_t>> sets;
  for (const std::string& text : texts) {
    minhash.shingle(text, scratch);
    sets.push_back(as_set(scratch.hashes));
  }
  size_t dropped = 0;
  for (const Outcome& o : outcomes) {
    if (o.verdict.kept) continue;
    ++dropped;
    double most = 0;
    for (const Outcome& other : outcomes)
      if (other.order != o.order && other.cluster == o.cluster)
        most = std::max(most, jaccard(sets[o.order], sets[other.order]));
    EXPECT_GE(most, 0.6) << o.order;
  }
  EXPECT_GT(dropped, 50u);
}

TEST(NearDuplicates, ExactlyOneOfAClusterStaysByTheRule) {
  auto documents = documents_of(edited_texts(4));
  for (Document& document : documents) document.scores["good"] = double(document.order % 11);
  const auto first = play_stage("dedup.minhash", "{}", documents);
  const auto best = play_stage("dedup.minhash", "{keep: quality, score: good}", documents);
  std::map<size_t, std::set<size_t>> clusters;  // by the first
  for (const Outcome& o : first)
    if (o.cluster >= 0) clusters[size_t(o.cluster)].insert(o.order);
  for (const auto& [root, members] : clusters) {
    size_t expected = root, kept = 0;
    for (const size_t member : members)
      if (member % 11 > expected % 11) expected = member;  // ties: the earlier one
    for (const size_t member : members) {
      EXPECT_EQ(best[member].cluster, int64_t(expected));
      kept += best[member].verdict.kept;
    }
    EXPECT_EQ(kept, 1u);
  }
  EXPECT_THROW(play_stage("dedup.minhash", "{keep: quality}", documents), Error);
  EXPECT_THROW(play_stage("dedup.minhash", "{keep: partner}", documents), Error);
}

TEST(NearDuplicates, AnEarlierIndexGivesWhatOneRunOverAllWouldHave) {
  const TempDir dir;
  const auto documents = documents_of(edited_texts(5));
  const size_t half = documents.size() / 2;
  const std::vector<Document> early(documents.begin(), documents.begin() + half);
  const std::vector<Document> late(documents.begin() + half, documents.end());
  const auto whole = play_stage("dedup.minhash", "{}", documents);
  const std::string one = (dir.path() / "one").string(), two = (dir.path() / "two").string();
  play_stage("dedup.minhash", "{write_index: " + one + "}", early);
  const auto later = play_stage("dedup.minhash", "{index: " + one + ", write_index: " + two + "}",
                                late, {.memory = 8192, .documents_a_chunk = 3});
  size_t in_index = 0, own = 0;
  for (size_t i = half; i < documents.size(); ++i) {
    const Outcome& o = later[i - half];
    EXPECT_EQ(o.verdict.kept, whole[i].verdict.kept) << i;
    in_index += o.verdict.reason == "in_index";
    own += o.verdict.reason == "near_duplicate";
  }
  EXPECT_GT(in_index, 20u);
  EXPECT_GT(own, 0u);
  // What was written is the index of everything.
  const std::string all = (dir.path() / "all").string();
  play_stage("dedup.minhash", "{write_index: " + all + "}", documents);
  EXPECT_EQ(read_file(fs::path(all) / "keys.bin"), read_file(fs::path(two) / "keys.bin"));
  EXPECT_EQ(read_file(fs::path(all) / "index.json"), read_file(fs::path(two) / "index.json"));
  // Every document is in it now.
  for (const Outcome& o : play_stage("dedup.minhash", "{index: " + two + "}", late))
    EXPECT_EQ(o.verdict.reason, MinHash({}).signature(o.text).empty() ? "" : "in_index");
}

TEST(NearDuplicates, AnIndexThatIsNotOneIsRefused) {
  const TempDir dir;
  const auto documents = documents_of(edited_texts(6));
  const std::string index = (dir.path() / "index").string();
  play_stage("dedup.minhash", "{write_index: " + index + "}", documents);
  const auto use = [&](const std::string& more = "") {
    play_stage("dedup.minhash", "{index: " + index + more + "}", documents);
  };
  EXPECT_NO_THROW(use());
  EXPECT_THROW(use(", n_grams: 4"), Error) << "other options";
  const std::string keys = read_file(fs::path(index) / "keys.bin");
  const std::string head = read_file(fs::path(index) / "index.json");
  Rng rng(5);
  for (int i = 0; i < 60; ++i) {
    std::string broken = keys;
    broken[rng.below(broken.size())] ^= char(1 << rng.below(8));
    write_file_atomic(fs::path(index) / "keys.bin", broken);
    EXPECT_THROW(use(), Error);
  }
  write_file_atomic(fs::path(index) / "keys.bin", keys.substr(0, keys.size() - 16));
  EXPECT_THROW(use(), Error);
  write_file_atomic(fs::path(index) / "keys.bin", keys);
  for (size_t size = 0; size < head.size() - 2; size += 5) {
    write_file_atomic(fs::path(index) / "index.json", head.substr(0, size));
    EXPECT_THROW(use(), Error) << size;
  }
  fs::remove_all(index);
  EXPECT_THROW(use(), Error);
}

TEST(NearDuplicates, TooLittleMemoryForTheClustersIsSaid) {
  try {
    play_stage("dedup.minhash", "{}", documents_of(edited_texts(7)), {.memory = 1000});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::memory);
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST(RepeatedLines, AreThoseOfASetWhateverTheMemory) {
  Rng rng(8);
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (uint64_t lines = 1 + rng.below(12); lines > 0; --lines)
      text += "line " + std::to_string(rng.below(300)) + (rng.below(2) ? " \n" : "\n");
    texts.push_back(text);
  }
  std::map<std::string, size_t> first;
  std::vector<std::string> expected;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::string rest;
    for (size_t at = 0; at < texts[i].size();) {
      const size_t end = texts[i].find('\n', at);
      const std::string line = texts[i].substr(at, end - at);
      if (first.emplace(text::trim(line), i).first->second == i) rest += line + "\n";
      at = end + 1;
    }
    if (!rest.empty()) rest.pop_back();
    expected.push_back(rest);
  }
  for (const StagePlay& play : {StagePlay{}, StagePlay{.memory = 4000, .documents_a_chunk = 3}}) {
    const auto outcomes = play_stage("dedup.lines", "{min_chars: 1}", documents_of(texts), play);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (outcomes[i].verdict.kept) {
        EXPECT_EQ(text::trim(outcomes[i].text), text::trim(expected[i])) << i;
      } else {
        EXPECT_EQ(expected[i], "") << i;
      }
    }
  }
}

TEST(RepeatedSubstrings, ArePreciselyTheBytesOfRepeatedWindows) {
  std::vector<std::string> texts = edited_texts(9);
  texts.resize(60);
  texts.push_back(std::string(300, 'a'));
  for (const size_t length : {size_t(8), size_t(40), size_t(100)})
    for (const bool all : {false, true}) {
      std::map<std::string_view, std::vector<std::pair<size_t, size_t>>> places;
      for (size_t i = 0; i < texts.size(); ++i)
        for (size_t at = 0; at + length <= texts[i].size(); ++at)
          places[std::string_view(texts[i]).substr(at, length)].emplace_back(i, at);
      std::vector<std::string> expected = texts;
      std::vector<std::vector<char>> gone(texts.size());
      for (size_t i = 0; i < texts.size(); ++i) gone[i].assign(texts[i].size() + 1, 0);
      for (const auto& [window, at] : places)
        for (size_t i = all ? 0 : 1; at.size() > 1 && i < at.size(); ++i)
          std::fill_n(gone[at[i].first].begin() + long(at[i].second), length, 1);
      for (size_t i = 0; i < texts.size(); ++i) {
        // Characters that are cut in two stay.
        expected[i].clear();
        for (size_t begin = 0; begin < texts[i].size();) {
          size_t end = begin + 1;
          while (end < texts[i].size() && (texts[i][end] & 0xC0) == 0x80) ++end;
          if (std::count(gone[i].begin() + long(begin), gone[i].begin() + long(end), 1) <
              long(end - begin))
            expected[i] += texts[i].substr(begin, end - begin);
          begin = end;
        }
      }
      const std::string options =
          "{length: " + std::to_string(length) + ", remove: " + (all ? "all" : "later") + "}";
      for (const StagePlay& play :
           {StagePlay{}, StagePlay{.memory = 30000, .threads = 2, .documents_a_chunk = 4}}) {
        const auto outcomes = play_stage("dedup.substrings", options, documents_of(texts), play);
        for (size_t i = 0; i < texts.size(); ++i) {
          if (outcomes[i].verdict.kept) {
            EXPECT_EQ(outcomes[i].text, expected[i]) << options << " " << i;
          } else {
            EXPECT_EQ(text::trim(expected[i]), "") << options << " " << i;
          }
        }
      }
    }
}

TEST(Bloom, ForgetsNothingAndErrsAsRarelyAsAsked) {
  for (const double share : {0.1, 0.01, 0.0001}) {
    BloomFilter filter(20000, share, uint64_t(1) << 30);
    Rng in(1), out(2);
    for (int i = 0; i < 20000; ++i) filter.add(in.next());
    Rng again(1);
    for (int i = 0; i < 20000; ++i) EXPECT_TRUE(filter.has(again.next()));
    int wrong = 0;
    for (int i = 0; i < 200000; ++i) wrong += filter.has(out.next());
    EXPECT_LT(wrong / 200000.0, 1.5 * share + 0.0001) << share;
    EXPECT_NEAR(filter.false_positives(), share, 0.3 * share);
  }
  EXPECT_GT(BloomFilter(1000000, 0.01, 1024).false_positives(), 0.5);
  EXPECT_LE(BloomFilter(1000000, 0.01, 1024).bytes(), 1024u);
}

// The corpora beside the checkout, whose duplicates were counted by other means.
TEST(Corpora, HeadlinesAreMostlyExactDuplicates) {
  const fs::path path =
      fs::path(HELIO_SOURCE_DIR) / "../shared/data/corpora/ko_news_titles.jsonl.zst";
  const fs::path fixed = "/work/shared/data/corpora/ko_news_titles.jsonl.zst";
  const fs::path& found = fs::exists(path) ? path : fixed;
  if (!fs::exists(found)) GTEST_SKIP() << "no " << path;
  std::vector<std::string> texts;
  read_jsonl(found,
             [&](const Json& row, int64_t) { texts.push_back(row.at("text").get<std::string>()); });
  const std::set<std::string> unique(texts.begin(), texts.end());
  const auto outcomes = play_stage("dedup.exact", "{by: bytes}", documents_of(texts),
                                   {.memory = 1 << 20, .threads = 2});
  size_t kept = 0;
  for (const Outcome& o : outcomes) kept += o.verdict.kept;
  EXPECT_EQ(kept, unique.size());
  EXPECT_NEAR(1 - double(kept) / double(texts.size()), 0.957, 0.002);
}

}  // namespace
}  // namespace helio::data
