// What every training command does around its trainer: which run this is, its folder, its model's
// folder. Torch-free.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/manifest.h"
#include "core/options.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace helio::train {

// One training run, identified by what decides its result.
struct RunSetup {
  std::string command = {};  // "pretrain"
  std::string command_line =
      {};  // "helio pretrain --tokens ... ": what was asked, to be shown in hints
  std::vector<ArtefactInput> inputs = {};
  OrderedJson options = {};  // without paths: for manifests
  OrderedJson given = {};    // with paths: for run.yaml
  std::filesystem::path out = {}, run = {};
  int64_t threads = 0;
  // Hash of command, options, contents of the inputs, threads and code; not of what changes no
  // number: how often it saves, and train.recompute.
  std::string key = {};
};

// `now` describes the options as given, `defaults` a fresh struct. An empty `run` becomes
// WORKSPACE/runs/NAME for WORKSPACE/models/NAME, otherwise OUT-run.
RunSetup set_up_run(const std::string& command, const Describe& now, const Describe& defaults,
                    int64_t threads);

// run.yaml (the options) and env.json (version, machine, libraries: telemetry).
void write_run_folder(const RunSetup& setup);

// Refuses to replace a folder that is not empty and not helio's.
void check_output(const std::filesystem::path& out);

// A manifest of kind "model" with the run's inputs, options and code.
Manifest model_manifest(const RunSetup& setup, const std::filesystem::path& dir);

// tokenizer.json and what stands beside it, from `source` to `dir`, chat templates too.
// `chat_template` is written when the source's own default is another; a source without one gets
// SOLAR's layout when `chat_template` is empty. A source without tokenizer.json is an error.
void copy_tokenizer(const std::filesystem::path& source, const std::filesystem::path& dir,
                    const std::string& chat_template = {});

// RUN/adapter, where LoRA wrote one, beside the model it is merged into.
void copy_adapter(const std::filesystem::path& run, const std::filesystem::path& dir);

// A tokenizer with more ids than the model has embeddings is an error.
void check_vocabulary(int64_t tokenizer_ids, int64_t embeddings,
                      const std::filesystem::path& tokenizer);

// Conversations or pairs longer than the model's positions are an error.
void check_length(int64_t max_length, int64_t positions);

// A run whose template comes from a file is another run when the file changes.
void add_to_key(RunSetup& setup, const text::ChatFormat& format);

}  // namespace helio::train
