#include "text/train/word_cutter.h"

#include <utility>

#include "text/tokenizer/json_tokenizer.h"

namespace helio::text {
namespace {

void visit_between_marks(std::string_view piece, const WordCutter::Visit& visit) {
  constexpr std::string_view kMark = "\u2581";
  size_t begin = 0;
  for (size_t at = piece.find(kMark); at < piece.size(); at = piece.find(kMark, at)) {
    const bool behind_mark = piece.substr(0, at).ends_with(kMark);
    if (at > begin && !behind_mark) {
      visit(piece.substr(begin, at - begin));
      begin = at;
    }
    at += kMark.size();
  }
  if (begin < piece.size()) visit(piece.substr(begin));
}

}  // namespace

WordCutter::WordCutter(std::shared_ptr<const JsonTokenizer> tokenizer, AtMarks at_marks)
    : tokenizer_(std::move(tokenizer)), at_marks_(at_marks) {}

WordCutter::WordCutter(const Json& tokenizer_json)
    : WordCutter(std::make_shared<JsonTokenizer>(tokenizer_json), AtMarks::leave) {}

void WordCutter::cut(std::string_view text, const Visit& visit) const {
  if (at_marks_ == AtMarks::leave) return tokenizer_->for_each_piece(text, visit);
  tokenizer_->for_each_piece(text,
                             [&](std::string_view piece) { visit_between_marks(piece, visit); });
}

}  // namespace helio::text
