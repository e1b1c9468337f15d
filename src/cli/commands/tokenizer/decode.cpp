// Decode ids: a line of {"text": ...} for each line of {"ids": [...]}.
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/lines.h"
#include "text/token_file.h"
#include "text/tokenizer.h"

namespace helio::cli {
namespace {

class TokenizerDecode final : public Command {
 public:
  Card card() const override {
    return {
        .required = {"tokenizer", "in"},
        .examples = {
            "helio tokenizer decode --tokenizer models/solar --in ids.jsonl --out texts.jsonl"}};
  }

  void describe(Fields& f) override {
    f.input("tokenizer", tokenizer_,
            "Tokenizer file (tokenizer.json, SentencePiece, ...) or a folder that has one.");
    f("in", in_,
      "JSONL with {\"ids\": [...]} a line, or a .bin file of helio tokenizer encode with its "
      ".bin.json.");
    f("out", out_, "JSONL file to write; without it, standard output.");
    f("keep_special", keep_special_, "Write special tokens out instead of leaving them away.");
  }

  int run(Context& context) override {
    if (context.json && out_.empty())
      throw Error(ErrorKind::usage,
                  "--json needs --out: the texts themselves would go to standard output");
    const auto tokenizer = text::load_tokenizer(tokenizer_);
    const auto special = keep_special_ ? text::SpecialTokens::add : text::SpecialTokens::skip;
    std::unique_ptr<LineWriter> writer;
    if (!out_.empty()) writer = std::make_unique<LineWriter>(out_);
    int64_t documents = 0, tokens = 0;
    const auto decode = [&](const std::vector<text::TokenId>& ids) {
      context.stop.check();
      const std::string json = compact({{"text", tokenizer->decode(ids, special)}});
      if (writer) writer->write(json);
      else context.out << json << '\n';
      ++documents;
      tokens += static_cast<int64_t>(ids.size());
    };
    if (in_.ends_with(".bin")) text::read_token_file(in_, tokenizer->vocab_size(), decode);
    else
      read_jsonl(in_, [&](const Json& row, int64_t line) {
        decode(read_ids(row, in_ + ":" + std::to_string(line), tokenizer->vocab_size()));
      });
    if (writer) writer->commit();
    if (context.json)
      context.out << compact({{"out", out_}, {"documents", documents}, {"tokens", tokens}}) << "\n";
    return 0;
  }

 private:
  static std::vector<text::TokenId> read_ids(const Json& row, const std::string& place,
                                             int64_t vocab_size) {
    if (!row.is_object() || !row.contains("ids") || !row["ids"].is_array())
      throw Error(ErrorKind::invalid, place + ": a row must be {\"ids\": [...]}");
    std::vector<text::TokenId> ids;
    for (const auto& id : row["ids"]) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(vocab_size))
        throw Error(ErrorKind::invalid, place + ": " + id.dump() + " is no id of this tokenizer")
            .with_hint("its ids are below " + std::to_string(vocab_size));
      ids.push_back(id.get<text::TokenId>());
    }
    return ids;
  }

  std::string tokenizer_ = {}, in_ = {}, out_ = {};
  bool keep_special_ = false;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerDecode)
