// Jinja templates as chat templates use them: jinja2 3.1's language in transformers' environment
// (immutable sandbox, trim_blocks, lstrip_blocks, break/continue, {% generation %}). What is
// different is listed in docs/chat-templates.md.
//
// A template sees its variables and nothing else: no files, no clock but the one it is given.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/jinja/runtime.h"

namespace helio::text::jinja {

struct Span {
  int64_t begin = 0, end = 0;  // in characters of the rendered text
  bool operator==(const Span&) const = default;
};

struct Rendered {
  std::string text = {};
  std::vector<Span> generation = {};  // of {% generation %} blocks, in the order they ended
};

struct RenderOptions {
  Limits limits = {};
  std::function<std::tm()> now = {};  // for strftime_now; empty: the local time
};

using Variables = std::vector<std::pair<std::string_view, const OrderedJson*>>;

struct Tree;

class Template {
 public:
  // Errors: ErrorKind::invalid, "name:line:column: what" with the template's line.
  static Template parse(std::string_view source, std::string name);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  // Renders with these variables; a later one of the same name wins. May be called from several
  // threads. Errors: ErrorKind::invalid with the place, also for a limit that is passed.
  Rendered render(const Variables& variables, const RenderOptions& options = {}) const;
  bool has_generation() const;  // a {% generation %} block is somewhere in it

 private:
  explicit Template(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

// JSON as a reader of chats needs it: keys in order, NaN and Infinity refused, at most 200 deep.
OrderedJson parse_ordered_json(std::string_view text, const std::string& source);

}  // namespace helio::text::jinja
