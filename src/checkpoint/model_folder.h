// What a Hugging Face model folder has beside its weights, for commands that make a new folder of
// an old one. Torch-free.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/manifest.h"
#include "core/monitor.h"

namespace helio::checkpoint {

// config.json of the folder, keys in their order. Throws not_found or invalid naming the file.
OrderedJson load_model_config(const std::filesystem::path& dir);

// Throws unless `out` may be written as a new model folder: it must not be, hold or lie in `source`
// (replacing it would delete the source), nor hold files that helio did not make.
void check_new_model_folder(const std::filesystem::path& source, const std::filesystem::path& out);

// The tokenizer's files, and what else belongs to a model: copied byte for byte where they exist.
std::span<const std::string_view> tokenizer_files();
std::span<const std::string_view> model_papers();

// Copies these files, where `from` has them.
void copy_companions(const std::filesystem::path& from, const std::filesystem::path& to);

// A manifest of kind "model" with its name (the folder's), maker, version and code.
Manifest model_manifest(std::filesystem::path out, const std::string& made_by);

// A new model folder, there whole or not at all: `fill` puts everything into the folder that it is
// given, the manifest last. Errors say what was written and where to.
void write_model_folder(const std::filesystem::path& out, const std::string& what,
                        const StopRequest& stop,
                        const std::function<void(const std::filesystem::path& dir)>& fill);

}  // namespace helio::checkpoint
