// How many words of a list a document has.
#include "data/lexicon/lexicon.h"

#include "core/error.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class LexiconScore final : public Map {
 public:
  struct Options {
    std::string list = {};
    std::string name = "lexicon";
    std::vector<std::string> words = {};
    void describe(Fields& f) {
      f.input(
          "list", list,
          "File: a word or phrase a line, [category] lines between them; or JSON lists of words.");
      f("words", words, "Words given here, besides or instead of a file.");
      f("name", name, "The score is NAME, and NAME.CATEGORY where a list has several categories.");
    }
  };

  static OpCard card() {
    return {.about =
                "Scores how many words in a thousand are on a list (toxicity, bias, any topic), by "
                "category; Korean words with whatever endings follow them. It drops nothing: "
                "filter.score does.",
            .source = "what Dataverse's empty toxicity and bias folders promise"};
  }

  explicit LexiconScore(const Options& options)
      : names_(names_of(options)), lexicon_(list_of(options)) {}

  Verdict apply(Document& document, Counters& counters) const override {
    const std::vector<int64_t> counts = lexicon_.count(document.text);
    const double words = double(std::max<int64_t>(text::count_words(document.text), 1));
    int64_t total = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      total += counts[i];
      if (counts.size() > 1) document.scores[names_[i + 1]] = 1000 * double(counts[i]) / words;
    }
    document.scores[names_[0]] = 1000 * double(total) / words;
    if (total > 0) counters[names_[0] + ".words"] += total;
    return keep();
  }

 private:
  static WordList list_of(const Options& options) {
    WordList list;
    if (!options.list.empty()) list = read_word_list(options.list);
    if (!options.words.empty())
      list.categories.push_back({.name = "words", .words = options.words});
    if (list.categories.empty())
      throw Error(ErrorKind::invalid, "score.lexicon has no words")
          .with_hint("give 'list', a file, or 'words'");
    return list;
  }

  static std::vector<std::string> names_of(const Options& options) {
    std::vector<std::string> names = {options.name};
    for (const auto& category : list_of(options).categories)
      names.push_back(options.name + "." + category.name);
    return names;
  }

  std::vector<std::string> names_;
  Lexicon lexicon_;
};

}  // namespace

HELIO_OP(LexiconScore)

}  // namespace helio::data
