// The parts of read_report, by the kind of artefact.
#pragma once

#include "report/model.h"
#include "report/record.h"

namespace helio::report {

// Stages with their state in state/*.json, in the recipe's order.
void read_stages(const ReadOptions& options, Report& report);
std::vector<Artefact> read_artefacts(const fs::path& workspace);
Dataset read_dataset(const StageInfo& stage);
// Fills runs, upscalings and alignments.
void read_training(Report& report);
Evaluation read_evaluation(const StageInfo& stage);
Statement read_statement(const StageInfo& stage);

Counts sorted(Counts counts);  // largest first, then by name
// The 95% interval of a share of n yes-or-no items (Wilson 1927): honest for small n and near 0
// and 1.
Interval wilson(double share, double n);

}  // namespace helio::report
