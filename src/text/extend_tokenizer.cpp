#include "text/extend_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/fs.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/json_tokenizer.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/vocabulary.h"
#include "text/train/extended_json.h"
#include "text/train/merge_training.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// Words as sequences of the base's tokens. Characters it lacks are symbols of their own, behind the
// old ids, in the order of their code points.
class BaseWords {
 public:
  BaseWords(const JsonTokenizer& base, Alphabet alphabet) : base_(base), alphabet_(alphabet) {
    scratch_ = base.model().make_scratch();
    for (TokenId id = 0; id < base.vocab_size(); ++id) {
      const auto token = base.model().token(id);
      // What no text is made of must only be distinct.
      tokens_.push_back(token ? std::string(*token) : "\xFF" + std::to_string(id));
    }
    symbols_of_base_ = tokens_.size();
  }

  void find_missing(const CountedWords& words) {
    if (alphabet_ == Alphabet::bytes) return;
    words.for_each([&](std::string_view word, int64_t count) {
      for_each_code_point(word, [&](char32_t code, std::string_view character) {
        const auto found = missing_.find(code);
        if (found != missing_.end()) found->second.count += count;
        else if (!base_.id_of(character)) missing_[code].count = count;
      });
    });
    for (auto& [code, character] : missing_) {
      character.symbol = static_cast<Symbol>(tokens_.size());
      tokens_.push_back(to_utf8(std::u32string_view(&code, 1)));
    }
  }

  void cut(std::string_view word, std::vector<Symbol>& symbols) {
    symbols.clear();
    size_t begin = 0;
    if (!missing_.empty())
      for (size_t at = 0; at < word.size();) {
        const auto point = decode_utf8(word, at);
        const auto found = missing_.find(point.value);
        if (found != missing_.end()) {
          encode(word.substr(begin, at - begin), symbols);
          symbols.push_back(found->second.symbol);
          begin = at + point.size;
        }
        at += point.size;
      }
    encode(word.substr(begin), symbols);
  }

  std::vector<TokenId> ids(std::string_view piece) {
    std::vector<TokenId> ids;
    base_.model().encode(piece, *scratch_, ids);
    return ids;
  }

  struct Missing {
    int64_t count = 0;
    Symbol symbol = 0;
  };
  const std::map<char32_t, Missing>& missing() const { return missing_; }
  std::vector<std::string>& tokens() { return tokens_; }
  size_t symbols_of_base() const { return symbols_of_base_; }

 private:
  void encode(std::string_view part, std::vector<Symbol>& symbols) {
    if (part.empty()) return;
    for (const TokenId id : ids(part)) symbols.push_back(static_cast<Symbol>(id));
  }

  const JsonTokenizer& base_;
  Alphabet alphabet_;
  std::unique_ptr<PieceModel::Scratch> scratch_ = {};
  std::vector<std::string> tokens_ = {};
  std::map<char32_t, Missing> missing_ = {};
  size_t symbols_of_base_ = 0;
};

int64_t count_tokens(const JsonTokenizer& tokenizer, const CountedWords& words) {
  const auto scratch = tokenizer.model().make_scratch();
  int64_t tokens = 0;
  std::vector<TokenId> ids;
  words.for_each([&](std::string_view word, int64_t count) {
    ids.clear();
    tokenizer.model().encode(word, *scratch, ids);
    tokens += static_cast<int64_t>(ids.size()) * count;
  });
  return tokens;
}

fs::path file_of(const fs::path& file_or_dir) {
  return fs::is_directory(file_or_dir) ? file_or_dir / "tokenizer.json" : file_or_dir;
}

}  // namespace

struct TokenizerExtender::Impl {
  std::string source = {};  // names the file in errors
  std::string json = {};
  bool unigram = false;
  Alphabet alphabet = Alphabet::characters;
  std::shared_ptr<const JsonTokenizer> base = {};
  std::unique_ptr<WordCutter> cutter = {};
  // By id: tokens that read as other text than their name (bytes, unknown text) or are added ones.
  std::vector<bool> apart = {};
  std::vector<double> scores = {};  // of a Unigram model, by id

  void read_model(const Json& model);

  bool accepts(const std::string& token, const ExtendOptions& options) const {
    const auto bytes =
        alphabet == Alphabet::bytes ? from_byte_letters(token).value_or(token) : token;
    if (options.max_token_length > 0 && count_code_points(bytes) > options.max_token_length)
      return false;
    return options.letters == TokenLetters::any || is_hangul_token(bytes);
  }
  bool accepts_pair(const std::string& token, Symbol left, Symbol right,
                    const ExtendOptions& options) const {
    // What an added token reads is found before the model sees it.
    if (base->id_of(token) && !base->model().id_of(token)) return false;
    return !is_apart(left) && !is_apart(right) && accepts(token, options);
  }
  bool is_apart(Symbol symbol) const { return symbol < apart.size() && apart[symbol]; }
  Additions choose(BaseWords& words, const std::vector<MergeRule>& rules,
                   const ExtendOptions& options, double all) const;
  void check(const ExtendedTokenizer& extended, const JsonTokenizer& made) const;
};

TokenizerExtender::TokenizerExtender(const fs::path& file_or_dir)
    : TokenizerExtender(read_file(file_of(file_or_dir)), file_of(file_or_dir).string()) {}

TokenizerExtender::TokenizerExtender(std::string json, const std::string& source)
    : impl_(new Impl) {
  impl_->json = std::move(json);
  impl_->source = source;
  in_context([&] { return "reading the tokenizer '" + source + "'"; },
             [&] {
               const Json parsed = parse_json(impl_->json, source);
               impl_->base = std::make_shared<JsonTokenizer>(parsed);
               impl_->alphabet = alphabet_of(parsed);
               impl_->read_model(parsed.at("model"));
             });
  impl_->cutter = std::make_unique<WordCutter>(impl_->base, impl_->alphabet == Alphabet::bytes
                                                                ? WordCutter::AtMarks::leave
                                                                : WordCutter::AtMarks::cut);
}

TokenizerExtender::~TokenizerExtender() = default;
const Tokenizer& TokenizerExtender::base() const { return *impl_->base; }
const WordCutter& TokenizerExtender::cutter() const { return *impl_->cutter; }
void TokenizerExtender::Impl::read_model(const Json& model) {
  const std::string type = piece_model_type(model);
  if (type != "BPE" && type != "Unigram")
    throw unsupported("extending a model of kind", type, "BPE and Unigram");
  unigram = type == "Unigram";
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (model.contains(key) && !model[key].is_null() && model[key] != "")
      throw unsupported("extending a model with", key, "BPE without it");
  apart.resize(static_cast<size_t>(base->vocab_size()));
  for (const auto& token : base->added_tokens()) apart[static_cast<size_t>(token.id)] = true;
  for (size_t id = 0; id < apart.size(); ++id)
    if (const auto token = base->model().token(static_cast<TokenId>(id));
        token && alphabet == Alphabet::characters && byte_of_token(*token))
      apart[id] = true;
  if (const auto unknown = model.find("unk_token"); unknown != model.end() && unknown->is_string())
    if (const auto id = base->model().id_of(unknown->get<std::string>()))
      apart[static_cast<size_t>(*id)] = true;
  if (const auto unknown = model.find("unk_id"); unknown != model.end() && unknown->is_number())
    apart.at(unknown->get<size_t>()) = true;
  if (!unigram) return;
  for (const auto& piece : model.at("vocab")) scores.push_back(piece.at(1).get<double>());
  scores.resize(apart.size());  // added tokens, which no pair has
}

// Characters and merges by their counts, of equals characters first: what a merge needs is then
// there before it.
Additions TokenizerExtender::Impl::choose(BaseWords& words, const std::vector<MergeRule>& rules,
                                          const ExtendOptions& options, double all) const {
  struct Character {
    int64_t count = 0;
    Symbol symbol = 0;
    std::string text = {};
  };
  std::vector<Character> characters;
  for (const auto& [code, missing] : words.missing()) {
    Character character{missing.count, missing.symbol, to_utf8(std::u32string_view(&code, 1))};
    if (missing.count >= options.min_frequency && accepts(character.text, options))
      characters.push_back(std::move(character));
  }
  std::stable_sort(characters.begin(), characters.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });

  const auto first_new = static_cast<Symbol>(words.symbols_of_base());
  struct Known {
    TokenId id = 0;
    std::vector<TokenId> pieces = {};
    double score = 0;
  };
  std::unordered_map<Symbol, Known> known;  // new tokens so far
  const auto look_up = [&](Symbol symbol) -> std::optional<Known> {
    if (symbol < first_new) {
      const auto id = static_cast<TokenId>(symbol);
      return Known{id, {id}, unigram ? scores.at(symbol) : 0};
    }
    const auto found = known.find(symbol);
    if (found == known.end()) return std::nullopt;
    return found->second;
  };
  Additions made;
  const auto add = [&](Symbol symbol, Known token, int64_t count) {
    token.id = static_cast<TokenId>(first_new + made.tokens.size());
    made.tokens.push_back({token.id, words.tokens()[symbol], token.pieces, count});
    made.scores.push_back(token.score);
    known.emplace(symbol, std::move(token));
  };
  const auto is_full = [&] { return static_cast<int64_t>(made.tokens.size()) >= options.add; };
  size_t next = 0;
  const auto add_character = [&] {
    const Character& character = characters[next++];
    add(character.symbol,
        {0, words.ids(character.text), std::log(static_cast<double>(character.count) / all)},
        character.count);
  };
  for (const auto& rule : rules) {
    while (next < characters.size() && characters[next].count >= rule.count && !is_full())
      add_character();
    if (is_full()) break;
    const auto left = look_up(rule.left), right = look_up(rule.right);
    if (!left || !right) continue;  // of a character that is not wanted
    if (!unigram) made.merges.emplace_back(words.tokens()[rule.left], words.tokens()[rule.right]);
    if (rule.made < first_new || known.contains(rule.made)) continue;
    Known token{0, left->pieces,
                std::max(std::log(static_cast<double>(rule.count) / all),
                         left->score + right->score + 0.001)};
    token.pieces.insert(token.pieces.end(), right->pieces.begin(), right->pieces.end());
    add(rule.made, std::move(token), rule.count);
  }
  while (next < characters.size() && !is_full()) add_character();
  return made;
}

// What was promised: the new file reads as a tokenizer in which every old token has its old id.
void TokenizerExtender::Impl::check(const ExtendedTokenizer& extended,
                                    const JsonTokenizer& made) const {
  const auto same = [&](const std::string& token, TokenId id) {
    if (made.id_of(token) != id)
      throw malformed("token '" + token + "' would lose its id " + std::to_string(id))
          .with_hint("a token stands twice in the tokenizer.json, or an id has two of them");
  };
  for (TokenId id = 0; id < base->vocab_size(); ++id)
    if (const auto token = base->model().token(id); token && base->id_of(*token) == id)
      same(std::string(*token), id);
  for (const auto& token : base->added_tokens()) same(token.content, token.id);
  for (const auto& token : extended.tokens) same(token.token, token.id);
}

ExtendedTokenizer TokenizerExtender::extend(const CountedWords& counted,
                                            const ExtendOptions& options, Monitor& monitor,
                                            const StopRequest& stop) const {
  BaseWords base(*impl_->base, impl_->alphabet);
  base.find_missing(counted);
  SymbolWords words;
  std::vector<Symbol> symbols;
  int64_t seen = 0;
  counted.for_each([&](std::string_view word, int64_t count) {
    if (++seen % 65536 == 0) stop.check();
    base.cut(word, symbols);
    if (symbols.size() > 1) words.add(symbols, count);
  });
  ExtendedTokenizer extended;
  extended.base_vocab_size = static_cast<int64_t>(base.symbols_of_base());
  extended.tokens_before = count_tokens(*impl_->base, counted);
  const MergeTrainingOptions merging{
      .tokens = static_cast<int64_t>(base.tokens().size()) + options.add,
      .min_frequency = options.min_frequency,
      .threads = options.threads,
      .accept = [&](std::string_view token, Symbol left, Symbol right) {
        const std::string made(token);
        return impl_->accepts_pair(made, left, right, options);
      }};
  const auto rules = train_merges(std::move(words), base.tokens(), merging, monitor, stop);
  auto additions = impl_->choose(base, rules, options,
                                 static_cast<double>(std::max<int64_t>(1, extended.tokens_before)));
  extended.merges = static_cast<int64_t>(additions.merges.size());
  extended.json = extended_tokenizer_json(impl_->json, *impl_->base, additions);
  extended.tokens = std::move(additions.tokens);
  const JsonTokenizer made(parse_json(extended.json, "the extended " + impl_->source));
  impl_->check(extended, made);
  extended.tokens_after = count_tokens(made, counted);
  return extended;
}

}  // namespace helio::text
