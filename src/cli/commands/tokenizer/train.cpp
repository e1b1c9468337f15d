// Train a byte-level BPE or a Unigram tokenizer that HF tokenizers loads with equal ids.
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
#include "text/unigram_train.h"

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
                     "qwen2 --normalizer nfc --memory 4G --out tokenizers/mine",
                     "helio tokenizer train corpus.jsonl.zst --model unigram --vocab-size 32000 "
                     "--normalizer nfkc --out tokenizers/mine"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "Dataset folder to train on.");
    f("split", split_, "Split of the dataset to train on; empty: all of it.");
    f("files", files_,
      "Or files: JSONL (a row a document) or text (a line a document), .gz and .zst too.");
    f("field", field_, "Field of a JSONL row that has the text.");
    f("model", model_, "Byte-level BPE, or a Unigram language model over words marked with U+2581.",
      one_of({"bpe", "unigram"}));
    f("vocab_size", options_.vocab_size, "Tokens in all, bytes and special tokens included.",
      between(256, 2'000'000));
    f("min_frequency", options_.min_frequency, "A pair must occur as often to be merged.",
      at_least(1));
    f("normalizer", normalizer_, "What is done to text first.", one_of({"none", "nfc", "nfkc"}));
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
    f.section("unigram", unigram_, "With model unigram.");
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
    const bool unigram = model_ == "unigram";
    const auto cutter = unigram ? word_cutter(unigram_options()) : word_cutter(options_);
    StagedDir staged(out_);
    source.overflow = staged.path() / "words";
    if (!memory_.empty()) source.memory = data::parse_memory(memory_);
    auto counted = count_words_of(source, cutter, context.monitor, context.stop);
    const Corpus corpus{counted.documents, counted.bytes, counted.words};
    if (corpus.words == 0)
      throw Error(ErrorKind::invalid, "there is no text to train on")
          .with_hint(dataset_.empty() ? "the files have no documents"
                                      : "the dataset has no documents in split '" + split_ + "'");
    const OrderedJson facts = unigram ? train_unigram(std::move(counted), staged.path(), context)
                                      : train_bpe(std::move(counted), staged.path(), context);
    for (const auto& file : files_) manifest.inputs.push_back(describe_input("files", file));
    seal(staged.path(), manifest, facts, corpus);
    context.stop.check();
    staged.commit();
    report(context, facts, corpus);
    return 0;
  }

 private:
  struct Corpus {
    int64_t documents = 0, bytes = 0, words = 0;
  };

  void read_options() {
    check_model();
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

  // A setting of the other model would change nothing; say so.
  void check_model() const {
    const text::BpeTrainOptions bpe;
    const text::UnigramSettings unigram;
    const bool for_bpe = options_.min_frequency != bpe.min_frequency || pattern_ != "llama3" ||
                         !options_.split_regex.empty() || alphabet_ != "bytes" ||
                         options_.limit_alphabet != bpe.limit_alphabet ||
                         options_.max_token_length != bpe.max_token_length ||
                         options_.max_words != bpe.max_words;
    const bool for_unigram = unigram_.unk != unigram.unk ||
                             unigram_.initial_alphabet != unigram.initial_alphabet ||
                             unigram_.max_piece_length != unigram.max_piece_length ||
                             unigram_.seed_size != unigram.seed_size ||
                             unigram_.sub_iterations != unigram.sub_iterations ||
                             unigram_.shrinking_factor != unigram.shrinking_factor;
    if (model_ == "unigram" && for_bpe)
      throw Error(ErrorKind::usage, "a setting of BPE is given with --model unigram")
          .with_hint(
              "min_frequency, pre_tokenizer, split_regex, initial_alphabet, limit_alphabet, "
              "max_token_length and max_words are for bpe");
    if (model_ == "bpe" && for_unigram)
      throw Error(ErrorKind::usage, "a setting of section 'unigram' is given without it")
          .with_hint("add --model unigram");
    if (model_ == "bpe" && normalizer_ == "nfkc")
      throw Error(ErrorKind::usage, "nfkc is for --model unigram")
          .with_hint("byte-level BPE spells every text as it is: none or nfc");
  }

  text::UnigramTrainOptions unigram_options() const {
    using text::UnigramNormalizer;
    return {.vocab_size = options_.vocab_size,
            .special_tokens = options_.special_tokens,
            .normalizer = normalizer_ == "nfkc"  ? UnigramNormalizer::nfkc
                          : normalizer_ == "nfc" ? UnigramNormalizer::nfc
                                                 : UnigramNormalizer::none,
            .settings = unigram_,
            .threads = text::thread_count(threads_)};
  }

  // Both write the folder and return what the manifest and the report say of it.
  OrderedJson train_bpe(text::CountedWords counted, const fs::path& dir, Context& context) const {
    const auto trained =
        text::train_bpe(std::move(counted), options_, context.monitor, context.stop);
    write_tokenizer_folder(dir, trained, options_, roles_);
    if (static_cast<int64_t>(trained.tokens.size()) < options_.vocab_size)
      context.monitor.warn(
          fmt::format("the vocabulary has {} tokens, not {}: no other pair occurs {} times or more",
                      trained.tokens.size(), options_.vocab_size, options_.min_frequency));
    if (trained.words_left_out > 0)
      context.monitor.warn(fmt::format(
          "{} distinct words that occur fewer than {} times were left "
          "out: --max-words {}",
          fmt::group_digits(trained.words_left_out), trained.least_count, options_.max_words));
    return {{"vocab_size", trained.tokens.size()},
            {"merges", trained.merges.size()},
            {"words_left_out", trained.words_left_out}};
  }

  OrderedJson train_unigram(text::CountedWords counted, const fs::path& dir,
                            Context& context) const {
    const auto options = unigram_options();
    std::vector<text::CountedWord> words;
    words.reserve(static_cast<size_t>(counted.words));
    counted.drain([&](std::string_view word, int64_t count) {
      words.push_back({.text = std::string(word), .count = count});
    });
    const auto trained =
        text::train_unigram(std::move(words), options, context.monitor, context.stop);
    write_tokenizer_folder(dir, trained, options, roles_);
    if (static_cast<int64_t>(trained.vocabulary.size()) < options.vocab_size)
      context.monitor.warn(
          fmt::format("the vocabulary has {} tokens, not {}: the text supports no more pieces",
                      trained.vocabulary.size(), options.vocab_size));
    return {{"vocab_size", trained.vocabulary.size()}, {"seed_pieces", trained.seeds}};
  }

  void report(Context& context, const OrderedJson& facts, const Corpus& corpus) const {
    if (context.json) {
      OrderedJson json = {{"out", out_}};
      json.update(facts);
      json.update(
          {{"documents", corpus.documents}, {"bytes", corpus.bytes}, {"words", corpus.words}});
      context.out << compact(json) << "\n";
      return;
    }
    const bool unigram = model_ == "unigram";
    context.out << fmt::format(
        "{} tokens ({} {}) from {} documents, {} distinct words: {}\n",
        fmt::group_digits(facts["vocab_size"].get<int64_t>()),
        fmt::group_digits(facts[unigram ? "seed_pieces" : "merges"].get<int64_t>()),
        unigram ? "seed pieces" : "merges", fmt::group_digits(corpus.documents),
        fmt::group_digits(corpus.words), out_);
  }

  void seal(const fs::path& dir, Manifest& manifest, const OrderedJson& facts,
            const Corpus& corpus) const {
    fs::path out = out_;
    if (out.filename().empty()) out = out.parent_path();
    manifest.kind = "tokenizer";
    manifest.name = out.filename().string();
    manifest.made_by = "tokenizer train";
    manifest.version = version();
    manifest.code = code_hash("text");
    const bool unigram = model_ == "unigram";
    manifest.options = {{"split", dataset_.empty() ? "" : split_},
                        {"field", field_},
                        {"model", model_},
                        {"vocab_size", options_.vocab_size},
                        {"normalizer", normalizer_}};
    if (unigram)
      manifest.options.update({{"unk", unigram_.unk},
                               {"initial_alphabet", unigram_.initial_alphabet},
                               {"max_piece_length", unigram_.max_piece_length},
                               {"seed_size", unigram_.seed_size},
                               {"sub_iterations", unigram_.sub_iterations},
                               {"shrinking_factor", unigram_.shrinking_factor}});
    else
      manifest.options.update(
          {{"min_frequency", options_.min_frequency},
           {"pre_tokenizer", options_.split_regex.empty() ? pattern_ : "split_regex"},
           {"split_regex", options_.split_regex},
           {"initial_alphabet", alphabet_},
           {"limit_alphabet", options_.limit_alphabet},
           {"max_token_length", options_.max_token_length},
           {"max_words", options_.max_words}});
    manifest.options.update({{"special_tokens", options_.special_tokens},
                             {"eos", roles_.eos},
                             {"pad", roles_.pad},
                             {"model_max_length", roles_.model_max_length}});
    manifest.facts = facts;
    manifest.facts.update(
        {{"documents", corpus.documents}, {"bytes", corpus.bytes}, {"words", corpus.words}});
    seal_artefact(dir, manifest);
  }

  std::string dataset_ = {}, split_ = "train", field_ = "text", pattern_ = "llama3", out_ = {};
  std::string model_ = "bpe", normalizer_ = "none", alphabet_ = "bytes", memory_ = {};
  std::vector<std::string> files_ = {};
  text::BpeTrainOptions options_ = {};
  text::UnigramSettings unigram_ = {};
  text::TokenizerRoles roles_ = {};
  int64_t threads_ = 0;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerTrain)
