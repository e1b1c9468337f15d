// C4's rules for lines and documents, as datatrove has them.
#include "data/op.h"
#include "data/python_text.h"
#include "data/words/sentences.h"

namespace helio::data {
namespace {

constexpr std::string_view kPolicies[] = {"terms of use", "privacy policy", "cookie policy",
                                          "uses cookies", "use of cookies", "use cookies"};

// line.lower() as far as the words looked for can tell: ASCII, and the Kelvin sign.
void lower_into(std::string& lowered, std::string_view line) {
  lowered.clear();
  for (size_t at = 0; at < line.size(); ++at) {
    if (line.substr(at).starts_with("\xE2\x84\xAA")) {
      lowered += 'k';
      at += 2;
    } else {
      const char c = line[at];
      lowered += c >= 'A' && c <= 'Z' ? char(c + 0x20) : c;
    }
  }
}

// Removes [12], [], [edit] and [citation needed].
void without_citations(std::string& line) {
  size_t out = 0;
  for (size_t at = 0; at < line.size();) {
    const std::string_view rest = std::string_view(line).substr(at);
    size_t size = 0;
    if (rest[0] == '[') {
      size_t digits = 1;
      while (digits < rest.size()) {
        const auto point = text::decode_utf8(rest, digits);
        if (!text::is_decimal_digit(point.value)) break;
        digits += point.size;
      }
      if (digits < rest.size() && rest[digits] == ']') size = digits + 1;
      else if (rest.starts_with("[edit]")) size = 6;
      else if (rest.starts_with("[citation needed]")) size = 17;
    }
    if (size == 0) line[out++] = line[at++];
    at += size;
  }
  line.resize(out);
}

class C4 final : public Map {
 public:
  struct Options {
    std::string split = "lines";
    std::string sentences = "spacy-en";
    bool remove_citations = true;
    bool filter_no_terminal_punct = true;
    int64_t min_num_sentences = 5;
    int64_t min_words_per_line = 3;
    int64_t max_word_length = 1000;
    bool filter_lorem_ipsum = true, filter_javascript = true, filter_curly_bracket = true;
    bool filter_policy = true;

    void describe(Fields& f) {
      f("split", split, "What is judged and removed: lines, or sentences.",
        one_of({"lines", "sentences"}));
      f("sentences", sentences,
        "How sentences are found: as spaCy does for English, or at the sentence ends of any "
        "script.",
        sentences_rule());
      f("remove_citations", remove_citations, "Remove [1], [edit] and [citation needed].");
      f("filter_no_terminal_punct", filter_no_terminal_punct,
        "Remove lines that end in none of . ? ! \" ' (FineWeb does not).");
      f("min_num_sentences", min_num_sentences, "Fewest sentences in what is left.", at_least(0));
      f("min_words_per_line", min_words_per_line, "Fewest words of a line.", at_least(0));
      f("max_word_length", max_word_length,
        "Most characters of a word; a line with a longer one is removed. 0 sets no limit.",
        at_least(0));
      f("filter_lorem_ipsum", filter_lorem_ipsum, "Drop documents with \"lorem ipsum\".");
      f("filter_javascript", filter_javascript, "Remove lines that name JavaScript.");
      f("filter_curly_bracket", filter_curly_bracket, "Drop documents with '{'.");
      f("filter_policy", filter_policy, "Remove lines on cookies, privacy and terms of use.");
    }
  };

  static OpCard card() {
    return {
        .about =
            "Removes lines that are no sentences or boilerplate, and drops documents with code, "
            "dummy text or too few sentences.",
        .source = "Raffel et al. 2020 (C4) as in datatrove 0.10.1 C4QualityFilter"};
  }

  explicit C4(Options options) : o_(std::move(options)), sentences_(make_sentences(o_.sentences)) {}

  Verdict apply(Document& document, Counters& counters) const override {
    Lines lines(o_, sentences_, counters);
    const std::string_view text = document.text;
    const bool by_lines = o_.split == "lines";
    if (by_lines) {
      for_each_python_line(text, [&](std::string_view line) { lines.read(line); });
    } else {
      std::vector<size_t> cuts;
      sentences_(text, cuts);
      cuts.push_back(text.size());
      size_t begin = 0;
      for (const size_t end : cuts) {
        lines.read(text.substr(begin, end - begin));
        begin = end;
      }
    }
    if (!lines.dropped.empty()) return drop(lines.dropped, 1);
    if (lines.sentences < o_.min_num_sentences)
      return drop("too_few_sentences", double(lines.sentences));
    document.text = std::string(text::trim(lines.kept));
    return keep();
  }

 private:
  // What becomes of the lines of one document.
  struct Lines {
    Lines(const Options& options, const SentenceCuts& cuts, Counters& counters)
        : o(options), cut(cuts), counters(counters) {}
    const Options& o;
    const SentenceCuts& cut;
    Counters& counters;
    std::string dropped = {}, kept = {};
    int64_t sentences = 0;

    void remove(const char* why) { ++counters[why]; }

    void read(std::string_view written) {
      if (!dropped.empty()) return;
      written = text::trim(written);
      int64_t words = 0;
      bool too_long = false;
      text::for_each_word(written, [&](std::string_view word) {
        ++words;
        too_long = too_long || (o.max_word_length > 0 && int64_t(word.size()) > o.max_word_length &&
                                char_count(word) > o.max_word_length);
      });
      if (too_long) return remove("c4.too_long_word");
      line.assign(written);
      if (o.remove_citations && line.find('[') != line.npos) without_citations(line);
      if (o.filter_no_terminal_punct) {
        const char last = line.empty() ? ' ' : line.back();
        if (std::string_view(".?!\"'").find(last) == std::string_view::npos ||
            std::string_view(line).ends_with("..."))
          return remove("c4.no_terminal_punct");
      }
      if (words < o.min_words_per_line) return remove("c4.too_few_words");
      lower_into(lowered, line);
      const auto has = [&](std::string_view piece) { return lowered.find(piece) != lowered.npos; };
      if (o.filter_lorem_ipsum && has("lorem ipsum")) return void(dropped = "lorem_ipsum");
      if (o.filter_javascript && has("javascript")) return remove("c4.javascript");
      if (o.filter_curly_bracket && line.find('{') != line.npos)
        return void(dropped = "curly_bracket");
      if (o.filter_policy)
        for (const std::string_view policy : kPolicies)
          if (has(policy)) return remove("c4.policy");
      if (o.min_num_sentences > 0) {
        if (o.split == "lines") {
          cut(line, cuts);
          sentences += int64_t(cuts.size()) + 1;
        } else {
          ++sentences;
        }
      }
      if (!first) kept += o.split == "lines" ? '\n' : ' ';
      first = false;
      kept += line;
    }

   private:
    std::string line = {}, lowered = {};
    std::vector<size_t> cuts = {};
    bool first = true;
  };

  Options o_;
  SentenceCuts sentences_;
};

}  // namespace

HELIO_OP(C4)

}  // namespace helio::data
