// .case files: an operator's behaviour as text, beside its source.
//
//   # comment
//   options: {min_words: 3}            begins a case; the options in YAML ($FIXTURES is the folder)
//   in   {"id": "1", "text": "..."}    a document: id, text, and what else it needs
//   out  1 kept                        what becomes of it, one line a document:
//   out  2 dropped too_few_words 2       ID dropped REASON VALUE
//   out  3 kept text "..." language ko   ID kept and what changed; in the order left in
//   error  unknown key 'min_word'      or the error's message, when the options are wrong
//
// HELIO_ACCEPT=1 writes what is the case now into the files, for review.
#pragma once

#include <string>
#include <vector>

namespace helio::data {

struct Case {
  int line = 0;  // of its options
  std::string options = {};
  std::vector<std::string> in = {};        // JSON
  std::vector<std::string> expected = {};  // "out  ..." and "error  ..." lines
};

struct CaseFile {
  std::vector<std::string> lines = {};  // as they stand, for rewriting
  std::vector<Case> cases = {};
};

CaseFile parse_case_file(const std::string& text, const std::string& source);

// What the operator does with the case, in the lines' form.
std::vector<std::string> play(const std::string& op, const Case& item);

// The file with each case's expectation replaced by what play says.
std::string accepted(const CaseFile& file, const std::string& op);

}  // namespace helio::data
