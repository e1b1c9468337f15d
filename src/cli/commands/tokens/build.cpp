// Encode a dataset into token shards for training, with tokens counted by lot.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "core/version.h"
#include "text/token_shard_writer.h"
#include "text/tokenizer.h"

namespace helio::cli {
namespace {

class TokensBuild final : public Command {
 public:
  Card card() const override {
    return {.positional = {"dataset", "tokenizer"},
            .required = {"dataset", "tokenizer", "out"},
            .examples = {"helio tokens build datasets/corpus tokenizers/mine --out tokens/corpus"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "Dataset folder.");
    f.input("tokenizer", tokenizer_, "Tokenizer folder, or a model's.");
    f("eos", eos_, "Token that ends each document; empty: the tokenizer's eos.");
    f("shard_tokens", options_.shard_tokens, "Largest number of tokens in a shard.", at_least(1));
    f("threads", options_.threads, "Threads; 0: all. They do not change the result.",
      between(0, 256));
    f.output("out", out_, "tokens", "Folder to write.");
  }

  int run(Context& context) override {
    const auto tokenizer = text::load_tokenizer(tokenizer_);
    Manifest manifest;
    manifest.inputs = {describe_input("dataset", dataset_),
                       describe_input("tokenizer", tokenizer_)};
    const text::ShardWriterOptions shards{.vocab_size = tokenizer->vocab_size(),
                                          .eos = find_eos(*tokenizer),
                                          .tokenizer_content = manifest.inputs[1].content};
    StagedDir staged(out_);
    const OrderedJson json = build_tokens(dataset_, *tokenizer, shards, options_, staged.path(),
                                          context.monitor, context.stop);
    fs::path out = out_;
    if (out.filename().empty()) out = out.parent_path();
    manifest.kind = "tokens";
    manifest.name = out.filename().string();
    manifest.made_by = "tokens build";
    manifest.version = version();
    manifest.code = code_hash("text");
    manifest.options = {{"eos", eos_}, {"shard_tokens", options_.shard_tokens}};
    manifest.facts = {{"tokens", json["tokens"]},
                      {"documents", json["documents"]},
                      {"vocab_size", json["vocab_size"]},
                      {"lots", json["lots"]}};
    for (const auto& [split, counts] : json["splits"].items())
      manifest.facts["splits"][split] = {{"tokens", counts["tokens"]},
                                         {"documents", counts["documents"]}};
    seal_artefact(staged.path(), manifest);
    context.stop.check();
    staged.commit();
    print(context, json);
    return 0;
  }

 private:
  text::TokenId find_eos(const text::Tokenizer& tokenizer) const {
    if (!eos_.empty()) {
      if (const auto id = tokenizer.id_of(eos_)) return *id;
      throw Error(ErrorKind::invalid, "the tokenizer has no token '" + eos_ + "'")
          .with_hint("helio tokenizer info " + tokenizer_ + " lists the added tokens");
    }
    const auto eos = load_special_ids(tokenizer_, tokenizer).eos;
    if (!eos)
      throw Error(ErrorKind::invalid,
                  "nothing beside the tokenizer says which token ends a document")
          .with_hint("add --eos TOKEN, such as --eos \"<|endoftext|>\"");
    return *eos;
  }

  void print(Context& context, const OrderedJson& json) const {
    if (context.json) {
      OrderedJson out = {{"out", out_}};
      for (const auto* key : {"tokens", "documents", "vocab_size", "lots"}) out[key] = json[key];
      out["splits"] = OrderedJson::object();
      for (const auto& [split, counts] : json["splits"].items())
        out["splits"][split] = {{"tokens", counts["tokens"]}, {"documents", counts["documents"]}};
      context.out << compact(out) << "\n";
      return;
    }
    context.out << fmt::format("{:<32}{:>12}{:>16}\n", "lot", "documents", "tokens");
    const auto row = [&](const std::string& name, const OrderedJson& counts) {
      context.out << fmt::format(
          "{:<32}{:>12}{:>16}\n", name,
          fmt::format("{}", fmt::group_digits(counts["documents"].get<int64_t>())),
          fmt::format("{}", fmt::group_digits(counts["tokens"].get<int64_t>())));
    };
    for (const auto& lot : json["lots"]) row(lot["lot"].get<std::string>(), lot);
    for (const auto& [split, counts] : json["splits"].items()) row("split " + split, counts);
    row("all", json);
  }

  std::string dataset_ = {}, tokenizer_ = {}, eos_ = {}, out_ = {};
  text::BuildTokensOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TokensBuild)
