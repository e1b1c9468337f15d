// Reads the main text out of web pages; documents that are text already pass.
#include "data/op.h"
#include "text/html_text.h"

namespace helio::data {
namespace {

class ExtractHtml final : public Map {
 public:
  struct Options {
    double max_link_share = 0.8;
    int64_t max_mib = 16;
    std::string documents = "pages";

    void describe(Fields& f) {
      f("max_link_share", max_link_share,
        "A block with at least this share of its characters in links is navigation; above 1 keeps "
        "all.",
        between(0, 2));
      f("max_mib", max_mib, "Larger pages are dropped.", between(1, 1024));
      f("documents", documents,
        "Which are read: those that came as pages, or all, as when a column holds HTML.",
        one_of({"pages", "all"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Turns web pages into their main text: headings, paragraphs, lists, table rows, "
                "code; no scripts, navigation, headers or footers."};
  }

  explicit ExtractHtml(const Options& options) : all_(options.documents == "all") {
    html_.max_link_share = options.max_link_share;
    html_.max_bytes = static_cast<size_t>(options.max_mib) << 20;
  }

  Verdict apply(Document& document, Counters&) const override {
    if (!all_ && document.format != "html") return keep();
    text::HtmlText page = text::html_text(document.text, html_);
    if (page.outcome != text::HtmlOutcome::ok)
      return drop("html_" + std::string(name_of(page.outcome)), double(document.text.size()));
    if (page.text.empty()) return drop("html_without_text", double(document.text.size()));
    document.text = std::move(page.text);
    document.format = "text";
    return keep();
  }

 private:
  text::HtmlOptions html_ = {};
  bool all_;
};

}  // namespace

HELIO_OP(ExtractHtml)

}  // namespace helio::data
