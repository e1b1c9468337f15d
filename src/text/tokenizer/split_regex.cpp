#include "text/tokenizer/split_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <new>

#include "core/error.h"
#include "text/tokenizer/younger_characters.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// PCRE2's \s has U+180E, and its \w is not Unicode's: both are written out. What is younger than
// its Unicode is added wherever a property is named.
constexpr std::string_view kSpaceSet =
    R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kWordSet =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";

Error refuse(std::string_view pattern, const std::string& what) {
  return Error(ErrorKind::invalid,
               "split pattern '" + std::string(pattern.substr(0, 200)) + "': " + what)
      .with_hint(
          "supported: literals, groups, (?i:), look-around, classes, \\p{..}, \\s \\S \\d "
          "\\D \\w, and the quantifiers * + ? (greedy, lazy, possessive) and {n,m}");
}

std::string engine_message(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    for (at_ = 0; at_ < pattern_.size(); ++at_) {
      const char c = pattern_[at_];
      if (c == '\\') {
        escape();
      } else if (in_class_) {
        class_character(c);
      } else {
        if (c == '[') {
          in_class_ = true;
          class_begin_ = at_ + 1 + (peek(1) == '^' ? 1 : 0);
        }
        if (c == '(' && peek(1) == '?') check_group();
        if (c == '(' && peek(1) == '*') throw refuse(pattern_, "'(*' is not supported");
        // Ruby reads these three in its own way.
        if (c == '}' && (peek(1) == '+' || peek(1) == '?'))
          throw refuse(pattern_, std::string("'}") + peek(1) + "' is not supported");
        if (c == '{' && peek(1) == ',') throw refuse(pattern_, "'{,' is not supported");
        out_.push_back(c);
      }
    }
    return out_;
  }

 private:
  char peek(size_t ahead) const {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }

  void class_character(char c) {
    if (c == '[') throw refuse(pattern_, "'[' inside a class is not supported");
    if (c == '&' && peek(1) == '&') throw refuse(pattern_, "'&&' in a class is not supported");
    if (c == ']' && at_ > class_begin_) {
      in_class_ = false;
      out_ += younger_;  // last: they are rare
      younger_.clear();
    }
    out_.push_back(c);
  }

  void check_group() const {
    const std::string_view rest = pattern_.substr(at_ + 2);
    for (const auto known : {":", "=", "!", ">", "<=", "<!", "i:", "i)", "-i:", "-i)"})
      if (rest.starts_with(known)) return;
    throw refuse(pattern_, "group '(?" + std::string(rest.substr(0, 2)) + "' is not supported");
  }

  void escape() {
    const char next = peek(1);
    switch (next) {
      case 's':
        set(std::string(kSpaceSet), "", in_class_);
        break;
      case 'w':
        set(word_members(), "", in_class_);
        break;
      case 'S':
      case 'W':
        if (in_class_)
          throw refuse(pattern_, std::string("'\\") + next + "' in a class is not supported");
        set(next == 'S' ? std::string(kSpaceSet) : word_members(), "^", false);
        break;
      case 'd':
      case 'D':
        property("Nd", next == 'd' ? Members::in : Members::out);
        ++at_;
        break;
      case 'p':
      case 'P':
        named_property();
        break;
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'v':
      case 'x':
        copy();
        break;
      default:
        // Escaped punctuation is itself; other letters and digits differ between the engines.
        if (next == '\0') throw refuse(pattern_, "it ends with a backslash");
        if ((next >= '0' && next <= '9') || (next >= 'A' && next <= 'Z') ||
            (next >= 'a' && next <= 'z'))
          throw refuse(pattern_, std::string("'\\") + next + "' is not supported");
        copy();
    }
  }

  enum class Members { in, out };

  static std::string word_members() {
    return std::string(kWordSet) + younger_members("L") + younger_members("M") +
           younger_members("Nd");
  }

  // \p{L}, \P{L}, \p{^L} or \pL.
  void named_property() {
    const bool braced = peek(2) == '{';
    const size_t begin = at_ + (braced ? 3 : 2),
                 end = braced ? pattern_.find('}', begin) : begin + 1;
    if (end > pattern_.size()) throw refuse(pattern_, "a '{' without '}'");
    std::string_view name = pattern_.substr(begin, end - begin);
    bool out = peek(1) == 'P';
    if (name.starts_with('^')) {
      name.remove_prefix(1);
      out = !out;
    }
    at_ = braced ? end : end - 1;
    property(name, out ? Members::out : Members::in);
  }

  void property(std::string_view name, Members members) {
    const std::string written =
        std::string(members == Members::in ? "\\p{" : "\\P{") + std::string(name) + "}";
    const std::string younger = younger_members(name);
    // A class can't be told to lack what a \P{..} in it has: there Unicode 14 stays.
    if (in_class_ || younger.empty()) {
      out_ += written;
      if (members == Members::in) younger_ += younger;
      return;
    }
    out_.append(members == Members::in ? "[\\p{" : "[^\\p{").append(name).append("}");
    out_.append(younger).append("]");
  }

  void copy() {
    size_t length = 2;
    if (peek(2) == '{' && peek(1) == 'x') {
      const size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) throw refuse(pattern_, "a '{' without '}'");
      length = end + 1 - at_;
    }
    // \v is one character to Oniguruma, a set to PCRE2.
    if (peek(1) == 'v') out_ += "\\x0b";
    else out_.append(pattern_, at_, length);
    at_ += length - 1;
  }

  void set(const std::string& members, std::string_view negation, bool bare) {
    if (bare) out_ += members;
    else out_.append("[").append(negation).append(members).append("]");
    ++at_;
  }

  std::string_view pattern_;
  std::string out_ = {}, younger_ = {};
  size_t at_ = 0, class_begin_ = 0;
  bool in_class_ = false;
};

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using Code = std::unique_ptr<pcre2_code, Release<pcre2_code_free>>;

// What matching needs to write to; one for each thread, shared by all patterns.
struct Workspace {
  std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>> data{
      pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>> context{
      pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack_free>> stack{
      pcre2_jit_stack_create(32 << 10, 8 << 20, nullptr)};

  Workspace() {
    if (!data || !context || !stack) throw std::bad_alloc();
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
    pcre2_set_match_limit(context.get(), 10'000'000);
    pcre2_set_heap_limit(context.get(), 64 << 10);  // KiB
  }
};

}  // namespace

std::string translate_pattern(std::string_view pattern) { return Translator(pattern).run(); }

struct SplitRegex::Impl {
  Code code = {};
};

SplitRegex::SplitRegex(const std::string& pattern)
    : pattern_(pattern), impl_(std::make_unique<Impl>()) {
  constexpr size_t kLongest = 1 << 16;
  if (pattern.size() > kLongest) throw refuse(pattern, "it is longer than 64 KiB");
  const std::string translated = translate_pattern(pattern);
  int problem = 0;
  PCRE2_SIZE place = 0;
  const std::unique_ptr<pcre2_compile_context, Release<pcre2_compile_context_free>> context(
      pcre2_compile_context_create(nullptr));
  if (!context) throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  impl_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()),
                                  translated.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                                  &problem, &place, context.get()));
  if (!impl_->code) throw refuse(pattern, engine_message(problem));
  // Where the JIT is not available PCRE2 interprets: slower, the same matches.
  pcre2_jit_compile(impl_->code.get(), PCRE2_JIT_COMPLETE);
}

SplitRegex::~SplitRegex() = default;

void SplitRegex::for_each_match(std::string_view text,
                                const std::function<void(Match)>& found) const {
  static thread_local Workspace workspace;
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t start = 0, last_end = std::string_view::npos;
  while (start <= text.size()) {
    const int count =
        pcre2_match(impl_->code.get(), subject, text.size(), start, PCRE2_NO_UTF_CHECK,
                    workspace.data.get(), workspace.context.get());
    if (count == PCRE2_ERROR_NOMATCH) return;
    if (count < 0)
      throw refuse(pattern_, "matching failed after " + std::to_string(start) +
                                 " bytes: " + engine_message(count));
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(workspace.data.get());
    const Match match{ends[0], ends[1]};
    if (match.end < match.begin || match.begin < start)
      throw refuse(pattern_, "a match that begins before its search is not supported");
    // An empty match right after another match is none, and is stepped over by a character.
    const bool empty = match.begin == match.end;
    if (!(empty && last_end == match.end)) found(match);
    last_end = match.end;
    start = match.end;
    if (empty) {
      if (start >= text.size()) return;
      start += decode_utf8(text, start).size;
    }
  }
}

}  // namespace helio::text
