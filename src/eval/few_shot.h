// The examples before a question: which documents, and how they read.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "eval/benchmark_items.h"
#include "eval/python_random.h"

namespace helio::eval {

// Examples for the documents of one part, in document order: each draw moves the generator on.
class FewShot {
 public:
  // Error{invalid} when the pool has fewer documents than a draw takes.
  FewShot(const ItemBuilder& builder, std::vector<Json> pool, std::string subject, int64_t count);

  // Numbers in the pool of the examples of the next document, in the order they stand.
  std::vector<size_t> draw(const Json& document, PythonRandom& random) const;
  // The text of those.
  std::string text(const std::vector<size_t>& chosen);
  // Each as a user's message and its answer.
  std::vector<text::Message> turns(const std::vector<size_t>& chosen) const;

 private:
  const ItemBuilder& builder_;
  std::vector<Json> pool_;
  std::vector<std::string> shown_;  // each example's text, once it was needed
  std::string subject_;
  size_t count_, extra_;
};

}  // namespace helio::eval
