// What HF tokenizers takes characters for, where our own tables (text/unicode.h) are of another
// version of Unicode than the part of it in question.
#pragma once

#include <cstdint>
#include <string>

namespace helio::text {

bool is_bert_control(char32_t code);      // what BertNormalizer's clean_text removes
bool is_combining_mark(char32_t code);    // what StripAccents removes
bool is_nonspacing_mark(char32_t code);   // what BertNormalizer's strip_accents removes
bool is_bert_punctuation(char32_t code);  // what Punctuation and BertPreTokenizer cut at
bool is_word_character(char32_t code);    // \w of Whitespace and of single_word
// A number for each script, kana and Han being one; -1 for characters that go with any.
int script_of(char32_t code);
// Rust's lower case of a character: one or two characters.
void append_lower(std::u32string& out, char32_t code);

}  // namespace helio::text
