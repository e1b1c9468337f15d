// Add vocabulary (Korean, say) to a model's tokenizer: every old id and merge stays.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "core/version.h"
#include "data/memory_size.h"
#include "text/extend_tokenizer.h"
#include "text/fertility.h"
#include "text/line_batches.h"

namespace helio::cli {
namespace {

class TokenizerExtend final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"base"},
        .required = {"base", "add"},
        .examples = {"helio tokenizer extend models/llama-3 --corpus korean.jsonl.zst --add 8000 "
                     "--script hangul --out tokenizers/llama-3-ko",
                     "helio tokenizer extend models/solar --dataset workspace/datasets/ko --add "
                     "8000 --out tokenizers/solar-ko",
                     "helio tokenizer extend models/mistral --corpus part-*.jsonl.zst --add 4000 "
                     "--dry-run"}};
  }

  void describe(Fields& f) override {
    f.input("base", base_, "tokenizer.json to start from, or the model's folder.");
    f("corpus", corpus_, "Files of new text: JSONL (a row a document) or text, .gz and .zst too.");
    f.input("dataset", dataset_, "Or a dataset folder of new text.");
    f("split", split_, "Split of the dataset to learn from; empty: all of it.");
    f("field", field_, "Field of a JSONL row that has the text.");
    f("add", options_.add, "New tokens.", between(1, 1'000'000));
    f("script", script_, "Only tokens of these letters: hangul (behind one space at most), or any.",
      one_of({"any", "hangul"}));
    f("min_frequency", options_.min_frequency, "A new token must occur as often in the corpus.",
      at_least(1));
    f("max_token_length", options_.max_token_length,
      "Characters a new token has at most; 0: no limit.", at_least(0));
    f("memory", memory_,
      "Memory for counting words: 512M, 4G; the rest waits on the disk. Empty: no limit.");
    f("threads", threads_, "Threads; 0: all. They do not change the result.", between(0, 256));
    f("dry_run", dry_run_, "Say what would be added and write nothing.");
    f.output("out", out_, "tokenizers", "Folder to write.");
  }

  int run(Context& context) override {
    if (!dry_run_ && out_.empty())
      throw Error(ErrorKind::usage, "give a folder to write").with_hint("--out DIR, or --dry-run");
    if (dataset_.empty() == corpus_.empty())
      throw Error(ErrorKind::usage, "give either files or a dataset of new text")
          .with_hint("--corpus FILES, or --dataset DIR");
    options_.letters = script_ == "hangul" ? text::TokenLetters::hangul : text::TokenLetters::any;
    options_.threads = text::thread_count(threads_);
    const text::TokenizerExtender extender(base_);
    text::WordSource source{.field = field_, .threads = threads_};
    if (dataset_.empty()) {
      for (const auto& file : corpus_) source.files.emplace_back(file);
    } else {
      source.files = text::dataset_parts(dataset_);
      source.split = split_;
    }
    if (!memory_.empty()) source.memory = data::parse_memory(memory_);
    const fs::path target = dry_run_ ? fs::temp_directory_path() / "helio-extend" : fs::path(out_);
    StagedDir staged(target);
    source.overflow = staged.path() / "words";
    text::ExtendedTokenizer extended;
    Corpus corpus;
    {
      const auto counted = count_words_of(source, extender.cutter(), context.monitor, context.stop);
      if (counted.words == 0)
        throw Error(ErrorKind::invalid, "there is no text to learn from")
            .with_hint(dataset_.empty() ? "the files have no documents"
                                        : "the dataset has no documents in split '" + split_ + "'");
      corpus = {counted.documents, counted.bytes, counted.words};
      extended = extender.extend(counted, options_, context.monitor, context.stop);
    }
    if (!dry_run_) {
      for (const auto& name : write_extended_folder(staged.path(), base_, extended))
        context.monitor.note(name + " is left out: it holds the old vocabulary");
      seal(staged.path(), extended, corpus);
      context.stop.check();
      staged.commit();
    }
    if (static_cast<int64_t>(extended.tokens.size()) < options_.add)
      context.monitor.warn(
          fmt::format("{} tokens were added, not {}: nothing else that is allowed "
                      "occurs {} times or more",
                      extended.tokens.size(), options_.add, options_.min_frequency));
    report(context, extender.base(), extended, corpus);
    return 0;
  }

 private:
  struct Corpus {
    int64_t documents = 0, bytes = 0, words = 0;
  };

  void report(Context& context, const text::Tokenizer& base,
              const text::ExtendedTokenizer& extended, const Corpus& corpus) const {
    const auto made = text::parse_tokenizer(extended.json, "the extended tokenizer");
    const text::TokenCounter before(base, {}), after(*made, {});
    OrderedJson samples = OrderedJson::array();
    std::string rows;
    const auto row = [&](std::string_view name, int64_t bytes, int64_t old_tokens,
                         int64_t new_tokens) {
      const auto bytes_a_token = [&](int64_t tokens) {
        return tokens == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(tokens);
      };
      samples.push_back({{"text", name},
                         {"bytes", bytes},
                         {"tokens_before", old_tokens},
                         {"tokens_after", new_tokens}});
      rows += fmt::format("  {:<12}{:>14}{:>14}{:>10.2f}{:>10.2f}\n", name,
                          fmt::format("{}", fmt::group_digits(old_tokens)),
                          fmt::format("{}", fmt::group_digits(new_tokens)),
                          bytes_a_token(old_tokens), bytes_a_token(new_tokens));
    };
    row("corpus", corpus.bytes, extended.tokens_before, extended.tokens_after);
    for (const auto& sample : text::fertility_samples())
      row(sample.name, static_cast<int64_t>(sample.text.size()), before.count(sample.text).tokens,
          after.count(sample.text).tokens);
    const int64_t size = extended.base_vocab_size + static_cast<int64_t>(extended.tokens.size());
    if (context.json) {
      context.out << compact({{"base", base_},
                              {"out", out_},
                              {"written", !dry_run_},
                              {"base_vocab_size", extended.base_vocab_size},
                              {"vocab_size", size},
                              {"added", extended.tokens.size()},
                              {"merges", extended.merges},
                              {"documents", corpus.documents},
                              {"words", corpus.words},
                              {"fertility", samples}})
                  << "\n";
      return;
    }
    context.out << fmt::format(
        "{} new tokens behind the {} there were ({} new merges)\n\n"
        "  {:<12}{:>14}{:>14}{:>10}{:>10}\n",
        fmt::group_digits(extended.tokens.size()), fmt::group_digits(extended.base_vocab_size),
        fmt::group_digits(extended.merges), "", "tokens before", "after", "bytes a", "token");
    context.out << rows;
    if (dry_run_) context.out << "\nNothing was written (--dry-run).\n";
    else
      context.out << "\nWritten to " << out_
                  << ". A model needs new rows for the new ids: extension.json has their pieces.\n";
  }

  void seal(const fs::path& dir, const text::ExtendedTokenizer& extended,
            const Corpus& corpus) const {
    fs::path out = out_;
    if (out.filename().empty()) out = out.parent_path();
    Manifest manifest;
    manifest.kind = "tokenizer";
    manifest.name = out.filename().string();
    manifest.made_by = "tokenizer extend";
    manifest.version = version();
    manifest.code = code_hash("text");
    manifest.inputs.push_back(describe_input("base", base_file()));
    for (const auto& file : corpus_) manifest.inputs.push_back(describe_input("corpus", file));
    if (!dataset_.empty()) manifest.inputs.push_back(describe_input("dataset", dataset_));
    manifest.options = {{"split", dataset_.empty() ? "" : split_},
                        {"field", field_},
                        {"add", options_.add},
                        {"script", script_},
                        {"min_frequency", options_.min_frequency},
                        {"max_token_length", options_.max_token_length}};
    manifest.facts = {{"base_vocab_size", extended.base_vocab_size},
                      {"added", extended.tokens.size()},
                      {"merges", extended.merges},
                      {"documents", corpus.documents},
                      {"bytes", corpus.bytes},
                      {"tokens_before", extended.tokens_before},
                      {"tokens_after", extended.tokens_after}};
    seal_artefact(dir, manifest);
  }

  // Of a whole model folder only the tokenizer is an input, unless the folder is an artefact.
  fs::path base_file() const {
    const fs::path base = base_;
    return fs::is_directory(base) && !has_manifest(base) ? base / "tokenizer.json" : base;
  }

  std::string base_ = {}, dataset_ = {}, split_ = "train", field_ = "text", script_ = "any",
              memory_ = {}, out_ = {};
  std::vector<std::string> corpus_ = {};
  text::ExtendOptions options_ = {};
  int64_t threads_ = 0;
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerExtend)
