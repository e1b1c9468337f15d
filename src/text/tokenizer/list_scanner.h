// Finds the vocabulary and the merges of a BPE model in the text of a tokenizer.json and reads them
// where they stand. Private to fast_json.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "text/tokenizer/model_lists.h"

namespace helio::text {

class ListScanner {
 public:
  // `text` is valid UTF-8.
  ListScanner(std::string_view text, ModelLists& lists, std::deque<std::string>& unescaped)
      : begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        lists_(lists),
        unescaped_(unescaped) {}

  // Reads "vocab" and "merges" of "model" and gives the text without what is in them; whether that
  // is JSON is for another to say. False when the two are not there once, have errors or anything
  // unusual.
  bool read(std::string& rest);

 private:
  void skip_space();
  bool take(char c);  // behind white space
  bool string(std::string_view& out);
  bool unescape(const char* from, std::string_view& out);
  bool skip_string();
  bool skip_value();
  bool token_id(TokenId& id);
  bool model(std::string& rest);
  bool vocabulary();
  bool merges();
  template <class Member>
  bool members(Member&& member);

  const char *begin_, *at_, *end_;
  const char* kept_ = nullptr;  // up to where the text is in the rest or was left out
  ModelLists& lists_;
  std::deque<std::string>& unescaped_;
};

}  // namespace helio::text
