#include <set>

#include "core/error.h"
#include "core/options.h"
#include "data/feed.h"
#include "data/read/source_files.h"

namespace helio::data {
namespace {

// "data/ko news.jsonl.zst" is "ko-news": what a folder may be called.
std::string name_from(const std::string& path) {
  std::string base = std::filesystem::path(path).lexically_normal().filename().string();
  if (base.empty() || base.find_first_of("*?") != base.npos)
    base = std::filesystem::path(path).parent_path().filename().string();
  base = base.substr(0, base.find('.', 1));
  std::string name;
  for (const unsigned char c : base)
    name += std::isalnum(c) || c == '-' || c == '_' || c >= 0x80 ? char(c) : '-';
  return name.empty() ? "input" : name;
}

class InputFeed final : public Feed {
 public:
  explicit InputFeed(const InputOptions& input)
      : info_{.lot = input.lot,
              .partner = input.partner,
              .licence = input.licence,
              .language = input.language,
              .source = input.files.path},
        source_(open_source(input.files, input.lot)) {}

  bool next(Piece& piece, size_t bytes) override { return source_->next(piece.block, bytes); }

  std::vector<Document> parse(const Piece& piece, ReadTally& tally) const override {
    std::vector<Document> documents;
    source_->parse(piece.block, documents, tally);
    for (Document& document : documents) {
      document.lot = info_.lot, document.partner = info_.partner;
      if (document.licence.empty()) document.licence = info_.licence;
      if (document.language.empty()) document.language = info_.language;
    }
    return documents;
  }

  const club::LotInfo& info() const override { return info_; }
  uint64_t bytes_read() const override { return source_->bytes_read(); }
  uint64_t bytes_total() const override { return source_->bytes_total(); }

 private:
  club::LotInfo info_;
  std::unique_ptr<SourceReader> source_;
};

}  // namespace

std::vector<InputOptions> read_inputs(const Node& node) {
  std::vector<InputOptions> inputs;
  if (node.is_null()) return inputs;
  std::set<std::string> names;
  const auto read = [&](const Node& item) {
    InputOptions& input = inputs.emplace_back();
    const std::string at = item.mark().str().empty() ? "" : item.mark().str() + ": ";
    if (item.is_scalar()) input.files.path = item.text();
    else read_options(item, describe(input));
    if (input.files.path.empty())
      throw Error(ErrorKind::invalid, at + "an input has a path")
          .with_hint("for example: {path: data/ko.jsonl.zst, partner: 한빛, language: ko}");
    if (input.lot.empty()) {
      const std::string base = name_from(input.files.path);
      input.lot = base;
      for (int i = 2; names.contains(input.lot); ++i) input.lot = base + "-" + std::to_string(i);
    }
    if (input.partner.empty()) input.partner = input.lot;
    if (!names.insert(input.lot).second)
      throw Error(ErrorKind::invalid, at + "two inputs are called '" + input.lot + "'");
  };
  if (node.is_list())
    for (const Node& item : node.items()) read(item);
  else read(node);
  return inputs;
}

std::unique_ptr<Feed> open_input_feed(const InputOptions& input) {
  return std::make_unique<InputFeed>(input);
}

}  // namespace helio::data
