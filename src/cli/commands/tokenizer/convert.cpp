// Write a tokenizer of any known format as a Hugging Face folder, or back, and check its ids.
#include "text/formats/convert.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "core/parallel.h"
#include "core/version.h"
#include "text/line_batches.h"

namespace helio::cli {
namespace {

class TokenizerConvert final : public Command {
 public:
  Card card() const override {
    return {.positional = {"tokenizer"},
            .required = {"tokenizer", "out"},
            .examples = {"helio tokenizer convert tokenizer.model --out tokenizers/llama",
                         "helio tokenizer convert tokenizers/mine --to tiktoken --out ranks",
                         "helio tokenizer convert ranks.tiktoken --encoding llama3 --out "
                         "tokenizers/llama3 --check corpus.jsonl.zst"}};
  }

  void describe(Fields& f) override {
    f.input("tokenizer", tokenizer_,
            "Tokenizer file or folder: tokenizer.json, SentencePiece's .model, tiktoken's ranks, "
            "tekken.json, GGUF, vocab.json with merges.txt, vocab.txt.");
    f("to", to_,
      "What to write: a Hugging Face folder, SentencePiece's tokenizer.model, or tiktoken's ranks.",
      one_of({"tokenizer.json", "sentencepiece", "tiktoken"}));
    f("encoding", encoding_,
      "Split pattern and special tokens of a file of ranks: cl100k_base, o200k_base, llama3, "
      "qwen ...; empty: known by its content.");
    f("check", check_,
      "Texts on which the ids must be the same, beside the built-in ones: JSONL (a row a document) "
      "or text (a line a document), .gz and .zst too.");
    f("near", near_, "Write it although ids differ on some texts, and say on how many.");
    f("field", field_, "Field of a JSONL row that has the text.");
    f("threads", threads_, "Threads; 0: all. They do not change the result.", between(0, 256));
    f.output("out", out_, "tokenizers", "Folder to write.");
  }

  int run(Context& context) override {
    auto source = text::read_tokenizer_file(tokenizer_, {.encoding = encoding_});
    const auto before = text::make_tokenizer(source.document);
    if (source.format == "tokenizer.json") source.roles = load_special_ids(tokenizer_, *before);
    StagedDir staged(out_);
    const auto target = to_ == "sentencepiece" ? text::TokenizerTarget::sentencepiece
                        : to_ == "tiktoken"    ? text::TokenizerTarget::tiktoken
                                               : text::TokenizerTarget::tokenizer_json;
    // The other formats do not say what is put around a text.
    if (target != text::TokenizerTarget::tokenizer_json) special_ = text::SpecialTokens::skip;
    const auto file = write_tokenizer(staged.path(), source, target);
    const auto after = text::load_tokenizer(file);
    check(*before, *after, check_texts(*before));
    if (!check_.empty()) check_files(*before, *after, context);
    if (differences_ > 0) {
      const std::string what =
          fmt::format("{} of {} texts have other ids; {}", fmt::group_digits(differences_),
                      fmt::group_digits(documents_), first_);
      if (!near_)
        throw Error(ErrorKind::check, what)
            .with_hint("--near writes it all the same, and says how many differ");
      context.monitor.warn(what);
    }
    seal(staged.path(), source, *after);
    context.stop.check();
    staged.commit();
    if (context.json)
      context.out << compact({{"out", out_},
                              {"from", source.format},
                              {"to", to_},
                              {"vocab_size", after->vocab_size()},
                              {"checked_texts", documents_},
                              {"different_texts", differences_}})
                  << "\n";
    else
      context.out << fmt::format(
          "{} ({}) as {}: {} ids, the same on {} of {} texts: {}\n", source.format, source.made_of,
          to_, fmt::group_digits(after->vocab_size()), fmt::group_digits(documents_ - differences_),
          fmt::group_digits(documents_), out_);
    return 0;
  }

 private:
  void check(const text::Tokenizer& before, const text::Tokenizer& after,
             const std::vector<std::string>& texts) {
    std::vector<std::string> found(texts.size());
    parallel_slices(texts.size(), text::thread_count(threads_), 16,
                    [&](size_t begin, size_t end, int) {
                      for (size_t i = begin; i < end; ++i)
                        found[i] = difference(before, after, texts[i], special_).value_or("");
                    });
    for (auto& what : found) {
      if (what.empty()) continue;
      if (differences_++ == 0) first_ = std::move(what);
    }
    documents_ += static_cast<int64_t>(texts.size());
  }

  void check_files(const text::Tokenizer& before, const text::Tokenizer& after, Context& context) {
    text::LineBatches batches(std::vector<fs::path>(check_.begin(), check_.end()));
    context.monitor.begin("check", batches.bytes_total(), "bytes");
    std::vector<text::SourceLine> lines;
    while (batches.next(lines)) {
      context.stop.check();
      std::vector<std::string> texts;
      for (const auto& line : lines) texts.push_back(batches.text(line, field_));
      check(before, after, texts);
      context.monitor.at(batches.bytes_done());
    }
    context.monitor.end(fmt::format("{} of {} texts differ", differences_, documents_));
  }

  void seal(const fs::path& dir, const text::TokenizerFile& source,
            const text::Tokenizer& tokenizer) const {
    fs::path out = out_;
    if (out.filename().empty()) out = out.parent_path();
    Manifest manifest;
    manifest.kind = "tokenizer";
    manifest.name = out.filename().string();
    manifest.made_by = "tokenizer convert";
    manifest.version = version();
    manifest.code = code_hash("text");
    manifest.inputs.push_back(describe_input("tokenizer", source.path));
    manifest.options = {{"to", to_}, {"encoding", encoding_}, {"near", near_}};
    manifest.facts = {{"from", source.format},
                      {"vocab_size", tokenizer.vocab_size()},
                      {"different_texts", differences_}};
    seal_artefact(dir, manifest);
  }

  std::string tokenizer_ = {}, to_ = "tokenizer.json", encoding_ = {}, field_ = "text", out_ = {};
  std::vector<std::string> check_ = {};
  bool near_ = false;
  int64_t threads_ = 0, documents_ = 0, differences_ = 0;
  std::string first_ = {};
  text::SpecialTokens special_ = text::SpecialTokens::add;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerConvert)
