#include "text/html_text.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <vector>

#include "text/html_blocks.h"
#include "text/html_tree.h"

namespace helio::text {
namespace {

// --- what an element is
// ---------------------------------------------------------------------------

std::string_view attribute(const GumboElement& element, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
  return found ? std::string_view(found->value) : std::string_view{};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = char(c | 0x20);
  return result;
}

// One word of class or id, or a whole role, that marks what surrounds the text.
bool is_boilerplate_word(std::string_view word) {
  static constexpr std::array<std::string_view, 34> words = {
      "ad",           "ads",           "advert",      "advertisement", "banner",
      "breadcrumb",   "breadcrumbs",   "contentinfo", "cookie-banner", "cookie-consent",
      "docnav",       "footer",        "menu",        "nav",           "navbar",
      "navfooter",    "navheader",     "navigation",  "page-footer",   "page-header",
      "pagination",   "related-posts", "search",      "share",         "share-buttons",
      "sidebar",      "site-footer",   "site-header", "skip-link",     "social",
      "social-share", "toc",           "toolbar",     "topnav"};
  return std::binary_search(words.begin(), words.end(), word);
}

bool has_boilerplate_word(std::string_view list) {
  const std::string names = lower(list);
  std::string_view rest = names;
  while (!rest.empty()) {
    const size_t end = rest.find_first_of(" \t\n\r\f");
    if (is_boilerplate_word(rest.substr(0, end))) return true;
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  }
  return false;
}

bool is_hidden(const GumboElement& element) {
  if (gumbo_get_attribute(&element.attributes, "hidden")) return true;
  if (attribute(element, "aria-hidden") == "true") return true;
  std::string style = lower(attribute(element, "style"));
  std::erase_if(style, [](char c) { return c == ' ' || c == '\t' || c == '\n'; });
  return style.find("display:none") != style.npos;
}

bool is_left_out(const GumboElement& element) {
  switch (element.tag) {
    case GUMBO_TAG_HEAD:
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_EMBED:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_CANVAS:
    case GUMBO_TAG_AUDIO:
    case GUMBO_TAG_VIDEO:
    case GUMBO_TAG_NOFRAMES:
      return true;
    case GUMBO_TAG_BODY:
    case GUMBO_TAG_HTML:
      return false;
    default:
      break;
  }
  return is_hidden(element) || has_boilerplate_word(attribute(element, "class")) ||
         has_boilerplate_word(attribute(element, "id")) ||
         has_boilerplate_word(attribute(element, "role"));
}

bool is_heading(GumboTag tag) { return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6; }

// How far an element's block stands from its neighbours.
Separation separation(const GumboElement& element) {
  switch (element.tag) {
    case GUMBO_TAG_P:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_DETAILS:
      return Separation::blank_line;
    case GUMBO_TAG_DIV:  // DocBook and Publican write paragraphs so
      return attribute(element, "class") == "para" ? Separation::blank_line : Separation::line;
    case GUMBO_TAG_LI:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_CAPTION:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_TBODY:
    case GUMBO_TAG_THEAD:
    case GUMBO_TAG_TFOOT:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_BODY:
    case GUMBO_TAG_LEGEND:
      return Separation::line;
    default:
      return Separation::none;
  }
}

// --- the walk
// -------------------------------------------------------------------------------------

const GumboVector& children_of(const GumboNode& node) {
  return node.type == GUMBO_NODE_DOCUMENT ? node.v.document.children : node.v.element.children;
}

bool is_element(const GumboNode& node) {
  return node.type == GUMBO_NODE_ELEMENT || node.type == GUMBO_NODE_TEMPLATE;
}

// A table whose cells hold no blocks of their own is data, read row by row; any other is layout,
// read as if it were not there.
bool is_data_table(const GumboNode& table) {
  std::vector<const GumboNode*> open = {&table};
  while (!open.empty()) {
    const GumboNode& node = *open.back();
    open.pop_back();
    const GumboVector& children = children_of(node);
    for (unsigned i = 0; i < children.length; ++i) {
      const auto& child = *static_cast<const GumboNode*>(children.data[i]);
      if (!is_element(child)) continue;
      const GumboTag tag = child.v.element.tag;
      if (is_heading(tag) || tag == GUMBO_TAG_TABLE || tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL ||
          tag == GUMBO_TAG_PRE || tag == GUMBO_TAG_DL)
        return false;
      open.push_back(&child);
    }
  }
  return true;
}

class Walk {
 public:
  explicit Walk(double max_link_share) : out_(max_link_share) {}

  std::string run(const GumboNode& root) {
    enter(root);
    while (!frames_.empty()) {
      Frame& top = frames_.back();
      const GumboVector& children = children_of(*top.node);
      if (top.next == children.length) {
        leave();
        continue;
      }
      const auto& child = *static_cast<const GumboNode*>(children.data[top.next++]);
      if (is_element(child)) {
        if (!is_left_out(child.v.element)) enter(child);
      } else if (child.type != GUMBO_NODE_COMMENT) {
        text(child.v.text.text);
      }
    }
    return out_.finish();
  }

 private:
  struct Frame {
    const GumboNode* node;
    unsigned next = 0;
    int items = 0;  // of a list, so far
    bool link = false, pre = false, row = false, item = false;
  };

  void text(const char* text) {
    const Frame& top = frames_.back();
    const Inside inside = top.link ? Inside::link : Inside::text;
    if (top.pre && !top.row) {
      out_.verbatim(text);
    } else {
      out_.flow(text, inside);
    }
  }

  void enter(const GumboNode& node) {
    Frame frame{.node = &node};
    if (is_element(node)) {
      if (!frames_.empty()) {
        const Frame& parent = frames_.back();
        frame.link = parent.link, frame.pre = parent.pre, frame.row = parent.row;
        frame.item = parent.item;
      }
      const GumboElement& element = node.v.element;
      separate(element, frame);
      const GumboTag tag = element.tag;
      if (tag == GUMBO_TAG_A && gumbo_get_attribute(&element.attributes, "href")) frame.link = true;
      if (tag == GUMBO_TAG_PRE) frame.pre = true;
      if (tag == GUMBO_TAG_BR) {
        if (frame.pre) out_.verbatim("\n");
        else if (frame.row) out_.flow(" ", Inside::text);
        else out_.separate(Separation::line);
      }
      if (is_heading(tag)) out_.mark_heading();
      if (tag == GUMBO_TAG_LI) begin_item(frame);
      if (tag == GUMBO_TAG_TABLE && !frame.row) data_tables_.push_back(is_data_table(node));
      if (tag == GUMBO_TAG_TR && !data_tables_.empty() && data_tables_.back()) frame.row = true;
    }
    frames_.push_back(frame);
  }

  void begin_item(Frame& frame) {
    frame.item = true;
    int number = 0;
    if (!frames_.empty()) {
      Frame& list = frames_.back();
      if (is_element(*list.node) && list.node->v.element.tag == GUMBO_TAG_OL) number = ++list.items;
    }
    out_.mark_item(number > 0 ? std::to_string(number) + ". " : "- ");
  }

  // Inside a row everything stays on one line, inside a list item paragraphs do not drift apart.
  void separate(const GumboElement& element, const Frame& frame) {
    Separation by = separation(element);
    if (by == Separation::none) return;
    if (frame.row) {
      out_.flow(" ", Inside::text);
      return;
    }
    if (frame.item) by = std::min(by, Separation::line);
    out_.separate(by);
  }

  void leave() {
    const Frame frame = frames_.back();
    frames_.pop_back();
    if (!is_element(*frame.node)) return;
    const GumboElement& element = frame.node->v.element;
    const GumboTag tag = element.tag;
    if (frame.row && (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH)) out_.end_cell();
    const Frame& outside = frames_.empty() ? frame : frames_.back();
    separate(element, tag == GUMBO_TAG_TR ? outside : frame);
    if (tag == GUMBO_TAG_LI) out_.drop_item_mark();
    if (tag == GUMBO_TAG_TABLE && !frame.row) data_tables_.pop_back();
  }

  BlockWriter out_;
  std::vector<Frame> frames_ = {};
  std::vector<bool> data_tables_ = {};
};

// --- the page
// -------------------------------------------------------------------------------------

struct PageParts {
  const GumboNode* main = nullptr;  // the one <main>, when there is exactly one
  std::string title = {}, language = {};
};

PageParts page_parts(const GumboNode& root) {
  PageParts parts;
  int mains = 0;
  bool titled = false;
  std::vector<const GumboNode*> open = {&root};
  while (!open.empty()) {
    const GumboNode& node = *open.back();
    open.pop_back();
    const GumboElement& element = node.v.element;
    if (element.tag == GUMBO_TAG_HTML) parts.language = attribute(element, "lang");
    if (element.tag == GUMBO_TAG_MAIN || attribute(element, "role") == "main") {
      ++mains;
      parts.main = &node;
    }
    const bool is_title = element.tag == GUMBO_TAG_TITLE && !titled;
    for (unsigned i = element.children.length; i-- > 0;) {
      const auto& child = *static_cast<const GumboNode*>(element.children.data[i]);
      if (is_element(child)) open.push_back(&child);
      else if (is_title && child.type == GUMBO_NODE_TEXT) {
        BlockWriter line(2);
        line.flow(child.v.text.text, Inside::text);
        parts.title = line.finish();
        titled = true;
      }
    }
  }
  if (mains != 1) parts.main = nullptr;
  return parts;
}

}  // namespace

std::string_view name_of(HtmlOutcome outcome) {
  switch (outcome) {
    case HtmlOutcome::ok:
      return "ok";
    case HtmlOutcome::charset:
      return "charset";
    case HtmlOutcome::too_large:
      return "too_large";
    case HtmlOutcome::too_deep:
      return "too_deep";
    case HtmlOutcome::too_complex:
      return "too_complex";
  }
  return "ok";
}

HtmlText html_text(std::string_view page, const HtmlOptions& options) {
  HtmlText result;
  result.charset = html_charset(page);
  const auto refuse = [&](HtmlOutcome why) {
    result.outcome = why;
    return result;
  };
  if (page.size() > options.max_bytes) return refuse(HtmlOutcome::too_large);
  const std::string& charset = result.charset;
  if (!charset.empty() && charset != "utf-8" && charset != "utf8" && charset != "us-ascii")
    return refuse(HtmlOutcome::charset);
  if (nesting_bound(page) > options.max_depth) return refuse(HtmlOutcome::too_deep);

  const HtmlTree tree(page, options.max_tree_bytes);
  if (!tree.root()) return refuse(HtmlOutcome::too_complex);

  PageParts parts = page_parts(*tree.root());
  result.title = std::move(parts.title);
  result.language = std::move(parts.language);
  result.text = Walk(options.max_link_share).run(parts.main ? *parts.main : *tree.root());
  return result;
}

}  // namespace helio::text
