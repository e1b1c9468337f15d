// A line typed at a terminal: editing, history, characters of two places (Korean) and of several
// code points. Not readline, whose licence would become the program's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace helio::cli {

// The text being edited, without a terminal. Places are bytes at which a character (with what is
// combined with it) begins.
class EditedLine {
 public:
  const std::string& text() const { return text_; }
  size_t cursor() const { return cursor_; }
  void set(std::string text);
  void insert(std::string_view typed);
  void left();
  void right();
  void word_left();
  void word_right();
  void home() { cursor_ = 0; }
  void end() { cursor_ = text_.size(); }
  void erase_left();
  void erase_right();
  void erase_word_left();
  void erase_to_end() { text_.resize(cursor_); }
  void erase_to_begin();

 private:
  size_t before(size_t at) const;
  size_t after(size_t at) const;

  std::string text_ = {};
  size_t cursor_ = 0;
};

// What of a line is shown in `columns` places, and how far from its left the cursor stands.
struct LineView {
  std::string shown = {};
  int cursor = 0;
};
LineView view_of(const EditedLine& line, int columns);

// The terminal on stdin and stdout, keys read one by one until the end of this. Ctrl-C is a key.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  enum class Ended { line, cancelled, end_of_input };  // Enter, Ctrl-C, Ctrl-D
  // Reads a line into `line`; it joins the history.
  Ended read_line(std::string_view prompt, std::string& line);
  // Whether Ctrl-C has been typed; what else has been is kept for the next line.
  bool interrupted();

 private:
  struct Saved;
  int key();  // the next byte; -1: no more
  std::string escape();
  void show(std::string_view prompt, const EditedLine& line);
  bool edit(int byte, EditedLine& line);
  void recall(EditedLine& line, int step);

  Saved* saved_;
  std::string typed_ = {};  // bytes read ahead
  std::vector<std::string> history_ = {};
  size_t recalled_ = 0;
  std::string newest_ = {};  // the line that was left for the history
};

}  // namespace helio::cli
