// The main text of a web page: headings, paragraphs, lists, table rows and code as lines of plain
// text; scripts, navigation, headers, footers and lists of links left out.
//
// The parser is gumbo (the HTML5 algorithm, so broken pages read as browsers read them). Hostile
// pages are bounded in size, nesting and memory; the walk over the tree does not recurse.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace helio::text {

enum class HtmlOutcome {
  ok,
  charset,      // not UTF-8: HtmlText::charset says what the page claims to be
  too_large,    // more than max_bytes
  too_deep,     // nested deeper than max_depth
  too_complex,  // its tree needs more than max_tree_bytes
};

struct HtmlOptions {
  size_t max_bytes = size_t(16) << 20;
  size_t max_depth = 10'000;
  size_t max_tree_bytes = size_t(1) << 30;
  // A block with at least this share of its characters inside links is navigation. 2 keeps all.
  double max_link_share = 0.8;
};

struct HtmlText {
  HtmlOutcome outcome = HtmlOutcome::ok;
  std::string text = {};      // blocks apart by blank lines; list items and rows by line ends
  std::string title = {};     // of the head
  std::string language = {};  // <html lang>, as written
  std::string charset = {};   // as claimed by BOM, XML declaration or meta; lower case
};

// Never throws for what the page holds: the outcome says what was wrong, and text is empty then.
HtmlText html_text(std::string_view page, const HtmlOptions& options = {});

std::string_view name_of(HtmlOutcome outcome);  // "ok", "charset", ...

// What a page claims its encoding to be: BOM, then XML declaration, then <meta> in its first 4 KiB.
// Lower case, empty when it says nothing.
std::string html_charset(std::string_view page);

}  // namespace helio::text
