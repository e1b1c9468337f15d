#include "data/kenlm/perplexity.h"

#include <cmath>

#include "data/model_file.h"
#include "data/text_lines.h"

namespace helio::data::kenlm {

void PerplexityOptions::describe(Fields& f) {
  f("normalization", normalization,
    "What is done to the text before: none, ccnet (lower case, no accents, digits as 0) or "
    "datatrove (numbers as 0).",
    one_of({"none", "ccnet", "datatrove"}));
  f("words", words, kWordsHelp, words_rule());
}

Perplexity::Perplexity(const std::string& model, const PerplexityOptions& options)
    : model_(load_shared_model<Model>(find_model_file(
          model, "give the path of a KenLM model: ARPA (.gz, .zst too) or build_binary probing"))),
      words_(make_words(options.words)),
      form_(options.normalization == "none"    ? Normalization::none
            : options.normalization == "ccnet" ? Normalization::ccnet
                                               : Normalization::datatrove) {}

double Perplexity::of(std::string_view text) const {
  std::string normal;
  if (form_ != Normalization::none) {
    normal = normalize(text, form_);
    text = normal;
  }
  double log10 = 0;
  uint64_t tokens = 0;
  std::vector<std::string_view> words;
  for_each_line(text, [&](std::string_view line) {
    words.clear();
    words_->split(line, words);
    log10 += double(model_->score_sentence(words));
    tokens += words.size() + 1;
  });
  return std::pow(10.0, -log10 / double(tokens));
}

}  // namespace helio::data::kenlm
