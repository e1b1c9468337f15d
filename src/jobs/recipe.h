// A recipe: named stages in order, each a command with options. Options that name an earlier stage
// (or a declared input) draw the graph; everything else is checked before any work starts.
//
//   name: solar-mini
//   inputs:
//     text: workspace/sources            # overridden by --inputs.text PATH
//   stages:
//     lots:   {kind: club import, root: text, ...}
//     corpus: {kind: data run, lots: lots, steps: [...]}
//     base:   {kind: pretrain, tokens: tokens, train: {steps: 400}}
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/node.h"

namespace helio::jobs {

// What a stage can be: the command's words, the module whose code it runs, its options.
struct StageKind {
  std::string name = {};    // "tokenizer train"
  std::string module = {};  // for code_hash(): "text"
  std::function<std::unique_ptr<Described>()> make = {};
};

struct StageInput {
  std::string role = {};   // the option: "tokens"
  std::string given = {};  // as written in the recipe: "corpus", "text/alpaca_en_demo.json"
  fs::path path = {};      // or openai:URL#name, a model that is served
  int stage = -1;          // index of the stage that makes it; -1: a file from outside
};

struct StageOutput {
  std::string role = {};   // "out"
  std::string place = {};  // "models"
  fs::path path = {};
};

struct Stage {
  std::string name = {}, kind = {}, module = {};
  Mark mark = {};
  OrderedJson written =
      {};  // options as the recipe means them: names, no paths (hashed into the key)
  OrderedJson resolved = {};  // the same with paths: what the command reads
  std::vector<StageInput> inputs = {};
  std::vector<StageOutput> outputs = {};  // the first is the one other stages mean by its name
  bool can_resume = false;                // has options `resume` and `restart`
};

struct Recipe {
  std::string name = {}, about = {};
  fs::path file = {}, workspace = {};
  std::vector<Stage> stages = {};
  const Stage* find(std::string_view name) const;
};

// Reads and checks the whole recipe; `over` lays flags on top (by dotted path:
// "stages.base.train.lr"). Errors carry file:line:column.
Recipe load_recipe(const fs::path& file, const fs::path& workspace, const Node& over,
                   const std::vector<StageKind>& kinds);

}  // namespace helio::jobs
