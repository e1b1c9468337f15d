// A parsed page in memory of its own. Private to html_text.cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

struct GumboInternalNode;

namespace helio::text {

class HtmlTree {
 public:
  // Parses; past `max_bytes` of memory the parse is given up. `page` must outlive the tree.
  HtmlTree(std::string_view page, size_t max_bytes);
  ~HtmlTree();
  HtmlTree(const HtmlTree&) = delete;
  HtmlTree& operator=(const HtmlTree&) = delete;

  // The <html> element; null when the parse was given up.
  const GumboInternalNode* root() const { return root_; }

 private:
  struct Arena;
  std::unique_ptr<Arena> arena_;
  const GumboInternalNode* root_ = nullptr;
};

// An upper bound of a page's nesting, found without parsing it.
size_t nesting_bound(std::string_view page);

}  // namespace helio::text
