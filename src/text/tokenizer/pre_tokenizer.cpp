#include "text/tokenizer/pre_tokenizer.h"

#include <utility>

#include "text/tokenizer/pre_tokenizer_steps.h"
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

using namespace steps;

// Every step may make the text longer, and letters written for bytes double it: real files have
// ten steps and write letters once.
constexpr int kMostSteps = 100, kMostLetters = 4;

Behaviour read_behaviour(const std::string& name) {
  for (const auto& [known, behaviour] :
       {std::pair{"Removed", Behaviour::removed}, std::pair{"Isolated", Behaviour::isolated},
        std::pair{"MergedWithPrevious", Behaviour::merged_with_previous},
        std::pair{"MergedWithNext", Behaviour::merged_with_next},
        std::pair{"Contiguous", Behaviour::contiguous}})
    if (name == known) return behaviour;
  throw unsupported("split behaviour", name,
                    "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

std::string character_member(const Json& json, const char* key, const std::string& of) {
  std::string text = text_member(json, key, of);
  if (count_code_points(text) != 1) throw malformed(of + ": '" + key + "' must be one character");
  return text;
}

PrependScheme read_scheme(const Json& json) {
  PrependScheme scheme = PrependScheme::always;
  const auto said = json.find("prepend_scheme");
  if (said != json.end()) {
    const std::string name = text_member(json, "prepend_scheme", "Metaspace");
    if (name == "first") scheme = PrependScheme::first;
    else if (name == "never") scheme = PrependScheme::never;
    else if (name != "always")
      throw unsupported("Metaspace's prepend_scheme", name, "first, never, always");
  }
  if (!flag_member(json, "add_prefix_space", "Metaspace", true)) {
    if (said != json.end() && scheme != PrependScheme::never)
      throw malformed("Metaspace's add_prefix_space and prepend_scheme contradict each other");
    scheme = PrependScheme::never;
  }
  return scheme;
}

class Reader {
 public:
  Reader(bool normalized, LastLetters last) : rewritten_(normalized), last_(last) {}

  void read(const Json& json, bool is_last) {
    const std::string type = text_member(json, "type", "pre_tokenizer");
    letters_ += type == "ByteLevel" ? 1 : 0;
    if (++steps_read_ > kMostSteps || letters_ > kMostLetters)
      throw malformed("the pre-tokenizer has too many steps (" + std::to_string(kMostSteps) +
                      " may be, " + std::to_string(kMostLetters) + " of them ByteLevel)");
    if (type == "Sequence") {
      const Json& list = member(json, "pretokenizers", "Sequence");
      if (!list.is_array()) throw malformed("Sequence's pretokenizers must be a list");
      for (size_t i = 0; i < list.size(); ++i) read(list[i], is_last && i + 1 == list.size());
    } else if (type == "ByteLevel") {
      read_byte_level(json, is_last);
    } else if (type == "Metaspace") {
      read_metaspace(json);
    } else if (!read_cutter(type, json)) {
      throw unsupported("pre-tokenizer", type,
                        "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, "
                        "Metaspace, Punctuation, Sequence, Split, UnicodeScripts, Whitespace, "
                        "WhitespaceSplit, null");
    }
  }

  ReadPreTokenizer done() { return {std::move(steps_), needs_sources_, whole()}; }

 private:
  template <class Step, class... Arguments>
  void add(Arguments&&... arguments) {
    steps_->add(std::make_unique<Step>(std::forward<Arguments>(arguments)...));
    patterns_.emplace_back();
  }
  void add_pattern(std::unique_ptr<PreTokenizer> step, std::string pattern) {
    steps_->add(std::move(step));
    patterns_.push_back(std::move(pattern));
  }

  KnownSplit whole() const {
    const auto is = [&](std::initializer_list<std::string_view> patterns) {
      return std::equal(patterns_.begin(), patterns_.end(), patterns.begin(), patterns.end());
    };
    if (is({kDigitsAlone, kGpt2Pattern})) return next_of_digits_gpt2;
    if (is({kDeepSeekNumbers, kDeepSeekHan, kDeepSeekPattern})) return next_of_deepseek;
    return patterns_.size() == 1 ? known_split(patterns_[0]) : nullptr;
  }

  void read_byte_level(const Json& json, bool is_last) {
    if (flag_member(json, "add_prefix_space", "ByteLevel", true)) add<PrefixSpace>();
    if (flag_member(json, "use_regex", "ByteLevel", true))
      add_pattern(std::make_unique<KnownPattern>(next_of_gpt2), std::string(kGpt2Pattern));
    if (!is_last || last_ == LastLetters::write) add<Letters>();
    rewritten_ = true;
  }

  void read_metaspace(const Json& json) {
    const std::string replacement = character_member(json, "replacement", "Metaspace");
    const PrependScheme scheme = read_scheme(json);
    // Only where nothing was rewritten can it be seen without sources what the text begins with.
    if (scheme == PrependScheme::first && rewritten_) needs_sources_ = true;
    add<Metaspace>(replacement, scheme);
    if (flag_member(json, "split", "Metaspace", true))
      add<AtText>(replacement, Behaviour::merged_with_next);
    rewritten_ = true;
  }

  bool read_cutter(const std::string& type, const Json& json) {
    if (type == "Split") {
      read_split(json);
    } else if (type == "Digits") {
      const bool alone = flag_member(json, "individual_digits", "Digits", false);
      add_pattern(std::make_unique<Digits>(alone ? Behaviour::isolated : Behaviour::contiguous),
                  alone ? std::string(kDigitsAlone) : "");
    } else if (type == "Whitespace") {
      add<Words>();
    } else if (type == "WhitespaceSplit") {
      add<AtCharacters<is_white_space>>(Behaviour::removed);
    } else if (type == "Punctuation") {
      add<AtCharacters<is_bert_punctuation>>(
          json.contains("behavior") ? read_behaviour(text_member(json, "behavior", "Punctuation"))
                                    : Behaviour::isolated);
    } else if (type == "BertPreTokenizer") {
      add<AtCharacters<is_white_space>>(Behaviour::removed);
      add<AtCharacters<is_bert_punctuation>>(Behaviour::isolated);
    } else if (type == "CharDelimiterSplit") {
      add<AtText>(character_member(json, "delimiter", type), Behaviour::removed);
    } else if (type == "UnicodeScripts") {
      add<Scripts>();
    } else if (type == "FixedLength") {
      const auto length = json.find("length");
      if (length != json.end() && (!length->is_number_unsigned() || length->get<uint64_t>() == 0))
        throw malformed("FixedLength: 'length' must be a whole number above zero");
      add<FixedLength>(length == json.end() ? 5 : length->get<size_t>());
    } else {
      return false;
    }
    return true;
  }

  void read_split(const Json& json) {
    TextPattern pattern(member(json, "pattern", "Split"), "Split");
    const Behaviour behaviour = read_behaviour(text_member(json, "behavior", "Split"));
    const bool invert = flag_member(json, "invert", "Split", false);
    const bool isolated = behaviour == Behaviour::isolated && !invert;
    std::string regex = isolated ? pattern.regex() : "";
    if (const auto known = known_split(regex))
      return add_pattern(std::make_unique<KnownPattern>(known), std::move(regex));
    add_pattern(std::make_unique<RegexPattern>(std::move(pattern), behaviour,
                                               invert ? Invert::yes : Invert::no),
                std::move(regex));
  }

  // As a pattern it would be refused, so that no Split is taken for it.
  static constexpr std::string_view kDigitsAlone = "(each digit alone";

  std::unique_ptr<Sequence> steps_ = std::make_unique<Sequence>();
  std::vector<std::string> patterns_ = {};  // of each step, when it isolates its matches
  int steps_read_ = 0, letters_ = 0;
  bool rewritten_;
  bool needs_sources_ = false;
  LastLetters last_;
};

}  // namespace

bool ends_with_byte_level(const Json& json) {
  if (!json.is_object()) return false;
  const auto type = json.find("type");
  if (type == json.end()) return false;
  if (*type == "ByteLevel") return true;
  const auto list = json.find("pretokenizers");
  return *type == "Sequence" && list != json.end() && list->is_array() && !list->empty() &&
         ends_with_byte_level(list->back());
}

ReadPreTokenizer read_pre_tokenizer(const Json& json, TextBefore before, LastLetters last) {
  Reader reader(before == TextBefore::normalized, last);
  if (!json.is_null()) reader.read(json, true);
  return reader.done();
}

}  // namespace helio::text
