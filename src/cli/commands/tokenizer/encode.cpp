// Encode texts: a line of {"ids": [...]} for each document.
#include <fmt/format.h>

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
    struct Row {
      std::string json = {};
      std::vector<text::TokenId> ids = {};  // for a .bin file
      size_t tokens = 0, bytes = 0;
    };
    while (batches.next(lines)) {
      context.stop.check();
      std::vector<Row> rows(lines.size());
      parallel_slices(lines.size(), threads, 16, [&](size_t begin, size_t end, int) {
        for (size_t i = begin; i < end; ++i) {
          const std::string document = batches.text(lines[i], field_);
          if (offsets_) {
            const auto encoding = tokenizer->encode_with_offsets(document, special);
            rows[i] = {with_offsets(encoding), {}, encoding.ids.size(), document.size()};
            continue;
          }
          auto ids = tokenizer->encode(document, special);
          const size_t tokens_of = ids.size();
          if (packed) rows[i] = {{}, std::move(ids), tokens_of, document.size()};
          else
            rows[i] = {fmt::format("{{\"ids\":[{}]}}", fmt::join(ids, ",")),
                       {},
                       tokens_of,
                       document.size()};
        }
      });
      for (const auto& row : rows) {
        if (packed) packed->add(row.ids);
        else if (writer) writer->write(row.json);
        else context.out << row.json << '\n';
        ++documents;
        tokens += static_cast<int64_t>(row.tokens);
        bytes += static_cast<int64_t>(row.bytes);
      }
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
