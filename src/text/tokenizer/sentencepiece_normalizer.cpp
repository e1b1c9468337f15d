#include "text/tokenizer/sentencepiece_normalizer.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/flat_trie.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

class Normalizer final : public NormalizerStep {
 public:
  explicit Normalizer(const Json& json) {
    const char* of = "SentencePiece's normaliser";
    if (const auto map = json.find("precompiled_charsmap"); map != json.end() && !map->is_null())
      map_.emplace(text_member(json, "precompiled_charsmap", of));
    prefix_ = flag_member(json, "add_dummy_prefix", of, true);
    trim_ = flag_member(json, "remove_extra_whitespaces", of, true);
    space_ = flag_member(json, "escape_whitespaces", of, true) ? "\u2581" : " ";
    const Json& list = member(json, "user_defined", of);
    if (!list.is_array()) throw malformed(std::string(of) + ": 'user_defined' must be a list");
    std::vector<std::pair<std::string_view, int32_t>> symbols;
    for (const auto& item : list) {
      if (!item.is_string()) throw malformed(std::string(of) + ": 'user_defined' has no text");
      symbols.emplace_back(item.get_ref<const std::string&>(), 0);
    }
    user_defined_ = FlatTrie(std::move(symbols));
  }

  void apply(AlignedText& text) const override {
    std::string made;
    std::vector<AlignedText::Part> from;
    const bool tracked = text.tracked();
    made.reserve(text.text().size() * 3 / 2 + 8);
    write(text.text(), made, [&](AlignedText::Part part) {
      if (tracked) from.resize(made.size(), part);
    });
    if (tracked) text.rewrite(std::move(made), from);
    else text.set_text(std::move(made));
  }

 private:
  struct Rule {
    size_t size = 0;           // bytes read
    std::string_view by = {};  // what they become
  };

  Rule next(std::string_view text) const {
    size_t longest = 0;
    user_defined_.prefixes(text, [&](size_t size, int32_t) { longest = size; });
    if (longest > 0) return {longest, text.substr(0, longest)};
    if (map_)
      if (const auto entry = map_->longest(text)) return {entry->size, entry->by};
    const size_t size = decode_utf8(text, 0).size;
    return {size, text.substr(0, size)};
  }

  // Calls wrote(part) after each addition to `out`, with what it was made of.
  template <class Wrote>
  void write(std::string_view text, std::string& out, Wrote&& wrote) const {
    size_t at = 0;
    if (trim_)
      while (at < text.size()) {
        const Rule rule = next(text.substr(at));
        if (rule.by != " ") break;
        at += rule.size;
      }
    if (at == text.size()) return;
    if (prefix_) {
      out += space_;
      wrote({at, at});
    }
    bool after_space = trim_;
    while (at < text.size()) {
      const Rule rule = next(text.substr(at));
      std::string_view by = rule.by;
      while (after_space && by.starts_with(' ')) by.remove_prefix(1);
      for (const char c : by)
        if (c == ' ') out += space_;
        else out += c;
      wrote({at, at + rule.size});
      if (!by.empty()) after_space = trim_ && by.ends_with(' ');
      at += rule.size;
    }
    if (trim_) {
      while (out.ends_with(space_)) out.resize(out.size() - space_.size());
      wrote({});
    }
  }

  std::optional<Charsmap> map_ = {};
  FlatTrie user_defined_ = {};
  bool prefix_ = true, trim_ = true;
  std::string space_ = {};
};

}  // namespace

std::unique_ptr<NormalizerStep> read_sentencepiece_normalizer(const Json& json) {
  return std::make_unique<Normalizer>(json);
}

}  // namespace helio::text
