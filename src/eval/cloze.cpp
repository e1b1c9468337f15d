// The held-out cloze choice: the beginning of a held-out document, and four continuations of like
// length, one its own and the others the same stretch of other held-out documents in its language.
#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/rng.h"
#include "eval/choices.h"
#include "eval/heldout_documents.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

// Bytes of the longest beginning of `text` with at most `chars` characters that ends where a word
// does; 0 when there is no such end or the text is not longer.
size_t whole_words(std::string_view text, int64_t chars) {
  const std::string_view head = text::first_code_points(text, chars);
  if (head.size() == text.size()) return 0;
  size_t end = 0;
  bool in_word = false;
  for (size_t at = 0; at <= head.size();) {
    const bool space = text::is_python_space(text::decode_utf8(text, at).value);
    if (space && in_word) end = at;
    in_word = !space;
    at += text::decode_utf8(text, at).size;
  }
  return end;
}

struct Cut {
  std::string context = {},
              continuation = {};  // the continuation begins with the whitespace between them
};

std::optional<Cut> cut(const std::string& text, const ClozeSpec& spec) {
  const std::string_view body = text::trim(text);
  const size_t context = whole_words(body, spec.context_chars);
  if (context == 0) return std::nullopt;
  const std::string_view rest = body.substr(context);
  size_t continuation = whole_words(rest, spec.continuation_chars);
  if (continuation == 0) continuation = rest.size();  // the document ends there
  const auto length = text::count_code_points(rest.substr(0, continuation));
  if (2 * length < spec.continuation_chars || length > 2 * spec.continuation_chars)
    return std::nullopt;
  return Cut{std::string(body.substr(0, context)), std::string(rest.substr(0, continuation))};
}

}  // namespace

std::unique_ptr<Task> make_cloze_task(const TaskSpec& spec, const Sources& sources) {
  std::vector<ChoiceItem> items;
  std::vector<Part> parts;
  OrderedJson settings = {{"context_chars", spec.cloze.context_chars},
                          {"continuation_chars", spec.cloze.continuation_chars},
                          {"choices", spec.cloze.choices},
                          {"seed", sources.seed},
                          {"chance", 1.0 / static_cast<double>(spec.cloze.choices)}};
  if (sources.dataset.empty())
    return std::make_unique<ChoiceTask>(spec, items, parts, "no dataset was given (--dataset)",
                                        settings);
  auto held = load_heldout(sources.dataset, sources.seed);
  settings["data"] = held.content;
  std::string none;
  for (size_t l = 0; l < spec.languages.size(); ++l) {
    const std::string& language = spec.languages[l];
    struct Source {
      std::string id;
      Cut cut;
    };
    std::vector<Source> usable;
    for (const auto& document : held.by_language[language])
      if (auto found = cut(document.text, spec.cloze))
        usable.push_back({document.id, std::move(*found)});

    Part part{.name = language,
              .begin = static_cast<int64_t>(items.size()),
              .end = static_cast<int64_t>(items.size())};
    std::vector<ChoiceItem> made;
    for (const Source& source : usable) {
      Rng rng = Rng::stream(static_cast<uint64_t>(sources.seed), "cloze " + source.id);
      std::vector<std::string> offered = {source.cut.continuation};
      // Boilerplate repeats: only texts that differ are offered. Bounded, for corpora that are all
      // alike.
      for (int64_t tries = 0; tries < 50 * spec.cloze.choices &&
                              static_cast<int64_t>(offered.size()) < spec.cloze.choices;
           ++tries) {
        const auto& other = usable[rng.below(usable.size())].cut.continuation;
        if (std::find(offered.begin(), offered.end(), other) == offered.end())
          offered.push_back(other);
      }
      if (static_cast<int64_t>(offered.size()) < spec.cloze.choices) continue;
      ChoiceItem item{.id = source.id, .gold = rng.below(offered.size())};
      std::swap(offered[0], offered[item.gold]);
      item.contexts = {source.cut.context};
      for (const auto& choice : offered) {
        item.continuations.push_back(choice);
        item.lengths.push_back(text::count_code_points(text::trim(choice)));
      }
      made.push_back(std::move(item));
    }
    part.total = static_cast<int64_t>(made.size());
    if (made.empty()) {
      part.not_run = "too few held-out documents in language '" + language + "' of " +
                     std::to_string(spec.cloze.context_chars + spec.cloze.continuation_chars) +
                     " characters or more";
      none = part.not_run;
    }
    made.resize(static_cast<size_t>(share_of_limit(sources, static_cast<int64_t>(l),
                                                   static_cast<int64_t>(spec.languages.size()),
                                                   part.total)));
    for (auto& item : made) items.push_back(std::move(item));
    part.end = static_cast<int64_t>(items.size());
    parts.push_back(part);
  }
  return std::make_unique<ChoiceTask>(spec, std::move(items), parts, items.empty() ? none : "",
                                      settings);
}

}  // namespace helio::eval
