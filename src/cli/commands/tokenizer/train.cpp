// Train a byte-level BPE tokenizer that HF tokenizers loads with equal ids.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "core/version.h"
#include "data/memory_size.h"
#include "text/bpe_train.h"
#include "text/line_batches.h"

namespace helio::cli {
namespace {

class TokenizerTrain final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"files"},
        .required = {"out"},
        .examples = {"helio tokenizer train --dataset workspace/datasets/corpus --vocab-size "
                     "32000 --out tokenizers/mine",
                     "helio tokenizer train news.jsonl.zst notes.txt --vocab-size 8192 --out "
                     "tokenizers/mine",
                     "helio tokenizer train corpus.jsonl.zst --vocab-size 64000 --pre-tokenizer "
                     "qwen2 --normalizer nfc --memory 4G --out tokenizers/mine"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "Dataset folder to train on.");
    f("split", split_, "Split of the dataset to train on; empty: all of it.");
    f("files", files_,
      "Or files: JSONL (a row a document) or text (a line a document), .gz and .zst too.");
    f("field", field_, "Field of a JSONL row that has the text.");
    f("vocab_size", options_.vocab_size, "Tokens in all, bytes and special tokens included.",
      between(256, 2'000'000));
    f("min_frequency", options_.min_frequency, "A pair must occur as often to be merged.",
      at_least(1));
    f("normalizer", normalizer_, "What is done to text first.", one_of({"none", "nfc"}));
    f("pre_tokenizer", pattern_, "How text is cut into words: the pattern of which model.",
      one_of({"llama3", "qwen2", "gpt2"}));
    f("split_regex", options_.split_regex, "Or your own pattern: what it matches is a word.");
    f("initial_alphabet", alphabet_, "Single bytes in the vocabulary: all, or those of the text.",
      one_of({"bytes", "seen"}));
    f("limit_alphabet", options_.limit_alphabet,
      "At most so many single bytes, the most frequent; 0: no limit.", between(0, 256));
    f("max_token_length", options_.max_token_length,
      "Tokens have fewer bytes (two are always allowed); 0: no limit.", at_least(0));
    f("special_tokens", options_.special_tokens, "First tokens of the vocabulary, in this order.");
    f("eos", roles_.eos, "Special token that ends a document; it is bos too.");
    f("pad", roles_.pad, "Special token that fills batches; empty: none.");
    f("model_max_length", roles_.model_max_length, "Written to tokenizer_config.json.",
      at_least(1));
    f("memory", memory_,
      "Memory for counting words: 512M, 4G; the rest waits on the disk. Empty: no limit.");
    f("max_words", options_.max_words,
      "Train on so many distinct words at most, the most frequent; 0: all.", at_least(0));
    f("threads", threads_, "Threads; 0: all. They do not change the result.", between(0, 256));
    f.output("out", out_, "tokenizers", "Folder to write.");
  }

  int run(Context& context) override {
    if (dataset_.empty() == files_.empty())
      throw Error(ErrorKind::usage, "give either a dataset or files to train on")
          .with_hint("--dataset DIR, or file names");
    read_options();
    text::WordSource source{.field = field_, .threads = threads_};
    Manifest manifest;
    if (dataset_.empty()) {
      for (const auto& file : files_) source.files.emplace_back(file);
    } else {
      source.files = text::dataset_parts(dataset_);
      source.split = split_;
      manifest.inputs.push_back(describe_input("dataset", dataset_));
    }
    const auto cutter = word_cutter(options_);
    StagedDir staged(out_);
    source.overflow = staged.path() / "words";
    if (!memory_.empty()) source.memory = data::parse_memory(memory_);
    auto counted = count_words_of(source, cutter, context.monitor, context.stop);
    const Corpus corpus{counted.documents, counted.bytes, counted.words};
    if (corpus.words == 0)
      throw Error(ErrorKind::invalid, "there is no text to train on")
          .with_hint(dataset_.empty() ? "the files have no documents"
                                      : "the dataset has no documents in split '" + split_ + "'");
    const auto trained = train_bpe(std::move(counted), options_, context.monitor, context.stop);
    write_tokenizer_folder(staged.path(), trained, options_, roles_);
    for (const auto& file : files_) manifest.inputs.push_back(describe_input("files", file));
    seal(staged.path(), manifest, trained, corpus);
    context.stop.check();
    staged.commit();

    const auto size = static_cast<int64_t>(trained.tokens.size());
    if (size < options_.vocab_size)
      context.monitor.warn(
          fmt::format("the vocabulary has {} tokens, not {}: no other pair occurs {} times or more",
                      size, options_.vocab_size, options_.min_frequency));
    if (trained.words_left_out > 0)
      context.monitor.warn(fmt::format(
          "{} distinct words that occur fewer than {} times were left "
          "out: --max-words {}",
          fmt::group_digits(trained.words_left_out), trained.least_count, options_.max_words));
    if (context.json)
      context.out << compact({{"out", out_},
                              {"vocab_size", size},
                              {"merges", trained.merges.size()},
                              {"documents", corpus.documents},
                              {"bytes", corpus.bytes},
                              {"words", corpus.words},
                              {"words_left_out", trained.words_left_out}})
                  << "\n";
    else
      context.out << fmt::format("{} tokens ({} merges) from {} documents, {} distinct words: {}\n",
                                 fmt::group_digits(size), fmt::group_digits(trained.merges.size()),
                                 fmt::group_digits(corpus.documents),
                                 fmt::group_digits(corpus.words), out_);
    return 0;
  }

 private:
  struct Corpus {
    int64_t documents = 0, bytes = 0, words = 0;
  };

  void read_options() {
    using text::Pattern;
    options_.pattern = !options_.split_regex.empty() ? Pattern::regex
                       : pattern_ == "gpt2"          ? Pattern::gpt2
                       : pattern_ == "qwen2"         ? Pattern::qwen2
                                                     : Pattern::llama3;
    options_.form = normalizer_ == "nfc" ? text::TextForm::nfc : text::TextForm::as_written;
    options_.first_tokens =
        alphabet_ == "bytes" ? text::FirstTokens::all_bytes : text::FirstTokens::seen_bytes;
    options_.threads = text::thread_count(threads_);
  }

  void seal(const fs::path& dir, Manifest& manifest, const text::TrainedBpe& trained,
            const Corpus& corpus) const {
    fs::path out = out_;
    if (out.filename().empty()) out = out.parent_path();
    manifest.kind = "tokenizer";
    manifest.name = out.filename().string();
    manifest.made_by = "tokenizer train";
    manifest.version = version();
    manifest.code = code_hash("text");
    manifest.options = {{"split", dataset_.empty() ? "" : split_},
                        {"field", field_},
                        {"vocab_size", options_.vocab_size},
                        {"min_frequency", options_.min_frequency},
                        {"normalizer", normalizer_},
                        {"pre_tokenizer", options_.split_regex.empty() ? pattern_ : "split_regex"},
                        {"split_regex", options_.split_regex},
                        {"initial_alphabet", alphabet_},
                        {"limit_alphabet", options_.limit_alphabet},
                        {"max_token_length", options_.max_token_length},
                        {"max_words", options_.max_words},
                        {"special_tokens", options_.special_tokens},
                        {"eos", roles_.eos},
                        {"pad", roles_.pad},
                        {"model_max_length", roles_.model_max_length}};
    manifest.facts = {{"vocab_size", trained.tokens.size()},
                      {"merges", trained.merges.size()},
                      {"documents", corpus.documents},
                      {"bytes", corpus.bytes},
                      {"words", corpus.words},
                      {"words_left_out", trained.words_left_out}};
    seal_artefact(dir, manifest);
  }

  std::string dataset_ = {}, split_ = "train", field_ = "text", pattern_ = "llama3", out_ = {};
  std::string normalizer_ = "none", alphabet_ = "bytes", memory_ = {};
  std::vector<std::string> files_ = {};
  text::BpeTrainOptions options_ = {};
  text::TokenizerRoles roles_ = {};
  int64_t threads_ = 0;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerTrain)
