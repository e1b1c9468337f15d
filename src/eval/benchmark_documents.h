// The documents of a benchmark in the order they are asked, each with its examples: what tasks with
// choices and tasks with answers have in common.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/benchmark_items.h"
#include "eval/task.h"

namespace helio::eval {

struct BenchmarkRead {
  std::vector<Part> parts = {};
  std::string not_run = {};  // why there are no items at all
  OrderedJson settings =
      OrderedJson::object();  // shots, profile, hashes of the data and of the draws
};

// --chat-template as results record it: a file by what is in it.
std::string chat_template_name(const std::string& setting);

// What stands before a question.
struct Before {
  std::string text = {};  // of the question's own message, where it is one
  // Sources::apply_chat_template: the messages before it.
  std::vector<text::Message> messages = {};
};

// Calls `add(document, before, id)` for each document that is asked. Missing data is said in the
// parts; damaged data is an Error.
using AddItem = std::function<void(const Json& document, const Before& before, std::string id)>;
BenchmarkRead read_benchmark(const ItemBuilder& builder, const Sources& sources,
                             const Profile& profile, const AddItem& add);

}  // namespace helio::eval
