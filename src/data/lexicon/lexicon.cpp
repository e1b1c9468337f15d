#include "data/lexicon/lexicon.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

uint64_t beginning(std::u32string_view text) {
  return uint64_t(text[0]) << 32 | (text.size() > 1 ? text[1] : 0);
}

bool is_word_character(char32_t c) { return text::is_letter(c) || text::is_number(c) || c == '_'; }

void add_all(const Json& words, WordList::Category& category, const std::string& source) {
  for (const Json& word : words) {
    if (!word.is_string())
      throw Error(ErrorKind::invalid, source + ": a list of words holds something else");
    category.words.push_back(word.get<std::string>());
  }
}

}  // namespace

WordList read_word_list(const std::filesystem::path& path) {
  WordList list;
  const std::string text = read_file(path);
  if (path.extension() == ".json") {
    const Json json = parse_json(text, path.string());
    if (json.is_array()) add_all(json, list.categories.emplace_back("words"), path.string());
    else
      for (const auto& [name, words] : json.items())
        if (words.is_array()) add_all(words, list.categories.emplace_back(name), path.string());
  } else {
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = text::trim(std::string_view(text).substr(at, end - at));
      at = end + 1;
      if (line.empty() || line[0] == '#') continue;
      if (line.size() > 2 && line.front() == '[' && line.back() == ']') {
        list.categories.push_back({.name = std::string(line.substr(1, line.size() - 2))});
        continue;
      }
      if (list.categories.empty()) list.categories.push_back({.name = "words"});
      list.categories.back().words.emplace_back(line);
    }
  }
  size_t words = 0;
  for (const auto& category : list.categories) words += category.words.size();
  if (words == 0)
    throw Error(ErrorKind::invalid, path.string() + ": the list has no words")
        .with_hint("one word a line, or a JSON list of words");
  return list;
}

Lexicon::Lexicon(const WordList& list) : count_(list.categories.size()) {
  std::set<std::pair<std::u32string, uint32_t>> seen;
  for (uint32_t category = 0; category < count_; ++category)
    for (const std::string& word : list.categories[category].words) {
      std::u32string letters = text::to_code_points(
          text::to_lower(text::normalize(text::trim(word), text::NormalForm::nfc)));
      if (letters.empty() || !seen.insert({letters, category}).second) continue;
      by_beginning_[beginning(letters)].push_back({letters, category});
    }
  // The longest first: "개새끼" is one find, not also "새끼" within it.
  for (auto& [key, entries] : by_beginning_)
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.word.size() != b.word.size()
                 ? a.word.size() > b.word.size()
                 : std::tie(a.word, a.category) < std::tie(b.word, b.category);
    });
}

std::vector<int64_t> Lexicon::count(std::string_view text) const {
  std::vector<int64_t> counts(count_, 0);
  const std::u32string letters = text::to_code_points(text::to_lower(text));
  const auto word_at = [&](size_t i) {
    return i < letters.size() && is_word_character(letters[i]);
  };
  const auto fits = [&](const Entry& entry, size_t at) {
    const size_t end = at + entry.word.size();
    if (letters.compare(at, entry.word.size(), entry.word) != 0) return false;
    const bool korean = text::is_hangul(entry.word[0]);
    const bool begins = at == 0 || !word_at(at - 1);
    if (!korean) return begins && !word_at(end);
    if (entry.word.size() == 1) return begins && !word_at(end);
    // Within an 어절 only behind Hangul: not in the middle of a name in Latin letters.
    return begins || text::is_hangul(letters[at - 1]);
  };
  for (size_t at = 0; at < letters.size();) {
    size_t next = at + 1;
    for (const size_t width : {size_t(2), size_t(1)}) {
      const auto found =
          by_beginning_.find(beginning(std::u32string_view(letters).substr(at, width)));
      if (found == by_beginning_.end()) continue;
      const auto hit = std::find_if(found->second.begin(), found->second.end(),
                                    [&](const Entry& entry) { return fits(entry, at); });
      if (hit == found->second.end()) continue;
      // The same word may stand in several categories.
      for (const Entry& entry : found->second)
        if (entry.word == hit->word) ++counts[entry.category];
      next = at + hit->word.size();
      break;
    }
    at = next;
  }
  return counts;
}

}  // namespace helio::data
