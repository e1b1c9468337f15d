// Schemas taken together: references, allOf, what excludes what. Used by json_schema.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::text {

[[noreturn]] void fail_schema(const std::string& path, const std::string& what);
// Error{invalid} where a keyword's value is of the wrong kind (a list where a number must be).
void check_kinds(const OrderedJson& schema, const std::string& path);

class SchemaAlgebra {
 public:
  explicit SchemaAlgebra(const OrderedJson& root) : root_(root) {}

  // The schema a $ref names; `path` is where it stands.
  const OrderedJson& target(const OrderedJson& reference, const std::string& path) const;
  // Valid under both: their references followed, allOf resolved.
  OrderedJson both(const OrderedJson& a, const OrderedJson& b, const std::string& path,
                   int depth = 0);
  // No value is valid under both. May say no where that is so.
  bool apart(const OrderedJson& a, const OrderedJson& b, const std::string& path) const;

  // Whether any keyword says something of values: not only of the schema itself.
  static bool asserts(const OrderedJson& schema);
  static bool is_annotation(const std::string& keyword);

 private:
  OrderedJson resolved(const OrderedJson& schema, const std::string& path, int depth);
  void merge_keyword(OrderedJson& out, const std::string& key, const OrderedJson& value,
                     const std::string& path, int depth);
  void merge_members(OrderedJson& out, const OrderedJson& b, const std::string& path, int depth);
  const OrderedJson& followed(const OrderedJson& schema, const std::string& path) const;
  uint32_t types(const OrderedJson& schema, const std::string& path, int depth) const;

  const OrderedJson& root_;
  int64_t merged_ = 0;  // keywords: against schemas that grow without end
};

}  // namespace helio::text
