#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/fs.h"
#include "text/formats/tokenizer_file.h"
#include "text/tokenizer/big_pages.h"
#include "text/tokenizer/fast_json.h"
#include "text/tokenizer/json_tokenizer.h"

namespace helio::text {
namespace {

// A whole file in memory of big pages.
class FileBytes {
 public:
  // Nothing when there is any difficulty: read_file() says which.
  static std::optional<FileBytes> read(const fs::path& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    FileBytes bytes;
    struct stat info = {};
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
      bytes.fill(fd, static_cast<size_t>(info.st_size));
    close(fd);
    return bytes.size_ > 0 ? std::optional(std::move(bytes)) : std::nullopt;
  }
  std::string_view text() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    size_t bytes = 0;
    void operator()(char* memory) const { free_big_pages(memory, bytes); }
  };

  // Leaves the size at 0 when the file is not of that size any more.
  void fill(int fd, size_t size) {
    memory_ = std::unique_ptr<char, Free>(static_cast<char*>(allocate_big_pages(size + 1)),
                                          Free{size + 1});
    size_t done = 0;
    while (done <= size) {
      const ssize_t n = ::read(fd, memory_.get() + done, size + 1 - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    size_ = done == size ? size : 0;
  }

  std::unique_ptr<char, Free> memory_ = {nullptr, Free{}};
  size_t size_ = 0;
};

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& file_or_dir) {
  return in_context([&] { return "loading the tokenizer '" + file_or_dir.string() + "'"; },
                    [&]() -> std::unique_ptr<Tokenizer> {
                      const fs::path json = fs::is_directory(file_or_dir)
                                                ? file_or_dir / "tokenizer.json"
                                                : file_or_dir;
                      if (json.filename() == "tokenizer.json" && fs::exists(json)) {
                        if (const auto bytes = FileBytes::read(json))
                          return parse_tokenizer(bytes->text(), json.string());
                        return parse_tokenizer(read_file(json), json.string());
                      }
                      return make_tokenizer(read_tokenizer_file(file_or_dir).document);
                    });
}

namespace {

// A decimal as HF's reader (serde_json) takes it: its digits as an integer, rounded to a double,
// then divided by, or multiplied with, a power of ten. That is off by the last bit now and then,
// and decides between ways to cut a word whose scores have the same sum.
double as_serde_reads(double value) {
  char text[64];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, value);
  uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  for (const char* c = text; problem == std::errc() && c != end; ++c) {
    if (*c == '.') {
      fraction = true;
    } else if (*c >= '0' && *c <= '9') {
      digits = digits * 10 + static_cast<uint64_t>(*c - '0');
      exponent -= fraction;
    } else if (*c == 'e') {
      int more = 0;
      std::from_chars(c[1] == '+' ? c + 2 : c + 1, end, more);
      exponent += more;
      break;
    }
  }
  if (digits == 0 || exponent < -22 || exponent > 22) return value;  // no score of a real file
  double power = 1;                                                  // exact up to 10^22
  for (int i = 0; i < std::abs(exponent); ++i) power *= 10;
  const auto whole = static_cast<double>(digits);
  const double read = exponent < 0 ? whole / power : whole * power;
  return value < 0 ? -read : read;
}

void read_scores_as_hf(Json& json) {
  const auto model = json.find("model");
  if (model == json.end() || !model->is_object() || model->value("type", Json()) != "Unigram")
    return;
  const auto vocabulary = model->find("vocab");
  if (vocabulary == model->end() || !vocabulary->is_array()) return;
  for (Json& entry : *vocabulary)
    if (entry.is_array() && entry.size() == 2 && entry[1].is_number_float())
      entry[1] = as_serde_reads(entry[1].get<double>());
}

}  // namespace

std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, const std::string& source) {
  try {
    FastJson fast;
    if (fast.read(json)) {
      read_scores_as_hf(fast.json);
      return std::make_unique<JsonTokenizer>(fast.json, &fast.lists);
    }
  } catch (const Error&) {
    // Said again below, by the reader that knows of every key of the file.
  }
  Json whole = parse_json(json, source);
  read_scores_as_hf(whole);
  return std::make_unique<JsonTokenizer>(whole);
}

}  // namespace helio::text
