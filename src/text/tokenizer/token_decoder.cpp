#include "text/tokenizer/token_decoder.h"

#include <algorithm>
#include <utility>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/text_pattern.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Tokens = std::vector<std::string>;

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  if (what.empty()) {  // Rust puts it between all characters
    for_each_code_point(text, [&](char32_t, std::string_view c) { (out += by) += c; });
    return out += by;
  }
  size_t at = 0;
  for (size_t found; (found = text.find(what, at)) != std::string_view::npos;
       at = found + what.size())
    (out += text.substr(at, found - at)) += by;
  return out += text.substr(at);
}

std::string joined(const Tokens& tokens) {
  std::string out;
  for (const auto& token : tokens) out += token;
  return out;
}

size_t bytes_in(const Tokens& tokens) {
  size_t bytes = 0;
  for (const auto& token : tokens) bytes += token.size();
  return bytes;
}

// Less than of a text: every token of a vocabulary may be decoded alone and kept.
constexpr size_t most_decoded(size_t bytes) { return 256 * (bytes + 4); }

// WordPiece's and CTC's: no spaces before punctuation and English contractions.
std::string cleaned(std::string text) {
  constexpr std::pair<const char*, const char*> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  if (text.find(' ') == std::string::npos) return text;
  for (const auto& [what, by] : kRules) text = replaced(text, what, by);
  return text;
}

class ByteLevel final : public DecoderStep {
  void run(Tokens& tokens) const override {
    std::string bytes;
    for (const auto& token : tokens) bytes += from_byte_letters(token).value_or(token);
    tokens.assign(1, repair_utf8(bytes));
  }
};

class Metaspace final : public DecoderStep {
 public:
  enum class First { kept, dropped };  // a mark in the first token
  Metaspace(std::string mark, First first) : mark_(std::move(mark)), first_(first) {}
  void run(Tokens& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replaced(tokens[i], mark_, i == 0 && first_ == First::dropped ? "" : " ");
  }

 private:
  std::string mark_;
  First first_;
};

class ByteFallback final : public DecoderStep {
  void run(Tokens& tokens) const override {
    Tokens out;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (is_valid_utf8(bytes)) out.push_back(bytes);
      else out.insert(out.end(), bytes.size(), "\uFFFD");
      bytes.clear();
    };
    for (auto& token : tokens) {
      if (const auto byte = byte_of_token(token)) {
        bytes.push_back(static_cast<char>(*byte));
        continue;
      }
      flush();
      out.push_back(std::move(token));
    }
    flush();
    tokens = std::move(out);
  }
};

class Fuse final : public DecoderStep {
  void run(Tokens& tokens) const override { tokens.assign(1, joined(tokens)); }
};

class Strip final : public DecoderStep {
 public:
  Strip(std::string character, uint64_t start, uint64_t stop)
      : character_(std::move(character)), start_(start), stop_(stop) {}
  void run(Tokens& tokens) const override {
    for (auto& token : tokens) {
      std::string_view behind = token, before = token;  // what each end leaves
      for (uint64_t i = 0; i < start_ && behind.starts_with(character_); ++i)
        behind.remove_prefix(character_.size());
      for (uint64_t i = 0; i < stop_ && before.ends_with(character_); ++i)
        before.remove_suffix(character_.size());
      const size_t begin = token.size() - behind.size(), end = before.size();
      token.erase(std::max(begin, end)).erase(0, begin);
    }
  }

 private:
  std::string character_;
  uint64_t start_, stop_;
};

class Replace final : public DecoderStep {
 public:
  Replace(TextPattern pattern, std::string by) : pattern_(std::move(pattern)), by_(std::move(by)) {}
  void run(Tokens& tokens) const override {
    for (auto& token : tokens) {
      std::string out;
      size_t at = 0;
      pattern_.for_each_match(token, [&](Match match) {
        out.append(token, at, match.begin - at).append(by_);
        check_made(out.size(), most_decoded(token.size()));
        at = match.end;
      });
      if (at > 0 || !out.empty()) token = out.append(token, at);
    }
  }

 private:
  TextPattern pattern_;
  std::string by_;
};

enum class Cleanup { no, yes };

class WordPiece final : public DecoderStep {
 public:
  WordPiece(std::string prefix, Cleanup cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  void run(Tokens& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      auto& token = tokens[i];
      if (i > 0) {
        if (token.starts_with(prefix_)) token.erase(0, prefix_.size());
        else token.insert(0, " ");
      }
      if (cleanup_ == Cleanup::yes) token = cleaned(std::move(token));
    }
  }

 private:
  std::string prefix_;
  Cleanup cleanup_;
};

class WordEnds final : public DecoderStep {  // BPEDecoder
 public:
  explicit WordEnds(std::string suffix) : suffix_(std::move(suffix)) {}
  void run(Tokens& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replaced(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
  }

 private:
  std::string suffix_;
};

class Ctc final : public DecoderStep {
 public:
  Ctc(std::string pad, std::string delimiter, Cleanup cleanup)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}
  void run(Tokens& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (auto& token : tokens) {
      token = replaced(token, pad_, "");
      if (cleanup_ == Cleanup::yes) token = replaced(cleaned(std::move(token)), delimiter_, " ");
    }
    std::erase_if(tokens, [](const std::string& token) { return token.empty(); });
  }

 private:
  std::string pad_, delimiter_;
  Cleanup cleanup_;
};

std::string one_character(const Json& json, const char* key, const std::string& of) {
  std::string text = text_member(json, key, of);
  if (count_code_points(text) != 1) throw malformed(of + ": '" + key + "' must be one character");
  return text;
}

uint64_t count_member(const Json& json, const char* key) {
  const Json& value = member(json, key, "Strip");
  if (!value.is_number_unsigned())
    throw malformed("Strip: '" + std::string(key) + "' must be a count");
  return value.get<uint64_t>();
}

Cleanup read_cleanup(const Json& json, const std::string& of) {
  return flag_member(json, "cleanup", of, true) ? Cleanup::yes : Cleanup::no;
}

}  // namespace

TokenDecoder::TokenDecoder(const Json& json) {
  read(json);
  if (json.is_null()) return;
  kind_ = Kind::chain;
  if (!names_.empty() && names_[0] == "ByteLevel" &&
      std::all_of(names_.begin() + 1, names_.end(),
                  [](const auto& name) { return name == "Fuse"; }))
    kind_ = Kind::joined_bytes;
  else make_plan();
}

void TokenDecoder::make_plan() {
  Plan plan;
  for (; plan.alone < names_.size(); ++plan.alone) {
    const std::string& name = names_[plan.alone];
    const bool otherwise = name == "Metaspace" || name == "WordPiece";
    if (!otherwise && name != "Replace" && name != "Strip") break;
    if (otherwise) plan.first = Plan::First::otherwise;
  }
  plan.after = plan.alone;
  if (plan.after < names_.size() && names_[plan.after] == "ByteFallback") {
    plan.bytes = Plan::Bytes::fall_back;
    ++plan.after;
  }
  // Steps that see single tokens again have to see them.
  if (plan.after == names_.size() || names_[plan.after] == "Fuse") plan_ = plan;
}

void TokenDecoder::run_steps(size_t begin, size_t end, Tokens& tokens) const {
  const size_t limit = most_decoded(bytes_in(tokens) + tokens.size());
  for (size_t i = begin; i < end; ++i) {
    steps_[i]->run(tokens);
    check_made(bytes_in(tokens), limit);
  }
}

void TokenDecoder::change_alone(Tokens& tokens) const {
  run_steps(0, plan_->alone, tokens);
}

std::string TokenDecoder::finish(std::string text) const {
  if (plan_->after >= steps_.size()) return text;
  Tokens tokens;
  tokens.push_back(std::move(text));
  run_steps(plan_->after + 1, steps_.size(), tokens);
  return tokens.size() == 1 ? std::move(tokens[0]) : joined(tokens);
}

TokenDecoder::~TokenDecoder() = default;

void TokenDecoder::read(const Json& json) {
  if (json.is_null()) return;
  const std::string type = text_member(json, "type", "decoder");
  if (type == "Sequence") {
    const Json& list = member(json, "decoders", "Sequence");
    if (!list.is_array()) throw malformed("Sequence's decoders must be a list");
    for (const auto& step : list) read(step);
    return;
  }
  const auto add = [&](std::unique_ptr<DecoderStep> step) {
    steps_.push_back(std::move(step));
    names_.push_back(type);
  };
  if (type == "ByteLevel") add(std::make_unique<ByteLevel>());
  else if (type == "ByteFallback") add(std::make_unique<ByteFallback>());
  else if (type == "Fuse") add(std::make_unique<Fuse>());
  else if (type == "Metaspace") {
    space_mark_ = one_character(json, "replacement", type);
    const bool never = (json.contains("prepend_scheme") && json["prepend_scheme"] == "never") ||
                       !flag_member(json, "add_prefix_space", type, true);
    add(std::make_unique<Metaspace>(space_mark_,
                                    never ? Metaspace::First::kept : Metaspace::First::dropped));
  } else if (type == "Strip") {
    const std::string content = one_character(json, "content", type);
    add(std::make_unique<Strip>(content, count_member(json, "start"), count_member(json, "stop")));
  } else if (type == "Replace") {
    const Json& pattern = member(json, "pattern", type);
    const std::string by = text_member(json, "content", type);
    if (by == " " && pattern.is_object() && pattern.contains("String"))
      space_mark_ = text_member(pattern, "String", type);
    add(std::make_unique<Replace>(TextPattern(pattern, type), by));
  } else if (type == "WordPiece") {
    add(std::make_unique<WordPiece>(text_member(json, "prefix", type), read_cleanup(json, type)));
  } else if (type == "BPEDecoder") {
    add(std::make_unique<WordEnds>(text_member(json, "suffix", type)));
  } else if (type == "CTC") {
    add(std::make_unique<Ctc>(text_member(json, "pad_token", type),
                              text_member(json, "word_delimiter_token", type),
                              read_cleanup(json, type)));
  } else {
    throw unsupported("decoder", type,
                      "BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, "
                      "Sequence, Strip, WordPiece, null");
  }
}

std::string TokenDecoder::decode(Tokens tokens) const {
  run_steps(0, steps_.size(), tokens);
  return joined(tokens);
}

std::string TokenDecoder::bytes_of(const std::string& token) const {
  const auto has = [&](const char* name) {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  };
  if (names_.empty() || has("ByteLevel")) return from_byte_letters(token).value_or(token);
  if (has("ByteFallback"))
    if (const auto byte = byte_of_token(token)) return std::string(1, static_cast<char>(*byte));
  return space_mark_.empty() ? token : replaced(token, space_mark_, " ");
}

}  // namespace helio::text
