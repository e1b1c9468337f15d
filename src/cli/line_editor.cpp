#include "cli/line_editor.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/table.h"
#include "core/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::cli {
namespace {

constexpr int kEscape = 27;
constexpr int kEscapeWait = 50;  // milliseconds in which the rest of a key's bytes comes

bool continues(std::string_view text, size_t at) {
  return (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
}

// Is the character at `at` shown in the places of the one before it? Marks, joiners, and the vowels
// and final consonants of Hangul in letters (NFD).
bool joins(std::string_view text, size_t at) {
  const char32_t code = text::decode_utf8(text, at).value;
  return text::category(code) == text::Category::mark || code == 0x200D || code == 0xFE0F ||
         (code >= 0x1160 && code <= 0x11FF) || (code >= 0xD7B0 && code <= 0xD7FB);
}

void write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(STDOUT_FILENO, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) return;
    if (wrote > 0) text.remove_prefix(static_cast<size_t>(wrote));
  }
}

int terminal_columns() {
  winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

size_t EditedLine::before(size_t at) const {
  while (at > 0) {
    --at;
    if (!continues(text_, at) && !(at > 0 && joins(text_, at))) break;
  }
  return at;
}

size_t EditedLine::after(size_t at) const {
  if (at < text_.size()) ++at;
  while (at < text_.size() && (continues(text_, at) || joins(text_, at))) ++at;
  return at;
}

void EditedLine::set(std::string text) {
  text_ = std::move(text);
  cursor_ = text_.size();
}
void EditedLine::insert(std::string_view typed) {
  text_.insert(cursor_, typed);
  cursor_ += typed.size();
}
void EditedLine::left() { cursor_ = before(cursor_); }
void EditedLine::right() { cursor_ = after(cursor_); }
void EditedLine::word_left() {
  while (cursor_ > 0 && text_[before(cursor_)] == ' ') left();
  while (cursor_ > 0 && text_[before(cursor_)] != ' ') left();
}
void EditedLine::word_right() {
  while (cursor_ < text_.size() && text_[cursor_] == ' ') right();
  while (cursor_ < text_.size() && text_[cursor_] != ' ') right();
}
void EditedLine::erase_left() {
  const size_t from = before(cursor_);
  text_.erase(from, cursor_ - from);
  cursor_ = from;
}
void EditedLine::erase_right() { text_.erase(cursor_, after(cursor_) - cursor_); }
void EditedLine::erase_word_left() {
  const size_t end = cursor_;
  word_left();
  text_.erase(cursor_, end - cursor_);
}
void EditedLine::erase_to_begin() {
  text_.erase(0, cursor_);
  cursor_ = 0;
}

// The part around the cursor, moved so that the cursor is inside.
LineView view_of(const EditedLine& line, int columns) {
  const std::string& text = line.text();
  const std::string_view left = std::string_view(text).substr(0, line.cursor());
  size_t from = 0;
  while (from < left.size() && display_width(left.substr(from)) >= columns) {
    ++from;
    while (from < left.size() && (continues(text, from) || joins(text, from))) ++from;
  }
  size_t end = line.cursor();
  while (end < text.size()) {
    size_t next = end + 1;
    while (next < text.size() && (continues(text, next) || joins(text, next))) ++next;
    if (display_width(std::string_view(text).substr(from, next - from)) >= columns) break;
    end = next;
  }
  return {.shown = text.substr(from, end - from), .cursor = display_width(left.substr(from))};
}

struct Terminal::Saved {
  termios before;
};

Terminal::Terminal() : saved_(new Saved) {
  if (tcgetattr(STDIN_FILENO, &saved_->before) != 0) {
    delete saved_;
    throw system_error("reading the terminal's settings", errno);
  }
  termios raw = saved_->before;
  raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

Terminal::~Terminal() {
  tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_->before);
  delete saved_;
}

int Terminal::key() {
  if (typed_.empty()) {
    char bytes[256];
    ssize_t got = 0;
    do got = read(STDIN_FILENO, bytes, sizeof(bytes));
    while (got < 0 && errno == EINTR);
    if (got <= 0) return -1;
    typed_.assign(bytes, static_cast<size_t>(got));
  }
  const auto first = static_cast<uint8_t>(typed_.front());
  typed_.erase(0, 1);
  return first;
}

bool Terminal::interrupted() {
  pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
    char bytes[256];
    const ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (got <= 0) break;
    typed_.append(bytes, static_cast<size_t>(got));
  }
  const size_t at = typed_.find('\x03');
  if (at == typed_.npos) return false;
  typed_.erase(0, at + 1);  // what was typed before it was given up, too
  return true;
}

// The bytes behind an escape: "[D", "OH", "[3~", "b".
std::string Terminal::escape() {
  std::string bytes;
  const auto more = [&] {
    pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (typed_.empty() && poll(&ready, 1, kEscapeWait) <= 0) return false;
    const int byte = key();
    if (byte < 0) return false;
    bytes += static_cast<char>(byte);
    return true;
  };
  if (!more() || (bytes[0] != '[' && bytes[0] != 'O')) return bytes;
  while (bytes.size() < 16 && more())
    if (bytes.back() >= '@' && bytes.back() <= '~') break;
  return bytes;
}

void Terminal::show(std::string_view prompt, const EditedLine& line) {
  const int width = display_width(prompt);
  const LineView view = view_of(line, std::max(8, terminal_columns() - width));
  std::string out = "\r" + std::string(prompt) + view.shown + "\x1b[K\r";
  if (width + view.cursor > 0) out += "\x1b[" + std::to_string(width + view.cursor) + "C";
  write_out(out);
}

void Terminal::recall(EditedLine& line, int step) {
  if (step < 0 ? recalled_ == 0 : recalled_ == history_.size()) return;
  if (recalled_ == history_.size()) newest_ = line.text();
  recalled_ = step < 0 ? recalled_ - 1 : recalled_ + 1;
  line.set(recalled_ == history_.size() ? newest_ : history_[recalled_]);
}

bool Terminal::edit(int byte, EditedLine& line) {
  constexpr auto control = [](char letter) { return letter - 'A' + 1; };
  if (byte == kEscape) {
    const std::string key = escape();
    if (key == "[D" || key == "OD") line.left();
    else if (key == "[C" || key == "OC") line.right();
    else if (key == "[A" || key == "OA") recall(line, -1);
    else if (key == "[B" || key == "OB") recall(line, 1);
    else if (key == "[H" || key == "OH" || key == "[1~") line.home();
    else if (key == "[F" || key == "OF" || key == "[4~") line.end();
    else if (key == "[3~") line.erase_right();
    else if (key == "b" || key == "[1;5D") line.word_left();
    else if (key == "f" || key == "[1;5C") line.word_right();
    return true;
  }
  switch (byte) {
    case 8:
    case 127:
      line.erase_left();
      return true;
    case control('A'):
      line.home();
      return true;
    case control('B'):
      line.left();
      return true;
    case control('D'):
      line.erase_right();
      return true;
    case control('E'):
      line.end();
      return true;
    case control('F'):
      line.right();
      return true;
    case control('K'):
      line.erase_to_end();
      return true;
    case control('L'):
      write_out("\x1b[H\x1b[2J");
      return true;
    case control('N'):
      recall(line, 1);
      return true;
    case control('P'):
      recall(line, -1);
      return true;
    case control('U'):
      line.erase_to_begin();
      return true;
    case control('W'):
      line.erase_word_left();
      return true;
    default:
      break;
  }
  if (byte < 0x20) {
    if (byte == '\t') line.insert(" ");
    return true;
  }
  // All bytes of a character together: it is shown once it is whole.
  std::string typed(1, static_cast<char>(byte));
  const int size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
  for (int i = 1; i < size; ++i) {
    const int next = key();
    if (next < 0) return false;
    typed += static_cast<char>(next);
  }
  if (text::is_valid_utf8(typed)) line.insert(typed);
  return true;
}

Terminal::Ended Terminal::read_line(std::string_view prompt, std::string& line) {
  EditedLine edited;
  recalled_ = history_.size();
  newest_.clear();
  show(prompt, edited);
  while (true) {
    const int byte = key();
    if (byte == '\r' || byte == '\n') break;
    if (byte == 3) {
      write_out("\n");
      return Ended::cancelled;
    }
    const bool ends = byte < 0 || (byte == 4 && edited.text().empty());
    if (ends || !edit(byte, edited)) {
      write_out("\n");
      return Ended::end_of_input;
    }
    // A pasted text is drawn once, at its end.
    if (typed_.empty() || typed_.front() == '\r' || typed_.front() == '\n') show(prompt, edited);
  }
  write_out("\n");
  line = edited.text();
  if (!line.empty() && (history_.empty() || history_.back() != line)) history_.push_back(line);
  return Ended::line;
}

}  // namespace helio::cli
