#include "text/tokenizer/split_known.h"

#include <iterator>
#include <utility>

#include "text/tokenizer/split_scanner.h"

namespace helio::text {
namespace {

using Letters = Scanner::Letters;

enum class Digits { in_runs, alone };

// Digits that stand alone end the text before them.
template <Digits digits>
bool ends_text(const Scanner::Next& next) {
  return digits == Digits::alone && is_numeric_for_digits(next.fine);
}

template <Digits digits>
size_t gpt2_end(const Scanner& scan, size_t at) {
  const char first = scan.byte(at);
  if (first == '\'') {
    const size_t end = scan.contraction(at, Letters::exact);
    if (end != at) return end;
  }
  Scanner::Next next = scan.at(at);
  if (ends_text<digits>(next)) return next.end;
  if (first == ' ' && next.end < scan.size()) {
    const Scanner::Next second = scan.at(next.end);
    if (second.kind() != SplitClass::space && !ends_text<digits>(second)) next = second;
  }
  switch (next.kind()) {
    case SplitClass::letter:
      return scan.letters(next.end);
    case SplitClass::number:
      return scan.run(next.end, SplitClass::number);
    case SplitClass::other:
      return scan.run(next.end, [](FineClass fine) {
        return coarse(fine) == SplitClass::other &&
               (digits == Digits::in_runs || fine != FineClass::later_number);
      });
    case SplitClass::space:
      break;
  }
  if constexpr (digits == Digits::in_runs) return scan.spaces(at);
  size_t last = at, end = at;
  while (end < scan.size()) {
    const Scanner::Next more = scan.at(end);
    if (ends_text<digits>(more)) return end;
    if (more.kind() != SplitClass::space) return last > at ? last : end;
    last = end;
    end = more.end;
  }
  return end;
}

template <int max_digits>
size_t llama3_end(const Scanner& scan, size_t at) {
  const char first = scan.byte(at);
  if (first == '\'') {
    const size_t end = scan.contraction(at, Letters::any_case);
    if (end != at) return end;
  }
  const Scanner::Next next = scan.at(at);
  if (next.kind() == SplitClass::letter) return scan.letters(next.end);
  if (next.kind() == SplitClass::number) return scan.numbers(next.end, max_digits);
  if (next.end < scan.size() && first != '\r' && first != '\n') {
    const Scanner::Next second = scan.at(next.end);
    if (second.kind() == SplitClass::letter) return scan.letters(second.end);
    if (first == ' ' && second.kind() == SplitClass::other)
      return scan.newlines(scan.run(second.end, SplitClass::other));
  }
  if (next.kind() == SplitClass::other) return scan.newlines(scan.run(next.end, SplitClass::other));
  return scan.lines_or_spaces(at);
}

}  // namespace

size_t next_of_gpt2(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  return split_next<gpt2_end<Digits::in_runs>>(text, at, pieces, room);
}
size_t next_of_digits_gpt2(std::string_view text, size_t& at, std::string_view* pieces,
                           size_t room) {
  return split_next<gpt2_end<Digits::alone>>(text, at, pieces, room);
}
size_t next_of_llama3(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  return split_next<llama3_end<3>>(text, at, pieces, room);
}
size_t next_of_qwen2(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  return split_next<llama3_end<1>>(text, at, pieces, room);
}

KnownSplit known_split(std::string_view pattern) {
  static constexpr std::pair<std::string_view, KnownSplit> kKnown[] = {
      {kGpt2Pattern, next_of_gpt2},
      {kLlama3Pattern, next_of_llama3},
      {kQwen2Pattern, next_of_qwen2},
      {kO200kPattern, next_of_o200k},
      {kTekkenPattern, next_of_tekken}};
  for (const auto& [known, split] : kKnown)
    if (pattern == known) return split;
  return nullptr;
}

void split_all(KnownSplit split, std::string_view text, std::vector<std::string_view>& pieces) {
  std::string_view next[64];
  size_t at = 0;
  while (const size_t count = split(text, at, next, std::size(next)))
    pieces.insert(pieces.end(), next, next + count);
}
void split_gpt2(std::string_view text, std::vector<std::string_view>& pieces) {
  split_all(next_of_gpt2, text, pieces);
}
void split_llama3(std::string_view text, std::vector<std::string_view>& pieces) {
  split_all(next_of_llama3, text, pieces);
}
void split_qwen2(std::string_view text, std::vector<std::string_view>& pieces) {
  split_all(next_of_qwen2, text, pieces);
}

}  // namespace helio::text
