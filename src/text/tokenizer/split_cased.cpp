// The patterns of GPT-4o (o200k) and Mistral (tekken), which look at capital and small letters.
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/split_scanner.h"

namespace helio::text {
namespace {

bool in_upper_set(FineClass fine) {  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
  return fine == FineClass::letter_upper || fine == FineClass::letter_caseless ||
         fine == FineClass::mark;
}
bool in_lower_set(FineClass fine) {  // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
  return fine == FineClass::letter_lower || fine == FineClass::letter_caseless ||
         fine == FineClass::mark;
}

// Where [^\r\n\p{L}\p{N}]?UPPER*LOWER+ , or else [^\r\n\p{L}\p{N}]?UPPER+LOWER* ends, whose first
// character is `first`; `at` when neither matches.
size_t word_end(const Scanner& scan, size_t at, const Scanner::Next& first) {
  const size_t begin = first.kind() == SplitClass::letter ? at : first.end;
  size_t end = begin, both_end = begin;  // behind the last one that is in both sets
  while (end < scan.size()) {
    const Scanner::Next next = scan.at(end);
    if (next.fine == FineClass::letter_lower) return scan.run(next.end, in_lower_set);
    if (!in_upper_set(next.fine)) break;
    end = next.end;
    if (next.fine != FineClass::letter_upper) both_end = end;
  }
  if (both_end > begin) return both_end;  // UPPER* gives back until LOWER+ has one
  // A mark that did for the character before the word is a word, too.
  if (first.fine == FineClass::mark) return first.end;
  return end > begin ? end : at;
}

enum class Contractions { no, yes };

template <Contractions contractions, int max_digits>
size_t cased_end(const Scanner& scan, size_t at) {
  const Scanner::Next first = scan.at(at);
  if (first.kind() == SplitClass::number) return scan.numbers(first.end, max_digits);
  if (first.code != '\r' && first.code != '\n') {
    const size_t end = word_end(scan, at, first);
    if (end != at) {
      if (contractions == Contractions::yes && end < scan.size() && scan.byte(end) == '\'')
        return scan.contraction(end, Scanner::Letters::any_case);
      return end;
    }
    if (first.code == ' ' && first.end < scan.size()) {
      const Scanner::Next second = scan.at(first.end);
      if (second.kind() == SplitClass::other)
        return scan.newlines(scan.run(second.end, SplitClass::other), '/');
    }
  }
  if (first.kind() == SplitClass::other)
    return scan.newlines(scan.run(first.end, SplitClass::other), '/');
  return scan.lines_or_spaces(at);
}

}  // namespace

size_t next_of_o200k(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  return split_next<cased_end<Contractions::yes, 3>>(text, at, pieces, room);
}
size_t next_of_tekken(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  return split_next<cased_end<Contractions::no, 1>>(text, at, pieces, room);
}

}  // namespace helio::text
