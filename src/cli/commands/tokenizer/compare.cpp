// How finely tokenizers cut the same texts: tokens a word and a character, bytes a token.
#include <fmt/format.h>

#include <map>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/parallel.h"
#include "text/fertility.h"
#include "text/line_batches.h"
#include "text/tokenizer.h"

namespace helio::cli {
namespace {

double ratio(int64_t a, int64_t b) { return b == 0 ? 0 : double(a) / double(b); }

class TokenizerCompare final : public Command {
 public:
  Card card() const override {
    return {.positional = {"tokenizers"},
            .required = {"tokenizers"},
            .examples = {"helio tokenizer compare tokenizers/mine models/smollm2",
                         "helio tokenizer compare mine other.json --in korean.jsonl.zst "
                         "english.jsonl.zst code.txt",
                         "helio tokenizer compare mine other --in corpus.jsonl --by language"}};
  }

  void describe(Fields& f) override {
    f("tokenizers", tokenizers_, "Tokenizer files or folders that have one.");
    f("in", in_,
      "Texts to cut: JSONL (a row a document) or text (a line a document), .gz and .zst too. "
      "Without them: built-in pages of Korean, English and code.");
    f("field", field_, "Field of a JSONL row that has the text.");
    f("by", by_, "Field of a JSONL row by which texts are told apart; empty: by file.");
    f("threads", threads_, "Threads; 0: all. They do not change the result.", between(0, 256));
  }

  int run(Context& context) override {
    for (const auto& path : tokenizers_) load(path);
    if (in_.empty()) take_samples();
    else read_files(context);
    if (groups_.empty())
      throw Error(ErrorKind::invalid, "there is no text to cut")
          .with_hint("the files have no documents");
    if (context.json) context.out << compact(as_json()) << "\n";
    else print(context.out);
    return 0;
  }

 private:
  struct Loaded {
    std::string path;
    std::unique_ptr<text::Tokenizer> tokenizer;
    text::TokenCounter counter;
  };
  struct Group {
    text::TextSize size = {};
    std::vector<text::TokenCount> counts = {};  // by tokenizer
    void add(const Group& other) {
      size.add(other.size);
      counts.resize(other.counts.size());
      for (size_t i = 0; i < counts.size(); ++i) counts[i].add(other.counts[i]);
    }
  };

  void load(const std::string& path) {
    auto tokenizer = text::load_tokenizer(path);
    const auto unknown = load_special_ids(path, *tokenizer).unk;
    text::TokenCounter counter(*tokenizer, unknown);
    loaded_.push_back({path, std::move(tokenizer), std::move(counter)});
  }

  Group measure(std::string_view document) const {
    Group one{.size = text::size_of(document)};
    for (const auto& loaded : loaded_) one.counts.push_back(loaded.counter.count(document));
    return one;
  }

  void take_samples() {
    for (const auto& sample : text::fertility_samples()) {
      names_.push_back(sample.name);
      groups_[sample.name].add(measure(sample.text));
    }
  }

  void read_files(Context& context) {
    const int threads = text::thread_count(threads_);
    text::LineBatches batches(std::vector<fs::path>(in_.begin(), in_.end()));
    context.monitor.begin("compare", batches.bytes_total(), "bytes");
    std::vector<text::SourceLine> lines;
    while (batches.next(lines)) {
      context.stop.check();
      std::vector<std::pair<std::string, Group>> measured(lines.size());
      parallel_slices(lines.size(), threads, 16, [&](size_t begin, size_t end, int) {
        for (size_t i = begin; i < end; ++i)
          measured[i] = {group_of(batches, lines[i]), measure(batches.text(lines[i], field_))};
      });
      for (const auto& [name, group] : measured) {
        const auto [place, is_new] = groups_.try_emplace(name);
        if (is_new) names_.push_back(name);
        place->second.add(group);
      }
      context.monitor.at(batches.bytes_done());
    }
    context.monitor.end(fmt::format("{} groups of texts", groups_.size()));
  }

  std::string group_of(const text::LineBatches& batches, const text::SourceLine& line) const {
    if (by_.empty() || !batches.is_jsonl(line)) return in_[line.file];
    return in_context([&] { return batches.place(line); },
                      [&] { return text::row_text(batches.row(line), by_); });
  }

  OrderedJson as_json() const {
    OrderedJson groups = OrderedJson::array(), vocabularies = OrderedJson::array();
    for (const auto& name : names_) {
      const Group& group = groups_.at(name);
      OrderedJson rows = OrderedJson::array();
      for (size_t i = 0; i < loaded_.size(); ++i) {
        const auto& count = group.counts[i];
        rows.push_back({{"tokenizer", loaded_[i].path},
                        {"tokens", count.tokens},
                        {"tokens_per_word", ratio(count.tokens, group.size.words)},
                        {"tokens_per_character", ratio(count.tokens, group.size.characters)},
                        {"bytes_per_token", ratio(group.size.bytes, count.tokens)},
                        {"partial_tokens", count.parts},
                        {"unknown_tokens", count.unknown}});
      }
      groups.push_back({{"name", name},
                        {"documents", group.size.documents},
                        {"bytes", group.size.bytes},
                        {"characters", group.size.characters},
                        {"words", group.size.words},
                        {"tokenizers", std::move(rows)}});
    }
    for (const auto& loaded : loaded_) {
      OrderedJson scripts = OrderedJson::object();
      for (size_t i = 0; i < text::kTokenScripts; ++i)
        scripts[name_of(text::TokenScript(i))] = loaded.counter.scripts()[i];
      vocabularies.push_back({{"tokenizer", loaded.path},
                              {"vocab_size", loaded.tokenizer->vocab_size()},
                              {"scripts", std::move(scripts)}});
    }
    return {{"groups", std::move(groups)}, {"vocabularies", std::move(vocabularies)}};
  }

  void print(std::ostream& out) const {
    size_t width = 10;
    for (const auto& loaded : loaded_) width = std::max(width, loaded.path.size());
    for (const auto& name : names_) {
      const Group& group = groups_.at(name);
      out << fmt::format(
          "{}: {} documents, {} words, {} characters, {} bytes\n", name,
          fmt::group_digits(group.size.documents), fmt::group_digits(group.size.words),
          fmt::group_digits(group.size.characters), fmt::group_digits(group.size.bytes));
      out << fmt::format("  {:{}}  {:>12}  {:>11}  {:>11}  {:>11}  {:>9}  {:>7}  {:>9}\n",
                         "tokenizer", width, "tokens", "a word", "a character", "bytes/token",
                         "partial", "unknown", "first = 1");
      for (size_t i = 0; i < loaded_.size(); ++i) {
        const auto& count = group.counts[i];
        out << fmt::format(
            "  {:{}}  {:>12}  {:>11.3f}  {:>11.3f}  {:>11.3f}  {:>8.2f}%  {:>6.2f}%  {:>9.3f}\n",
            loaded_[i].path, width, fmt::group_digits(count.tokens),
            ratio(count.tokens, group.size.words), ratio(count.tokens, group.size.characters),
            ratio(group.size.bytes, count.tokens), 100 * ratio(count.parts, count.tokens),
            100 * ratio(count.unknown, count.tokens), ratio(count.tokens, group.counts[0].tokens));
      }
      out << '\n';
    }
    out << "vocabularies, tokens by script\n"
        << fmt::format("  {:{}}  {:>9}", "tokenizer", width, "ids");
    for (size_t i = 0; i < text::kTokenScripts; ++i)
      out << fmt::format("  {:>13}", name_of(text::TokenScript(i)));
    out << '\n';
    for (const auto& loaded : loaded_) {
      out << fmt::format("  {:{}}  {:>9}", loaded.path, width,
                         fmt::group_digits(loaded.tokenizer->vocab_size()));
      for (const int64_t n : loaded.counter.scripts())
        out << fmt::format("  {:>13}", fmt::group_digits(n));
      out << '\n';
    }
  }

  std::vector<std::string> tokenizers_ = {}, in_ = {};
  std::string field_ = "text", by_ = {};
  int64_t threads_ = 0;

  std::vector<Loaded> loaded_ = {};
  std::vector<std::string> names_ = {};  // of the groups, in the order met
  std::map<std::string, Group> groups_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokenizerCompare)
