// Encode texts: a line of {"ids": [...]} for each document.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <iterator>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/parallel.h"
#include "text/line_batches.h"
#include "text/token_file.h"
#include "text/tokenizer.h"

namespace helio::cli {
namespace {

std::string with_offsets(const text::Encoding& encoding) {
  std::string out = fmt::format("{{\"ids\":[{}],\"offsets\":[", fmt::join(encoding.ids, ","));
  for (size_t i = 0; i < encoding.characters.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}[{},{}]", i == 0 ? "" : ",",
                   encoding.characters[i].begin, encoding.characters[i].end);
  return out += "]}";
}

// {"ids":[1,2]}
void append_row(std::string& out, const std::vector<text::TokenId>& ids) {
  constexpr size_t kLongest = 11;  // of an id and a comma
  const size_t before = out.size();
  out.resize(before + ids.size() * kLongest + 16);
  char* to = out.data() + before;
  const auto put = [&](std::string_view text) { to = std::copy(text.begin(), text.end(), to); };
  put("{\"ids\":[");
  for (const text::TokenId id : ids) {
    to = std::to_chars(to, to + kLongest, id).ptr;
    *to++ = ',';
  }
  if (!ids.empty()) --to;
  put("]}");
  out.resize(static_cast<size_t>(to - out.data()));
}

class TokenizerEncode final : public Command {
 public:
  Card card() const override {
    return {.required = {"tokenizer", "in"},
            .examples = {"helio tokenizer encode --tokenizer models/solar --in docs.jsonl --field "
                         "text --out ids.jsonl",
                         "helio tokenizer encode --tokenizer tokenizer.json --in lines.txt"}};
  }

  void describe(Fields& f) override {
    f.input("tokenizer", tokenizer_,
            "Tokenizer file (tokenizer.json, SentencePiece, ...) or a folder that has one.");
    f("in", in_, "JSONL (a row a document) or text (a line a document), .gz and .zst too.");
    f("field", field_, "Field of a JSONL row that has the text.");
    f("out", out_,
      "JSONL file to write; without it, standard output. A name that ends in .bin: packed ids, "
      "little endian, uint16 for up to 65,536 ids and else uint32, and NAME.bin.json with the "
      "documents' lengths.");
    f("offsets", offsets_,
      "Write \"offsets\" beside the ids: [begin, end) in characters of the text.");
    f("no_special", no_special_, "Leave out what the post-processor adds (BOS and the like).");
    f("threads", threads_, "Threads; 0: all. They do not change the result.", between(0, 256));
  }

  int run(Context& context) override {
    if (context.json && out_.empty())
      throw Error(ErrorKind::usage,
                  "--json needs --out: the ids themselves would go to standard output");
    const auto tokenizer = text::load_tokenizer(tokenizer_);
    const auto special = no_special_ ? text::SpecialTokens::skip : text::SpecialTokens::add;
    const int threads = text::thread_count(threads_);
    std::unique_ptr<LineWriter> writer;
    std::unique_ptr<text::TokenFileWriter> packed;
    if (out_.ends_with(".bin")) {
      if (offsets_) throw Error(ErrorKind::usage, "a .bin file has no place for --offsets");
      packed = std::make_unique<text::TokenFileWriter>(out_, tokenizer->vocab_size());
    } else if (!out_.empty()) {
      writer = std::make_unique<LineWriter>(out_);
    }
    text::LineBatches batches({in_});
    context.monitor.begin("encode", batches.bytes_total(), "bytes");
    int64_t documents = 0, tokens = 0, bytes = 0;
    std::vector<text::SourceLine> lines;
    std::deque<text::DocumentReader> readers;  // by thread
    for (int i = 0; i < threads; ++i) readers.emplace_back(batches, field_);
    struct Slice {
      std::string rows = {};                             // lines of JSON, or for a .bin file
      std::vector<std::vector<text::TokenId>> ids = {};  // of each document
      size_t tokens = 0, bytes = 0;
    };
    constexpr size_t kSlice = 16;  // documents
    while (batches.next(lines)) {
      context.stop.check();
      std::vector<Slice> slices((lines.size() + kSlice - 1) / kSlice);
      parallel_slices(lines.size(), threads, kSlice, [&](size_t begin, size_t end, int worker) {
        Slice& slice = slices[begin / kSlice];
        auto& reader = readers[static_cast<size_t>(worker)];
        for (size_t i = begin; i < end; ++i) {
          const std::string_view document = *reader.text(lines[i]);
          slice.bytes += document.size();
          if (!packed && i > begin) slice.rows += '\n';
          if (offsets_) {
            const auto encoding = tokenizer->encode_with_offsets(document, special);
            slice.tokens += encoding.ids.size();
            slice.rows += with_offsets(encoding);
            continue;
          }
          auto ids = tokenizer->encode(document, special);
          slice.tokens += ids.size();
          if (packed) slice.ids.push_back(std::move(ids));
          else append_row(slice.rows, ids);
        }
      });
      for (const auto& slice : slices) {
        if (packed)
          for (const auto& ids : slice.ids) packed->add(ids);
        else if (writer) writer->write(slice.rows);
        else context.out << slice.rows << '\n';
        tokens += static_cast<int64_t>(slice.tokens);
        bytes += static_cast<int64_t>(slice.bytes);
      }
      documents += static_cast<int64_t>(lines.size());
      context.monitor.at(batches.bytes_done());
    }
    if (writer) writer->commit();
    if (packed) packed->commit();
    context.monitor.end(fmt::format("{} tokens in {} documents", fmt::group_digits(tokens),
                                    fmt::group_digits(documents)));
    if (context.json)
      context.out << compact({{"out", out_},
                              {"documents", documents},
                              {"tokens", tokens},
                              {"bytes", bytes}})
                  << "\n";
    return 0;
  }

 private:
  std::string tokenizer_ = {}, in_ = {}, field_ = "text", out_ = {};
  bool no_special_ = false, offsets_ = false;
  int64_t threads_ = 0;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerEncode)
