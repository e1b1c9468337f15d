// One Dataverse block: its arguments and what it becomes. Private to data/dataverse.
#pragma once

#include <functional>
#include <map>

#include "core/error.h"
#include "data/dataverse/dataverse.h"

namespace helio::data::dataverse {

[[noreturn]] void refuse(const Mark& mark, std::string message, std::string hint);

// The arguments of one block as they are written. Values of another type are errors with their
// place; null is the same as leaving the argument out.
class Arguments {
 public:
  Arguments(const Node* map, Mark block) : map_(map), block_(std::move(block)) {}

  const Node* find(std::string_view name) const;  // nullptr when absent or null
  Mark mark(std::string_view name) const;         // of the value, or of the block
  std::string text(std::string_view name, std::string otherwise) const;
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double number(std::string_view name, double otherwise) const;
  bool boolean(std::string_view name, bool otherwise) const;
  std::vector<std::string> texts(std::string_view name) const;  // of a scalar or a list
  const Mark& block() const { return block_; }

 private:
  const Node* map_;
  Mark block_;
};

// What the blocks so far have made.
struct Building {
  DataverseRecipe recipe = {};
  std::string column = {};  // the one all blocks work on
  Mark column_mark = {};
  int64_t chunk_words = 0;               // of document___split_by_word
  std::vector<std::string> merged = {};  // columns that merge_col_vertical put into `column`

  void note(const Mark& mark, const std::string& what);
  void ignored(const Arguments& arguments, std::initializer_list<std::string_view> names,
               const std::string& why);
  void use_column(const Arguments& arguments);  // of `subset`
  void input(const Mark& mark, std::string path, std::string format);
  Node& step(const Mark& mark, std::string op);
};

void set_text(Node& map, const Mark& mark, std::string key, std::string value);
void set_number(Node& map, const Mark& mark, std::string key, double value);

struct Block {
  std::vector<std::string> arguments = {};
  std::function<void(const Arguments&, Building&)> build = {};
};
const std::map<std::string, Block, std::less<>>& blocks();

// The families, each in its own file.
void add_readers(std::map<std::string, Block, std::less<>>& blocks);
void add_steps(std::map<std::string, Block, std::less<>>& blocks);

}  // namespace helio::data::dataverse
