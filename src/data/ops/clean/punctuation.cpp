// ASCII for the punctuation of other scripts, or none of it.
#include <algorithm>
#include <array>

#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

struct Pair {
  char32_t from;
  std::string_view to;
};

constexpr std::array<Pair, 33> kTable = {{
    {U'«', "\""},  {U'´', "'"},   {U'»', "\""},  {U'–', "-"},   {U'—', " - "}, {U'’', "'"},
    {U'“', "\""},  {U'”', "\""},  {U'„', "\""},  {U'…', "..."}, {U'∶', ":"},   {U'━', "-"},
    {U'►', "-"},   {U'、', ","},  {U'。', "."},  {U'〈', "<"},  {U'〉', ">"},  {U'《', "\""},
    {U'》', "\""}, {U'「', "\""}, {U'」', "\""}, {U'【', "["},  {U'】', "]"},  {U'！', "!"},
    {U'％', "%"},  {U'（', "("},  {U'）', ")"},  {U'，', ","},  {U'．', ". "}, {U'：', ":"},
    {U'；', ";"},  {U'？', "?"},  {U'～', "~"},
}};

constexpr bool in_order() {
  for (size_t i = 1; i < kTable.size(); ++i)
    if (kTable[i - 1].from >= kTable[i].from) return false;
  return true;
}
static_assert(in_order());

class Punctuation final : public Map {
 public:
  struct Options {
    std::string mode = "replace";
    void describe(Fields& f) {
      f("mode", mode, "replace: by ASCII; remove: by nothing.", one_of({"replace", "remove"}));
    }
  };

  static OpCard card() {
    return {.about = "Replaces Unicode punctuation by ASCII, or removes it.",
            .source =
                "Dataverse cleaning___unicode___replace_punct and remove_punct (the table of "
                "CCNet), without the full-width digit 1 that stands among them"};
  }

  explicit Punctuation(const Options& options) : remove_(options.mode == "remove") {}

  Verdict apply(Document& document, Counters&) const override {
    std::string out;
    bool changed = false;
    const std::string& text = document.text;
    for (size_t at = 0; at < text.size();) {
      const auto point = text::decode_utf8(text, at);
      const Pair* pair = nullptr;
      if (point.value >= 0x80) {
        const auto found =
            std::lower_bound(kTable.begin(), kTable.end(), point.value,
                             [](const Pair& each, char32_t c) { return each.from < c; });
        if (found != kTable.end() && found->from == point.value) pair = found;
      }
      if (pair && !changed) out.assign(text, 0, at), changed = true;
      if (pair && !remove_) out += pair->to;
      else if (!pair && changed) out.append(text, at, point.size);
      at += point.size;
    }
    if (changed) document.text = std::move(out);
    return keep();
  }

 private:
  bool remove_;
};

}  // namespace

HELIO_OP(Punctuation)

}  // namespace helio::data
