#include "engine/study/study_output.h"

#include <fmt/format.h>

#include <ostream>

#include "core/error.h"

namespace helio::engine {
namespace {

void print_costs(cli::Context& context, const OrderedJson& costs) {
  if (context.json) {
    context.out << compact(costs) << "\n";
    return;
  }
  context.out << fmt::format("{} runs into {} (nothing is written):\n", costs.at("runs").size(),
                             costs.at("out").get<std::string>());
  for (const auto& run : costs.at("runs")) {
    const std::string seed =
        run.at("seed").is_null() ? "" : fmt::format("seed {}", run.at("seed").get<int64_t>());
    context.out << fmt::format("  {:<24}{:<12}", run.at("variant").get<std::string>(), seed);
    if (run.at("finished").get<bool>()) context.out << "done\n";
    else if (!run.contains("steps")) context.out << "measured only\n";
    else
      context.out << fmt::format("{:>6} steps {:>10} tokens  about {:.0f} s\n",
                                 run.at("steps").get<int64_t>(), run.at("tokens").get<int64_t>(),
                                 run.at("seconds").get<double>());
  }
  context.out << fmt::format(
      "Training of what is not done: about {:.1f} min; measuring comes on "
      "top.\n",
      costs.at("seconds").get<double>() / 60);
}

}  // namespace

int run_or_plan(cli::Context& context, const std::string& out, bool dry_run,
                const std::function<train::StudyPlan(const fs::path& data)>& make) {
  train::check_study_folder(out);
  if (dry_run) {
    const StagedDir data(fs::temp_directory_path() / "helio-study");  // never committed
    print_costs(context, train::study_costs(make(data.path())));
    return 0;
  }
  try {
    const OrderedJson study =
        train::run_study(make(fs::path(out) / "data"), context.monitor, context.stop);
    if (context.json) context.out << compact(study) << "\n";
    else context.out << train::study_table(study) << "\nWritten to " << out << "\n";
    return 0;
  } catch (Error& error) {
    if (error.kind() == ErrorKind::interrupted)
      error.with_hint("go on:  the same command; what is done is not repeated");
    throw;
  }
}

}  // namespace helio::engine
