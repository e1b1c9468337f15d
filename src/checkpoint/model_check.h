// Is a model folder or GGUF file whole? Every question gets a verdict, whatever the others say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/monitor.h"

namespace helio::checkpoint {

enum class Verdict { good, bad, note, skipped };
std::string_view verdict_name(Verdict verdict);  // "ok", "FAILED", "note", "not checked"

struct CheckLine {
  std::string what = {};  // "weights", "config", "values", "hashes", "tokenizer"
  Verdict verdict = Verdict::good;
  std::string detail = {};
};

struct CheckOptions {
  enum class Values { scan, skip } values = Values::scan;
  int threads = 1;
};

// Looks at: the container (headers, offsets, index), whether config.json and tensors agree, values
// that are NaN or infinite, hashes of helio_manifest.json, the tokenizer and the ids that
// generation_config.json names. Throws not_found when there is nothing at `path`.
std::vector<CheckLine> check_model(const std::filesystem::path& path, const CheckOptions& options,
                                   Monitor& monitor, const StopRequest& stop);

}  // namespace helio::checkpoint
