// What was asked for by name: tasks, each with its shots, and the groups they belong to.
#pragma once

#include <string>
#include <vector>

#include "eval/task_spec.h"

namespace helio::eval {

struct SelectedTask {
  TaskSpec spec = {};
  int64_t shots = -1;  // -1: as --shots or the task says
};
struct SelectedGroup {
  TaskSpec spec = {};
  std::vector<std::string> members = {};  // names of its tasks
};
struct Selection {
  std::vector<SelectedTask> tasks = {};
  std::vector<SelectedGroup> groups = {};
};

// Each name (or several between commas) is a task, a group, or a path ending in .task.yaml;
// NAME@SHOTS gives a task's shots. A task that several groups have stands once. Error{usage}: the
// same task twice by name or with different shots.
Selection select_tasks(const std::vector<std::string>& names);

}  // namespace helio::eval
