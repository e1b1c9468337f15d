// For tests/peers/test_json_schema.py: JSON lines {"schema" or "gbnf", "texts", "draws", "strict"}
// in,
// {"accepted": [bool...], "drawn": [text...], "unfinished": count} or {"error"} out.
//   grammar_tool TOKENIZER SEED   tokens are drawn from this tokenizer's vocabulary
//   grammar_tool time TOKENIZER   milliseconds of CPU to find what a first and a known state allow
#include <ctime>
#include <iostream>
#include <string>

#include "core/error.h"
#include "core/rng.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/json_schema.h"
#include "text/grammar/token_grammar.h"

namespace {

using namespace helio;
using text::GrammarMatcher;

constexpr int kTokens = 240;     // of one text at most
constexpr int kFreeTokens = 40;  // chosen freely, before the ones that come to an end soonest

std::shared_ptr<const text::Grammar> grammar_of(const OrderedJson& row) {
  if (row.contains("gbnf"))
    return std::make_shared<text::Grammar>(text::parse_gbnf(row["gbnf"].get<std::string>(), "g"));
  const auto unlisted = row.value("strict", false) ? text::JsonSchemaOptions::Unlisted::refused
                                                   : text::JsonSchemaOptions::Unlisted::allowed;
  return std::make_shared<text::Grammar>(
      text::json_schema_grammar(row["schema"], {.unlisted = unlisted}));
}

// A text of allowed tokens; nothing when it does not end.
std::optional<std::string> draw(GrammarMatcher matcher, const text::TokenTree& tokens, Rng& rng) {
  std::string out;
  for (int i = 0; i < kTokens && !matcher.at_end(); ++i) {
    if (matcher.complete() && (i > kFreeTokens || rng.below(4) == 0)) return out;
    const auto mask = matcher.allowed();
    std::vector<text::TokenId> choices;
    for (text::TokenId id = 0; id < tokens.vocab_size(); ++id)
      if (mask->has(id)) choices.push_back(id);
    if (choices.empty()) throw Error(ErrorKind::failed, "no token may follow " + out);
    text::TokenId chosen = choices[rng.below(choices.size())];
    if (i > kFreeTokens)
      for (const char* end : {"}", "]", "\"", ",", "null", "true", "0", "1", "9", "-"}) {
        const auto ends = std::find_if(choices.begin(), choices.end(),
                                       [&](text::TokenId id) { return tokens.bytes(id) == end; });
        if (ends == choices.end()) continue;
        chosen = *ends;
        break;
      }
    if (!matcher.accept(chosen)) throw Error(ErrorKind::failed, "an allowed token was refused");
    out += tokens.bytes(chosen);
  }
  if (matcher.complete()) return out;
  return std::nullopt;
}

OrderedJson answer(const OrderedJson& row, const std::shared_ptr<const text::TokenTree>& tokens,
                   Rng& rng) {
  try {
    const auto grammar = std::make_shared<text::TokenGrammar>(grammar_of(row), tokens);
    OrderedJson accepted = OrderedJson::array(), drawn = OrderedJson::array();
    for (const auto& one : row.value("texts", OrderedJson::array())) {
      GrammarMatcher matcher(grammar);
      accepted.push_back(matcher.accept(one.get<std::string>()) && matcher.complete());
    }
    int64_t unfinished = 0;
    for (int64_t i = 0; i < row.value("draws", int64_t(0)); ++i) {
      if (const auto text = draw(GrammarMatcher(grammar), *tokens, rng)) drawn.push_back(*text);
      else ++unfinished;
    }
    return {{"accepted", accepted}, {"drawn", drawn}, {"unfinished", unfinished}};
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
}

double cpu_ms() {
  std::timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void time(const std::string& tokenizer_path) {
  const auto tokenizer = text::load_tokenizer(tokenizer_path);
  double began = cpu_ms();
  const auto took = [&] { return cpu_ms() - std::exchange(began, cpu_ms()); };
  const auto tokens = std::make_shared<text::TokenTree>(*tokenizer);
  std::cout << tokenizer->vocab_size() << " tokens, tree of " << tokens->nodes().size()
            << " nodes: " << took() << " ms\n";
  const auto grammar = std::make_shared<text::TokenGrammar>(
      std::make_shared<text::Grammar>(text::json_object_grammar()), tokens);
  GrammarMatcher matcher(grammar);
  for (const char* text :
       {"", "{", "\"", "na", "me\":", " \"", "a text", "\",", " \"n\": [[", "1"}) {
    if (*text != '\0' && !matcher.accept(std::string_view(text)))
      throw Error(ErrorKind::failed, std::string("refused: ") + text);
    took();
    matcher.allowed();
    const double first = took();
    matcher.allowed();
    std::cout << "after '" << text << "': " << first << " ms, known: " << took() << " ms\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 2) return 2;
  if (words[0] == "time") return time(words[1]), 0;
  const auto tokenizer = text::load_tokenizer(words[0]);
  const auto tokens = std::make_shared<text::TokenTree>(*tokenizer);
  Rng rng(std::stoull(words[1]));
  for (std::string line; std::getline(std::cin, line);)
    std::cout << compact(answer(OrderedJson::parse(line), tokens, rng)) << "\n";
}
