#include "text/html_tree.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csetjmp>
#include <cstdlib>
#include <vector>

namespace helio::text {
namespace {

constexpr size_t kBlock = size_t(256) << 10;

}  // namespace

// gumbo frees a tree by recursion, which a deeply nested page turns into a stack overflow, and it
// does not expect memory to run out. So its memory comes from here and is dropped as a whole, and
// past the limit the parse is left by longjmp: nothing but the arena is held by the C frames jumped
// over.
struct HtmlTree::Arena {
  std::vector<char*> blocks = {};
  char* next = nullptr;
  size_t left = 0, total = 0, limit = 0;
  std::jmp_buf full = {};

  ~Arena() {
    for (char* block : blocks) std::free(block);
  }

  static void* allocate(void* self, size_t size) { return static_cast<Arena*>(self)->take(size); }
  static void release(void*, void*) {}

  void* take(size_t size) {
    size = (size + 15) & ~size_t(15);
    if (size > left) {
      const size_t wanted = std::max(size, kBlock);
      if (total + wanted > limit || !grow(wanted)) std::longjmp(full, 1);
    }
    void* result = next;
    next += size;
    left -= size;
    return result;
  }

  bool grow(size_t wanted) {
    if (blocks.size() == blocks.capacity()) return false;  // reserved by the owner: no throw here
    char* block = static_cast<char*>(std::malloc(wanted));
    if (!block) return false;
    blocks.push_back(block);
    next = block;
    left = wanted;
    total += wanted;
    return true;
  }
};

namespace {

// Its own function: what longjmp returns into holds nothing that needs a destructor.
template <class Arena>
const GumboNode* parse(Arena& arena, const char* data, size_t size) {
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = Arena::allocate;
  options.deallocator = Arena::release;
  options.userdata = &arena;
  options.max_errors = 0;
  if (setjmp(arena.full) != 0) return nullptr;
  return gumbo_parse_with_options(&options, data, size)->root;
}

}  // namespace

HtmlTree::HtmlTree(std::string_view page, size_t max_bytes) : arena_(std::make_unique<Arena>()) {
  arena_->limit = max_bytes;
  arena_->blocks.reserve(max_bytes / kBlock + 1);
  root_ = parse(*arena_, page.data(), page.size());
}

HtmlTree::~HtmlTree() = default;

// An upper bound of the nesting that costs one pass: gumbo's time grows with depth times length, so
// a hostile page must be refused before it is parsed. Elements that HTML closes by itself count
// only while nothing closes round them, which keeps honest old pages far below the limit.
size_t nesting_bound(std::string_view page) {
  static constexpr std::array<std::string_view, 22> self_closing = {
      "area", "base", "br",     "col", "dd",    "dt",     "embed", "hr", "img", "input", "li",
      "link", "meta", "option", "p",   "param", "source", "td",    "th", "tr",  "wbr",   "include"};
  size_t depth = 0, deepest = 0;
  for (size_t at = page.find('<'); at != page.npos; at = page.find('<', at + 1)) {
    size_t end = at + 1;
    const bool closes = end < page.size() && page[end] == '/';
    if (closes) ++end;
    const size_t begin = end;
    char name[10];
    size_t length = 0;
    while (end < page.size() && std::isalnum(static_cast<unsigned char>(page[end]))) {
      if (length < sizeof name) name[length++] = char(page[end] | 0x20);
      ++end;
    }
    if (end == begin || std::find(self_closing.begin(), self_closing.end(),
                                  std::string_view(name, length)) != self_closing.end())
      continue;
    if (closes) depth -= depth > 0;
    else deepest = std::max(deepest, ++depth);
  }
  return deepest;
}

}  // namespace helio::text
