#include "eval/scorer.h"

#include <algorithm>

#include "core/error.h"

namespace helio::eval {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

const std::vector<ScorerEntry>& scorers() {
  static const std::vector<ScorerEntry> all = {
      {"eq_bench", {"original", "revised", "lm-eval"}, make_eq_bench_scorer},
      {"gsm8k", {"current", "evalverse", "openllm-v1"}, make_gsm8k_scorer},
      {"ifeval", {"official", "evalverse"}, make_ifeval_scorer},
      {"mt_bench", {"single", "pairwise"}, make_mt_bench_scorer},
  };
  return all;
}

std::unique_ptr<Scorer> make_scorer(const std::string& task, const ScorerOptions& options) {
  std::vector<std::string> names;
  for (const auto& entry : scorers()) {
    names.push_back(entry.task);
    if (entry.task != task) continue;
    ScorerOptions chosen = options;
    if (chosen.variant.empty()) chosen.variant = entry.variants.front();
    if (std::find(entry.variants.begin(), entry.variants.end(), chosen.variant) ==
        entry.variants.end())
      throw Error(ErrorKind::usage, "'" + task + "' has no variant '" + chosen.variant + "'")
          .with_hint("variants: " + listed(entry.variants));
    return entry.make(chosen);
  }
  throw Error(ErrorKind::usage, "outputs of '" + task + "' cannot be scored")
      .with_hint("tasks: " + listed(names));
}

std::string row_text(const Json& row, const char* name) {
  if (row.is_object())
    if (const auto found = row.find(name); found != row.end() && found->is_string())
      return found->get<std::string>();
  throw Error(ErrorKind::invalid, std::string("no text in '") + name + "'");
}

std::filesystem::path benchmark_file(const std::string& folder, const std::string& name) {
  const std::filesystem::path file = std::filesystem::path(folder) / name;
  for (const char* ending : {"", ".gz", ".zst"}) {
    std::filesystem::path found = file;
    found += ending;
    if (!folder.empty() && std::filesystem::is_regular_file(found)) return found;
  }
  throw Error(ErrorKind::not_found,
              folder.empty() ? "no folder of benchmark data" : "no '" + file.string() + "'")
      .with_hint("--benchmarks DIR, with " + name + " (or .gz, .zst) in it; docs say where from");
}

}  // namespace helio::eval
