#include "data/words/sentences.h"

#include "core/error.h"
#include "data/punctuation.h"
#include "data/words/spacy_en.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

void cut_spacy(std::string_view text, std::vector<size_t>& cuts) {
  thread_local std::vector<SpacyToken> tokens;
  SpacyEnglish::shared().tokenize(text, tokens);
  cuts.clear();
  for (const size_t token : spacy_sentence_starts(tokens))
    cuts.push_back(size_t(tokens[token].text.data() - text.data()));
}

bool is_end(char32_t c) { return c == '\n' || is_terminal_punctuation(c); }

// The end of the run of sentence ends at `at`, with the closing quote after it.
size_t end_of_run(std::string_view text, size_t at) {
  for (;;) {
    if (at >= text.size()) return at;
    const auto point = text::decode_utf8(text, at);
    if (!is_end(point.value)) {
      const bool quote = point.value == '"' || point.value == '\'' || point.value == 0x201D;
      return quote ? at + point.size : at;
    }
    at += point.size;
  }
}

// The end of the sentence that begins at `begin` (no line end), or npos when nothing ends it.
size_t end_of_sentence(std::string_view text, size_t begin) {
  size_t initial = text.npos;  // the period of the last capital letter passed over
  for (size_t at = begin; at < text.size();) {
    const auto point = text::decode_utf8(text, at);
    if (at > begin && is_end(point.value)) return end_of_run(text, at);
    at += point.size;
    const bool capital =
        point.value < 0x80 ? point.value >= 'A' && point.value <= 'Z' : text::is_upper(point.value);
    if (capital && at < text.size() && text[at] == '.') initial = at++;
  }
  return initial == text.npos ? initial : end_of_run(text, initial);
}

void cut_terminal(std::string_view text, std::vector<size_t>& cuts) {
  cuts.clear();
  size_t at = 0;
  while ((at = text.find_first_not_of('\n', at)) != text.npos) {
    const size_t end = end_of_sentence(text, at);
    if (end == text.npos) break;
    if (!text::trim(text.substr(at, end - at)).empty()) cuts.push_back(end);
    at = end;
  }
  if (!cuts.empty()) cuts.pop_back();  // the last sentence goes to the end of the text
}

}  // namespace

SentenceCuts make_sentences(std::string_view name) {
  if (name == "spacy-en") return cut_spacy;
  if (name == "terminal") return cut_terminal;
  throw Error(ErrorKind::invalid, "no sentences are called '" + std::string(name) + "'")
      .with_hint("spacy-en or terminal");
}

}  // namespace helio::data
